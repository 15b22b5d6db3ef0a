"""A video becomes a larger one of an exact size, as a stream that survives a stop."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from textwrap import fill
from typing import Any
from uuid import uuid4

import torch
from comfy_api.latest import io, ui
from torch import Tensor

from ..moviegen_core.errors import GeometryError
from ..moviegen_core.geometry import FITS, MAX_SIDE, fit_frame
from ..moviegen_core.media.read import frame_at
from ..moviegen_core.media.write import CRF
from ..moviegen_core.stages.colour import CORRECTIONS
from ..moviegen_core.stages.content import content_key
from ..moviegen_core.stages.jobs import Job
from ..moviegen_core.stages.meter import told_bytes
from ..moviegen_core.stages.settings import SEED_RANGE, UpsampleSettings
from ..moviegen_core.stages.upscale import Upscaler, UpscaleSettings
from ..moviegen_core.stages.upscale_compare import side_by_side
from ..moviegen_core.stages.upscale_video import Plan, Upscaled, UpscaleJob, upscale_video
from .decode_video import CRF_TIP
from .host import report, resampled, sampling, unfinished, upscalers
from .host import source as host_source
from .host import video as host_video

CATEGORY = "Movie Gen/upscale"
FAMILY = (".mp4", ".m4v", ".mov")
"""Endings that a result keeps; of other files that carry sound it is .mkv, which holds any."""
SHOWN = (0.0, 0.5, 1.0)
"""Where in the clip the comparison looks."""
LINE = 44
"""Characters that a node shows beside each other."""
SAY_SECONDS = 2.0
"""Between two words about how far it is."""
GUIDER_INPUTS = ("guider", "sampler", "sigmas", "vae")
"""What a redrawing hangs on beside the clip."""


class MovieGenUpscaleVideo(io.ComfyNode):
    """Any clip to an exact size, by any upscaler."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        names = upscalers.upscaler_names()
        return io.Schema(
            node_id="MovieGenUpscaleVideo",
            display_name="Upscale Video",
            category=CATEGORY,
            description="Make a video larger, to an exact size, in flat memory. Finished parts are kept on"
            " disk: after a stop, or a restart of ComfyUI, Run goes on from them. Its sound is carried"
            " through untouched.",
            inputs=[
                io.Video.Input("video", tooltip="Any clip, of any length: from Load Video, or made here."),
                io.Combo.Input(
                    "upscaler",
                    options=names,
                    default=names[0],
                    tooltip="lanczos and bicubic are quick and add no detail; nano, or another cast with an"
                    " upsampler, draws it, in seconds a frame on a CPU. Not used while an upscale model is"
                    " connected.",
                ),
                *size_fields(),
                io.Int.Input(
                    "tile",
                    default=512,
                    min=0,
                    max=4096,
                    step=32,
                    tooltip="Source pixels of each side that an upscale model is given at once; 0 gives whole"
                    " frames. Halved by itself where the GPU's memory is too small.",
                ),
                io.Int.Input(
                    "steps",
                    default=UpsampleSettings().num_steps,
                    min=1,
                    max=100,
                    tooltip="Of a cast's upsampler alone: 1 gives the likeliest picture, steady, quick; more"
                    " draw detail that could be there.",
                ),
                io.Int.Input(
                    "detail_seed",
                    default=0,
                    min=0,
                    max=SEED_RANGE - 1,
                    tooltip="Of a cast's upsampler alone, with 2 steps and more: another number, other"
                    " detail.",
                ),
                io.Int.Input("crf", default=CRF, min=0, max=51, tooltip=CRF_TIP),
                io.UpscaleModel.Input(
                    "upscale_model",
                    optional=True,
                    tooltip="From Load Upscale Model: ESRGAN and its family. It takes the place of the"
                    " upscaler chosen above.",
                ),
            ],
            outputs=upscale_outputs(),
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(  # noqa: PLR0913 - the fields of the form
        cls,
        video: Any,  # noqa: ANN401 - the host's
        upscaler: str,
        height: int,
        width: int,
        fit: str,
        colour: str,
        tile: int,
        steps: int,
        detail_seed: int,
        crf: int,
        upscale_model: Any = None,  # noqa: ANN401
    ) -> io.NodeOutput:
        """Look at the clip, upscale, compare."""

        def upscaler_at(side: int) -> Upscaler:
            if upscale_model is None:
                return upscalers.named_upscaler(upscaler, steps, detail_seed)
            return upscalers.network_upscaler(upscale_model, side)

        wish = Wish(height=height, width=width, fit=fit, colour=colour, crf=crf)
        with host_source.footage_of(video) as footage:
            work = Work(footage=footage, wish=wish, say=lambda text: report.say_on_node(cls.hidden, text))
            return upscalers.smaller_when_full(upscaler_at, tile, work.done_by)


class MovieGenRedrawVideo(io.ComfyNode):
    """Any clip to an exact size, drawn again by a generator at low noise."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenRedrawVideo",
            display_name="Upscale Video by Sampling",
            category=CATEGORY,
            description="Make a video larger and let any model draw its detail: enlarged plainly, noised a"
            " little, sampled window by window with the same noise where they overlap. As a stream, kept on"
            " disk, with its sound untouched.",
            inputs=[
                io.Video.Input("video", tooltip="Any clip, of any length."),
                io.Guider.Input("guider", tooltip="Model and words, from CFGGuider or any other guider."),
                io.Sampler.Input("sampler", tooltip="From KSamplerSelect."),
                io.Sigmas.Input(
                    "sigmas",
                    tooltip="From Movie Gen Schedule or BasicScheduler with a denoise of 0.1 to 0.4: more"
                    " changes more.",
                ),
                io.Vae.Input("vae", tooltip="Of the model."),
                *size_fields(),
                io.Int.Input(
                    "window",
                    default=32,
                    min=1,
                    max=1024,
                    tooltip="Frames sampled at once; for Wan 33.",
                ),
                io.Int.Input(
                    "overlap",
                    default=8,
                    min=0,
                    max=512,
                    tooltip="Frames that two windows share, over which one fades into the other; for Wan 9.",
                ),
                io.Int.Input(
                    "tile",
                    default=768,
                    min=0,
                    max=4096,
                    step=32,
                    tooltip="Pixels of each side of an enlarged frame sampled at once; 0 gives whole frames.",
                ),
                io.Int.Input(
                    "detail_seed",
                    default=0,
                    min=0,
                    max=SEED_RANGE - 1,
                    tooltip="Another number, other detail.",
                ),
                io.Int.Input("crf", default=CRF, min=0, max=51, tooltip=CRF_TIP),
            ],
            outputs=upscale_outputs(),
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt],
        )

    @classmethod
    def execute(  # noqa: PLR0913 - the fields of the form
        cls,
        video: Any,  # noqa: ANN401 - the host's
        guider: Any,  # noqa: ANN401
        sampler: Any,  # noqa: ANN401
        sigmas: Tensor,
        vae: Any,  # noqa: ANN401
        height: int,
        width: int,
        fit: str,
        colour: str,
        window: int,
        overlap: int,
        tile: int,
        detail_seed: int,
        crf: int,
    ) -> io.NodeOutput:
        """Look at the clip, draw it larger, compare."""
        known = resampled.wiring_key(cls.hidden, GUIDER_INPUTS) or uuid4().hex
        content = content_key({"wired": known, "sigmas": sigmas.tolist(), "seed": detail_seed})
        drawn = resampled.Redrawing(guider=guider, sampler=sampler, sigmas=sigmas, vae=vae, seed=detail_seed)
        upscaler = resampled.redrawing_upscaler(
            drawn, window=window, overlap=overlap, tile=tile, content=content
        )
        wish = Wish(height=height, width=width, fit=fit, colour=colour, crf=crf)
        with host_source.footage_of(video) as footage:
            work = Work(footage=footage, wish=wish, say=lambda text: report.say_on_node(cls.hidden, text))
            return work.done_by(upscaler)


def size_fields() -> list[Any]:
    """What both nodes ask about the result."""
    return [
        io.Int.Input(
            "height",
            default=1080,
            min=0,
            max=MAX_SIDE,
            step=2,
            tooltip="Rows of the result, even; 0 follows width.",
        ),
        io.Int.Input(
            "width",
            default=0,
            min=0,
            max=MAX_SIDE,
            step=2,
            tooltip="Columns of the result, even; 0 follows height and keeps the clip's shape.",
        ),
        io.Combo.Input(
            "fit",
            options=list(FITS),
            default=FITS[0],
            tooltip="Where height and width are another shape than the clip: crop what stands over, pad with"
            " black, or stretch.",
        ),
        io.Combo.Input(
            "colour",
            options=list(CORRECTIONS),
            default="wavelet",
            tooltip="How colours are brought back to the clip's: wavelet takes all that is coarse from it,"
            " lab its mean and spread.",
        ),
    ]


def upscale_outputs() -> list[Any]:
    """What both nodes give."""
    return [
        io.Video.Output(display_name="video", tooltip="The larger clip, a file: for Save Video."),
        io.Image.Output(
            display_name="comparison",
            tooltip="Enlarged plainly beside the result, pixel for pixel, where detail is: at the start, in"
            " the middle, at the end.",
        ),
        io.String.Output(
            display_name="report", tooltip="Size, colour, flicker and seams against the source, memory."
        ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the result shall be."""

    height: int
    width: int
    fit: str
    colour: str
    crf: int

    def settings(self, source: tuple[int, int]) -> UpscaleSettings:
        """For frames of (height, width).

        Args:
            source: of the clip.

        Returns:
            Target and colours.

        Raises:
            GeometryError: neither side is given, or they cannot be.
        """
        if not self.height and not self.width:
            raise GeometryError("height and width are both 0; give at least one, such as a height of 1080")
        height = self.height or max(2, source[0] * self.width // source[1] // 2 * 2)
        fit = fit_frame(source, height, self.width or None, self.fit)
        return UpscaleSettings(fit=fit, colour=self.colour)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A clip that is about to be upscaled."""

    footage: host_source.Footage
    wish: Wish
    say: Callable[[str], None]

    def done_by(self, upscaler: Upscaler) -> io.NodeOutput:
        """All of it: go on with what is there, join, carry the sound, compare, tell."""
        job = self._job(upscaler)
        teller = Teller(total=job.source.num_frames, notes=job.source.notes, say=self.say)
        made = upscale_video(job, resume=True, on_frames=teller.advance, on_plan=teller.tell_plan)
        pictures = compared(job, made)
        video, sound = self._sounding(unfinished.handed_over(made.path), made.sound)
        words = sentence(job, made, sound)
        self.say(words)
        return io.NodeOutput(video, pictures, words, ui=ui.PreviewText(words))

    def _job(self, upscaler: Upscaler) -> UpscaleJob:
        source, folder = self.footage.source, unfinished.unfinished_folder()
        job = UpscaleJob(
            source=source,
            path=folder,
            upscaler=upscaler,
            settings=self.wish.settings((source.info.height, source.info.width)),
            crf=self.wish.crf,
            source_key=self.footage.key,
            source_name=self.footage.name,
            way_on=unfinished.WAY_ON,
        )
        return replace(job, path=folder / f"{content_key(job.facts())}{self._ending()}")

    def _ending(self) -> str:
        ending = self.footage.source.path.suffix.lower()
        carries = self.footage.source.has_sound and self.footage.sound is None
        return ending if ending in FAMILY else (".mkv" if carries else ".mp4")

    def _sounding(self, video: Any, sound: str) -> tuple[Any, str]:  # noqa: ANN401
        """Give it the sound that a clip in memory had; that of a file is in it."""
        if self.footage.sound is None:
            return video, sound
        return host_video.with_sound(video, self.footage.sound)[0], "encoded"


class Teller:
    """Says on the node what will be done, and how far it is."""

    def __init__(self, total: int | None, notes: tuple[str, ...], say: Callable[[str], None]) -> None:
        self.total, self.notes, self.say = total, notes, say
        self.bar = sampling.progress(total or 1)
        self.made, self.before, self.plan = 0, 0, ""
        self.start = self.said = time.monotonic()

    def tell_plan(self, plan: Plan, units: Job) -> None:
        """Before the work."""
        self.made = self.before = plan.done_units * plan.unit_frames
        told = [plan.text, *self.notes, units.notice]
        self.plan = "\n".join(fill(text, LINE) for text in told if text)
        self.start = time.monotonic()
        self.say(self.plan)
        self.bar(min(self.made, self.total or self.made))

    def advance(self, count: int) -> None:
        """After some frames; stops where the user did."""
        self.made += count
        self.bar(min(self.made, self.total or self.made))
        now = time.monotonic()
        if now - self.said > SAY_SECONDS and self.total:
            self.said = now
            left = (now - self.start) / (self.made - self.before) * max(0, self.total - self.made)
            self.say(f"{self.plan}\n{self.made} of {self.total} frames, {left:.0f} s left")


def compared(job: UpscaleJob, made: Upscaled) -> Tensor:
    """The comparison; a black picture rather than hours of work lost, where it cannot be drawn."""
    try:
        return comparison(job, made)
    except Exception:  # whatever is wrong with a seek in the source, the result is there and whole
        logging.exception("Movie Gen: %s and its source could not be compared", made.path)
        return torch.zeros(1, made.height, made.width, 3)


def comparison(job: UpscaleJob, made: Upscaled) -> Tensor:
    """IMAGE of a few moments, each enlarged plainly beside what was made."""
    last, fit = made.num_frames - 1, job.settings.fit
    numbers = sorted({round(share * last) for share in SHOWN})
    pairs = [[frame_at(path, n / made.fps) for path in (job.source.path, made.path)] for n in numbers]
    pictures = [side_by_side(before, after[: fit.target[0], : fit.target[1]], fit) for before, after in pairs]
    return torch.stack(pictures).float() / 255


def sentence(job: UpscaleJob, made: Upscaled, sound: str) -> str:
    """What the node says when it is done."""
    before = f", {made.resumed_frames} of them from before" if made.resumed_frames else ""
    lines = [f"{job.upscaler.name}, {made.num_frames} frames{before}"]
    lines += job.settings.fit.describe().split(", ")
    lines += [f"sound {sound}"] if sound != "none" else ["no sound"]
    lines += [f"left out: {', '.join(made.dropped)}"] if made.dropped else []
    told = {name: value for name, value in made.report.items() if value is not None}
    lines += [f"{name} {value:.3g}: {MEANING[name]}" for name, value in told.items()]
    lines += [fill(note, LINE) for note in job.source.notes]
    lines += [f"peak memory of ComfyUI {told_bytes(made.peak)}"] if made.peak else []
    return "\n".join(lines)


MEANING = {
    "colour": "below 1 nobody sees it",
    "flicker": "1 is as steady as the source",
    "seam": "between windows, 1 is none",
    "tiles": "between tiles, 1 is none",
}
"""Of the numbers of the report."""


NODES = (MovieGenUpscaleVideo, MovieGenRedrawVideo)
