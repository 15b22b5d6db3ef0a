"""Frame encoder: one feature vector for each frame, in the place of the paper's Long-prompt MetaCLIP.

The paper takes 1024 numbers a frame from a trained, frozen tower. This one is trained together with the audio
transformer; ``paper`` has the size of that tower (ViT-H/14 with 1024 outputs). Frames are stretched to a
square, as what counts is when and where something happens. Our choice throughout: the convolutions below the
patches (Xiao et al., 2021) are for the small size, and one learned query reads the tokens.
"""

# Shape letters: B clip, T frame, C channel, H row, W column, M = B*T, L patch, F audio latent frame.

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import SettingsError
from ..geometry import SoundGrid
from ..layers.attention import CrossAttention
from ..layers.block import EncoderBlock
from ..layers.norms import rms_norm
from ..layers.patches import to_patches


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameEncoderConfig:
    """Shape of a frame encoder."""

    size: int
    """Rows and columns that every frame is stretched to."""
    stem_widths: tuple[int, ...]
    """Channels of the convolutions below the patches, each of stride 2; none in the paper's."""
    patch: int
    """Rows and columns of one token, after the stem."""
    width: int
    num_layers: int
    num_heads: int
    ffn_width: int
    feature_width: int
    """Numbers a frame."""

    def __post_init__(self) -> None:
        cell = self.patch * 2 ** len(self.stem_widths)
        if self.size % cell or self.width % self.num_heads:
            raise SettingsError(
                f"vision config: size {self.size} must be a multiple of {cell}, and width {self.width} of"
                f" {self.num_heads} heads"
            )

    @property
    def num_patches(self) -> int:
        """Tokens of one frame."""
        return (self.size // (self.patch * 2 ** len(self.stem_widths))) ** 2


VISION_PRESETS = {
    "nano": FrameEncoderConfig(
        size=64,
        stem_widths=(16, 32, 64),
        patch=2,
        width=96,
        num_layers=2,
        num_heads=2,
        ffn_width=192,
        feature_width=128,
    ),
    "paper": FrameEncoderConfig(
        size=224,
        stem_widths=(),
        patch=14,
        width=1280,
        num_layers=32,
        num_heads=16,
        ffn_width=3416,
        feature_width=1024,
    ),
}


class FrameEncoder(nn.Module):
    """Every frame by itself to one feature vector."""

    def __init__(
        self,
        config: FrameEncoderConfig,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        operations: ModuleType = nn,  # type: ignore[assignment]
    ) -> None:
        super().__init__()
        factory = {"device": device, "dtype": dtype}
        width, heads, widths = config.width, config.num_heads, (3, *config.stem_widths)
        self.config = config
        self.stem = nn.ModuleList(_halving(a, b, operations, **factory) for a, b in pairwise(widths))
        self.patch = operations.Linear(widths[-1] * config.patch**2, width, **factory)
        self.positions = _table(config.num_patches, width, operations, **factory)
        self.blocks = nn.ModuleList(
            EncoderBlock(width, heads, config.ffn_width, operations, **factory)
            for _ in range(config.num_layers)
        )
        self.question = _table(1, width, operations, **factory)
        self.reader = CrossAttention(width, heads, operations, **factory)
        self.head = operations.Linear(width, config.feature_width, bias=False, **factory)

    def forward(self, clip_BCTHW: Tensor) -> Tensor:
        """Features of every frame.

        Args:
            clip_BCTHW: (B, 3, T, H, W), pixels in -1..1; any size.

        Returns:
            (B, T, feature width).
        """
        frames_MCHW = fit_frames(clip_BCTHW, self.config.size).transpose(1, 2).flatten(0, 1)
        x_MLC = self._tokens(frames_MCHW.to(self.patch.weight.dtype))
        for block in self.blocks:
            x_MLC = block(x_MLC)
        question_1C = self.question(torch.zeros(1, dtype=torch.int64, device=x_MLC.device))
        question_MLC = question_1C.to(x_MLC.dtype).expand(x_MLC.shape[0], 1, -1)
        answer_MLC = self.reader(question_MLC, rms_norm(x_MLC), None)
        return self.head(answer_MLC).view(clip_BCTHW.shape[0], clip_BCTHW.shape[2], -1)

    def _tokens(self, x_MCHW: Tensor) -> Tensor:
        for conv in self.stem:
            x_MCHW = F.silu(conv(x_MCHW))
        side = self.config.patch
        x_MLC = self.patch(to_patches(x_MCHW[:, :, None], (1, side, side)))
        places = torch.arange(self.config.num_patches, device=x_MLC.device)
        return x_MLC + self.positions(places).to(x_MLC.dtype)


def fit_frames(clip_BCTHW: Tensor, side: int) -> Tensor:
    """Every frame stretched to a square, (B, 3, T, side, side); one that has this size stays as it is."""
    if tuple(clip_BCTHW.shape[-2:]) == (side, side):
        return clip_BCTHW
    frames_MCHW = clip_BCTHW.transpose(1, 2).flatten(0, 1)
    small_MCHW = F.interpolate(frames_MCHW, size=(side, side), mode="bilinear", antialias=True)
    return small_MCHW.unflatten(0, (clip_BCTHW.shape[0], -1)).transpose(1, 2)


def frames_seen(num_frames: int, fps: Fraction, num_latent_frames: int, grid: SoundGrid) -> list[int]:
    """The picture that stands on the screen in the middle of each latent frame of sound, by exact time.

    A picture is never blended with its neighbour: what is seen at 8 frames a second lasts an eighth of a
    second. The paper says only that features are brought to 25 Hz; nearest in time is our reading.

    Args:
        num_frames: of the clip, at least 1; the last picture stays when the sound goes on.
        fps: frames a second, exact.
        num_latent_frames: of the sound.
        grid: how long a latent frame is.

    Returns:
        An index below ``num_frames`` for each latent frame, never falling.
    """
    return [grid.video_frame_at(frame, num_frames, fps) for frame in range(num_latent_frames)]


def frames_seen_at(starts: Sequence[Fraction], num_latent_frames: int, grid: SoundGrid) -> list[int]:
    """``frames_seen`` for pictures of uneven length.

    Args:
        starts: seconds at which each picture appears, rising; before the first one the first is seen.
        num_latent_frames: of the sound.
        grid: how long a latent frame is.

    Returns:
        An index into ``starts`` for each latent frame, never falling.
    """
    middles = ((frame + Fraction(1, 2)) / grid.rate for frame in range(num_latent_frames))
    return [max(0, bisect_right(starts, middle) - 1) for middle in middles]


def _halving(channels_in: int, channels_out: int, operations: ModuleType, **factory: Any) -> nn.Module:  # noqa: ANN401
    return operations.Conv2d(channels_in, channels_out, 3, stride=2, padding=1, **factory)


def _table(rows: int, width: int, operations: ModuleType, **factory: Any) -> nn.Module:  # noqa: ANN401
    table = operations.Embedding(rows, width, **factory)
    table.weight.is_table = True
    nn.init.normal_(table.weight, std=0.02)
    return table
