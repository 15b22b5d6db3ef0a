"""Pictures of sound with marks."""

import math

import pytest
import torch

from moviegen_core.errors import MediaError, SettingsError
from moviegen_core.media.sound_picture import ABOVE, BELOW, LEFT, MARK, WAVE, sound_picture


def _is(picture, colour):
    return (picture == torch.tensor(colour, dtype=torch.uint8)).all(-1)


def _click(seconds, at, channels=1, rate=48000):
    wave = torch.zeros(channels, round(seconds * rate))
    wave[:, round(at * rate)] = 0.9
    return wave


@pytest.mark.parametrize("rate", [8000, 48000])
def test_a_click_in_both_panels_and_the_mark_of_its_moment_stand_in_one_column(rate):
    plain = sound_picture(_click(2.0, 1.3, rate=rate), rate, height=200, width=434)
    inside = plain[ABOVE : 200 - BELOW, LEFT:].float().sum(-1)
    column = round(1.3 / 2.0 * 400)
    assert abs(int(inside[60:].sum(0).argmax()) - column) <= 4
    assert abs(int(inside[10:20].sum(0)[:300].argmax()) - column) <= 1
    marked = sound_picture(_click(2.0, 1.3, rate=rate), rate, [1.3], height=200, width=434)
    changed = (marked != plain).any(-1)[ABOVE : 200 - BELOW].any(0).nonzero().flatten()
    assert changed.tolist() == [LEFT + column]
    assert _is(marked, MARK).any(0).nonzero().flatten().float().mean() == pytest.approx(LEFT + column, abs=1)


def test_every_channel_has_a_lane_and_the_loudest_fills_it():
    both = _click(1.0, 0.5, channels=2)
    both[1] *= 0
    picture = sound_picture(0.1 * both, height=300, width=300)
    heights = _is(picture, WAVE).sum(1)
    first, second = (int((_is(picture, WAVE)[rows].sum(0)).max()) for rows in (slice(0, 46), slice(50, 86)))
    assert first > 15
    assert second <= 3
    assert heights.sum() > 0


@pytest.mark.parametrize("num_samples", [1, 2, 479, 48000])
@pytest.mark.parametrize("channels", [1, 2, 8])
def test_any_sound_can_be_drawn_silence_too(num_samples, channels):
    picture = sound_picture(torch.zeros(channels, num_samples), 48000, [0.0, -1.0, 9e9])
    assert picture.shape == (360, 960, 3)
    assert picture.dtype == torch.uint8


def test_an_hour_is_drawn_as_any_other_sound():
    picture = sound_picture(torch.zeros(1, 3600 * 100), 100, [1800.0], height=160, width=300)
    assert abs(int(_is(picture, MARK).any(0).nonzero().float().mean()) - (LEFT + 133)) <= 1


def test_pictures_too_small_and_what_is_no_sound_are_refused():
    with pytest.raises(SettingsError, match="too small"):
        sound_picture(torch.zeros(1, 9), height=10)
    for wrong in (torch.zeros(1, 0), torch.full((1, 5), math.nan), torch.zeros(5)):
        with pytest.raises(MediaError):
            sound_picture(wrong)
