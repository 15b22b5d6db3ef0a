"""Editing without inversion: carry data along the difference of two velocities (FlowEdit's idea).

Source: Kulikov and others, FlowEdit: inversion-free text-based editing using pre-trained flow models (2024);
here with the core's time, 0 noise to 1 data, and with the way travelled so far as the state, so that equal
velocities leave the data bit for bit as it was.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from ..errors import SettingsError
from .path import interpolate
from .solver import OnStep, Velocity


def times_from(start: float, times: Sequence[float]) -> list[float]:
    """Squeeze times of 0 to 1 into ``start`` to 1.

    Args:
        start: the new first time, from 0 to less than 1.
        times: rising from 0 to 1.

    Returns:
        As many times; the last stays exactly 1.

    Raises:
        SettingsError: the start is out of range.
    """
    if not 0 <= start < 1:
        raise SettingsError(f"a start of {start} leaves no way to go; give 0 to less than 1")
    return [1 - (1 - start) * (1 - t) for t in times]


def integrate_difference(
    source: Velocity,
    target: Velocity,
    data: Tensor,
    times: Sequence[float],
    draw_noise: Callable[[], Tensor],
    *,
    num_averages: int = 1,
    on_step: OnStep | None = None,
) -> Tensor:
    """Carry data from where ``source`` would have put it to where ``target`` does.

    At each time the data is noised afresh, and the same noise is laid on the edit so far; what the two
    velocities differ by there is the direction of the edit.

    Args:
        source: velocity under what the data shows.
        target: velocity under what it shall show.
        data: any shape, batch first.
        times: rising to 1; the later the first, the closer the result stays to the data.
        draw_noise: gives fresh noise of the data's shape at each call.
        num_averages: how many noises the difference is averaged over at each time.
        on_step: called with (steps done, the edit so far); may raise to stop.

    Returns:
        The edited data, float32.

    Raises:
        SettingsError: no averages.
    """
    if num_averages < 1:
        raise SettingsError(f"{num_averages} averages see nothing; give 1 or more")
    data, way = data.float(), torch.zeros_like(data, dtype=torch.float32)
    for step, (t, t_next) in enumerate(pairwise(times), start=1):
        t_B = torch.full((len(data),), t, dtype=torch.float32, device=data.device)
        pull = torch.zeros_like(way)
        for _ in range(num_averages):
            noisy = interpolate(data, draw_noise().to(data), t_B)
            pull += target(noisy + way, t_B) - source(noisy, t_B)
        way = way + (t_next - t) / num_averages * pull
        if on_step is not None:
            on_step(step, data + way)
    return data + way
