"""Colours of an enlarged clip brought back to its source's: what an upscaler may change is detail alone."""

# Shape letters: C channel, T frame, H row, W column.

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

WAVELET_LEVELS = 5
"""Details of up to 32 pixels are the upscaler's, what is coarser is the source's."""
SKIPPED = 2
SRGB_TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.072175),
    (0.0193339, 0.119192, 0.9503041),
)
"""IEC 61966-2-1, D65 white."""
WHITE = (0.95047, 1.0, 1.08883)
CUBE_BELOW = 216 / 24389
SLOPE = 24389 / 27

Correct = Callable[[Tensor, Tensor], Tensor]
"""(what was made, the source enlarged plainly to the same size), both (3, T, H, W) in -1..1 -> corrected."""


def correct_wavelet(made: Tensor, source: Tensor, levels: int = WAVELET_LEVELS) -> Tensor:
    """Take what is coarse of the source and what is fine of what was made."""
    return made + coarse(source - made, levels)


def coarse(x_CTHW: Tensor, levels: int = WAVELET_LEVELS) -> Tensor:
    """What is coarser than 2^levels pixels: an undecimated wavelet transform, but for its first two levels.

    Those are averages of 4x4 pixels, brought back bilinearly at the end: sixteen times less work at 1080p.
    """
    frames = x_CTHW.transpose(0, 1)
    size = frames.shape[-2:]
    skipped = min(SKIPPED, levels) if min(size) >= 2 * 2**SKIPPED else 0
    if skipped:
        frames = F.adaptive_avg_pool2d(frames, [max(1, side // 2**skipped) for side in size])
    for level in range(levels - skipped):
        for dim in (-2, -1):
            frames = _blurred(frames, 2**level, dim)
    if skipped:
        frames = F.interpolate(frames, tuple(size), mode="bilinear", align_corners=False)
    return frames.transpose(0, 1)


def _blurred(frames: Tensor, reach: int, dim: int) -> Tensor:
    """Taps of 1, 2, 1 quarters that lie ``reach`` apart; beyond the edge the edge goes on."""
    place, last = torch.arange(frames.shape[dim], device=frames.device), frames.shape[dim] - 1
    before = frames.index_select(dim, (place - reach).clamp(min=0))
    after = frames.index_select(dim, (place + reach).clamp(max=last))
    return (before + after).mul_(0.25).add_(frames, alpha=0.5)


def correct_lab(made: Tensor, source: Tensor) -> Tensor:
    """Give each frame the mean and spread of its source's lightness and colour, in Lab."""
    made_lab, source_lab = to_lab(made), to_lab(source)
    mean, spread = _statistics(made_lab)
    wanted_mean, wanted_spread = _statistics(source_lab)
    return from_lab((made_lab - mean) * (wanted_spread / spread.clamp_min(1e-4)) + wanted_mean)


CORRECTIONS: dict[str, Correct | None] = {"wavelet": correct_wavelet, "lab": correct_lab, "none": None}


def _statistics(x_CTHW: Tensor) -> tuple[Tensor, Tensor]:
    return x_CTHW.mean(dim=(2, 3), keepdim=True), x_CTHW.std(dim=(2, 3), keepdim=True, unbiased=False)


def to_lab(pixels_CTHW: Tensor) -> Tensor:
    """sRGB in -1..1 to CIE Lab: L 0..100, a and b about -100..100."""
    x = ((pixels_CTHW.float() + 1) / 2).clamp(0, 1)
    linear = torch.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    xyz = torch.einsum("ij,jthw->ithw", linear.new_tensor(SRGB_TO_XYZ), linear)
    xyz = xyz / xyz.new_tensor(WHITE).view(3, 1, 1, 1)
    f = torch.where(xyz > CUBE_BELOW, xyz.clamp_min(CUBE_BELOW) ** (1 / 3), (SLOPE * xyz + 16) / 116)
    return torch.stack([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def from_lab(lab_CTHW: Tensor) -> Tensor:
    """The inverse of ``to_lab``; colours that sRGB does not have come out at its edge."""
    y = (lab_CTHW[0] + 16) / 116
    f = torch.stack([y + lab_CTHW[1] / 500, y, y - lab_CTHW[2] / 200])
    xyz = torch.where(f**3 > CUBE_BELOW, f**3, (116 * f - 16) / SLOPE) * f.new_tensor(WHITE).view(3, 1, 1, 1)
    linear = torch.einsum("ij,jthw->ithw", torch.linalg.inv(f.new_tensor(SRGB_TO_XYZ)), xyz).clamp(0, 1)
    x = torch.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear.clamp_min(1e-9) ** (1 / 2.4) - 0.055)
    return x * 2 - 1
