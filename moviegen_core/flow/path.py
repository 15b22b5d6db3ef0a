"""The straight path from noise to data, and the times training draws (Movie Gen, flow matching)."""

import torch
from torch import Tensor

SIGMA_MIN = 1e-5


def interpolate(data: Tensor, noise: Tensor, t_B: Tensor) -> Tensor:
    """Where a sample is at time t: ``t x1 + (1 - (1 - s) t) x0`` with s = 1e-5."""
    t = t_B.view(-1, *[1] * (data.ndim - 1))
    return t * data + (1 - (1 - SIGMA_MIN) * t) * noise


def target_velocity(data: Tensor, noise: Tensor) -> Tensor:
    """What the model learns to predict: ``x1 - (1 - s) x0``, the same at every time."""
    return data - (1 - SIGMA_MIN) * noise


def logit_normal_times(count: int, generator: torch.Generator, device: torch.device | str = "cpu") -> Tensor:
    """Training times: the sigmoid of a unit normal, so the middle of the way is seen most."""
    return torch.sigmoid(torch.randn(count, generator=generator)).to(device)
