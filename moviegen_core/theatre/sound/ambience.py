"""The ambience stem: the air of a place and its weather, and whatever sings, drips and hums in it."""

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ..events import beds
from ..motion import stream
from ..scene import Scene
from .air import air
from .signal import SAMPLE_RATE, damped_waves, place, ramp, sample_at, sides
from .strikes import bubble

# Shape letters: S audio sample.

LOUDNESS = 0.055
"""Ear-weighted RMS, left and right together, of a bed of level 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grain:
    """One small sound within a bed."""

    time: float
    wave: Tensor
    """(S,), its loudest sample near 1."""
    gain: float
    """Over the bed's level."""
    pan: float


def ambience(scene: Scene, num_samples: int) -> Tensor:
    """What the place sounds like with nobody in it, (2, S)."""
    heard = {bed.kind: LOUDNESS * bed.level for bed in beds(scene) if bed.actor is None}
    stem = air(scene, heard, num_samples)
    for kind, level in heard.items():
        for grain in _grains(scene, kind, num_samples / SAMPLE_RATE):
            left, right = sides(grain.pan)
            gain = level * grain.gain
            place(stem, sample_at(grain.time), grain.wave, (gain * left, gain * right))
    return stem


def _grains(scene: Scene, kind: str, seconds: float) -> Iterator[Grain]:
    """The bed's single sounds; each voice has its own dice, so a longer clip only adds later ones."""
    if kind in _VOICES:
        sing, num_voices = _VOICES[kind]
        for number in range(num_voices):
            yield from sing(stream(scene, f"{kind} voice{number}"), seconds)


def _birds(dice: random.Random, seconds: float) -> Iterator[Grain]:
    """One bird with a motif of its own, a few whistles long, sung again and again."""
    pitch, pan, gain = dice.uniform(2300, 4200), dice.uniform(-0.9, 0.9), dice.uniform(1.2, 2.6)
    motif = [_whistle(dice, pitch) for _ in range(dice.randint(2, 5))]
    gap, moment = dice.uniform(0.03, 0.09), dice.uniform(-1.0, 0.8)
    while moment < seconds:
        for wave in motif:
            yield Grain(time=moment, wave=wave, gain=gain, pan=pan)
            moment += len(wave) / SAMPLE_RATE + gap
        moment += dice.uniform(0.7, 2.2)


def _whistle(dice: random.Random, pitch: float) -> Tensor:
    """A whistle that slides up, down or over a hill."""
    seconds = dice.uniform(0.05, 0.16)
    share = torch.linspace(0, 1, sample_at(seconds))
    slide, hill = dice.uniform(-0.3, 0.3), dice.uniform(-0.15, 0.25)
    hz = pitch * (1 + slide * (share - 0.5) + hill * torch.sin(math.pi * share))
    phase = math.tau * torch.cumsum(hz.double() / SAMPLE_RATE, 0)
    tone = torch.sin(phase) + 0.15 * torch.sin(2 * phase)
    return (tone * torch.sin(math.pi * share).clamp(min=0) ** 1.3).float()


def _cricket(dice: random.Random, seconds: float) -> Iterator[Grain]:
    """One cricket: three strokes of its wings, twice a second or faster."""
    pulse = _stroke(dice.uniform(4100, 5200))
    pan, gain, rate = dice.uniform(-1, 1), dice.uniform(1.4, 2.6), dice.uniform(1.7, 2.6)
    moment = -dice.random() / rate
    while moment < seconds:
        yield Grain(time=moment, wave=pulse, gain=gain, pan=pan)
        moment += dice.gauss(1 / rate, 0.01)


def _stroke(hz: float) -> Tensor:
    """Three pulses of one pitch, each louder than the one before."""
    moments = torch.arange(sample_at(0.12), dtype=torch.float64) / SAMPLE_RATE
    share = torch.remainder(moments / 0.04, 1.0) / 0.6
    louder = 0.6 + 0.2 * torch.floor(moments / 0.04)
    envelope = louder * torch.sin(math.pi * share.clamp(max=1)) ** 2
    return (torch.sin(math.tau * hz * moments) * envelope).float()


