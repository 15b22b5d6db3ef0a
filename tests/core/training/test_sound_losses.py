import math
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.training.sound_losses import (
    MEL_BANDS,
    SoundLossConfig,
    SpectrumDiscriminator,
    convergence_loss,
    mel_filters,
    mel_loss,
    sound_losses,
    spectral_losses,
    spectrum,
    waveform_loss,
)

WINDOWS = (512, 128)


def tone(hz, amplitude=1.0, samples=4800):
    return amplitude * torch.sin(2 * math.pi * hz / 48000 * torch.arange(samples))[None, None]


def noise():
    return 0.1 * torch.randn(2, 1, 4800)


def test_a_full_scale_sine_has_amplitude_one_half_in_its_own_bin():
    amplitudes = spectrum(tone(48000 / 512 * 20), 512)[0, :, 10]
    assert amplitudes.argmax() == 20
    assert_close(amplitudes[20], torch.tensor(0.5), atol=1e-3, rtol=0)


@pytest.mark.parametrize(("window", "bands"), MEL_BANDS.items())
def test_every_mel_band_weighs_something_and_bands_rise(window, bands):
    filters = mel_filters(bands, window // 2 + 1)
    assert_close(filters.sum(dim=1), torch.ones(bands))
    centres = filters @ torch.arange(window // 2 + 1.0)
    assert (centres.diff() >= 0).all()
    assert filters.min() >= 0


def test_a_sound_that_is_right_costs_nothing_but_its_latent():
    sound, zeros = noise(), torch.zeros(2, 4, 3)
    losses = sound_losses(sound, sound, zeros, zeros, SoundLossConfig(windows=WINDOWS))
    assert losses["total"] == 0


def test_silence_where_there_is_sound_costs_all_of_it():
    silence = torch.zeros(2, 1, 4800)
    assert_close(waveform_loss(silence, noise()), torch.tensor(1.0), atol=0.01, rtol=0)
    pair = (spectrum(silence, 512), spectrum(noise(), 512))
    assert_close(convergence_loss(*pair), torch.tensor(1.0), atol=0.05, rtol=0)


def test_twice_as_loud_costs_its_decibels_in_every_band_that_is_heard():
    sound = noise()
    quiet, loud = (spectrum(gain * sound, 512) for gain in (1, 2))
    assert_close(mel_loss(loud, quiet, 40), torch.tensor(math.log10(2)), atol=0.03, rtol=0)


def test_the_phase_of_noise_matters_to_the_waveform_and_hardly_to_the_mel_bands():
    torch.manual_seed(0)
    one, other = (0.1 * torch.randn(4, 1, 9600) for _ in range(2))
    assert waveform_loss(one, other) > 1.3
    assert spectral_losses(one, other, (2048,))["mel"] < 0.15


def test_noise_of_the_right_loudness_is_better_than_silence_by_spectra_and_worse_by_samples():
    torch.manual_seed(0)
    one, other = (0.1 * torch.randn(4, 1, 9600) for _ in range(2))
    silence = torch.zeros_like(other)
    right, none = (spectral_losses(output, other, (512,)) for output in (one, silence))
    assert right["mel"] < 0.2 * none["mel"]
    assert right["spectrum"] < 0.8 * none["spectrum"]
    assert waveform_loss(one, other) > waveform_loss(silence, other)


def test_silence_on_both_sides_is_no_error_and_has_finite_gradients():
    output = torch.zeros(1, 1, 4800, requires_grad=True)
    zeros = torch.zeros(1, 4, 3)
    losses = sound_losses(torch.zeros(1, 1, 4800), output, zeros, zeros, SoundLossConfig(windows=WINDOWS))
    losses["total"].backward()
    assert losses["total"] < 1e-3
    assert output.grad.isfinite().all()


def test_a_weight_of_zero_takes_a_loss_out_of_the_total():
    sound, output, latent = noise(), noise(), torch.ones(2, 4, 3)
    weights = SoundLossConfig(windows=WINDOWS, spectrum=0, mel=0, waveform=0, kl=0.5)
    losses = sound_losses(sound, output, latent, latent, weights)
    assert_close(losses["total"], 0.5 * losses["kl"])
    more = sound_losses(sound, output, latent, latent, replace(weights, mel=2.0))
    assert_close(more["total"], 0.5 * losses["kl"] + 2 * losses["mel"])


def test_the_discriminator_learns_to_tell_noise_from_a_tone():
    torch.manual_seed(0)
    model = SpectrumDiscriminator(windows=(256,), width=4)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(30):
        real, fake = model(noise()).mean(), model(tone(440, 0.1)).mean()
        optimizer.zero_grad()
        (fake - real).backward()
        optimizer.step()
    assert model(noise()).mean() > model(tone(440, 0.1)).mean() + 0.1
