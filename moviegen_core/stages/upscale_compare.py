"""What an upscaler added, beside what plain enlarging gives, where there is most to see."""

# Shape letters: H row, W column.

import torch
import torch.nn.functional as F
from torch import Tensor

from ..geometry import FrameFit
from ..media.pixels import from_bytes
from .upscale import UpscaleSettings, resampler, upscale_window

CROP = (540, 480)
"""Rows and columns of each side at most."""
GAP = 4
"""White columns between them."""
PLACES = 16
"""Of rows and of columns that are tried for the crop."""


def side_by_side(source_HWC: Tensor, made_HWC: Tensor, fit: FrameFit) -> Tensor:
    """One frame enlarged plainly (left) and as it was made (right), both cropped to where detail is.

    Args:
        source_HWC: uint8, as it was.
        made_HWC: uint8, of the target's size.
        fit: how one became the other.

    Returns:
        (H, W, 3) uint8, pixel for pixel.
    """
    settings = UpscaleSettings(fit=fit, colour="none")
    plain_HWC = upscale_window(resampler("bicubic"), source_HWC[None], settings)[0]
    rows, columns = busiest(plain_HWC, CROP)
    gap = torch.full((rows.stop - rows.start, GAP, 3), 255, dtype=torch.uint8)
    return torch.cat([plain_HWC[rows, columns], gap, made_HWC[rows, columns]], dim=1)


def busiest(frame_HWC: Tensor, crop: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns of the part of a frame in which neighbouring pixels differ most."""
    grey = from_bytes(frame_HWC).mean(dim=2)
    change = grey[1:, 1:].sub(grey[:-1, 1:]).abs() + grey[1:, 1:].sub(grey[1:, :-1]).abs()
    change = F.pad(change, (1, 0, 1, 0))
    sums = F.pad(change.double().cumsum(0).cumsum(1), (1, 0, 1, 0))
    best = max(
        ((top, left) for top in _starts(grey.shape[0], crop[0]) for left in _starts(grey.shape[1], crop[1])),
        key=lambda at: _total(sums, at, crop),
    )
    return _slice(best[0], crop[0], grey.shape[0]), _slice(best[1], crop[1], grey.shape[1])


def _starts(length: int, crop: int) -> list[int]:
    return [round(index * max(0, length - crop) / (PLACES - 1)) for index in range(PLACES)]


def _slice(start: int, count: int, length: int) -> slice:
    return slice(start, min(start + count, length))


def _total(sums: Tensor, at: tuple[int, int], crop: tuple[int, int]) -> float:
    bottom, right = min(at[0] + crop[0], sums.shape[0] - 1), min(at[1] + crop[1], sums.shape[1] - 1)
    inside = sums[bottom, right] - sums[at[0], right] - sums[bottom, at[1]] + sums[at[0], at[1]]
    return float(inside)
