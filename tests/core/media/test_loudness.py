"""Loudness against the signals whose measure the standards state."""

import math

import pytest
import torch

from moviegen_core.errors import MediaError
from moviegen_core.media.loudness import channel_weights, measure
from moviegen_core.media.sound import sound_from


def tone(level, seconds, hz=1000.0, sample_rate=48000, channels=2, phase=0.0):
    times = torch.arange(round(seconds * sample_rate), dtype=torch.float64) / sample_rate
    wave = 10 ** (level / 20) * torch.sin(2 * math.pi * hz * times + math.radians(phase))
    return wave.float().expand(channels, -1)


def steps(*parts):
    return sound_from(torch.cat([tone(level, seconds) for level, seconds in parts], dim=1))


@pytest.mark.parametrize("sample_rate", [48000, 44100, 96000, 192000])
def test_a_full_scale_tone_of_997_hz_in_one_channel_measures_minus_3_01(sample_rate):
    wave = tone(0, 2, hz=997, sample_rate=sample_rate, channels=1)
    assert measure(sound_from(wave, sample_rate)).integrated_lufs == pytest.approx(-3.01, abs=0.02)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([(-23, 20)], -23),
        ([(-33, 20)], -33),
        ([(-36, 10), (-23, 60), (-36, 10)], -23),
        ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23),
        ([(-26, 20), (-20, 20.1), (-26, 20)], -23),
    ],
    ids=["1", "2", "3", "4", "5"],
)
def test_the_cases_of_ebu_tech_3341_measure_as_they_should(parts, expected):
    loudness = measure(steps(*parts))
    assert loudness.integrated_lufs == pytest.approx(expected, abs=0.1)
    assert loudness.seconds == pytest.approx(sum(seconds for _, seconds in parts))


def test_the_steady_case_measures_the_same_over_every_window():
    loudness = measure(steps((-23, 6)))
    assert loudness.momentary_lufs == pytest.approx(-23, abs=0.1)
    assert loudness.short_term_lufs == pytest.approx(-23, abs=0.1)


def test_five_channels_count_as_the_sixth_case_says():
    wave = torch.cat([tone(level, 20, channels=1) for level in (-28, -28, -24, -30, -30)])
    assert measure(sound_from(wave)).integrated_lufs == pytest.approx(-23, abs=0.1)


@pytest.mark.parametrize(
    ("levels", "expected"),
    [((-20, -30), 10), ((-20, -15), 5), ((-40, -20), 20), ((-50, -35, -20, -35, -50), 15)],
)
def test_the_cases_of_ebu_tech_3342_have_their_range(levels, expected):
    assert measure(steps(*[(level, 20) for level in levels])).range_lu == pytest.approx(expected, abs=1)


@pytest.mark.parametrize(
    ("part", "phase", "amplitude", "expected"),
    [(4, 0, 0.5, -6), (4, 45, 0.5, -6), (6, 60, 0.5, -6), (8, 67.5, 0.5, -6), (4, 45, 1.41, 3)],
    ids=["15", "16", "17", "18", "19"],
)
def test_true_peaks_between_samples_are_found(part, phase, amplitude, expected):
    wave = tone(20 * math.log10(amplitude), 1, hz=48000 / part, phase=phase).clone()
    fade = torch.hann_window(9600, periodic=False)
    wave[:, :4800] *= fade[:4800]
    wave[:, -4800:] *= fade[4800:]
    peak = measure(sound_from(wave)).true_peak_dbtp
    assert -0.4 <= peak - expected <= 0.2


def test_surrounds_count_for_more_the_effects_channel_for_nothing_and_what_is_behind_for_one():
    assert channel_weights(("FL", "FR", "FC", "LFE", "BL", "BR")).tolist() == [1, 1, 1, 0, 1.41, 1.41]
    assert channel_weights(("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR")).tolist() == [
        1,
        1,
        1,
        0,
        1,
        1,
        1.41,
        1.41,
    ]


@pytest.mark.parametrize("num_samples", [1, 480, 48000])
def test_silence_has_no_loudness(num_samples):
    loudness = measure(sound_from(torch.zeros(2, num_samples)))
    assert loudness.integrated_lufs == loudness.true_peak_dbtp == loudness.momentary_lufs == -math.inf


def test_a_sound_shorter_than_a_gating_block_is_one_block():
    assert measure(sound_from(tone(-20, 0.1))).integrated_lufs == pytest.approx(-20, abs=0.1)


def test_six_decibels_more_are_six_units_more():
    wave = torch.randn(2, 96000) / 20
    soft, loud = (measure(sound_from(w)) for w in (wave, wave * 10 ** (6 / 20)))
    assert loud.integrated_lufs - soft.integrated_lufs == pytest.approx(6, abs=1e-3)
    assert loud.true_peak_dbtp - soft.true_peak_dbtp == pytest.approx(6, abs=1e-3)


def test_a_rate_too_low_for_the_filter_is_refused():
    with pytest.raises(MediaError, match="4000"):
        measure(sound_from(torch.zeros(1, 100), 2000))
