"""Gain that follows the sound: a true-peak limiter that looks ahead, and ducking under another sound."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import repeat

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import SettingsError
from .loudness import PowerMeter, channel_weights, lufs, peak_factor
from .resample import oversampled
from .sound import BLOCK, Sound, cut, with_context
from .weighting import k_weighted

# Shape letters: C channel, S sample, N step of the ducking curve.

LOOK_AHEAD_SECONDS = 0.005
"""How long before a peak the limiter begins to turn down, and as long its gain takes to get anywhere."""
RELEASE_DECIBELS_PER_SECOND = 60.0
"""How fast the limiter lets go."""
SMOOTHED_AT_ONCE = 64
"""Samples that one matrix product smooths."""
STEPS_PER_SECOND = 50
"""Of the ducking curve; in between it is interpolated, in decibels."""
KNEE_DECIBELS = 6.0
"""Around the threshold ducking sets in over this range, not at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ducking:
    """How far one sound steps back while another is heard."""

    depth_db: float = 12.0
    """Turned down by as much."""
    threshold_lufs: float = -40.0
    """The other counts as heard above this loudness (K-weighted, over 20 ms)."""
    attack_seconds: float = 0.15
    """Taken to step back, and over before the other begins."""
    hold_seconds: float = 0.3
    """Pauses up to this long do not count."""
    release_seconds: float = 0.6
    """Taken to come back."""

    def __post_init__(self) -> None:
        if not 0 <= self.depth_db <= 60:
            raise SettingsError(f"ducking by {self.depth_db} dB is out of range; give 0 to 60, such as 12")
        if not -70 <= self.threshold_lufs <= 0:
            raise SettingsError(
                f"threshold {self.threshold_lufs} LUFS is out of range; give -70 to 0, such as -40"
            )
        for name in ("attack", "hold", "release"):
            if not 0 <= getattr(self, f"{name}_seconds") <= 10:
                raise SettingsError(f"ducking {name} is out of range; give 0 to 10 seconds")


def limited(sound: Sound, ceiling_dbtp: float = -1.0) -> Sound:
    """Turn a sound down around peaks that pass a ceiling, all channels alike; the rest stays as it is.

    The gain begins to fall 5 ms before such a peak, reaches what the peak needs when it comes, and returns at
    60 dB a second; a sound without such peaks comes out bit by bit.

    Args:
        sound: of any rate.
        ceiling_dbtp: the highest true peak wanted, at most 0.

    Returns:
        The sound, whose true peak passes the ceiling by a few hundredths of a decibel at most.

    Raises:
        SettingsError: a ceiling above 0 or below -60.
    """
    if not -60 <= ceiling_dbtp <= 0:
        raise SettingsError(f"a ceiling of {ceiling_dbtp} dBTP is out of range; give -60 to 0, such as -1")

    def chunks() -> Iterator[Tensor]:
        gains = _gains(_excess(sound, 10 ** (ceiling_dbtp / 20)), sound.sample_rate)
        for block in sound.blocks():
            gain = next(gains)
            yield block if gain is None else block * gain

    return replace(sound, chunks=chunks)


def _excess(sound: Sound, ceiling: float) -> Iterator[Tensor]:
    """By how many decibels the curve from each sample to the next passes the ceiling, (1, S) blocks."""
    factor = peak_factor(sound.sample_rate)
    for curve in cut(oversampled(sound, factor), repeat(BLOCK * factor)):
        peaks = curve.abs().amax(0).view(-1, factor).amax(1)
        yield 20 * (peaks / ceiling).clamp(min=1).log10()[None]


def _gains(excess: Iterator[Tensor], sample_rate: int) -> Iterator[Tensor | None]:
    """Gain for every sample, block by block; None where there is nothing to do."""
    ahead = max(1, math.ceil(LOOK_AHEAD_SECONDS * sample_rate))
    released = _released(excess, RELEASE_DECIBELS_PER_SECOND / sample_rate)
    smooth = (_smoothed(piece, ahead) for piece in with_context(released, ahead + 1, ahead))
    for reduction in cut(smooth, repeat(BLOCK)):
        yield 10 ** (reduction.float() / -20) if reduction.any() else None


