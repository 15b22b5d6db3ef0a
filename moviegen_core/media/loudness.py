"""How loud a sound is: ITU-R BS.1770-5 loudness and true peak, EBU Tech 3342 range."""

import math
from array import array
from dataclasses import dataclass, replace
from itertools import tee, zip_longest

import torch
from torch import Tensor

from .resample import oversampled
from .sound import Sound
from .weighting import k_weighted

# Shape letters: C channel, S sample.

OFFSET = -0.691
"""Makes 997 Hz at full scale in one channel -3.01 LKFS."""
ABSOLUTE_GATE = -70.0
RELATIVE_GATE = -10.0
RANGE_GATE = -20.0
HOPS_PER_SECOND = 10
GATED_HOPS = 4
"""A gating block lasts 400 ms, and each begins 100 ms after the one before."""
SHORT_TERM_HOPS = 30
LOW_SHARE, HIGH_SHARE = 0.10, 0.95
"""Between these shares of the short-term values lies the range."""
SURROUND = 1.41
BESIDE = ("SL", "SR")
BEHIND = ("BL", "BR")
SILENT = -math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Loudness:
    """What a meter shows at the end; -inf where there is nothing to hear."""

    integrated_lufs: float
    """Gated, of the whole."""
    momentary_lufs: float
    """The loudest 400 ms."""
    short_term_lufs: float
    """The loudest 3 s; of what is shorter, the whole."""
    range_lu: float
    """How far soft and loud stretches lie apart; 0 for less than 3 s."""
    true_peak_dbtp: float
    """The highest point of the curve through the samples, by four-fold oversampling."""
    seconds: float


def measure(sound: Sound) -> Loudness:
    """Measure a sound in one pass.

    What lasts less than one gating block of 400 ms is weighed as one block of its own length, which is our
    choice: the standard leaves it open.

    Args:
        sound: any rate from 4,000 Hz, any speakers up to 7.1.

    Returns:
        The measures; a silent sound has -inf.
    """
    blocks, again = tee(sound.blocks())
    meter, peak = PowerMeter(sound.sample_rate, HOPS_PER_SECOND), 0.0
    weighted = k_weighted(replace(sound, chunks=lambda: blocks))
    curve = oversampled(replace(sound, chunks=lambda: again), peak_factor(sound.sample_rate))
    weights = channel_weights(sound.speakers)
    for heard, drawn in zip_longest(weighted, curve):  # both take a block at a time, so that tee holds two
        if heard is not None:
            meter.hear(weights @ heard.square())
        peak = max(peak, 0.0 if drawn is None else drawn.abs().max().item())
    return _read(meter, decibels(peak))


def peak_factor(sample_rate: int) -> int:
    """How many points to draw for every sample, so that no peak hides between them: four at 48 kHz."""
    return 4 if sample_rate < 96000 else 2 if sample_rate < 192000 else 1


def channel_weights(speakers: tuple[str, ...]) -> Tensor:
    """What a speaker counts: 1.41 beside the listener, 0 for the effects channel, else 1; (C,) float64."""
    beside = BESIDE if set(BESIDE) & set(speakers) else BEHIND  # in 5.1, what is named behind stands beside
    weights = [0.0 if name.startswith("LFE") else SURROUND if name in beside else 1.0 for name in speakers]
    return torch.tensor(weights, dtype=torch.float64)


def decibels(amplitude: float) -> float:
    """Of full scale."""
    return 20 * math.log10(amplitude) if amplitude > 0 else SILENT


def lufs(power: float) -> float:
    """Loudness of a weighted mean square."""
    return OFFSET + 10 * math.log10(power) if power > 0 else SILENT


class PowerMeter:
    """Sums up weighted power by short hops, so that an hour leaves only some numbers a second behind."""

    def __init__(self, sample_rate: int, hops_per_second: int) -> None:
        self.sample_rate = sample_rate
        self.hops_per_second = hops_per_second
        self.num_samples = 0
        self._sums = array("d")
        self._counts = array("q")

    def hear(self, power: Tensor) -> None:
        """Take the next (S,) samples in."""
        numbers = (torch.arange(len(power)) + self.num_samples) * self.hops_per_second // self.sample_rate
        first = int(numbers[0])
        sums = power.new_zeros(int(numbers[-1]) - first + 1).index_add_(0, numbers - first, power).tolist()
        counts = torch.bincount(numbers - first).tolist()
        if first < len(self._sums):  # the hop that the last block left unfinished
            sums[0] += self._sums.pop()
            counts[0] += self._counts.pop()
        self._sums.extend(sums)
        self._counts.extend(counts)
        self.num_samples += len(power)

    def means(self, num_hops: int = 1) -> Tensor:
        """Mean power of every run of so many whole hops, (N,) float64."""
        whole = self.num_samples * self.hops_per_second // self.sample_rate
        if whole < num_hops:
            return torch.zeros(0, dtype=torch.float64)
        sums, counts = (torch.tensor(v[:whole], dtype=torch.float64) for v in (self._sums, self._counts))
        return sums.unfold(0, num_hops, 1).sum(1) / counts.unfold(0, num_hops, 1).sum(1)

    def mean(self) -> float:
        """Mean power of all that was heard; 0 of nothing."""
        return sum(self._sums) / max(1, self.num_samples)


def _read(meter: PowerMeter, true_peak: float) -> Loudness:
    momentary, short = meter.means(GATED_HOPS), meter.means(SHORT_TERM_HOPS)
    momentary = momentary if len(momentary) else torch.tensor([meter.mean()], dtype=torch.float64)
    gated = _gated(momentary, RELATIVE_GATE)
    return Loudness(
        integrated_lufs=lufs(gated.mean().item()) if len(gated) else SILENT,
        momentary_lufs=lufs(momentary.max().item()),
        short_term_lufs=lufs(short.max().item() if len(short) else meter.mean()),
        range_lu=_range(short),
        true_peak_dbtp=true_peak,
        seconds=meter.num_samples / meter.sample_rate,
    )


def _above(powers: Tensor, gate: float) -> Tensor:
    return powers[powers > 10 ** ((gate - OFFSET) / 10)]


def _gated(powers: Tensor, relative_gate: float) -> Tensor:
    """Drop what lies below the absolute gate, then what lies far below the mean of the rest."""
    loud = _above(powers, ABSOLUTE_GATE)
    return _above(loud, lufs(loud.mean().item()) + relative_gate) if len(loud) else loud


def _range(short_term: Tensor) -> float:
    gated = _gated(short_term, RANGE_GATE).sort().values
    if not len(gated):
        return 0.0
    low, high = (lufs(gated[round((len(gated) - 1) * share)].item()) for share in (LOW_SHARE, HIGH_SHARE))
    return high - low
