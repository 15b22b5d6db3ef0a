"""Pixels -1..1 and bytes 0..255: the one home of the conversion; torch alone, as training has no PyAV."""

import torch
from torch import Tensor


def to_bytes(pixels: Tensor) -> Tensor:
    """Float -1..1, any shape, to uint8, rounded to the nearest value; what lies outside is clamped."""
    return ((pixels.float() + 1) * 127.5).round_().clamp_(0, 255).to(torch.uint8)


def from_bytes(values: Tensor) -> Tensor:
    """uint8, any shape, to float32 -1..1."""
    return values.float() / 127.5 - 1
