"""When something begins to sound: the rise of energy in many bands at once."""

import math
from collections.abc import Iterator
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from .channels import remixed
from .resample import resampled
from .sound import SAMPLE_RATE, Sound, with_context

# Shape letters: S audio sample, T step of the curve, H frequency bin, M band.

STEP_HZ = 200
"""Values of the curve a second."""
_HOP = SAMPLE_RATE // STEP_HZ
_WINDOW = 960
_CUT = _WINDOW // 2 // _HOP
"""Steps at the end whose windows see the sound cut off, which is no beginning."""
_STEPS_AT_ONCE = 800
_BANDS = 40
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 16000.0
_FLOOR = 1e-3
"""Amplitude, -60 dB of full scale, below which a rise is hardly heard."""
_BACK = 2
"""Steps over which a rise is measured."""
LEAST_RISE = 0.35
"""Of a peak over its surroundings, in nepers as the mean of all bands: a step, not the patter of rain."""
LEAST_GAP = 0.05
"""Seconds between two onsets."""
_AROUND = 0.1
"""Seconds to either side that a peak is compared with."""


def onset_curve(sound: Sound) -> Tensor:
    """How much louder a sound gets at each moment, summed over bands.

    Args:
        sound: of any rate and speakers; it is streamed, and only the curve stays in memory.

    Returns:
        (T,) float32, not below 0, ``STEP_HZ`` values a second; value k belongs to the moment k / STEP_HZ.

    Source: after Boeck and Widmer, Maximum filter vibrato suppression for onset detection (2013).
    """
    mono = resampled(remixed(sound, 1), SAMPLE_RATE)
    pieces = list(_band_levels(mono))
    levels_TM = torch.cat(pieces) if pieces else torch.zeros(0, _BANDS)
    before_TM = F.pad(levels_TM, (0, 0, _BACK, 0), value=math.log(_FLOOR))[: len(levels_TM)]
    blurred_TM = F.max_pool1d(before_TM[:, None], 3, 1, 1)[:, 0] if len(before_TM) else before_TM
    curve_T = (levels_TM - blurred_TM).clamp(min=0).mean(1)
    curve_T[-_CUT:] = 0
    return curve_T


def onsets(sound: Sound, least_rise: float = LEAST_RISE) -> list[float]:
    """Moments at which something clearly begins to sound.

    Args:
        sound: see ``onset_curve``.
        least_rise: how far a peak of the curve must stand above its surroundings.

    Returns:
        Seconds, rising, at least ``LEAST_GAP`` apart.
    """
    return peaks(onset_curve(sound), STEP_HZ, least_rise)


def peaks(curve_T: Tensor, rate: float, least_rise: float) -> list[float]:
    """Where a curve stands clearly above its surroundings.

    Args:
        curve_T: any values.
        rate: of them a second.
        least_rise: above the mean of what is within a tenth of a second.

    Returns:
        Seconds, rising, at least ``LEAST_GAP`` apart: of two that are nearer the higher one.
    """
    if not len(curve_T):
        return []
    near, around = (max(1, round(seconds * rate)) for seconds in (LEAST_GAP / 2, _AROUND))
    highest = F.max_pool1d(curve_T[None], 2 * near + 1, 1, near)[0]
    mean = F.avg_pool1d(curve_T[None], 2 * around + 1, 1, around, count_include_pad=False)[0]
    places = ((curve_T == highest) & (curve_T - mean > least_rise)).nonzero().flatten().tolist()
    kept: list[int] = []
    for place in places:
        if not kept or (place - kept[-1]) / rate >= LEAST_GAP:
            kept.append(place)
    return [place / rate for place in kept]


def _band_levels(mono: Sound) -> Iterator[Tensor]:
    """(T, M) logarithms of the amplitude in each band, a stretch of steps at a time."""
    before = _WINDOW // 2
    window, bands_HM = torch.hann_window(_WINDOW), _bands()
    for stretch in with_context(mono.blocks(_STEPS_AT_ONCE * _HOP), before, before):
        count = -(-(stretch.shape[1] - 2 * before) // _HOP)
        filled = F.pad(stretch[0], (0, max(0, (count - 1) * _HOP + _WINDOW - stretch.shape[1])))
        frames_TS = filled.unfold(0, _WINDOW, _HOP)[:count] * window
        amplitudes_TH = torch.fft.rfft(frames_TS).abs() / (_WINDOW / 4)
        yield (amplitudes_TH.square() @ bands_HM + _FLOOR**2).log() / 2


@cache
def _bands() -> Tensor:
    """(H, M) weights of power: bands of equal width in octaves, each bin in the nearest one or two."""
    hz = torch.arange(_WINDOW // 2 + 1) * (SAMPLE_RATE / _WINDOW)
    octaves = torch.log2(hz.clamp(min=1) / _LOWEST_HZ) / math.log2(_HIGHEST_HZ / _LOWEST_HZ) * (_BANDS - 1)
    triangles = (1 - (octaves[:, None] - torch.arange(_BANDS)).abs()).clamp(min=0)
    triangles.scatter_add_(0, _nearest_bins()[None], torch.full((1, _BANDS), 1e-3))
    return triangles


def _nearest_bins() -> Tensor:
    centres = _LOWEST_HZ * (_HIGHEST_HZ / _LOWEST_HZ) ** (torch.arange(_BANDS) / (_BANDS - 1))
    return (centres / (SAMPLE_RATE / _WINDOW)).round().long()
