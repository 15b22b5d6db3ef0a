"""Rotary positions (Su et al., 2021): attention sees how far apart two tokens are, never where they stand.

For sound, which has any length and is made in windows anywhere along it. The paper does not state its audio
model's positions; this is what Meta's later audio model has.
"""

# Shape letters: B clip, L token, N head, D head dim.

import math

import torch
from torch import Tensor


def rotary_angles(length: int, head_width: int, device: torch.device | str = "cpu") -> Tensor:
    """Angle of each pair of channels at places 0 to ``length - 1``: (L, D / 2), float32."""
    half = head_width // 2
    rates = torch.exp(-math.log(10000) * torch.arange(half, device=device) / half)
    return torch.arange(length, device=device)[:, None] * rates


def rotate(x_BNLD: Tensor, angles_LD: Tensor) -> Tensor:
    """Turn channel ``i`` and channel ``i + D / 2`` of every token by the angle of its place."""
    cosines, sines = angles_LD.cos().to(x_BNLD.dtype), angles_LD.sin().to(x_BNLD.dtype)
    a, b = x_BNLD.chunk(2, dim=-1)
    return torch.cat([a * cosines - b * sines, a * sines + b * cosines], dim=-1)
