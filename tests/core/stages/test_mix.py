"""Mixing: stems of any kind become a soundtrack of an exact length, loudness and ceiling."""

import math

import pytest
import torch

from moviegen_core.errors import SettingsError
from moviegen_core.media.dynamics import Ducking
from moviegen_core.media.loudness import measure
from moviegen_core.media.read_sound import open_sound
from moviegen_core.media.sound import sound_from, waveform_of
from moviegen_core.stages.mix import MixSettings, Stem, mix, write_stems

PLAIN = MixSettings(num_channels=1, ducking=None)


def hiss(level, seconds=2.0, channels=1, sample_rate=48000):
    return sound_from(torch.randn(channels, round(seconds * sample_rate)) * 10 ** (level / 20), sample_rate)


def test_a_plain_mix_is_the_sum_of_its_stems():
    one, two = hiss(-40), hiss(-40)
    wave = waveform_of(mix({"a": Stem(sound=one), "b": Stem(sound=two, gain_db=6)}, 96000, PLAIN).sound)
    expected = waveform_of(one) + waveform_of(two) * 10 ** (6 / 20)
    assert (wave - expected).abs().max() < 1e-6


@pytest.mark.parametrize("num_samples", [1, 4003, 200001])
@pytest.mark.parametrize("channels", [1, 2])
def test_whatever_comes_in_the_mix_has_the_length_rate_and_channels_asked_for(num_samples, channels):
    stems = {
        "effects": Stem(sound=hiss(-30, 0.5, 1, 44100)),
        "music": Stem(sound=hiss(-30, 0.5, 6)),
        "original": Stem(sound=hiss(-30, 0.7, 2, 8000), leads=True),
    }
    done = mix(stems, num_samples, MixSettings(num_channels=channels))
    assert waveform_of(done.sound).shape == (channels, num_samples)
    assert {waveform_of(stem).shape for stem in done.stems.values()} == {(channels, num_samples)}
    assert done.sound.sample_rate == 48000


@pytest.mark.parametrize("target", [-16.0, -23.0])
def test_the_mix_reaches_its_loudness_and_stays_under_its_ceiling(target):
    done = mix(
        {"a": Stem(sound=hiss(-35)), "b": Stem(sound=hiss(-50))}, 96000, MixSettings(loudness_lufs=target)
    )
    loudness = measure(done.sound)
    assert loudness.integrated_lufs == pytest.approx(target, abs=0.2)
    assert loudness.true_peak_dbtp <= -1 + 0.05


def test_loud_peaks_are_limited_and_the_loudness_is_made_up_for():
    wave = torch.randn(1, 144000) / 30
    wave[0, ::24000] = 0.9
    done = mix({"clicks": Stem(sound=sound_from(wave))}, 144000, MixSettings(loudness_lufs=-16))
    loudness = measure(done.sound)
    assert loudness.true_peak_dbtp <= -1 + 0.05
    assert loudness.integrated_lufs == pytest.approx(-16, abs=0.2)


def test_what_the_limiter_cannot_bring_to_its_loudness_is_not_crushed():
    wave = torch.randn(1, 96000) / 1000
    wave[0, ::12000] = 0.9
    done = mix({"clicks": Stem(sound=sound_from(wave))}, 96000, MixSettings(loudness_lufs=-10))
    assert measure(done.sound).integrated_lufs < -15
    assert done.gain_db < 14


def test_without_the_limiter_the_whole_mix_is_turned_down_and_nothing_else_happens():
    stem = hiss(-10)
    done = mix({"a": Stem(sound=stem)}, 96000, MixSettings(num_channels=1, limiting=False, loudness_lufs=-6))
    assert measure(done.sound).true_peak_dbtp == pytest.approx(-1, abs=0.01)
    wave = waveform_of(stem)
    assert (waveform_of(done.sound) - wave * 10 ** (done.gain_db / 20)).abs().max() < 1e-6


