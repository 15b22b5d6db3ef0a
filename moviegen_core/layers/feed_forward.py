"""SwiGLU feed-forward of LLaMa-style blocks (Movie Gen, section 3: no biases)."""

from types import ModuleType
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn


class SwiGLU(nn.Module):
    """``down(silu(gate(x)) * up(x))`` with gate and up in one matrix."""

    def __init__(self, width: int, hidden: int, operations: ModuleType, **factory: Any) -> None:  # noqa: ANN401
        super().__init__()
        self.gate_up = operations.Linear(width, 2 * hidden, bias=False, **factory)
        self.down = operations.Linear(hidden, width, bias=False, **factory)

    def forward(self, x_BLC: Tensor) -> Tensor:
        """(B, L, C) -> (B, L, C)."""
        gate, up = self.gate_up(x_BLC).chunk(2, dim=-1)
        return self.down(F.silu(gate) * up)
