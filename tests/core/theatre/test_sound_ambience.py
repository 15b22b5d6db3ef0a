"""The ambience stem: every bed, its loudness and its colour."""

import math
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.media.weighting import k_power
from moviegen_core.theatre import vocabulary as words
from moviegen_core.theatre.events import BEDS, beds
from moviegen_core.theatre.sampling import possible_weathers, sample_scenes
from moviegen_core.theatre.sound.air import COLOURS
from moviegen_core.theatre.sound.ambience import LOUDNESS, ambience
from moviegen_core.theatre.sound.signal import SAMPLE_RATE

SCENE = replace(sample_scenes(0, 1)[0], weather="clear")
WEATHERS = [(place, weather) for place in words.PLACES for weather in possible_weathers(place)]


def _loudness_db(stem):
    power = torch.fft.rfft(stem).abs().square().sum(0)
    hz = torch.fft.rfftfreq(stem.shape[1], 1 / SAMPLE_RATE).clamp(min=1e-3)
    return 10 * math.log10(float((power * k_power(hz, SAMPLE_RATE)).sum()) * 2 / stem.shape[1] ** 2)


def _share_between(stem, low, high):
    power = torch.fft.rfft(stem).abs().square().sum(0)
    hz = torch.fft.rfftfreq(stem.shape[1], 1 / SAMPLE_RATE)
    return float(power[(hz > low) & (hz < high)].sum() / power.sum())


def _sound(place, weather="clear", seed=4, seconds=6):
    scene = replace(SCENE, place=place, weather=weather, seed=seed)
    return ambience(scene, round(seconds * SAMPLE_RATE))


def test_every_bed_of_a_place_has_its_colours_and_their_shares_leave_no_more_than_one():
    assert set(COLOURS) == set(BEDS) - {"engine"}
    assert all(0 < sum(colour.share for colour in colours) <= 1 for colours in COLOURS.values())


@pytest.mark.parametrize(("place", "weather"), WEATHERS)
def test_every_place_in_every_weather_is_as_loud_as_its_beds_say(place, weather):
    scene = replace(SCENE, place=place, weather=weather)
    told = math.sqrt(sum(bed.level**2 for bed in beds(scene) if bed.actor is None))
    heard = sum(_loudness_db(_sound(place, weather, seed)) for seed in range(3)) / 3
    assert heard == pytest.approx(20 * math.log10(LOUDNESS * told), abs=4)


@pytest.mark.parametrize("place", words.PLACES)
def test_an_ambience_fills_the_clip_on_both_sides_and_has_no_offset(place):
    stem = _sound(place)
    assert stem.shape == (2, 6 * SAMPLE_RATE)
    assert torch.isfinite(stem).all()
    seconds = stem.view(2, -1, SAMPLE_RATE // 2).square().mean(2).sqrt()
    assert float(seconds.min()) > 0.1 * float(seconds.max())
    assert float(stem.mean(1).abs().max()) < 0.02 * float(stem.square().mean().sqrt())
    left, right = stem
    alike = float((left * right).mean() / (left.square().mean() * right.square().mean()).sqrt())
    assert -0.2 < alike < 0.999


def test_a_longer_ambience_begins_with_the_shorter_one():
    for place in words.PLACES:
        short, long = _sound(place, seconds=2.3), _sound(place, seconds=5)
        assert_close(long[:, : short.shape[1]], short, atol=1e-5, rtol=0)


def test_each_place_sounds_where_its_sources_do():
    assert _share_between(_sound("night sky"), 3900, 5400) > 0.5
    assert _share_between(_sound("meadow"), 1800, 6000) > 0.5
    assert _share_between(_sound("underwater"), 30, 600) > 0.8
    assert _share_between(_sound("desert"), 80, 1500) > 0.8
    assert _share_between(_sound("meadow", "rain"), 2500, 16000) > 3 * _share_between(
        _sound("desert"), 2500, 16000
    )


def test_wind_comes_in_gusts_and_surf_in_waves_but_a_room_is_steady():
    def swing(place):
        blocks = _sound(place, seconds=10).sum(0).view(40, -1).square().mean(1)
        return float(blocks.max() / blocks.min())

    assert swing("desert") > 3 * swing("stage")
    assert swing("beach") > 3 * swing("stage")


def test_seeds_decide_when_it_gusts():
    assert_close(_sound("desert", seed=1), _sound("desert", seed=1))
    assert not torch.allclose(_sound("desert", seed=1), _sound("desert", seed=2), atol=0.01)
