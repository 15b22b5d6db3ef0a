"""Clips longer than the model learnt, and how far they wander from their own beginning."""

from typing import Any

import torch
from comfy_api.latest import io, ui
from torch import Tensor

from ..moviegen_core.errors import SettingsError
from ..moviegen_core.flow.windows import spread_windows
from ..moviegen_core.media.curves import Curve, draw_curves
from ..moviegen_core.media.write import frames_from_clip
from ..moviegen_core.stages.drift import Drift
from .host import report, sampling, windows
from .host import video as host_video

SEEN, STRONG = 2.0, 1.1
"""A distance in Lab that is just seen, and a change of contrast that is."""


class MovieGenLongClip(io.ComfyNode):
    """Windows in time, as a change to the model."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenLongClip",
            display_name="Long Clip",
            category="Movie Gen/sampling",
            description="Lets any sampler make clips longer than the model learnt: in windows that overlap"
            " and are blended at every step, with the memory of one window. Shorter clips are not changed.",
            inputs=[
                io.Model.Input("model", tooltip="Any model that makes clips."),
                io.Int.Input(
                    "window",
                    default=0,
                    min=0,
                    max=1024,
                    tooltip="Latent frames at once, 8 frames each for Movie Gen; 0 takes what a Movie Gen"
                    " model learnt. For Wan 21 is right.",
                ),
                io.Int.Input(
                    "overlap",
                    default=0,
                    min=0,
                    max=1023,
                    tooltip="Of them shared by neighbours: more is steadier and takes longer. 0 takes half.",
                ),
            ],
            outputs=[io.Model.Output(display_name="model", tooltip="The same model, for any sampler.")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, model: Any, window: int, overlap: int) -> io.NodeOutput:  # noqa: ANN401
        """Check, tell, patch."""
        windows.check_clips(model)
        length = window or windows.learnt_window(model)
        if length is None:
            raise SettingsError(
                "this model does not tell how many latent frames it learnt to see at once, and window is 0;"
                " set window, for Wan to 21"
            )
        shared = overlap or length // 2
        spread_windows(length, length, shared)  # refuses what does not fit
        words = f"windows of {length} latent frames, {shared} of them shared"
        report.say_on_node(cls.hidden, words)
        return io.NodeOutput(windows.in_windows(model, length, shared), ui=ui.PreviewText(words))


class MovieGenMeasureDrift(io.ComfyNode):
    """Colour and contrast of a clip's parts against its first."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenMeasureDrift",
            display_name="Measure Drift",
            category="Movie Gen/sampling",
            description="How far a long clip wanders from its own beginning: colour and contrast of its"
            " parts, as numbers and as a curve. The clip is read as a stream.",
            inputs=[
                io.Video.Input("video", tooltip="Any clip."),
                io.Float.Input(
                    "seconds",
                    default=2.0,
                    min=0.1,
                    max=600.0,
                    step=0.1,
                    tooltip="Length of a part; the first is what all others are compared with.",
                ),
            ],
            outputs=[
                io.Float.Output(
                    display_name="colour",
                    tooltip="Largest distance of a part's mean colour, in Lab; 2 is just seen.",
                ),
                io.Float.Output(
                    display_name="contrast",
                    tooltip="Largest change of contrast as a factor; 1 is no change.",
                ),
                io.Image.Output(display_name="curve", tooltip="Both over time, for Preview Image."),
                io.String.Output(display_name="report", tooltip="The same in words."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, video: Any, seconds: float) -> io.NodeOutput:  # noqa: ANN401
        """Read, compare, draw."""
        clip = host_video.clip_of(video)
        drift, count = measured(clip, seconds)
        facts = drift.facts()
        colour, contrast = facts.get("colour", 0.0), facts.get("contrast", 1.0)
        words = sentence(drift, count, seconds)
        report.say_on_node(cls.hidden, words)
        return io.NodeOutput(colour, contrast, curve(drift, seconds), words, ui=ui.PreviewText(words))


def measured(clip: host_video.Clip, seconds: float) -> tuple[Drift, int]:
    """The looks of all parts, and how many frames there are."""
    drift, count = Drift(max(1, round(seconds * clip.fps))), 0
    done = sampling.progress(round(clip.seconds * clip.fps))
    for pixels_CHW in clip.steady():
        drift.add(frames_from_clip(pixels_CHW[:, None]))
        count += 1
        done(count)
    return drift, count


def sentence(drift: Drift, count: int, seconds: float) -> str:
    """What the node says."""
    facts = drift.facts()
    if not facts:
        return f"{count} frames are too few to compare; a clip of two parts of {seconds:g} s is needed"
    colour, contrast = facts["colour"], facts["contrast"]
    seen = "can" if colour > SEEN or contrast > STRONG else "cannot"
    return (
        f"{len(drift.parts)} parts of {seconds:g} s\ncolour wanders by {colour:g} (2 is just seen)\ncontrast"
        f" by a factor of {contrast:g}\nit {seen} be seen"
    )


def curve(drift: Drift, seconds: float) -> Tensor:
    """Both curves as IMAGE, the first part at zero and one."""
    drift.facts()  # closes the last part
    steps = [(0.0, 1.0), *drift.steps()] if drift.parts else [(0.0, 1.0)]
    colours, factors = zip(*steps, strict=True)
    curves = [
        Curve(name="colour, Lab", values=colours, least=0.0, mark=SEEN),
        Curve(name="contrast, factor", values=factors, least=1.0, mark=STRONG),
    ]
    return draw_curves(curves, seconds)[None].to(torch.float32) / 255


NODES = (MovieGenLongClip, MovieGenMeasureDrift)
