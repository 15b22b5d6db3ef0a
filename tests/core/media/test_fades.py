"""Coming in, going out, and passing from one sound to the next."""

import pytest
import torch

from moviegen_core.errors import MediaError, SettingsError
from moviegen_core.media.fades import CURVES, crossfaded, faded, rising
from moviegen_core.media.sound import silence, sound_from, waveform_of


def test_the_two_ways_of_a_crossfade_make_one():
    up = {curve: rising(101, curve).double() for curve in CURVES}
    assert (up["linear"] + up["linear"].flip(0) - 1).abs().max() < 1e-6
    assert (up["equal-power"] ** 2 + up["equal-power"].flip(0) ** 2 - 1).abs().max() < 1e-6


def test_a_fade_begins_and_ends_where_asked_and_leaves_the_rest():
    wave = waveform_of(faded(sound_from(torch.ones(1, 50000)), 50000, 1000, 30000, "linear"))[0]
    assert wave[1000:20000].eq(1).all()
    assert (wave[:1000].diff() > 0).all()
    assert (wave[20000:].diff() < 0).all()
    assert wave[0] < 0.001 > wave[-1]


def test_a_linear_crossfade_of_the_same_sound_cannot_be_heard():
    wave = torch.randn(1, 60000)
    first, second = sound_from(wave[:, :40000]), sound_from(wave[:, 30000:])
    out = waveform_of(crossfaded(first, second, 10000, "linear"))
    assert out.shape == wave.shape
    assert (out - wave).abs().max() < 1e-5
    assert torch.equal(out[:, :30000], wave[:, :30000])
    assert torch.equal(out[:, 40000:], wave[:, 40000:])


def test_an_equal_power_crossfade_of_strangers_keeps_the_power():
    first, second = sound_from(torch.randn(1, 60000)), sound_from(torch.randn(1, 60000))
    out = waveform_of(crossfaded(first, second, 40000))[0, 20000:60000]
    assert out.square().mean() == pytest.approx(1, abs=0.05)


def test_fades_that_cannot_be_are_refused():
    with pytest.raises(SettingsError, match="linear"):
        rising(5, "cubic")
    with pytest.raises(SettingsError, match="at least 1"):
        crossfaded(silence(5), silence(5), 0)
    with pytest.raises(MediaError, match="shorten the overlap"):
        waveform_of(crossfaded(silence(5), silence(50), 10))
