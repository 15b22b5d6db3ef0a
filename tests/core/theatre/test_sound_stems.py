"""The whole sound: lengths, sums, bounds, repeatability."""

import math
from fractions import Fraction

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.geometry import samples_for
from moviegen_core.media.weighting import k_power
from moviegen_core.theatre.events import events
from moviegen_core.theatre.sampling import sample_scenes
from moviegen_core.theatre.sound import mixed, render_sound
from moviegen_core.theatre.sound.hearing import STEMS
from moviegen_core.theatre.sound.signal import FADE_SAMPLES, SAMPLE_RATE
from moviegen_core.theatre.sound.stems import BOUNDS

SCENES = sample_scenes(0, 24)


def _loudness_db(waveform):
    power = torch.fft.rfft(waveform).abs().square().sum(0)
    hz = torch.fft.rfftfreq(waveform.shape[1], 1 / SAMPLE_RATE).clamp(min=1e-3)
    return 10 * math.log10(float((power * k_power(hz, SAMPLE_RATE)).sum()) * 2 / waveform.shape[1] ** 2)


@pytest.mark.parametrize("fps", [8, 16, Fraction(24000, 1001), Fraction(30000, 1001), 60])
@pytest.mark.parametrize("num_frames", [1, 2, 17])
def test_every_stem_lasts_exactly_as_long_as_the_picture(fps, num_frames):
    sound = render_sound(SCENES[0], num_frames=num_frames, fps=fps)
    assert tuple(sound) == STEMS
    assert {stem.shape for stem in sound.values()} == {(2, samples_for(num_frames, Fraction(fps)))}


def test_no_mix_of_stems_can_clip_and_all_are_finite_without_offset():
    assert sum(BOUNDS.values()) < 1
    for scene in SCENES:
        for name, stem in render_sound(scene, num_frames=32, fps=16).items():
            assert torch.isfinite(stem).all()
            assert stem.abs().max() <= BOUNDS[name]
            assert stem.mean(1).abs().max() < 2e-4 + 0.01 * stem.square().mean().sqrt()


def test_stems_sum_to_the_mix_and_any_of_them_can_be_left_out():
    sound = render_sound(SCENES[1], num_frames=24, fps=12)
    assert_close(mixed(sound), sound["effects"] + sound["ambience"] + sound["music"])
    assert torch.equal(mixed(sound, "effects"), sound["effects"])
    assert_close(mixed(sound, "effects", "ambience") + sound["music"], mixed(sound))
    alone = render_sound(SCENES[1], num_frames=24, fps=12, stems=("music",))
    assert tuple(alone) == ("music",)
    assert torch.equal(alone["music"], sound["music"])


def test_the_same_scene_sounds_the_same_and_a_longer_clip_begins_with_the_shorter_one():
    for scene in SCENES[:8]:
        short, again, long = (mixed(render_sound(scene, num_frames=n, fps=16)) for n in (30, 30, 49))
        assert torch.equal(short, again)
        whole = short.shape[1] - FADE_SAMPLES
        assert_close(long[:, :whole], short[:, :whole], atol=2e-5, rtol=0)


def test_borders_do_not_click():
    for scene in SCENES:
        for stem in render_sound(scene, num_frames=20, fps=16).values():
            assert stem[:, 0].abs().max() < 1e-3
            assert stem[:, -1].abs().max() < 1e-3


def test_scenes_are_alike_in_loudness_and_music_stays_with_the_rest():
    """Ear-weighted: a storm is louder than an empty hall, but none must be turned up or down."""
    for scene in SCENES:
        sound = render_sound(scene, num_frames=64, fps=16)
        assert -39 < _loudness_db(mixed(sound, "effects", "ambience")) < -19
        assert -33 < _loudness_db(sound["music"]) < -25


def test_clear_effects_stand_out_over_the_ambience():
    """In the 40 ms from its onset an event peaks well above the ambience's own level."""
    checked = 0
    for scene in sample_scenes(100, 60):
        sound = render_sound(scene, num_frames=48, fps=16, stems=("effects", "ambience"))
        level = sound["ambience"].square().sum(0).mean().sqrt()
        for event in events(scene, 2.9):
            start = round(event.time * 48000)
            if event.strength > 0.1:
                assert sound["effects"][:, start : start + 1920].square().sum(0).max().sqrt() > 2.5 * level
                checked += 1
    assert checked > 30
