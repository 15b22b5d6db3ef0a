"""How well a sound fits its picture: as a number that chooses, and as a picture of both."""

# Shape letters: C channel, T frame, H row, W column.

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch
from comfy_api.latest import io, ui
from torch import Tensor

from ..moviegen_core.media.motion_events import event_curve, event_times
from ..moviegen_core.media.sound import sound_from
from ..moviegen_core.media.sound_picture import sound_picture
from ..moviegen_core.stages.sync import sync_score
from .convert import audio_from, waveforms_of
from .host import report
from .host import video as host_video
from .sound import CATEGORY


@dataclass(frozen=True, slots=True, kw_only=True)
class Happenings:
    """When something happens in a clip that one would hear."""

    curve_T: Tensor
    """How much, at every frame."""
    fps: Fraction

    @property
    def seconds(self) -> list[float]:
        """Moments of the clear ones."""
        return event_times(self.curve_T, self.fps)


def happenings(clip: host_video.Clip) -> Happenings:
    """Watch a clip for what happens in it."""
    chunks = (frame[:, None] for frame in clip.steady())
    return Happenings(curve_T=event_curve(chunks, clip.fps), fps=clip.fps)


def scores(waveforms_BCS: Tensor, sample_rate: int, seen: Happenings) -> list[float]:
    """How well each sound is in step with the picture; more is better, 0 is chance."""
    return [sync_score(sound_from(one, sample_rate), seen.curve_T, seen.fps) for one in waveforms_BCS]


def best(values: list[float]) -> int:
    """Which is the highest, the first of equal ones."""
    return max(range(len(values)), key=lambda place: values[place])


class MovieGenPickSound(io.ComfyNode):
    """The sound of a batch that fits the picture best."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenPickSound",
            display_name="Pick Best Sound",
            category=CATEGORY,
            description="Choose from several sounds the one whose beginnings fall best on what happens in the"
            " picture: bounces, stops, flashes. The node shows every score.",
            inputs=[
                io.Audio.Input("audio", tooltip="Several sounds, such as Decode Sound makes of a batch."),
                io.Video.Input("video", tooltip="The clip that they are for."),
                io.Int.Input(
                    "rank",
                    default=1,
                    min=1,
                    max=64,
                    tooltip="1 takes the best, 2 the second, and so on, to hear the others too.",
                ),
            ],
            outputs=[
                io.Audio.Output(display_name="audio", tooltip="The chosen sound alone."),
                io.Float.Output(
                    display_name="score", tooltip="How well it is in step; 0 is chance, near 1 is perfect."
                ),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, audio: dict[str, Any], video: Any, rank: int) -> io.NodeOutput:  # noqa: ANN401
        """Measure, sort, choose."""
        waveforms, rate = waveforms_of(audio), int(audio["sample_rate"])
        found = scores(waveforms, rate, happenings(host_video.clip_of(video)))
        order = sorted(range(len(found)), key=lambda place: -found[place])
        place = order[min(rank, len(order)) - 1]
        words = ranking(found, place)
        report.say_on_node(cls.hidden, words)
        return io.NodeOutput(
            audio_from(waveforms[place : place + 1], rate), found[place], ui=ui.PreviewText(words)
        )


def ranking(found: list[float], chosen: int) -> str:
    """Every score, the chosen one marked."""
    listed = [
        f"{'> ' if place == chosen else ''}{place + 1}: {score:.2f}" for place, score in enumerate(found)
    ]
    return "\n".join(listed)


class MovieGenSoundPicture(io.ComfyNode):
    """Waveform, spectrogram and what happens in the clip."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenSoundPicture",
            display_name="Sound Picture",
            category=CATEGORY,
            description="Draw a sound: its waveform, its spectrogram, and a line wherever something happens"
            " in the picture, so that one sees whether both are in step.",
            inputs=[
                io.Audio.Input("audio", tooltip="One sound or several, a picture for each."),
                io.Int.Input(
                    "width", default=960, min=160, max=8192, step=8, tooltip="Pixels of the picture."
                ),
                io.Int.Input(
                    "height", default=360, min=120, max=4096, step=8, tooltip="Pixels of the picture."
                ),
                io.Video.Input("video", optional=True, tooltip="Its events are marked."),
            ],
            outputs=[io.Image.Output(display_name="image", tooltip="For Save Image.")],
            is_output_node=True,
        )

    @classmethod
    def execute(
        cls,
        audio: dict[str, Any],
        width: int,
        height: int,
        video: Any = None,  # noqa: ANN401
    ) -> io.NodeOutput:
        """Watch, draw."""
        marks = [] if video is None else happenings(host_video.clip_of(video)).seconds
        images = pictures(audio, marks, width, height)
        return io.NodeOutput(images, ui=ui.PreviewImage(images, cls=cls))


def pictures(audio: dict[str, Any], marks: list[float], width: int = 960, height: int = 360) -> Tensor:
    """A picture of every sound, as the host's IMAGE."""
    rate = int(audio["sample_rate"])
    drawn = [sound_picture(one, rate, marks, height=height, width=width) for one in waveforms_of(audio)]
    return torch.stack(drawn).float() / 255


NODES = (MovieGenPickSound, MovieGenSoundPicture)
