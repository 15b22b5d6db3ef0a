"""The tools of every sound: damped waves, coloured noise, and placing them where and when they are heard."""

import math
from functools import lru_cache

import torch
from torch import Tensor

from ...media.weighting import k_power
from ..motion import stream
from ..scene import Scene

# Shape letters: N sound, M partial wave, S audio sample, K coarse step, B fine step, G grain, H bin.

SAMPLE_RATE = 48000
FADE_SAMPLES = 192
"""A clip's first and last 4 ms rise and fall, so that its borders do not click."""
GRAIN_SAMPLES = 16384
"""Long noise is sewn from grains this long; its colour and strength may change at half of it."""
AUDIBLE_HZ = 19000.0
"""Partial waves above this are left out."""
_FINE_STEPS = 256
_KNEE = 0.7
"""Share of its bound up to which a stem is left as it is."""


def generator(scene: Scene, topic: str) -> torch.Generator:
    """Noise of one topic of a scene, the same whatever else the scene holds."""
    return torch.Generator().manual_seed(stream(scene, topic).getrandbits(63))


def damped_waves(hz_NM: Tensor, seconds_NM: Tensor, gains_NM: Tensor, num_samples: int) -> Tensor:
    """Sums of sine waves that start at zero and die away.

    A wave at sample 256 k + b is a product of what k says and what b says, so a sum of M waves is one matrix
    product of inner size 2 M, without a sine per sample.

    Args:
        hz_NM: frequency of every partial wave; those above ``AUDIBLE_HZ`` are silent.
        seconds_NM: time in which each falls to 1/e.
        gains_NM: amplitudes; complex ones also shift the phase.
        num_samples: length.

    Returns:
        (N, S) float32.
    """
    rates = torch.complex(-1 / seconds_NM.double(), math.tau * hz_NM.double()) / SAMPLE_RATE
    gains = torch.where(hz_NM < AUDIBLE_HZ, gains_NM, 0.0)
    steps = torch.arange(-(-num_samples // _FINE_STEPS), dtype=torch.float64) * _FINE_STEPS
    coarse_NKM = gains[:, None] * torch.exp(rates[:, None] * steps[:, None])
    fine_NMB = torch.exp(rates[:, :, None] * torch.arange(_FINE_STEPS))
    left = torch.cat([coarse_NKM.imag, coarse_NKM.real], dim=2).float()
    right = torch.cat([fine_NMB.real, fine_NMB.imag], dim=1).float()
    return (left @ right).flatten(1)[:, :num_samples]


@lru_cache(maxsize=256)
def band(num_samples: int, low_hz: float, high_hz: float) -> Tensor:
    """Amplitude at each bin of noise between two frequencies, 12 dB an octave beyond them.

    Scaled so that ``coloured`` noise of any band is equally loud: its power, K-weighted, is one.

    Args:
        num_samples: even length of the noise.
        low_hz: lower border.
        high_hz: upper border.

    Returns:
        (num_samples // 2,), from the first bin above zero up.
    """
    hz = torch.arange(1, num_samples // 2 + 1) * (SAMPLE_RATE / num_samples)
    shape = 1 / (1 + (low_hz / hz) ** 4) ** 0.5 / (1 + (hz / high_hz) ** 4) ** 0.5
    heard = (shape.square() * k_power(hz, SAMPLE_RATE)).sum().sqrt()
    return shape * (num_samples / 2 / heard).float()


def coloured(amplitudes: Tensor, rng: torch.Generator) -> Tensor:
    """Gaussian noise of these amplitudes (..., H) from the first bin above zero: (..., 2 H), no offset."""
    spectrum = torch.zeros(*amplitudes.shape[:-1], amplitudes.shape[-1] + 1, dtype=torch.complex64)
    dice = torch.randn(*amplitudes.shape, 2, generator=rng)
    spectrum[..., 1:] = torch.view_as_complex(dice) * amplitudes
    return torch.fft.irfft(spectrum)


def sewn(amplitudes_GH: Tensor, rng: torch.Generator, num_samples: int) -> Tensor:
    """Endless noise whose colour changes from grain to grain; longer noise begins with the shorter one.

    Args:
        amplitudes_GH: (num_grains(num_samples), GRAIN_SAMPLES // 2) amplitudes.
        rng: the noise's own.
        num_samples: length.

    Returns:
        (S,) float32.
    """
    half = GRAIN_SAMPLES // 2
    grains = torch.stack([coloured(amplitudes, rng) for amplitudes in amplitudes_GH])
    grains = grains * torch.sin(math.pi * (torch.arange(GRAIN_SAMPLES) + 0.5) / GRAIN_SAMPLES)
    halves = grains.view(-1, 2, half)
    return (halves[:-1, 1] + halves[1:, 0]).flatten()[:num_samples]


def num_grains(num_samples: int) -> int:
    """Grains that cover so many samples, the first one centred on the start."""
    return -(-num_samples // (GRAIN_SAMPLES // 2)) + 1


def grain_times(num_samples: int) -> Tensor:
    """Seconds at which each grain is strongest."""
    return torch.arange(num_grains(num_samples)) * (GRAIN_SAMPLES / 2 / SAMPLE_RATE)


def sides(pan: float) -> tuple[float, float]:
    """Gain of the left and the right channel; all pans carry the same power."""
    angle = (pan + 1) * math.pi / 4
    return math.cos(angle), math.sin(angle)


def place(target: Tensor, start: int, wave: Tensor, gains: tuple[float, float]) -> None:
    """Add a mono wave (S,) to a stereo target (2, S) in place; what lies outside the target is lost.

    Args:
        target: changed in place.
        start: the wave's first sample; may lie before the target's start.
        wave: any length.
        gains: left and right.
    """
    wave = wave[max(0, -start) :]
    start = max(0, start)
    wave = wave[: max(0, target.shape[1] - start)]
    for channel, gain in zip(target, gains, strict=True):
        channel[start : start + len(wave)].add_(wave, alpha=gain)


def sample_at(seconds: float) -> int:
    """Nearest sample."""
    return round(seconds * SAMPLE_RATE)


@lru_cache(maxsize=256)
def ramp(num_samples: int) -> Tensor:
    """A smooth rise from 0 to 1."""
    return 0.5 - 0.5 * torch.cos(math.pi * (torch.arange(num_samples) + 0.5) / num_samples)


def faded(waveform: Tensor) -> Tensor:
    """Let the first and last milliseconds of (..., S) rise from and fall to silence."""
    length = min(FADE_SAMPLES, waveform.shape[-1] // 2)
    envelope = torch.ones(waveform.shape[-1])
    envelope[:length] = ramp(length)
    envelope[waveform.shape[-1] - length :] = ramp(length).flip(0)
    return waveform * envelope


def bounded(waveform: Tensor, bound: float) -> Tensor:
    """Bend what comes near the bound so that nothing reaches it; quieter sound stays as it is."""
    knee = _KNEE * bound
    if waveform.abs().max() <= knee:
        return waveform
    excess = (waveform.abs() - knee).clamp(min=0)
    bent = knee + (bound - knee) * torch.tanh(excess / (bound - knee))
    return torch.where(waveform.abs() <= knee, waveform, bent.copysign(waveform))