def _released(excess: Iterator[Tensor], fall: float) -> Iterator[Tensor]:
    """The least curve above the excess that falls by at most ``fall`` from sample to sample."""
    last = torch.zeros(1, 1, dtype=torch.float64)
    for block in excess:
        curve = _falling(torch.cat([last, block.double()], dim=1), fall)
        last = curve[:, -1:]
        yield curve[:, 1:]


def _falling(values: Tensor, fall: float) -> Tensor:
    slope = torch.arange(values.shape[-1], dtype=values.dtype) * fall
    return (values + slope).cummax(-1).values - slope


def _smoothed(piece: Tensor, ahead: int) -> Tensor:
    """The greatest of the near future, averaged over the near past: nowhere less than what is needed now.

    Sample n is reckoned from ``ahead + 1`` before it, as a peak may lie before a sample too, to ``ahead``
    after it.
    """
    if not piece.any():
        return piece[:, 2 * ahead + 1 :]
    greatest = F.max_pool1d(piece, ahead + 2, 1)
    missing = -(greatest.shape[1] - ahead) % SMOOTHED_AT_ONCE
    windows = F.pad(greatest, (0, missing)).unfold(1, SMOOTHED_AT_ONCE + ahead, SMOOTHED_AT_ONCE)
    return (windows @ _averages(ahead)).flatten(1)[:, : greatest.shape[1] - ahead]


@lru_cache(maxsize=16)
def _averages(ahead: int) -> Tensor:
    """Hann-weighted means of every ``ahead + 1`` samples, as a matrix."""
    window = torch.hann_window(ahead + 3, periodic=False, dtype=torch.float64)[1:-1]
    places = torch.arange(SMOOTHED_AT_ONCE + ahead)[:, None] - torch.arange(SMOOTHED_AT_ONCE)
    inside = (places >= 0) & (places <= ahead)
    return torch.where(inside, (window / window.sum())[places.clamp(0, ahead)], 0.0)


def ducked(sound: Sound, key: Sound, ducking: Ducking) -> Sound:
    """Turn a sound down while another is heard; both begin at the same moment.

    The key is heard through once before the first sample comes, which leaves 50 numbers a second in memory.

    Args:
        sound: what steps back.
        key: what it makes room for, such as dialogue; of any rate from 4,000 Hz.
        ducking: how far and how fast.

    Returns:
        The sound, as long as before.
    """
    if not ducking.depth_db:
        return sound

    def chunks() -> Iterator[Tensor]:
        curve, start = F.pad(ducking_curve(key, ducking), (0, 2)), 0
        for block in sound.blocks():
            places = (torch.arange(block.shape[1], dtype=torch.float64) + start) * STEPS_PER_SECOND
            yield block * 10 ** (_between(curve, places / sound.sample_rate) / -20)
            start += block.shape[1]

    return replace(sound, chunks=chunks)


def ducking_curve(key: Sound, ducking: Ducking) -> Tensor:
    """Decibels to turn down by, 50 a second from the key's start until all is as before; (N,) float64."""
    meter, weights = PowerMeter(key.sample_rate, STEPS_PER_SECOND), channel_weights(key.speakers)
    for weighted in k_weighted(key):
        meter.hear(weights @ weighted.square())
    over = [lufs(power) - ducking.threshold_lufs for power in meter.means().tolist()]
    heard = (torch.tensor(over, dtype=torch.float64) / KNEE_DECIBELS + 0.5).clamp(0, 1)
    hold, release, attack = (
        math.ceil(seconds * STEPS_PER_SECOND)
        for seconds in (ducking.hold_seconds, ducking.release_seconds, ducking.attack_seconds)
    )
    wanted = F.pad(heard * ducking.depth_db, (hold + 1, hold + release + 2))
    held = F.max_pool1d(wanted[None], hold + 2, 1)[0]  # two steps meet at every point of the curve
    released = _falling(held, ducking.depth_db / max(1, release))
    return _falling(released.flip(0), ducking.depth_db / max(1, attack)).flip(0)


def _between(curve: Tensor, places: Tensor) -> Tensor:
    """A curve that ends in two zeros, at places between its points and past its end."""
    lower = places.long().clamp(max=len(curve) - 2)
    return torch.lerp(curve[lower], curve[lower + 1], (places - lower).clamp(max=1)).float()
