"""Where sampling starts: an empty clip of a legal size."""

import math
from dataclasses import dataclass
from fractions import Fraction

import torch
from comfy_api.latest import io, ui

from ..moviegen_core.geometry import ClipShape, TaeGrid, check_size, frames_for, parse_fps
from .host import report

ASPECTS = {
    "16:9 (wide)": Fraction(16, 9),
    "4:3": Fraction(4, 3),
    "1:1 (square)": Fraction(1),
    "3:4": Fraction(3, 4),
    "9:16 (tall)": Fraction(9, 16),
    "21:9 (cinema)": Fraction(21, 9),
}
GRID = TaeGrid()
MULTIPLE = 16
"""Both sides of a frame: a latent cell of 8 times a patch of 2."""
CHANNELS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapped:
    """What was asked for, and what a model can make."""

    shape: ClipShape
    asked_seconds: float
    asked_sides: tuple[float, float]
    """Height and width before rounding."""

    def sentence(self) -> str:
        """What the node tells."""
        shape = self.shape
        made = f"{shape.width}x{shape.height}, {_frames(shape.num_frames)}"
        length = "a picture" if shape.num_frames == 1 else f"{float(shape.seconds):.4g} s"
        return f"{made} at {float(shape.fps):.5g} fps = {length}{self._changes()}"

    def _changes(self) -> str:
        height, width = (round(side, 1) for side in self.asked_sides)
        notes = []
        if (height, width) != (self.shape.height, self.shape.width):
            notes.append(f"size snapped from {width:g}x{height:g} to multiples of {MULTIPLE}")
        if self.shape.num_frames > 1 and not math.isclose(
            self.asked_seconds, self.shape.seconds, abs_tol=5e-4
        ):
            notes.append(f"length snapped from {self.asked_seconds:g} s to whole frames")
        surplus = GRID.surplus_frames(self.shape.num_frames)
        if surplus:
            notes.append(f"{_frames(surplus)} more are sampled;\nMovie Gen Decode drops them")
        return "".join(f"\n{note}" for note in notes)


def _frames(count: int) -> str:
    return f"{count} frame" + "s" * (count != 1)


def snap(aspect: str, side: int, seconds: float, fps: float) -> Snapped:
    """The legal clip nearest to what was asked for.

    Args:
        aspect: one of ``ASPECTS``.
        side: of a square with as many pixels as a frame.
        seconds: length; 0 is a single picture.
        fps: frames per second.

    Returns:
        The clip, and what was rounded to get it.
    """
    stretch, rate = math.sqrt(ASPECTS[aspect]), parse_fps(fps)
    asked = (side / stretch, side * stretch)
    height, width = (max(MULTIPLE, round(one / MULTIPLE) * MULTIPLE) for one in asked)
    check_size(height, width, MULTIPLE)
    num_frames = 1 if seconds == 0 else frames_for(seconds, rate)
    shape = ClipShape(num_frames=num_frames, fps=rate, height=height, width=width)
    return Snapped(shape=shape, asked_seconds=seconds, asked_sides=asked)


class MovieGenEmptyLatent(io.ComfyNode):
    """An empty clip by aspect, size and seconds."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenEmptyLatent",
            display_name="Empty Movie Latent",
            category="Movie Gen/latent",
            description="The empty clip that sampling fills. Size and length are snapped to what the models"
            " allow, and the node says how.",
            inputs=[
                io.Combo.Input(
                    "aspect",
                    options=list(ASPECTS),
                    default="16:9 (wide)",
                    tooltip="Shape of the frame, width to height.",
                ),
                io.Int.Input(
                    "side",
                    default=144,
                    min=MULTIPLE,
                    max=2048,
                    step=8,
                    tooltip="How many pixels: the side of a square with as many as one frame. 144 makes"
                    " 192x112 at 16:9, the size nano was trained at.",
                ),
                io.Float.Input(
                    "seconds",
                    default=2.0,
                    min=0.0,
                    max=64.0,
                    step=0.1,
                    tooltip="Length of the clip; 0 makes a single picture. nano was trained on 1 to 4"
                    " seconds.",
                ),
                io.Float.Input(
                    "fps",
                    default=16.0,
                    min=1.0,
                    max=240.0,
                    step=0.001,
                    tooltip="Frames per second; 23.976, 29.97 and 59.94 are the broadcast rates. Use the"
                    " prompt's.",
                ),
                io.Int.Input(
                    "batch_size",
                    default=1,
                    min=1,
                    max=64,
                    tooltip="Clips made at once, each with its own noise.",
                ),
            ],
            outputs=[
                io.Latent.Output(display_name="latent", tooltip="For a sampler; it knows its frame count."),
                io.Int.Output(display_name="frames", tooltip="Frames of the clip, surplus ones not counted."),
                io.Float.Output(display_name="fps", tooltip="The rate, for Create Video."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, aspect: str, side: int, seconds: float, fps: float, batch_size: int) -> io.NodeOutput:
        """Snap, tell, and make zeros."""
        snapped = snap(aspect, side, seconds, fps)
        shape, words = snapped.shape, snapped.sentence()
        cells = GRID.latent_shape(shape.num_frames, shape.height, shape.width)
        latent = {
            "samples": torch.zeros(batch_size, CHANNELS, *cells),
            "frames": shape.num_frames,
            "downscale_ratio_spacial": GRID.height,
            "downscale_ratio_temporal": GRID.frames,
        }
        report.say_on_node(cls.hidden, words)
        return io.NodeOutput(latent, shape.num_frames, float(shape.fps), ui=ui.PreviewText(words))


NODES = (MovieGenEmptyLatent,)
