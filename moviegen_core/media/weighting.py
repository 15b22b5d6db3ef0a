"""K-weighting of ITU-R BS.1770 at any sample rate: a shelf for the head, a high pass for deep rumble."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from ..errors import MediaError
from .sound import Sound

# Shape letters: C channel, N stretch, S sample of a stretch, Z state of the filter (two per section).

LOWEST_RATE = 4000
"""Below, the shelf's middle would lie near the Nyquist frequency."""
STRETCH = 256
"""Samples that one matrix product filters; between two of them only the state is handed on."""
SHELF_HZ, SHELF_DECIBELS, SHELF_Q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
PASS_HZ, PASS_Q = 38.13547087602444, 0.5003270373238773
"""The analogue filters whose bilinear images at 48 kHz are the standard's tables."""
SHELF_SLOPE = 0.4996667741545416
"""The exponent that takes the shelf's gain at its middle."""


_Section = tuple[list[float], list[float]]


def shelf(sample_rate: int) -> _Section:
    """First stage: (b0, b1, b2) and (1, a1, a2)."""
    k = math.tan(math.pi * SHELF_HZ / sample_rate)
    high = 10 ** (SHELF_DECIBELS / 20)
    middle = high**SHELF_SLOPE
    scale = 1 + k / SHELF_Q + k * k
    above = [high + middle * k / SHELF_Q + k * k, 2 * (k * k - high), high - middle * k / SHELF_Q + k * k]
    below = [scale, 2 * (k * k - 1), 1 - k / SHELF_Q + k * k]
    return [value / scale for value in above], [value / scale for value in below]


def high_pass(sample_rate: int) -> _Section:
    """Second stage: (b0, b1, b2) and (1, a1, a2).

    The standard's 1, -2, 1 lets 0.04 dB too much through at 48 kHz; so does this at every rate, to measure
    the same.
    """
    k, standard = (math.tan(math.pi * PASS_HZ / rate) for rate in (sample_rate, 48000))
    scale = 1 + k / PASS_Q + k * k
    gain = (1 + standard / PASS_Q + standard * standard) / scale
    return [gain, -2 * gain, gain], [1.0, 2 * (k * k - 1) / scale, (1 - k / PASS_Q + k * k) / scale]


def k_power(hz: Tensor, sample_rate: int) -> Tensor:
    """What the weighting makes of the power of sines: a factor for each frequency, 0 for none at all."""
    turn = torch.exp(-2j * math.pi * hz.double() / sample_rate)
    gains = [
        _at(above, turn) / _at(below, turn) for above, below in (shelf(sample_rate), high_pass(sample_rate))
    ]
    return (gains[0] * gains[1]).abs().square()


def _at(coefficients: list[float], turn: Tensor) -> Tensor:
    return coefficients[0] + coefficients[1] * turn + coefficients[2] * turn.square()


def k_weighted(sound: Sound) -> Iterator[Tensor]:
    """Stream a sound as the meter hears it, in float64.

    Args:
        sound: at least LOWEST_RATE.

    Yields:
        Tensor: (C, S) float64, as many samples as the sound has.

    Raises:
        MediaError: the rate is too low to hold what the filter weighs.
    """
    if sound.sample_rate < LOWEST_RATE:
        raise MediaError(
            f"loudness at {sound.sample_rate} Hz is not defined; resample to {LOWEST_RATE} Hz or more"
        )
    stages = _stages(sound.sample_rate)
    state = torch.zeros(len(sound.speakers), 4, dtype=torch.float64)
    for block in sound.blocks():
        weighted, state = stages.filtered(block.double(), state)
        yield weighted


@dataclass(frozen=True, slots=True)
class _Stages:
    """Both stages as one linear system, run a stretch at a time."""

    response: Tensor
    """(S, S): what every sample adds to those after it."""
    echo: Tensor
    """(Z, S): what a state adds to the stretch after it."""
    drive: Tensor
    """(S, Z): what every sample adds to the next state."""
    carry: Tensor
    """(Z, Z): what a state leaves of itself in the next."""

    def filtered(self, block: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """(C, samples) and the state before it, to the same filtered and the state after it."""
        length = block.shape[1]
        padded = torch.nn.functional.pad(block, (0, -length % STRETCH))
        x_CNS = padded.view(len(block), -1, STRETCH)
        pushes = x_CNS @ self.drive
        states = [state]
        for number in range(x_CNS.shape[1]):
            states.append(states[-1] @ self.carry + pushes[:, number])
        y_CNS = x_CNS @ self.response + torch.stack(states[:-1], 1) @ self.echo
        return y_CNS.flatten(1)[:, :length], states[-1]


@lru_cache(maxsize=16)
def _stages(sample_rate: int) -> _Stages:
    """Unroll the recursion (transposed direct form II, states as rows) over one stretch."""
    move, push, first, direct = _system(shelf(sample_rate), high_pass(sample_rate))
    echo, pushes, powers = [], [], torch.eye(4, dtype=torch.float64)
    for _ in range(STRETCH):
        echo.append(powers @ first)
        pushes.append(push @ powers)
        powers = powers @ move
    impulse = torch.stack([direct, *(push @ column for column in echo[:-1])])
    lags = torch.arange(STRETCH) - torch.arange(STRETCH)[:, None]
    response = torch.where(lags >= 0, impulse[lags.clamp(min=0)], 0.0)
    return _Stages(response, torch.stack(echo, 1), torch.stack(pushes[::-1]), powers)


def _system(one: _Section, two: _Section) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Two sections in a row: next state = state @ move + x push, output = state @ first + x direct."""
    (b, a), (d, c) = one, two
    pulls = [d[1] - c[1] * d[0], d[2] - c[2] * d[0]]
    drives = [b[1] - a[1] * b[0], b[2] - a[2] * b[0], pulls[0] * b[0], pulls[1] * b[0]]
    move = [
        [-a[1], -a[2], pulls[0], pulls[1]],
        [1.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, -c[1], -c[2]],
        [0.0, 0.0, 1.0, 0.0],
    ]
    values = (move, drives, [d[0], 0.0, 1.0, 0.0], d[0] * b[0])
    move, push, first, direct = (torch.tensor(value, dtype=torch.float64) for value in values)
    return move, push, first, direct