def _drops(dice: random.Random, seconds: float) -> Iterator[Grain]:
    """Drops near by: ticks, and where water stands already, tiny bubbles."""
    ticks = [_tick(hz) for hz in (1600, 2300, 3100, 4200, 5600)]
    moment = dice.uniform(0.0, 0.03)
    while moment < seconds:
        yield Grain(
            time=moment, wave=dice.choice(ticks), gain=3.5 * dice.random() ** 3, pan=dice.uniform(-1, 1)
        )
        moment += dice.expovariate(28.0)


def _tick(hz: float) -> Tensor:
    wave = damped_waves(
        torch.tensor([[hz, 2.7 * hz]]), torch.full((1, 2), 0.004), torch.tensor([[0.8, 0.4]]), 1200
    )
    return wave[0]


def _bubbles(dice: random.Random, seconds: float) -> Iterator[Grain]:
    """Now and then a string of bubbles, the smaller the higher."""
    moment = dice.uniform(-0.3, 0.5)
    while moment < seconds:
        pan, hz = dice.uniform(-0.8, 0.8), dice.uniform(320, 700)
        for _ in range(dice.randint(3, 8)):
            wave = bubble(hz * dice.uniform(0.8, 1.9), dice.uniform(0.018, 0.04))
            yield Grain(time=moment, wave=wave, gain=dice.uniform(0.8, 2.4), pan=pan)
            moment += dice.uniform(0.04, 0.13)
        moment += dice.uniform(0.6, 1.6)


def _horns(dice: random.Random, seconds: float) -> Iterator[Grain]:
    """Far away somebody honks, once or twice."""
    moment = dice.uniform(0.2, 3.0)
    while moment < seconds:
        wave, pan = _honk(dice.uniform(340, 440), dice.uniform(0.14, 0.3)), dice.uniform(-0.8, 0.8)
        for again in range(dice.randint(1, 2)):
            yield Grain(time=moment + again * (len(wave) / SAMPLE_RATE + 0.07), wave=wave, gain=2.0, pan=pan)
        moment += dice.uniform(3.0, 5.5)


def _honk(hz: float, seconds: float) -> Tensor:
    """Two horns a third apart, dulled by distance."""
    numbers = torch.arange(1, 7)
    tones = torch.cat([numbers * hz, numbers * hz * 1.26])[None]
    gains = (1 / (1 + (tones / 900) ** 2)) * 0.35
    wave = damped_waves(tones, torch.full_like(tones, 30.0), gains, sample_at(seconds))[0]
    return _held(wave, 0.03)


def _hum(dice: random.Random, seconds: float) -> Iterator[Grain]:
    """The lamps of a stage: mains hum that goes on and on, in whole seconds of whole waves."""
    phase = dice.uniform(0, math.tau)
    tones = torch.tensor([[100.0, 200.0, 300.0, 400.0, 600.0]])
    gains = torch.tensor([[0.5, 0.9, 0.35, 0.3, 0.12]]) * complex(math.cos(phase), math.sin(phase))
    wave = damped_waves(tones, torch.full_like(tones, 1e9), gains, SAMPLE_RATE)[0]
    for second in range(math.ceil(seconds)):
        yield Grain(time=float(second), wave=wave, gain=0.9, pan=0.0)


def _held(wave: Tensor, seconds: float) -> Tensor:
    """Let a tone rise and fall within so many seconds."""
    length = sample_at(seconds)
    wave[:length] *= ramp(length)
    wave[-length:] *= ramp(length).flip(0)
    return wave


_VOICES: dict[str, tuple[Callable[[random.Random, float], Iterator[Grain]], int]] = {
    "birds": (_birds, 3),
    "crickets": (_cricket, 4),
    "rain": (_drops, 2),
    "underwater": (_bubbles, 2),
    "street": (_horns, 1),
    "hall": (_hum, 1),
}
"""Bed: who is heard in it, and how many of them."""
