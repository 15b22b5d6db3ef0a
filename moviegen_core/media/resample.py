"""Another sample rate, by a polyphase band-limited filter of our own (Kaiser-windowed sinc)."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import chain

import torch
from torch import Tensor

from ..errors import MediaError
from ..geometry import rescaled_samples
from .sound import BLOCK, Sound

# Shape letters: C channel, S sample, K filter tap, P period (the phases repeat), Q output of a period.

MAX_RATE = 768000
PASS_BAND = 0.91
"""Of the lower Nyquist frequency: 20 kHz at 44.1 kHz; up to there nothing is lost."""
STOP_DECIBELS = 110
"""How far down everything above the lower Nyquist frequency lies."""
MAX_MATRIX = 2**21
"""Weights of a filter that holds every phase; rates whose ratio needs more share a table of phases."""
MIN_OUTPUTS = 128
"""Outputs of one row of the matrix, so that the product is worth its call."""
TABLE_PHASES = 1024
"""Between two of these the filter is interpolated, off by less than 1e-5."""
TABLE_OUTPUTS = 1024


def resampled(sound: Sound, sample_rate: int) -> Sound:
    """Bring a sound to another rate; it starts at the same moment and lasts as long, to the nearest sample.

    Args:
        sound: of any rate up to MAX_RATE.
        sample_rate: samples per second.

    Returns:
        The sound, flat (within 0.001 dB) to 0.91 of the lower Nyquist frequency, and 110 dB down from there
        on.

    Raises:
        MediaError: a rate below 1 or above MAX_RATE.
    """
    for rate in (sound.sample_rate, sample_rate):
        if not 1 <= rate <= MAX_RATE:
            raise MediaError(
                f"{rate} Hz is out of range; use a sample rate from 1 to {MAX_RATE}, such as 48000"
            )
    if sound.sample_rate == sample_rate:
        return sound
    plan = _plan(sound.sample_rate, sample_rate)
    return replace(sound, sample_rate=sample_rate, chunks=lambda: _stream(sound, plan))


def oversampled(sound: Sound, factor: int) -> Iterator[Tensor]:
    """Stream a sound with ``factor`` samples for every one, the first of them where it stood."""
    if factor == 1:
        return sound.blocks()
    return _stream(sound, _plan(1, factor))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """How outputs come from inputs, block by block: output n stands at input n * down / up."""

    up: int
    down: int
    half: int
    """Inputs on either side of an output that matter."""
    outputs: int
    """Outputs of a block."""
    matrix: Tensor | None
    """(K, Q): every output of a period from its inputs."""
    table: Tensor | None
    """(TABLE_PHASES + 1, K): filters for outputs between two inputs."""

    def first(self, block: int) -> int:
        """The earliest input that a block needs."""
        return block * self.outputs * self.down // self.up - self.half + 1

    def span(self) -> int:
        """Inputs that a block needs at most."""
        return self.outputs * self.down // self.up + 2 * self.half + 1

    def filtered(self, inputs: Tensor, block: int) -> Tensor:
        """(C, span) inputs to (C, outputs)."""
        if self.matrix is None:
            return self._by_table(inputs, block)
        width, step = self.matrix.shape[0], self.matrix.shape[1] * self.down // self.up
        periods = self.outputs // self.matrix.shape[1]
        windows = inputs[:, : width + step * (periods - 1)].unfold(1, width, step)
        return (windows.contiguous() @ self.matrix).flatten(1)

    def _by_table(self, inputs: Tensor, block: int) -> Tensor:
        places = (torch.arange(self.outputs) + block * self.outputs) * self.down
        phases = (places % self.up).double() / self.up * TABLE_PHASES
        lower = phases.long()
        share = (phases - lower).float()[:, None]
        taps = self.table[lower] * (1 - share) + self.table[lower + 1] * share
        starts = places // self.up - self.half + 1 - self.first(block)
        offsets = starts[:, None] + torch.arange(2 * self.half)
        return (inputs[:, offsets] * taps).sum(-1)


@lru_cache(maxsize=16)
def _plan(sample_rate: int, new_rate: int) -> _Plan:
    ratio = Fraction(new_rate, sample_rate)
    up, down = ratio.numerator, ratio.denominator
    cutoff = min(1.0, up / down)
    half = math.ceil(_half_width() / cutoff)
    repeat = math.ceil(MIN_OUTPUTS / up)
    if up * repeat * (down * repeat + 2 * half) > MAX_MATRIX:
        phases = torch.arange(TABLE_PHASES + 1, dtype=torch.float64)[:, None] / TABLE_PHASES
        table = _taps(phases - torch.arange(1 - half, half + 1), cutoff, half)
        return _Plan(up=up, down=down, half=half, outputs=TABLE_OUTPUTS, matrix=None, table=table)
    matrix = _matrix(up, down, repeat, cutoff, half)
    periods = max(1, BLOCK // (down * repeat))
    outputs = periods * up * repeat
    return _Plan(up=up, down=down, half=half, outputs=outputs, matrix=matrix, table=None)


def _matrix(up: int, down: int, repeat: int, cutoff: float, half: int) -> Tensor:
    places = torch.arange(up * repeat, dtype=torch.float64) * down / up
    inputs = torch.arange(1 - half, down * repeat + half, dtype=torch.float64)
    return _taps(places[:, None] - inputs, cutoff, half).T.contiguous()


def _half_width() -> float:
    """Inputs at the lower rate to either side, by Kaiser's formula."""
    return (STOP_DECIBELS - 7.95) / (2.285 * math.pi * (1 - PASS_BAND)) / 2


def _taps(distances: Tensor, cutoff: float, half: int) -> Tensor:
    """The filter at these distances from its middle, in inputs; every row sums to one."""
    beta = 0.1102 * (STOP_DECIBELS - 8.7)
    middle = (1 + PASS_BAND) / 2 * cutoff
    inside = (1 - (distances / half) ** 2).clamp(min=0)
    window = torch.special.i0(beta * inside.sqrt()) * (distances.abs() < half)
    taps = torch.sinc(middle * distances) * window
    return (taps / taps.sum(-1, keepdim=True)).float()


def _stream(sound: Sound, plan: _Plan) -> Iterator[Tensor]:
    """Every output, exactly as many as last as long as the sound."""
    total = 0

    def counted() -> Iterator[Tensor]:
        nonlocal total
        for block in sound.blocks():
            total += block.shape[1]
            yield block

    sent = 0
    for block in _filtered(counted(), plan, len(sound.speakers)):
        left = rescaled_samples(total, plan.down, plan.up) - sent
        if left <= 0:
            return
        sent += min(left, block.shape[1])
        yield block[:, :left]


def _filtered(blocks: Iterable[Tensor], plan: _Plan, num_channels: int) -> Iterator[Tensor]:
    """Filter block after block, silence lying before and after; the last run past the sound's end."""
    held, start, number = torch.zeros(num_channels, plan.half - 1), 1 - plan.half, 0
    for block in chain(blocks, _tail(plan, num_channels)):
        held = torch.cat([held, block], dim=1)
        while start + held.shape[1] >= plan.first(number) + plan.span():
            held, start = held[:, plan.first(number) - start :], plan.first(number)
            yield plan.filtered(held[:, : plan.span()], number)
            number += 1


def _tail(plan: _Plan, num_channels: int) -> Iterator[Tensor]:
    """Silence behind a sound, enough for the block in which it ends."""
    yield torch.zeros(num_channels, 2 * plan.span())
