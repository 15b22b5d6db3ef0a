"""Damped waves, noise and placing."""

import math

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.media.weighting import k_power
from moviegen_core.theatre.sound import signal


def _rng(seed=0):
    return torch.Generator().manual_seed(seed)


def test_damped_waves_equal_their_formula():
    hz, seconds = (
        torch.tensor(rows, dtype=torch.float64)
        for rows in ([[200.0, 731.5], [4000.0, 90.0]], [[0.05, 0.3], [0.1, 2.0]])
    )
    gains = torch.tensor([[1.0, 0.5], [0.25, 0.8]])
    t = torch.arange(5001, dtype=torch.float64) / signal.SAMPLE_RATE
    waves = torch.exp(-t / seconds[..., None]) * torch.sin(math.tau * hz[..., None] * t)
    assert_close(
        signal.damped_waves(hz, seconds, gains, 5001),
        (gains[..., None] * waves).sum(1).float(),
        atol=2e-6,
        rtol=0,
    )


def test_partials_above_hearing_are_left_out_instead_of_aliasing():
    hz = torch.tensor([[30000.0]])
    assert signal.damped_waves(hz, torch.ones(1, 1), torch.ones(1, 1), 100).abs().max() == 0


@pytest.mark.parametrize("borders", [(50, 160), (400, 700), (2500, 12000)])
def test_noise_of_any_band_is_equally_loud_and_lies_in_its_band(borders):
    noise = signal.coloured(signal.band(2**17, *borders), _rng())
    power = torch.fft.rfft(noise).abs().square()[1:]
    hz = torch.arange(1, 2**16 + 1) * (signal.SAMPLE_RATE / 2**17)
    loudness = (power * k_power(hz, signal.SAMPLE_RATE)).sum() * 2 / (2**17) ** 2
    assert float(loudness) == pytest.approx(1, rel=0.1)
    inside = (hz > borders[0] / 1.5) & (hz < borders[1] * 1.5)
    assert power[inside].sum() > 0.75 * power.sum()
    assert abs(float(noise.mean())) < 1e-4


def test_sewn_noise_is_as_strong_between_grains_as_within_them():
    num_samples = 40 * signal.GRAIN_SAMPLES
    curve = signal.band(signal.GRAIN_SAMPLES, 500, 5000)
    grains = signal.num_grains(num_samples)
    noise = signal.sewn(curve.expand(grains, -1), _rng(), num_samples)
    places = noise.view(-1, 16, signal.GRAIN_SAMPLES // 32)
    powers = places.square().mean((0, 2))
    assert len(noise) == num_samples
    assert float(powers.max() / powers.min()) < 1.3


def test_longer_noise_begins_with_the_shorter_one():
    curve = signal.band(signal.GRAIN_SAMPLES, 500, 5000)
    short, long = (
        signal.sewn(curve.expand(signal.num_grains(n), -1), _rng(), n)
        for n in (signal.GRAIN_SAMPLES + 5, 99_999)
    )
    assert_close(long[: len(short)], short, atol=1e-5, rtol=0)


@pytest.mark.parametrize("pan", [-1, -0.3, 0, 0.8, 1])
def test_panning_keeps_the_power(pan):
    left, right = signal.sides(pan)
    assert left**2 + right**2 == pytest.approx(1)
    assert (right > left) == (pan > 0)


@pytest.mark.parametrize("start", [-7, -3, 0, 4, 8, 30])
def test_a_placed_wave_adds_only_what_lies_inside(start):
    target, wave = torch.ones(2, 10), torch.arange(1.0, 6.0)
    signal.place(target, start, wave, (1.0, 2.0))
    whole = torch.zeros(60)
    whole[20 + start : 25 + start] = wave
    assert_close(target, 1 + torch.stack([whole[20:30], 2 * whole[20:30]]))


def test_fades_touch_only_the_borders_and_start_from_silence():
    waveform = signal.faded(torch.ones(2, 1000))
    assert waveform[:, 0].abs().max() < 1e-4
    assert waveform[:, -1].abs().max() < 1e-4
    assert torch.all(waveform[:, signal.FADE_SAMPLES : -signal.FADE_SAMPLES] == 1)
    assert signal.faded(torch.ones(2, 3)).shape == (2, 3)


def test_a_bound_is_never_reached_and_quiet_sound_is_untouched():
    waveform = torch.linspace(-3, 3, 1001)[None]
    bent = signal.bounded(waveform, 0.5)
    assert bent.abs().max() <= 0.5
    quiet = waveform.abs() <= 0.35
    assert torch.equal(bent[quiet], waveform[quiet])
    assert torch.all(bent.diff() >= 0)
    assert_close(bent, -bent.flip(1))
