"""Engines: one cycle of a motor, played at the speed at which it reaches the listener (Doppler)."""

import math

import torch
from torch import Tensor

from ..camera import view
from ..events import ASPECT, EAR_REACH, Bed
from ..motion import WRAP, Track, stream, track
from ..scene import Scene
from ..vocabulary import SIZES
from .signal import SAMPLE_RATE

SOUND_SPEED = 5.0
"""Picture heights per second. Our choice: the cars are slow, and in real air nobody would hear Doppler."""
LISTENER_DISTANCE = 0.5
"""How far before the stage the listener stands, in picture heights."""
IDLE_HZ, DRIVING_HZ = 13.0, 21.0
"""Motor cycles per second of a medium car; four cylinders fire in each."""
CYLINDERS = 4
ENGINE_RMS = 0.15
"""Of an engine of level 1 before the listener."""
WRAP_FADE = 0.3
"""Who is about to come back in on the other side is silent, over so many heights."""

_TABLE_SAMPLES = 4096
_HARMONICS = 160
_STEP_SECONDS = 0.005
_BODY_HZ = ((90.0, 1.0), (240.0, 0.7), (800.0, 0.35), (2200.0, 0.12))
"""Resonances of car and exhaust with their strengths."""


def engine(scene: Scene, bed: Bed, num_samples: int) -> Tensor:
    """One car's motor as heard from where the camera stands.

    Args:
        scene: the scene.
        bed: its engine, with level and actor.
        num_samples: length.

    Returns:
        (2, S) float32.
    """
    assert bed.actor is not None
    way = track(scene, bed.actor)
    times = torch.arange(num_samples // int(_STEP_SECONDS * SAMPLE_RATE) + 2, dtype=torch.float64)
    times = times * _STEP_SECONDS
    cycles = cycle_hz(way, scene.actors[bed.actor].size) * departure(scene, way, times)
    gains = bed.level * ENGINE_RMS * _heard_sides(scene, way, times)
    table = _cycle(scene, bed.actor, cycle_hz(way, scene.actors[bed.actor].size))
    return _played(table, _stretched(cycles, num_samples)) * _stretched(gains, num_samples).float()


def cycle_hz(way: Track, size: str) -> float:
    """Cycles per second of a motor, of a small car the fastest."""
    return (DRIVING_HZ if way.action.startswith("go") else IDLE_HZ) * SIZES["medium"] / SIZES[size]


def departure(scene: Scene, way: Track, times: Tensor) -> Tensor:
    """When the sound heard at each time (T,) left the actor: earlier by distance over speed of sound.

    Its slope is the ratio of heard to played frequency. Solved by repeated insertion, which converges because
    nobody moves faster than sound.
    """
    left = times
    for _ in range(6):
        left = times - distance(scene, way, left, times) / SOUND_SPEED
    return left


def distance(scene: Scene, way: Track, left: Tensor, heard: Tensor) -> Tensor:
    """Between the actor when the sound leaves it and the listener when it is heard, in picture heights."""
    aside = way.x(left) - _listener(scene, heard)
    return (aside**2 + LISTENER_DISTANCE**2).sqrt()


def _listener(scene: Scene, times: Tensor) -> Tensor:
    """The listener walks with a travelling camera; a camera that only turns or zooms stays where it is."""
    travels = scene.camera.startswith("truck") or scene.camera == "tracking shot"
    return view(scene, times, 1.0, ASPECT).x if travels else torch.zeros_like(times)


def _heard_sides(scene: Scene, way: Track, times: Tensor) -> Tensor:
    """Gain of both channels (2, T): as events are, softer outside the picture, and panned with it."""
    seen = view(scene, times, 1.0, ASPECT)
    across = (way.x(times) - seen.x) * seen.zoom / (ASPECT / 2)
    outside = (across.abs() - 1).clamp(min=0) / (EAR_REACH - 1)
    near = 1 / (1 + outside**2)
    if way.wraps:
        near = near * ((WRAP / 2 - way.x(times).abs()) / WRAP_FADE).clamp(0, 1)
    angle = (across.clamp(-1, 1) + 1) * math.pi / 4
    return near * torch.stack([angle.cos(), angle.sin()])


def _cycle(scene: Scene, actor: int, hz: float) -> Tensor:
    """One cycle of the motor (S,): the cylinders' beats, nearly alike, through the car's body; RMS 1."""
    dice = stream(scene, f"motor{actor}")
    orders = torch.arange(1, _HARMONICS + 1)
    firing = torch.where(orders % CYLINDERS == 0, 1.0, 0.22)
    body = sum(gain / (1 + ((orders * hz - peak) / (0.5 * peak)) ** 2) for peak, gain in _BODY_HZ)
    phases = torch.tensor([dice.uniform(0, math.tau) for _ in range(_HARMONICS)])
    uneven = torch.tensor([dice.uniform(0.5, 1.5) for _ in range(_HARMONICS)])
    spectrum = torch.zeros(_TABLE_SAMPLES // 2 + 1, dtype=torch.complex64)
    spectrum[1 : _HARMONICS + 1] = torch.polar(firing * body * uneven, phases)
    table = torch.fft.irfft(spectrum)
    return table / table.square().mean().sqrt()


def _played(table: Tensor, cycles: Tensor) -> Tensor:
    """Read the table at these many cycles, between its samples along straight lines."""
    position = torch.remainder(cycles, 1.0) * len(table)
    below = position.long().clamp(max=len(table) - 1)
    share = (position - below).float()
    return torch.lerp(table[below], table.roll(-1)[below], share)


def _stretched(values: Tensor, num_samples: int) -> Tensor:
    """Values (..., T) at every step of the coarse clock, drawn out to one per sample by straight lines."""
    steps = int(_STEP_SECONDS * SAMPLE_RATE)
    shares = torch.arange(steps, dtype=values.dtype) / steps
    drawn = values[..., :-1, None] + (values[..., 1:] - values[..., :-1])[..., None] * shares
    return drawn.flatten(-2)[..., :num_samples]
