"""What a composite kept of its source, in numbers and as a picture."""

# Shape letters: H row, W column, C channel.

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from .composite import matte_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalityReport:
    """How local an edit is after compositing."""

    num_frames: int
    share_kept: float
    """Of all pixels: those where the matte is 0."""
    psnr_outside_before: float | None
    """dB of the edited clip against the source where the matte is 0; None when nothing is kept."""
    psnr_outside: float | None
    """The same of the composite: infinite, as it is bit-exact."""
    psnr_outside_file: float | None
    """The same of the file as written and read again: infinite unless its codec loses something."""

    @property
    def is_kept_exactly(self) -> bool:
        """Whether every kept pixel of the composite is the source's own."""
        return _is_exact(self.psnr_outside)

    @property
    def is_file_exact(self) -> bool:
        """Whether that is still so in the file as written."""
        return _is_exact(self.psnr_outside_file)

    def facts(self) -> Mapping[str, object]:
        """For machines: JSON knows no infinity."""
        return {
            "frames": self.num_frames,
            "share_kept": round(self.share_kept, 6),
            "psnr_outside_before": _finite(self.psnr_outside_before),
            "psnr_outside": _finite(self.psnr_outside),
            "exact_outside": self.is_kept_exactly,
            "psnr_outside_file": _finite(self.psnr_outside_file),
            "exact_outside_file": self.is_file_exact,
        }

    def sentence(self) -> str:
        """For people."""
        if self.psnr_outside is None:
            return "nothing of the source is kept: the change is everywhere"
        coded = "" if self.is_file_exact else f", {_decibels(self.psnr_outside_file)} as coded"
        ours = "bit for bit" if self.is_kept_exactly else f"at {_decibels(self.psnr_outside)}"
        before = _decibels(self.psnr_outside_before)
        return f"{self.share_kept:.1%} of the pixels kept {ours}{coded} (the edit alone: {before})"


def _is_exact(value: float | None) -> bool:
    """Whether every kept pixel is the source's own; so it is too where nothing is kept."""
    return value is None or math.isinf(value)


def _decibels(value: float | None) -> str:
    return "no error" if _is_exact(value) else f"{value:.2f} dB"


def _finite(value: float | None) -> float | None:
    return None if _is_exact(value) else round(value, 3)


class OutsideError:
    """Squared error of a clip against its source, summed where mattes are 0."""

    def __init__(self) -> None:
        self.num_pixels = self.num_kept = self.squares = 0

    def add(self, source_HWC: Tensor, other_HWC: Tensor, matte_HW: Tensor) -> None:
        """Count one frame; uint8 all three."""
        kept = matte_HW == 0
        error = (source_HWC.short() - other_HWC.short()).int().square_().sum(2)
        self.squares += int((error * kept).sum())
        self.num_pixels += kept.numel()
        self.num_kept += int(kept.sum())

    @property
    def share_kept(self) -> float:
        """Kept pixels of all."""
        return self.num_kept / max(1, self.num_pixels)

    @property
    def psnr(self) -> float | None:
        """Over all kept pixels of all frames; infinite without any error, None without any pixel."""
        if not self.num_kept:
            return None
        mean = self.squares / (3 * self.num_kept * 255**2)
        return math.inf if mean == 0 else -10 * math.log10(mean)


TINT = (255, 64, 160)


def matte_picture(frames: list[Tensor], matte_maps: list[Tensor]) -> Tensor:
    """Show where mattes lie: each frame with the matte as a tint, and below it the matte itself.

    Args:
        frames: (H, W, 3) uint8 each, of one size.
        matte_maps: (h, w) in 0..1 or (H, W) uint8, one for each.

    Returns:
        (2 H, n W, 3) uint8.
    """
    columns = [_column(frame, matte) for frame, matte in zip(frames, matte_maps, strict=True)]
    return torch.cat(columns, dim=1)


def _column(frame_HWC: Tensor, matte: Tensor) -> Tensor:
    matte_HW = matte if matte.dtype == torch.uint8 else matte_bytes(matte, *frame_HWC.shape[:2])
    weight = matte_HW[:, :, None].float() / 255
    grey = frame_HWC.float().mean(2, keepdim=True).expand(-1, -1, 3)
    tinted = grey + 0.55 * weight * (torch.tensor(TINT) - grey)
    below = matte_HW[:, :, None].expand(-1, -1, 3)
    return torch.cat([tinted.round().to(torch.uint8), below])
