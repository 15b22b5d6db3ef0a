"""The judge: a small video classifier that says what a clip shows. Our choice; the paper asks people."""

# Shape letters: B clip, C channel, T frame, H row, W column, N head, D head dim, Q question, L = T*H*W cells.

import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import SettingsError
from ..layers.attention import attend, merge_heads, split_heads

SIDE_MULTIPLE = 8
DIFFERENCE_GAIN = 4.0
"""Differences of neighbouring frames are small; this brings them near the size of pixels."""


def check_questions(judge: str, questions: Sequence[str], num_answers: Sequence[int]) -> None:
    """Refuse a config of a judge that does not say how many answers each of its questions has.

    Args:
        judge: which one, for the complaint.
        questions: what is asked.
        num_answers: classes of each.

    Raises:
        SettingsError: there are no questions, or not as many counts.
    """
    if len(questions) != len(num_answers) or not questions:
        raise SettingsError(
            f"{judge} config: {len(questions)} questions and {len(num_answers)} answer counts;"
            " give one count for each question"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeConfig:
    """What is asked, and how large the classifier is."""

    questions: tuple[str, ...]
    """Such as "place"."""
    num_answers: tuple[int, ...]
    """Classes of each question."""
    num_frames: int = 16
    """Frames looked at, evenly spread over the clip."""
    num_pixels: int = 56 * 96
    """Area that frames are shrunk to, whatever their shape."""
    widths: tuple[int, int, int] = (48, 96, 128)
    """Channels at a quarter of the side, after halving the frame rate, and at an eighth of the side."""
    num_blocks: int = 2
    """Residual blocks at the last level."""
    num_heads: int = 4

    def __post_init__(self) -> None:
        check_questions("judge", self.questions, self.num_answers)
        if self.widths[-1] % self.num_heads:
            raise SettingsError(
                f"judge config: width {self.widths[-1]} is not a multiple of num_heads {self.num_heads}"
            )


JUDGE_PRESETS = {
    "nano": JudgeConfig(
        questions=("actor", "colour", "action", "place", "camera", "look", "weather"),
        num_answers=(11, 10, 8, 8, 15, 6, 4),
    )
}


class SpaceConv(nn.Module):
    """A 3x3 convolution on each frame of (B, T, H, W, C), channels last for speed."""

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        operations: ModuleType,
        *,
        stride: int = 1,
        **factory: Any,  # noqa: ANN401
    ) -> None:
        super().__init__()
        self.conv = operations.Conv2d(channels_in, channels_out, 3, stride, 1, **factory)

    def forward(self, x_BTHWC: Tensor) -> Tensor:
        """(B, T, H, W, C) -> (B, T, H / stride, W / stride, C')."""
        frames = self.conv(x_BTHWC.flatten(0, 1).permute(0, 3, 1, 2))
        return frames.permute(0, 2, 3, 1).unflatten(0, x_BTHWC.shape[:2])


class TimeConv(nn.Module):
    """A convolution along time, one cell at a time: 3 taps, or 4 when it halves the frame rate."""

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        operations: ModuleType,
        *,
        stride: int = 1,
        **factory: Any,  # noqa: ANN401
    ) -> None:
        super().__init__()
        self.conv = operations.Conv2d(
            channels_in, channels_out, (2 + stride, 1), (stride, 1), (1, 0), **factory
        )

    def forward(self, x_BTHWC: Tensor) -> Tensor:
        """(B, T, H, W, C) -> (B, T / stride, H, W, C')."""
        cells = self.conv(x_BTHWC.flatten(2, 3).permute(0, 3, 1, 2))
        return cells.permute(0, 2, 3, 1).unflatten(2, x_BTHWC.shape[2:4])


class Block(nn.Module):
    """Norm, convolution in space, then in time, around a skip."""

    def __init__(self, channels: int, operations: ModuleType, **factory: Any) -> None:  # noqa: ANN401
        super().__init__()
        self.norm = operations.LayerNorm(channels, **factory)
        self.space = SpaceConv(channels, channels, operations, **factory)
        self.time = TimeConv(channels, channels, operations, **factory)

    def forward(self, x_BTHWC: Tensor) -> Tensor:
        """Same shape in and out."""
        return x_BTHWC + self.time(F.silu(self.space(self.norm(x_BTHWC))))


