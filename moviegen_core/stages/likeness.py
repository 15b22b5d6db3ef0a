"""How like its reference a face stays, frame by frame: numbers and a curve.

The measure is our small identity encoder, trained on drawn people. It is no face recognizer.
"""

# Shape letters: T frame, C channel, H row, W column.

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from ..models.identity import IdentityEncoder
from .faces import crops, find_faces

CURVE = (160, 320)
"""Rows and columns of the curve's picture."""
PAPER, INK, GRID, LOW = (250, 250, 248), (40, 80, 180), (210, 210, 205), (190, 30, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """Likeness of the face to its references, by our small encoder and no face recognizer."""

    frames: tuple[int, ...]
    """Frames that were looked at."""
    values: tuple[float, ...]
    """Of each: the cosine to the references, from -1 to 1; nan where no face was found."""

    @property
    def found(self) -> list[float]:
        """Values of frames with a face."""
        return [value for value in self.values if not math.isnan(value)]

    @property
    def mean(self) -> float:
        """Over all frames looked at; one without a face counts as 0."""
        return sum(self.found) / len(self.values)

    @property
    def minimum(self) -> float:
        """The worst frame; 0 where a face is missing."""
        return min(self.found) if len(self.found) == len(self.values) else min([0.0, *self.found])

    @property
    def drift(self) -> float:
        """How much the last third of the faces lies below the first; 0 with fewer than three."""
        third = len(self.found) // 3
        if not third:
            return 0.0
        return sum(self.found[:third]) / third - sum(self.found[-third:]) / third

    def facts(self) -> Mapping[str, object]:
        """For machines: JSON knows no nan."""
        curve = [None if math.isnan(value) else round(value, 4) for value in self.values]
        numbers = {"mean": self.mean, "minimum": self.minimum, "drift": self.drift}
        return {name: round(value, 4) for name, value in numbers.items()} | {
            "frames": list(self.frames),
            "curve": curve,
            "measured_by": "our small identity encoder, not a face recognizer",
        }

    def sentence(self) -> str:
        """For people."""
        missing = len(self.values) - len(self.found)
        lost = f", no face in {missing} of {len(self.values)} frames" if missing else ""
        return (
            f"likeness {self.mean:.2f} (lowest {self.minimum:.2f}, drift {self.drift:+.2f}{lost};"
            " by our small encoder, not a face recognizer)"
        )


@torch.no_grad()
def likeness(
    encoder: IdentityEncoder, clip_CTHW: Tensor, references_NCHW: Tensor, num_frames: int = 8
) -> Likeness:
    """Follow the face that is most like its references.

    Args:
        encoder: finds faces and tells them apart.
        clip_CTHW: (3, T, H, W) in -1..1.
        references_NCHW: (N, 3, S, S) faces of one person.
        num_frames: how many frames are looked at, evenly spread.

    Returns:
        The curve.
    """
    wanted = encoder.look(references_NCHW)[0].mean(0)
    wanted = wanted / wanted.norm().clamp_min(1e-6)
    count = min(num_frames, clip_CTHW.shape[1])
    frames = torch.linspace(0, clip_CTHW.shape[1] - 1, count).round().long().tolist()
    values = tuple(_best(encoder, clip_CTHW[:, frame], wanted) for frame in frames)
    return Likeness(frames=tuple(frames), values=values)


def _best(encoder: IdentityEncoder, picture_CHW: Tensor, wanted_C: Tensor) -> float:
    faces = find_faces(encoder, picture_CHW)
    if not faces:
        return math.nan
    seen = crops(picture_CHW, faces, encoder.config.size)
    return float((encoder.look(seen)[0] @ wanted_C).max())


def curve_picture(curve: Likeness) -> Tensor:
    """Draw likeness over time: 1 at the top, 0 at the bottom line, red marks where no face was found.

    Args:
        curve: what was measured.

    Returns:
        (H, W, 3) uint8.
    """
    rows, columns = CURVE
    picture = torch.tensor(PAPER, dtype=torch.uint8).expand(rows, columns, 3).clone()
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        picture[_row(share, rows)] = torch.tensor(GRID, dtype=torch.uint8)
    xs = torch.linspace(8, columns - 9, max(2, len(curve.values))).round().long().tolist()
    points = list(zip(xs, curve.values, strict=False))
    for (x, value), (x_next, following) in pairwise(points):
        if not math.isnan(value) and not math.isnan(following):
            for column in range(x, x_next + 1):
                share = (column - x) / max(1, x_next - x)
                _dot(picture, _row(value + share * (following - value), rows), column, 1, INK)
    for x, value in points:
        lost = math.isnan(value)
        _dot(picture, _row(0.0 if lost else value, rows), x, 3, LOW if lost else INK)
    return picture


def _row(value: float, rows: int) -> int:
    return round((rows - 17) * (1 - min(max(value, 0.0), 1.0))) + 8


def _dot(picture: Tensor, row: int, column: int, radius: int, colour: tuple[int, int, int]) -> None:
    place = slice(max(0, row - radius), row + radius + 1), slice(max(0, column - radius), column + radius + 1)
    picture[place] = torch.tensor(colour, dtype=torch.uint8)