def test_the_stems_add_up_to_the_mix_where_the_limiter_rests():
    stems = {"effects": Stem(sound=hiss(-40)), "original": Stem(sound=hiss(-30), leads=True)}
    done = mix(stems, 96000, MixSettings(loudness_lufs=-30))
    total = sum(waveform_of(stem) for stem in done.stems.values())
    assert (total - waveform_of(done.sound)).abs().max() < 1e-6


def test_music_steps_back_under_what_is_said_and_what_is_said_does_not():
    words = torch.zeros(1, 192000)
    words[:, 96000:] = torch.randn(1, 96000) / 10
    stems = {"music": Stem(sound=hiss(-30, 4)), "original": Stem(sound=sound_from(words), leads=True)}
    done = mix(stems, 192000, MixSettings(num_channels=1, ducking=Ducking(depth_db=12)))
    power = waveform_of(done.stems["music"])[0].square()
    fall = 10 * math.log10(power[110000:].mean() / power[:80000].mean())
    assert fall == pytest.approx(-12, abs=0.5)
    assert torch.equal(waveform_of(done.stems["original"]), words)


def test_fades_spare_the_stem_that_leads():
    ones = sound_from(torch.full((1, 96000), 0.25))
    settings = MixSettings(num_channels=1, fade_in_seconds=0.5, fade_out_seconds=0.5, ducking=None)
    done = mix({"music": Stem(sound=ones), "original": Stem(sound=ones, leads=True)}, 96000, settings)
    music, original = (waveform_of(done.stems[name])[0] for name in ("music", "original"))
    assert original.eq(0.25).all()
    assert music[0] < 0.01 > music[-1]
    assert music[24000:72000].eq(0.25).all()


def test_fades_longer_than_the_mix_are_cut_to_it():
    settings = MixSettings(num_channels=1, fade_in_seconds=9, fade_out_seconds=9)
    wave = waveform_of(mix({"a": Stem(sound=hiss(-20))}, 1000, settings).sound)
    assert wave.shape == (1, 1000)
    assert wave[0, 0].abs() < 0.001


def test_silence_stays_silent():
    done = mix({"a": Stem(sound=sound_from(torch.zeros(2, 50000)))}, 50000, MixSettings(loudness_lufs=-16))
    assert done.gain_db == 0
    assert not waveform_of(done.sound).any()


def test_faint_noise_is_not_raised_by_more_than_30_db():
    assert mix({"a": Stem(sound=hiss(-65))}, 96000, MixSettings(loudness_lufs=-16)).gain_db == 30


def test_stems_become_files_that_hold_them(tmp_path):
    done = mix({"effects": Stem(sound=hiss(-30)), "music": Stem(sound=hiss(-30))}, 30000, PLAIN)
    paths = write_stems(tmp_path, done.stems, "float")
    assert [path.name for path in paths] == ["effects.wav", "music.wav"]
    for path, stem in zip(paths, done.stems.values(), strict=True):
        assert torch.equal(waveform_of(open_sound(path)), waveform_of(stem))


@pytest.mark.parametrize("name", ["../out", "a/b", ""])
def test_a_stem_cannot_be_written_elsewhere(tmp_path, name):
    with pytest.raises(SettingsError, match="letters"):
        write_stems(tmp_path, {name: hiss(-30)} if name else {"..": hiss(-30), "x/y": hiss(-30)})


@pytest.mark.parametrize(
    "wrong",
    [
        {"num_channels": 6},
        {"fade_in_seconds": -1},
        {"loudness_lufs": 0},
        {"loudness_lufs": -80},
        {"ceiling_dbtp": 1},
    ],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingsError, match="give"):
        MixSettings(**wrong)


def test_nothing_cannot_be_mixed():
    with pytest.raises(SettingsError, match="at least one stem"):
        mix({}, 100, PLAIN)
    with pytest.raises(SettingsError, match="one sample"):
        mix({"a": Stem(sound=hiss(-30))}, 0, PLAIN)
    with pytest.raises(SettingsError, match="gain"):
        Stem(sound=hiss(-30), gain_db=90)
