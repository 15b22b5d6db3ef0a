"""Time enters every block through six vectors from one shared network; each layer only adds its own biases.

Source: Movie Gen. The video model's published parameter count allows no network per layer, and for the audio
model the paper states the sharing. How time is scaled before its sinusoids is unknown; x1000 is our choice.
"""

# Shape letters: B clip, C channel, K modulation vector.

import math
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def sinusoids(t_B: Tensor, width: int, scale: float = 1000.0) -> Tensor:
    """Cosines and sines of a time in 0..1 at ``width / 2`` frequencies: (B, width), float32."""
    half = width // 2
    frequencies = torch.exp(-math.log(10000) * torch.arange(half, device=t_B.device) / half)
    angles = t_B.float()[:, None] * scale * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


class TimeEmbedding(nn.Module):
    """Time to one vector."""

    def __init__(self, width: int, operations: ModuleType, sinusoid_width: int = 256, **factory: Any) -> None:  # noqa: ANN401
        super().__init__()
        self.sinusoid_width = sinusoid_width
        self.lift = operations.Linear(sinusoid_width, width, bias=False, **factory)
        self.mix = operations.Linear(width, width, bias=False, **factory)

    def forward(self, t_B: Tensor, dtype: torch.dtype) -> Tensor:
        """(B,) -> (B, C)."""
        return self.mix(F.silu(self.lift(sinusoids(t_B, self.sinusoid_width).to(dtype))))


class SharedModulation(nn.Module):
    """The network that all layers share: one time vector to ``num_vectors`` modulation vectors."""

    def __init__(self, width: int, num_vectors: int, operations: ModuleType, **factory: Any) -> None:  # noqa: ANN401
        super().__init__()
        self.num_vectors = num_vectors
        self.project = operations.Linear(width, num_vectors * width, bias=False, **factory)

    def forward(self, time_BC: Tensor) -> Tensor:
        """(B, C) -> (B, K, C)."""
        return self.project(F.silu(time_BC)).unflatten(-1, (self.num_vectors, -1))


class LayerBias(nn.Module):
    """A layer's own offsets to the shared modulation."""

    def __init__(self, width: int, num_vectors: int, operations: ModuleType, **factory: Any) -> None:  # noqa: ANN401
        super().__init__()
        self.num_vectors = num_vectors
        self.table = operations.Embedding(num_vectors, width, **factory)
        self.table.weight.is_table = True

    def forward(self, shared_BKC: Tensor) -> tuple[Tensor, ...]:
        """(B, K, C) -> K tensors of (B, 1, C)."""
        offsets = self.table(torch.arange(self.num_vectors, device=shared_BKC.device))
        return (shared_BKC + offsets.to(shared_BKC.dtype))[:, :, None].unbind(1)


def modulate(x_BLC: Tensor, scale_B1C: Tensor, shift_B1C: Tensor) -> Tensor:
    """``x (1 + scale) + shift``."""
    return torch.addcmul(shift_B1C, x_BLC, 1 + scale_B1C)
