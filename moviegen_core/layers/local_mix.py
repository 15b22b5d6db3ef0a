"""Neighbouring tokens mixed channel by channel: what a small transformer would spend its training on.

Attention over learned positions has to find out for every place of a picture anew which tokens touch; a
depthwise convolution knows it everywhere from the first step. Not in the paper, whose model is large and
long trained: our choice for small ones, after the conditional positions of Chu et al. (2021).
"""

# Shape letters: B clip, T frame, H row, W column, L token, C channel.

from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

TAPS = 7
"""Of the mix along time alone: 0.28 seconds of sound at 25 Hz."""


class LocalMix(nn.Module):
    """3x3 neighbours in a frame plus 3 along time, each channel for itself; at first nothing."""

    def __init__(self, width: int, operations: ModuleType, **factory: Any) -> None:  # noqa: ANN401
        super().__init__()
        factory |= {"groups": width, "bias": False}
        self.space = operations.Conv2d(width, width, 3, padding=1, **factory)
        self.time = operations.Conv2d(width, width, (3, 1), padding=(1, 0), **factory)
        self.space.weight.is_table = self.time.weight.is_table = True
        self.reset()

    @torch.no_grad()
    def reset(self) -> None:
        """Start by adding nothing."""
        self.space.weight.zero_()
        self.time.weight.zero_()

    def forward(self, x_BLC: Tensor, grid: tuple[int, int, int]) -> Tensor:
        """(B, T * H * W, C) -> the same shape, for a token grid (T, H, W); beyond its edges lies 0."""
        T, H, W = grid
        frames = x_BLC.reshape(-1, H, W, x_BLC.shape[-1])
        lines = x_BLC.reshape(-1, T, H * W, x_BLC.shape[-1])
        mixed = (channels_last(self.space, frames), channels_last(self.time, lines))
        return mixed[0].reshape(x_BLC.shape) + mixed[1].reshape(x_BLC.shape)


class TimeMix(nn.Module):
    """The same for what has no rows and columns, such as sound: TAPS neighbours along time."""

    def __init__(self, width: int, operations: ModuleType, **factory: Any) -> None:  # noqa: ANN401
        super().__init__()
        self.time = operations.Conv1d(
            width, width, TAPS, padding=TAPS // 2, groups=width, bias=False, **factory
        )
        self.time.weight.is_table = True
        self.reset()

    @torch.no_grad()
    def reset(self) -> None:
        """Start by adding nothing."""
        self.time.weight.zero_()

    def forward(self, x_BLC: Tensor, _grid: tuple[int, int, int]) -> Tensor:
        """(B, T, C) -> the same shape; beyond the ends lies 0."""
        return self.time(x_BLC.transpose(1, 2)).transpose(1, 2)


def channels_last(conv: nn.Module, x_NHWC: Tensor) -> Tensor:
    """A 2D convolution of what holds its channels last."""
    return conv(x_NHWC.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
