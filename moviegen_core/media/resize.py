"""Frames brought to a size: fitted by cropping, or padded to whole cells and cropped back."""

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
