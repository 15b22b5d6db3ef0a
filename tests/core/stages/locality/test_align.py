from dataclasses import replace
from fractions import Fraction

import pytest

from moviegen_core.errors import GeometryError
from moviegen_core.geometry import ClipShape
from moviegen_core.stages.locality.align import align

SOURCE = ClipShape(num_frames=100, fps=Fraction(25), height=1080, width=1920)


def test_equal_clips_need_nothing_and_nothing_is_said():
    plan = align(SOURCE, SOURCE)
    assert (plan.num_frames, plan.resample, plan.resize, plan.notes) == (100, False, False, ())


def test_an_edit_of_the_same_aspect_is_resized_and_that_is_said():
    plan = align(SOURCE, replace(SOURCE, height=720, width=1280))
    assert plan.resize
    assert not plan.may_crop
    assert plan.notes == ("the edit is 1280x720, the source 1920x1080; the edit was resized",)


def test_an_edit_rounded_to_a_models_sizes_may_be_cropped():
    assert align(SOURCE, replace(SOURCE, height=480, width=832)).may_crop


def test_another_aspect_is_refused_with_both_sizes():
    with pytest.raises(GeometryError, match=r"1080x1080, the source 1920x1080.*crop one"):
        align(SOURCE, replace(SOURCE, width=1080))


def test_equal_counts_meet_frame_by_frame_whatever_the_rates_say():
    plan = align(SOURCE, replace(SOURCE, fps=Fraction(16)))
    assert not plan.resample
    assert plan.num_frames == 100
    assert "counts are equal" in plan.notes[0]


def test_equal_lengths_at_another_rate_meet_by_time():
    plan = align(SOURCE, replace(SOURCE, fps=Fraction(16), num_frames=64))
    assert plan.resample
    assert plan.num_frames == 100
    assert "brought to the source's rate" in plan.notes[0]


@pytest.mark.parametrize("count", [97, 130])
def test_at_one_rate_the_result_ends_with_the_shorter_clip(count):
    plan = align(SOURCE, replace(SOURCE, num_frames=count))
    assert plan.num_frames == min(count, 100)
    assert f"the result has {min(count, 100)}" in plan.notes[0]


def test_neither_frames_nor_seconds_matching_is_refused():
    with pytest.raises(GeometryError, match="neither their frames nor their seconds match"):
        align(SOURCE, replace(SOURCE, num_frames=49, fps=Fraction(16)))
