"""Source and edit under one matte, in whole numbers: where the matte is 0 the source stays bit for bit."""

# Shape letters: H row, W column, C channel.

import torch
import torch.nn.functional as F
from torch import Tensor

from ...errors import GeometryError


def matte_bytes(matte_HW: Tensor, height: int, width: int) -> Tensor:
    """A matte of 0..1 at the picture's own size, (H, W) uint8; what is exactly 0 nearby stays 0."""
    wide = matte_HW.float()
    if matte_HW.shape != (height, width):
        wide = F.interpolate(wide[None, None], (height, width), mode="bilinear", align_corners=False)[0, 0]
    return (wide * 255).round_().clamp_(0, 255).to(torch.uint8)


def composite(source_HWC: Tensor, edited_HWC: Tensor, matte_HW: Tensor) -> Tensor:
    """Lay an edited frame over its source.

    Args:
        source_HWC: (H, W, 3) uint8.
        edited_HWC: the same shape.
        matte_HW: (H, W) uint8: 0 shows the source's own bytes, 255 the edit's.

    Returns:
        (H, W, 3) uint8, a new tensor.

    Raises:
        GeometryError: sizes differ.
    """
    if source_HWC.shape != edited_HWC.shape or matte_HW.shape != source_HWC.shape[:2]:
        sizes = (f"{x.shape[1]}x{x.shape[0]}" for x in (source_HWC, edited_HWC, matte_HW))
        raise GeometryError("source {}, edit {} and matte {} differ in size; align them".format(*sizes))
    result, place = source_HWC.clone(), _bounds(matte_HW)
    if place is not None:
        weight = matte_HW[place].int().unsqueeze(2)
        mixed = source_HWC[place].int() * (255 - weight) + edited_HWC[place].int() * weight
        result[place] = ((mixed + 127) // 255).to(torch.uint8)
    return result


def _bounds(matte_HW: Tensor) -> tuple[slice, slice] | None:
    """The smallest box that holds all of a matte; None when it is empty."""
    rows, columns = (matte_HW.amax(dim).nonzero() for dim in (1, 0))
    if not len(rows):
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
