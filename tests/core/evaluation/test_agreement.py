"""Counting right answers."""

import math

import pytest

from moviegen_core.evaluation.agreement import Agreement, tally


@pytest.mark.parametrize("right", [0, 1, 5, 19, 20])
def test_the_interval_holds_the_share_and_stays_within_0_and_1(right):
    agreement = Agreement(right, 20)
    low, high = agreement.interval()
    assert 0 <= low <= agreement.share <= high <= 1
    assert low < high


def test_the_interval_is_the_textbook_one():
    assert Agreement(8, 10).interval() == pytest.approx((0.4902, 0.9433), abs=1e-4)


def test_more_questions_make_the_interval_narrower():
    widths = [high - low for low, high in (Agreement(n // 2, n).interval() for n in (10, 100, 1000))]
    assert widths == sorted(widths, reverse=True)


def test_nothing_asked_tells_nothing():
    assert math.isnan(Agreement(0, 0).share)
    assert Agreement(0, 0).interval() == (0.0, 1.0)


def test_a_question_that_a_clip_does_not_answer_is_not_counted():
    counts = tally([{"actor": True, "colour": False}, {"actor": False}], ("actor", "colour", "place"))
    assert counts == {"actor": Agreement(1, 2), "colour": Agreement(0, 1), "place": Agreement(0, 0)}
