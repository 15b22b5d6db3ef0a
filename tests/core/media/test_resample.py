"""Resampling: right length, right place, flat where it must be, empty where it must be."""

import math

import pytest
import torch

from moviegen_core.errors import MediaError
from moviegen_core.geometry import rescaled_samples
from moviegen_core.media.resample import PASS_BAND, oversampled, resampled
from moviegen_core.media.sound import sound_from, waveform_of

RATES = [(44100, 48000), (48000, 44100), (8000, 48000), (96000, 48000), (48000, 16000), (11025, 48000)]
TABLED = [(44099, 48000), (48000, 47999)]


def tone(hz, sample_rate, count):
    return torch.sin(2 * math.pi * hz * torch.arange(count, dtype=torch.float64) / sample_rate)


def middle(wave):
    return wave[len(wave) // 4 : -len(wave) // 4]


def level(wave):
    return 20 * math.log10(middle(wave).double().square().mean().sqrt().item() * 2**0.5 + 1e-12)


@pytest.mark.parametrize(("old", "new"), RATES + TABLED)
def test_the_sound_lasts_as_long_to_the_nearest_sample(old, new):
    for count in (1, 2, 160, 4411, 20001):
        wave = waveform_of(resampled(sound_from(torch.zeros(1, count), old), new))
        assert wave.shape[1] == rescaled_samples(count, old, new)


@pytest.mark.parametrize(("old", "new"), RATES + TABLED)
@pytest.mark.parametrize("share", [0.001, 0.3, 0.6, PASS_BAND])
def test_a_tone_of_the_pass_band_stays_itself_in_level_and_place(old, new, share):
    hz, count = share * min(old, new) / 2, max(old // 4, 8000)
    wave = waveform_of(resampled(sound_from(tone(hz, old, count)[None], old), new))[0]
    error = middle(wave.double() - tone(hz, new, len(wave))).abs().max().item()
    assert error < 10 ** (-100 / 20)


@pytest.mark.parametrize(("old", "new"), [(96000, 48000), (48000, 44100), (48000, 16000), (48000, 47999)])
def test_what_the_lower_rate_cannot_hold_is_gone_and_not_folded_down(old, new):
    for share in (1.0, 1.02, 1.3):
        hz = share * new / 2
        if hz < old / 2:
            wave = waveform_of(resampled(sound_from(tone(hz, old, old // 4)[None], old), new))[0]
            assert level(wave) < -105


@pytest.mark.parametrize(("old", "new"), [(44100, 48000), (8000, 48000), (44099, 48000)])
def test_no_image_of_a_tone_appears_above_the_old_nyquist_frequency(old, new):
    hz = PASS_BAND * old / 2
    wave = middle(waveform_of(resampled(sound_from(tone(hz, old, old)[None], old), new))[0].double())
    window = torch.hann_window(len(wave), periodic=False, dtype=torch.float64) ** 4
    spectrum = torch.fft.rfft(wave * window).abs()
    frequencies = torch.arange(len(spectrum)) * new / len(wave)
    assert spectrum[frequencies > old / 2].max() / spectrum.max() < 10 ** (-105 / 20)


def test_a_click_stays_where_it_is():
    wave = torch.zeros(1, 44100)
    wave[0, 22050] = 1
    assert waveform_of(resampled(sound_from(wave, 44100), 48000))[0].argmax() == 24000


def test_a_constant_stays_constant():
    for old, new in RATES + TABLED:
        wave = waveform_of(resampled(sound_from(torch.ones(1, 8000), old), new))[0]
        assert (middle(wave) - 1).abs().max() < 1e-5


def test_there_and_back_gives_the_same():
    wave = torch.zeros(1, 48000)
    for hz in (100, 3000, 15000):
        wave += tone(hz, 48000, 48000)[None].float() / 4
    back = waveform_of(resampled(resampled(sound_from(wave), 44100), 48000))
    assert (middle(back[0]) - middle(wave[0])).abs().max() < 2e-5


def test_the_same_rate_leaves_every_bit():
    wave = torch.randn(2, 5000)
    assert torch.equal(waveform_of(resampled(sound_from(wave), 48000)), wave)


def test_oversampling_keeps_the_samples_where_they_were():
    wave = tone(1000, 48000, 9600)[None].float()
    fine = torch.cat(list(oversampled(sound_from(wave), 4)), 1)
    assert fine.shape[1] == 4 * 9600
    assert (middle(fine[0, ::4]) - middle(wave[0])).abs().max() < 1e-4


@pytest.mark.parametrize("rate", [0, -1, 768001])
def test_a_rate_out_of_range_is_refused(rate):
    with pytest.raises(MediaError, match="48000"):
        resampled(sound_from(torch.zeros(1, 5)), rate)
