"""Integrate a velocity from noise to data. The state is float32; the model casts inside."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor

Velocity = Callable[[Tensor, Tensor], Tensor]
"""(x, t_B) -> dx/dt, both of x's shape."""
OnStep = Callable[[int, Tensor], None]
"""Called with (steps done, estimate of the data); may raise to stop."""


def integrate_euler(
    velocity: Velocity, x: Tensor, times: Sequence[float], on_step: OnStep | None = None
) -> Tensor:
    """Carry noise to data along ``times`` (0 noise, 1 data), one Euler step per gap: the paper's sampler."""
    for step, (t, t_next) in enumerate(pairwise(times), start=1):
        v = velocity(x, _batch_time(t, x))
        if on_step is not None:
            on_step(step, x + (1 - t) * v)
        x = x + (t_next - t) * v
    return x


def integrate_midpoint(
    velocity: Velocity, x: Tensor, times: Sequence[float], on_step: OnStep | None = None
) -> Tensor:
    """Like ``integrate_euler`` with the slope taken half-way: two calls a step, second order."""
    for step, (t, t_next) in enumerate(pairwise(times), start=1):
        half = (t_next - t) / 2
        v = velocity(x + half * velocity(x, _batch_time(t, x)), _batch_time(t + half, x))
        if on_step is not None:
            on_step(step, x + (1 - t) * v)
        x = x + (t_next - t) * v
    return x


SOLVERS = {"euler": integrate_euler, "midpoint": integrate_midpoint}


def _batch_time(t: float, x: Tensor) -> Tensor:
    return torch.full((x.shape[0],), t, dtype=torch.float32, device=x.device)
