"""Values over time as a picture: one lane for each, a dashed line where they begin to matter."""

# Shape letters: H row, W column.

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from .sound_picture import AXIS, INK, MARK, PAPER, WAVE

LANE, WIDTH = 160, 720
LEFT, RIGHT, ABOVE, BELOW = 44, 12, 26, 18
ROOM = 1.15
"""How far the axis goes beyond the largest value."""
DASH = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One value at even distances in time."""

    name: str
    values: Sequence[float]
    least: float
    """Where the axis begins."""
    mark: float
    """Where it begins to matter."""

    @property
    def most(self) -> float:
        """Where the axis ends."""
        return self.least + ROOM * (max(self.mark, *self.values) - self.least)


def draw_curves(curves: Sequence[Curve], seconds: float) -> Tensor:
    """Draw curves below each other.

    Args:
        curves: what to draw; all are equally long.
        seconds: from one value to the next.

    Returns:
        (H, W, 3) uint8.
    """
    picture = Image.new("RGB", (WIDTH, LANE * len(curves)), PAPER)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default()
    for number, curve in enumerate(curves):
        _lane(pen, font, curve, number * LANE)
        _times(pen, font, len(curve.values), seconds, (number + 1) * LANE - BELOW)
    return torch.from_numpy(np.array(picture))


def _lane(pen: ImageDraw.ImageDraw, font: object, curve: Curve, top: int) -> None:
    low, high = top + LANE - BELOW, top + ABOVE

    def row(value: float) -> float:
        return low - (value - curve.least) / (curve.most - curve.least) * (low - high)

    pen.text((LEFT, top + 6), f"{curve.name}: at most {max(curve.values):.3g}", INK, font)
    pen.line([(LEFT, high), (LEFT, low), (WIDTH - RIGHT, low)], AXIS)
    for x in range(LEFT, WIDTH - RIGHT, 2 * DASH):
        pen.line([(x, row(curve.mark)), (x + DASH, row(curve.mark))], MARK)
    for value in (curve.least, curve.mark):
        text = f"{value:g}"
        pen.text((LEFT - 6 - pen.textlength(text, font), row(value) - 6), text, INK, font)
    points = [(_column(index, len(curve.values)), row(value)) for index, value in enumerate(curve.values)]
    pen.line(points, WAVE, 2)
    for x, y in points:
        pen.ellipse([(x - 3, y - 3), (x + 3, y + 3)], WAVE)


def _times(pen: ImageDraw.ImageDraw, font: object, count: int, seconds: float, y: int) -> None:
    for index in range(0, count, max(1, -(-count // 10))):
        text = f"{index * seconds:g} s"
        pen.text((_column(index, count) - pen.textlength(text, font) / 2, y + 4), text, INK, font)


def _column(index: int, count: int) -> float:
    return LEFT + 12 + index / max(1, count - 1) * (WIDTH - RIGHT - LEFT - 24)
