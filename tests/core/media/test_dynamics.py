"""Gain that follows the sound: nothing passes the ceiling, the rest is untouched, and music makes room."""

import math

import pytest
import torch

from moviegen_core.errors import SettingsError
from moviegen_core.media.dynamics import Ducking, ducked, ducking_curve, limited
from moviegen_core.media.loudness import measure
from moviegen_core.media.sound import silence, sound_from, waveform_of


def tone(level, seconds, hz=1000.0, channels=1):
    times = torch.arange(round(seconds * 48000), dtype=torch.float64) / 48000
    return (10 ** (level / 20) * torch.sin(2 * math.pi * hz * times)).float().expand(channels, -1)


def click():
    wave = torch.zeros(1, 30000)
    wave[0, [0, 9000, 9001, 29999]] = 8.0
    return wave


LOUD = {
    "noise": lambda: torch.randn(2, 30000),
    "a tone between the samples": lambda: tone(9, 0.5, hz=11025, channels=2),
    "clicks, also first and last": click,
    "a step": lambda: torch.cat([tone(-40, 0.2), tone(12, 0.2)], dim=1),
}


@pytest.mark.parametrize("kind", LOUD)
@pytest.mark.parametrize("ceiling", [-1.0, -12.0])
def test_the_true_peak_stays_under_the_ceiling(kind, ceiling):
    quiet = measure(limited(sound_from(LOUD[kind]()), ceiling))
    assert ceiling - 0.5 < quiet.true_peak_dbtp <= ceiling + 0.05


def test_what_lies_under_the_ceiling_keeps_every_bit():
    wave = torch.randn(2, 40000) / 30
    assert torch.equal(waveform_of(limited(sound_from(wave))), wave)


def test_far_from_a_peak_nothing_changes_and_both_sides_are_turned_down_alike():
    wave = tone(-20, 2, channels=2).clone()
    wave[0, 48000] = 4.0
    out = waveform_of(limited(sound_from(wave), -1))
    assert torch.equal(out[:, :47000], wave[:, :47000])
    assert torch.equal(out[:, 70000:], wave[:, 70000:])
    near = slice(48001, 48100)
    assert ((out[0, near] / wave[0, near] - out[1, near] / wave[1, near]).abs() < 1e-5).all()
    assert (out[1, near].abs() < wave[1, near].abs()).all()


def test_the_gain_moves_without_a_jump():
    wave = torch.full((1, 30000), 0.1)
    wave[0, 15000] = 8.0
    gain = waveform_of(limited(sound_from(wave), -1))[0] / wave[0]
    steps = 20 * gain.log10().diff().abs()
    assert steps.max() < 0.3


@pytest.mark.parametrize("ceiling", [0.5, -61.0, float("nan")])
def test_a_ceiling_out_of_range_is_refused(ceiling):
    with pytest.raises(SettingsError, match="-1"):
        limited(silence(10), ceiling)


def test_the_bed_is_down_when_the_words_begin_and_up_again_when_they_are_over():
    key = torch.cat([torch.zeros(1, 96000), tone(-20, 1), torch.zeros(1, 96000)], dim=1)
    bed = sound_from(torch.ones(2, key.shape[1]))
    level = 20 * waveform_of(ducked(bed, sound_from(key), Ducking(depth_db=12)))[0].log10()
    assert (level[96000:144000] + 12).abs().max() < 0.01
    assert level[:80000].eq(0).all()
    assert level[-40000:].eq(0).all()
    assert (level <= 0).all()


def test_the_bed_moves_no_faster_than_asked():
    key = torch.cat([torch.zeros(1, 48000), tone(-20, 0.5), torch.zeros(1, 96000)], dim=1)
    settings = Ducking(depth_db=12, attack_seconds=0.2, release_seconds=1.0)
    steps = ducking_curve(sound_from(key), settings).diff()
    assert steps.max() <= 12 / 10 + 1e-6
    assert -steps.min() <= 12 / 50 + 1e-6


def test_short_pauses_do_not_count():
    words = torch.cat([tone(-20, 0.3), torch.zeros(1, 9600)] * 4, dim=1)
    curve = ducking_curve(sound_from(words), Ducking(hold_seconds=0.3))
    assert curve[1:90].min() > 11.9


def test_a_faint_key_changes_nothing():
    bed = torch.rand(2, 30000)
    key = sound_from(tone(-60, 0.6))
    assert torch.equal(waveform_of(ducked(sound_from(bed), key, Ducking())), bed)


def test_a_bed_that_outlasts_its_key_comes_back():
    level = waveform_of(ducked(sound_from(torch.ones(1, 144000)), sound_from(tone(-20, 0.5)), Ducking()))
    assert level[0, 0] == pytest.approx(10 ** (-12 / 20), abs=1e-3)
    assert level[0, -1] == 1


@pytest.mark.parametrize(
    "wrong", [{"depth_db": -1}, {"threshold_lufs": 3}, {"attack_seconds": -0.1}, {"release_seconds": 11}]
)
def test_ducking_out_of_range_is_refused(wrong):
    with pytest.raises(SettingsError, match="out of range"):
        Ducking(**wrong)
