"""The effects stem: every event of a scene where and when it happens, and its engines."""

import torch
from torch import Tensor

from ..events import beds, events
from ..scene import Scene
from .engine import engine
from .signal import SAMPLE_RATE, place, sample_at, sides
from .strikes import strike

PEAK = 0.5
"""Loudest sample of an event of full strength."""
STRENGTH_POWER = 0.5
"""Strengths are squeezed by this power, so that a cat's step is still heard beside thunder."""


def effects(scene: Scene, num_samples: int) -> Tensor:
    """What the actors and the lightning do, (2, S); exactly zero before the first event if no engine runs."""
    stem = torch.zeros(2, num_samples)
    for event in events(scene, num_samples / SAMPLE_RATE):
        gain = PEAK * event.strength**STRENGTH_POWER
        left, right = sides(event.pan)
        place(stem, sample_at(event.time), strike(scene, event), (gain * left, gain * right))
    for bed in beds(scene):
        if bed.actor is not None:
            stem += engine(scene, bed, num_samples)
    return stem
