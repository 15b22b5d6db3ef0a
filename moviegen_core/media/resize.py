"""Frames brought to a size: fitted by cropping, or padded to whole cells and cropped back."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

CHUNK_FRAMES = 16
"""Frames resized at once, so that long footage needs little memory."""


def fit(frames: Tensor, height: int, width: int) -> Tensor:
    """Cover the target size, antialiased, and cut what stands over evenly on both sides.

    Args:
        frames: (T, H, W, 3) uint8.
        height: rows of the result.
        width: columns of the result.

    Returns:
        (T, height, width, 3) uint8.
    """
    H, W = frames.shape[1:3]
    scale = max(height / H, width / W)
    rows, columns = min(H, round(height / scale)), min(W, round(width / scale))
    top, left = (H - rows) // 2, (W - columns) // 2
    return resize(frames[:, top : top + rows, left : left + columns], height, width)


def resize(frames: Tensor, height: int, width: int) -> Tensor:
    """Bicubic, antialiased where it shrinks; the aspect ratio may change.

    Args:
        frames: (T, H, W, 3) uint8.
        height: rows of the result.
        width: columns of the result.

    Returns:
        (T, height, width, 3) uint8.
    """
    if frames.shape[1:3] == (height, width):
        return frames
    return torch.cat([_resized(part, height, width) for part in frames.split(CHUNK_FRAMES)])


def _resized(frames: Tensor, height: int, width: int) -> Tensor:
    values = frames.movedim(-1, 1).float()
    values = F.interpolate(values, (height, width), mode="bicubic", align_corners=False, antialias=True)
    return values.round().clamp(0, 255).to(torch.uint8).movedim(1, -1).contiguous()


def lanczos(x: Tensor, height: int, width: int, lobes: int = 3) -> Tensor:
    """Resize by a windowed sinc, sharper than bicubic; antialiased where it shrinks.

    Args:
        x: (..., H, W), floating point.
        height: rows of the result.
        width: columns of the result.
        lobes: of the sinc, on each side.

    Returns:
        (..., height, width); near edges it may overshoot the range of x.
    """
    down = _lanczos_rows(x, height, lobes)
    return _lanczos_rows(down.mT.contiguous(), width, lobes).mT.contiguous()


def _lanczos_rows(x: Tensor, after: int, lobes: int) -> Tensor:
    """Resize the rows, tap by tap; beyond an edge the weights of what is there make up for the rest."""
    before = x.shape[-2]
    stretch = max(1.0, before / after)
    centres = (torch.arange(after, dtype=torch.float64) + 0.5) * before / after - 0.5
    first = (centres - lobes * stretch).floor().long() + 1
    taps = first[:, None] + torch.arange(math.ceil(2 * lobes * stretch))
    away = (taps - centres[:, None]) / stretch
    weights = torch.sinc(away) * torch.sinc(away / lobes) * (away.abs() < lobes)
    weights = weights * ((taps >= 0) & (taps < before))
    weights, taps = (weights / weights.sum(dim=1, keepdim=True)).to(x), taps.clamp(0, before - 1).to(x.device)
    made = x.new_zeros(*x.shape[:-2], after, x.shape[-1])
    for k in range(taps.shape[1]):
        made.addcmul_(x.index_select(-2, taps[:, k]), weights[:, k, None])
    return made


def place(x: Tensor, height: int, width: int, value: float = -1.0) -> Tensor:
    """Cut what stands over evenly on both sides, and border what is missing: (..., height, width)."""
    for dim, want in ((-2, height), (-1, width)):
        over = x.shape[dim] - want
        x = x.narrow(dim, over // 2, want) if over > 0 else x
    down, across = height - x.shape[-2], width - x.shape[-1]
    borders = (across // 2, across - across // 2, down // 2, down - down // 2)
    return F.pad(x, borders, value=value) if down or across else x


def pad_to_multiple(clip: Tensor, multiple: int = 8) -> Tensor:
    """Repeat the last row and column until both sides are whole multiples; ``crop_back`` undoes it.

    Args:
        clip: (B, C, T, H, W), floating point.
        multiple: sides of the result are multiples of this.

    Returns:
        (B, C, T, H', W'), the clip in its top left corner.
    """
    bottom, right = -clip.shape[-2] % multiple, -clip.shape[-1] % multiple
    return F.pad(clip, (0, right, 0, bottom, 0, 0), mode="replicate") if bottom or right else clip


def crop_back(clip: Tensor, height: int, width: int) -> Tensor:
    """Drop the rows and columns that ``pad_to_multiple`` added."""
    return clip[..., :height, :width]
