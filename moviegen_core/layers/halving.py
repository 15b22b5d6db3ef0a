"""A step down a small classifier: half the rows and columns, more channels. Our choice."""

# Shape letters: B clip, C channel, H row, W column.

from types import ModuleType
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

NUM_GROUPS = 4


class Halving(nn.Module):
    """A strided convolution, then a residual one, each behind a norm over each picture."""

    def __init__(self, channels_in: int, channels_out: int, operations: ModuleType, **factory: Any) -> None:  # noqa: ANN401
        super().__init__()
        self.down = operations.Conv2d(channels_in, channels_out, 3, stride=2, padding=1, **factory)
        self.norm = operations.GroupNorm(NUM_GROUPS, channels_out, **factory)
        self.same = operations.Conv2d(channels_out, channels_out, 3, padding=1, **factory)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C', H / 2, W / 2)."""
        x_BCHW = self.norm(self.down(x_BCHW))
        return x_BCHW + self.same(F.silu(x_BCHW))
