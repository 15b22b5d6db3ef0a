"""Noise that lasts: wind, rain, surf and rooms as colours whose strengths come and go."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..motion import stream
from ..scene import Scene
from .signal import GRAIN_SAMPLES, band, generator, grain_times, num_grains, sewn

# Shape letters: S audio sample, G grain, H frequency bin.

Swell = Callable[[Tensor, random.Random], Tensor]
"""Loudness over time: times (G,) to amplitudes (G,) around 1."""

SIDE_SHARE = 0.45
"""Power of the difference between the channels: wide, yet whole in mono."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Colour:
    """One band of a bed's noise."""

    low_hz: float
    high_hz: float
    share: float
    """Of the bed's loudness."""
    swell: Swell


def _steady(times: Tensor, dice: random.Random) -> Tensor:
    return 1 + 0.05 * torch.sin(math.tau * (dice.uniform(0.2, 0.5) * times + dice.random()))


def _gusts(times: Tensor, dice: random.Random) -> Tensor:
    """Blows that come every few seconds and never alike."""
    slow = torch.sin(math.tau * (dice.uniform(0.10, 0.18) * times + dice.random()))
    quick = torch.sin(math.tau * (dice.uniform(0.31, 0.47) * times + dice.random()))
    return torch.exp(0.45 * slow + 0.35 * quick - 0.16)


def _surf(times: Tensor, dice: random.Random) -> Tensor:
    """A wave every four to five seconds: it breaks fast and runs out slowly."""
    share = torch.remainder(times / dice.uniform(4.0, 5.2) + dice.random(), 1.0)
    return 0.45 + 1.35 * (share / 0.25).clamp(max=1) ** 1.5 * torch.exp(-2.6 * (share - 0.25).clamp(min=0))


def _traffic(times: Tensor, dice: random.Random) -> Tensor:
    """Cars that pass on another street."""
    passing = torch.remainder(times / dice.uniform(3.5, 5.5) + dice.random(), 1.0) - 0.5
    return 0.6 + 1.1 * torch.exp(-((passing / 0.16) ** 2))


COLOURS: dict[str, tuple[Colour, ...]] = {
    "wind": (
        Colour(low_hz=120, high_hz=350, share=0.5, swell=_gusts),
        Colour(low_hz=420, high_hz=620, share=0.35, swell=_gusts),
        Colour(low_hz=950, high_hz=1150, share=0.15, swell=_gusts),
    ),
    "rain": (
        Colour(low_hz=2500, high_hz=12000, share=0.6, swell=_steady),
        Colour(low_hz=600, high_hz=2500, share=0.25, swell=_steady),
    ),
    "waves": (
        Colour(low_hz=80, high_hz=500, share=0.45, swell=_surf),
        Colour(low_hz=700, high_hz=5000, share=0.55, swell=_surf),
    ),
    "crickets": (Colour(low_hz=200, high_hz=900, share=0.06, swell=_steady),),
    "birds": (Colour(low_hz=250, high_hz=2500, share=0.06, swell=_gusts),),
    "underwater": (
        Colour(low_hz=50, high_hz=160, share=0.75, swell=_gusts),
        Colour(low_hz=160, high_hz=420, share=0.15, swell=_gusts),
    ),
    "street": (
        Colour(low_hz=60, high_hz=250, share=0.5, swell=_steady),
        Colour(low_hz=250, high_hz=1800, share=0.4, swell=_traffic),
    ),
    "hall": (Colour(low_hz=90, high_hz=700, share=0.35, swell=_steady),),
}
"""Bed: its noise. What the shares lack of 1 is left for its single sounds."""


def air(scene: Scene, levels: dict[str, float], num_samples: int) -> Tensor:
    """The noise of all these beds as one, since noises add by power: two channels of sewn grains.

    Args:
        scene: its seed decides when it gusts and when waves break.
        levels: bed to amplitude.
        num_samples: length.

    Returns:
        (2, S) float32.
    """
    times = grain_times(num_samples)
    power = torch.zeros(num_grains(num_samples), GRAIN_SAMPLES // 2)
    for kind, level in levels.items():
        for number, colour in enumerate(COLOURS[kind]):
            swell = level * colour.swell(times, stream(scene, f"{kind} {number}"))
            curve = band(GRAIN_SAMPLES, colour.low_hz, colour.high_hz)
            power += (colour.share * swell.square())[:, None] * curve.square()
    amplitudes = power.sqrt()
    middle = sewn(amplitudes, generator(scene, "air"), num_samples) * (1 - SIDE_SHARE) ** 0.5
    side = sewn(amplitudes, generator(scene, "air aside"), num_samples) * SIDE_SHARE**0.5
    return torch.stack([middle + side, middle - side]) * math.sqrt(0.5)