class QuestionPool(nn.Module):
    """Each question looks where its answer is to be seen, and at the mean of everything."""

    def __init__(
        self,
        width: int,
        num_heads: int,
        num_questions: int,
        operations: ModuleType,
        **factory: Any,  # noqa: ANN401
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.norm = operations.LayerNorm(width, **factory)
        self.where = operations.Linear(12, width, **factory)
        self.queries = operations.Embedding(num_questions, width, **factory)
        self.kv = operations.Linear(width, 2 * width, **factory)

    def forward(self, x_BTHWC: Tensor) -> Tensor:
        """(B, T, H, W, C) -> (B, Q, 2 C)."""
        cells_BLC = (self.norm(x_BTHWC) + self.where(coordinates(x_BTHWC))).flatten(1, 3)
        q_BQC = self.queries.weight.to(cells_BLC).expand(len(cells_BLC), -1, -1)
        q, k, v = (
            split_heads(part, self.num_heads) for part in (q_BQC, *self.kv(cells_BLC).chunk(2, dim=-1))
        )
        seen_BQC = merge_heads(attend(q, k, v))
        return torch.cat([seen_BQC, cells_BLC.mean(1, keepdim=True).expand_as(seen_BQC)], dim=-1)


def coordinates(x_BTHWC: Tensor) -> Tensor:
    """(T, H, W, 12): where each cell is, -1..1 in time, down and across, with square, sine and cosine."""
    axes = [(2 * torch.arange(n, device=x_BTHWC.device) + 1) / n - 1 for n in x_BTHWC.shape[1:4]]
    place = torch.stack(torch.meshgrid(axes, indexing="ij"), dim=-1)
    turned = math.pi * place
    return torch.cat([place, place.square(), turned.sin(), turned.cos()], dim=-1).to(x_BTHWC.dtype)


class Judge(nn.Module):
    """Clip to the logits of every question."""

    def __init__(
        self,
        config: JudgeConfig,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        operations: ModuleType = nn,  # type: ignore[assignment]
    ) -> None:
        super().__init__()
        factory = {"device": device, "dtype": dtype}
        near, slow, far = config.widths
        self.config = config
        self.stem = SpaceConv(9 * 4, near, operations, stride=2, **factory)
        self.near = Block(near, operations, **factory)
        self.slow = TimeConv(near, slow, operations, stride=2, **factory)
        self.down = SpaceConv(slow, far, operations, stride=2, **factory)
        self.far = nn.Sequential(*(Block(far, operations, **factory) for _ in range(config.num_blocks)))
        self.pool = QuestionPool(far, config.num_heads, len(config.questions), operations, **factory)
        self.heads = nn.ModuleList(
            nn.Sequential(
                operations.LayerNorm(2 * far, **factory),
                operations.Linear(2 * far, far, **factory),
                nn.SiLU(),
                operations.Linear(far, count, **factory),
            )
            for count in config.num_answers
        )

    def forward(self, clip: Tensor) -> dict[str, Tensor]:
        """Answer every question about each clip.

        Args:
            clip: (B, 3, T, H, W), pixels in -1..1, any size and length.

        Returns:
            Question to logits (B, classes).
        """
        x = self.stem(_with_motion(prepare(clip, self.config)))
        x = self.slow(self.near(F.silu(x)))
        x = self.far(self.down(F.silu(x)))
        seen_BQC = self.pool(x)
        answers = (head(seen_BQC[:, index]) for index, head in enumerate(self.heads))
        return dict(zip(self.config.questions, answers, strict=True))


def prepare(clip: Tensor, config: JudgeConfig) -> Tensor:
    """Pick the frames that the judge looks at and shrink them; what is prepared stays as it is.

    Args:
        clip: (B, 3, T, H, W), any size and length.
        config: says how many frames of which area.

    Returns:
        (B, 3, num_frames, H', W'), the same shape of picture up to rounding to whole cells.
    """
    B, _, T, H, W = clip.shape
    picked = torch.arange(config.num_frames, device=clip.device) * T // config.num_frames
    frames = clip[:, :, picked].transpose(1, 2).flatten(0, 1)
    shrunk = math.sqrt(config.num_pixels / (H * W))
    size = [max(SIDE_MULTIPLE, round(side * shrunk / SIDE_MULTIPLE) * SIDE_MULTIPLE) for side in (H, W)]
    if size != [H, W]:
        frames = F.interpolate(frames, size=size, mode="bilinear", antialias=True)
    return frames.unflatten(0, (B, config.num_frames)).transpose(1, 2).contiguous()


def _with_motion(clip_BCTHW: Tensor) -> Tensor:
    """Fold 2x2 pixels; add their change since the last and to the next frame: (B, T, H / 2, W / 2, 36)."""
    B, C, T, H, W = clip_BCTHW.shape
    cells = clip_BCTHW.view(B, C, T, H // 2, 2, W // 2, 2).permute(0, 2, 3, 5, 1, 4, 6)
    folded = cells.reshape(B, T, H // 2, W // 2, 4 * C)
    change = DIFFERENCE_GAIN * folded.diff(dim=1)
    still = torch.zeros_like(folded[:, :1])
    return torch.cat([folded, torch.cat([still, change], dim=1), torch.cat([change, still], dim=1)], dim=-1)
