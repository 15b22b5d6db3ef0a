from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.errors import SettingsError
from moviegen_core.geometry import SoundGrid
from moviegen_core.models.audio import AUDIO_PRESETS
from moviegen_core.models.vision import VISION_PRESETS, FrameEncoder, fit_frames, frames_seen, frames_seen_at

TINY = replace(
    VISION_PRESETS["nano"],
    size=16,
    stem_widths=(4,),
    patch=4,
    width=8,
    num_layers=1,
    ffn_width=8,
    feature_width=6,
)
GRID = SoundGrid()
RATES = [Fraction(rate) for rate in (8, 12, 16, 24, 25, 30, 50, 60)] + [Fraction(24000, 1001)]


@pytest.fixture
def vision(randomize):
    return randomize(FrameEncoder(TINY))


def test_every_frame_has_one_vector_which_no_other_frame_changes(vision):
    clip = torch.rand(2, 3, 4, 16, 16) * 2 - 1
    features = vision(clip)
    assert features.shape == (2, 4, 6)
    assert_close(torch.cat([vision(clip[:, :, t : t + 1]) for t in range(4)], dim=1), features)


def test_where_something_is_seen_matters(vision):
    clip = torch.rand(1, 3, 1, 16, 16) * 2 - 1
    for turned in (clip.flip(-1), clip.flip(-2)):
        assert not torch.allclose(vision(turned), vision(clip), atol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(9, 16), (40, 20), (5, 5)])
def test_a_picture_of_any_size_is_read_as_its_square(vision, height, width):
    clip = torch.rand(1, 3, 2, height, width)
    assert_close(vision(clip), vision(fit_frames(clip, 16)))


def test_a_plain_picture_stays_plain_in_a_square_and_a_square_stays_as_it_is():
    assert_close(fit_frames(torch.full((1, 3, 2, 5, 9), 0.3), 8), torch.full((1, 3, 2, 8, 8), 0.3))
    clip = torch.rand(1, 3, 2, 8, 8)
    assert fit_frames(clip, 8) is clip


@pytest.mark.parametrize("fps", RATES)
def test_what_is_seen_in_the_middle_of_a_latent_frame_is_on_the_screen_then(fps):
    for frame, index in enumerate(frames_seen(200, fps, 60, GRID)):
        middle = Fraction(2 * frame + 1, 50)
        assert index / fps <= middle < (index + 1) / fps or index == 199


@pytest.mark.parametrize("fps", RATES)
def test_even_pictures_are_seen_alike_whether_told_by_rate_or_by_times(fps):
    starts = [Fraction(index) / fps for index in range(37)]
    assert frames_seen_at(starts, 90, GRID) == frames_seen(37, fps, 90, GRID)


def test_at_25_frames_a_second_each_is_seen_once():
    assert frames_seen(9, Fraction(25), 9, GRID) == list(range(9))


def test_uneven_pictures_are_seen_while_they_last_and_the_last_one_stays():
    starts = [Fraction(0), Fraction(1, 10), Fraction(3, 25), Fraction(1)]
    seen = frames_seen_at(starts, 40, GRID)
    assert all(left <= right for left, right in pairwise(seen))
    assert seen[:4] == [0, 0, 1, 2]
    assert seen[24:] == [2] + [3] * 15


def test_before_the_first_picture_the_first_is_seen():
    assert frames_seen_at([Fraction(1, 2), Fraction(1)], 3, GRID) == [0, 0, 0]


@pytest.mark.parametrize("change", [{"size": 15}, {"width": 9}])
def test_a_config_that_contradicts_itself_is_refused(change):
    with pytest.raises(SettingsError, match="vision config"):
        replace(TINY, **change)


@pytest.mark.parametrize("preset", VISION_PRESETS)
def test_features_fit_the_audio_transformer(preset):
    assert VISION_PRESETS[preset].feature_width == AUDIO_PRESETS[preset].vision_width


def test_the_papers_features_are_1024_numbers_a_frame():
    assert VISION_PRESETS["paper"].feature_width == 1024


def test_every_parameter_lives_in_a_layer_of_the_given_operations(operations, strays):
    assert not strays(FrameEncoder(TINY, operations=operations))
