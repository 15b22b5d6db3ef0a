"""Likeness separates people when it does, and a score of chance is told as chance."""

import random
from dataclasses import asdict

import pytest
import torch

from moviegen_core.evaluation.measure_identity import (
    ON_STAGE,
    PORTRAITS,
    TWINS,
    different_people,
    four_views,
    identity_work,
    measure_identity,
    separated,
    twin,
)
from moviegen_core.evaluation.metrics import area_under_curve
from moviegen_core.evaluation.work import Work
from moviegen_core.models.identity import IdentityEncoder
from moviegen_core.theatre.questions import face_answers
from tests.core.models.test_identity import TINY


def test_the_area_is_one_zero_or_a_half():
    low, high = torch.tensor([0.0, 0.1]), torch.tensor([0.2, 0.5, 0.9])
    assert area_under_curve(high, low) == 1
    assert area_under_curve(low, high) == 0
    assert area_under_curve(low, low) == 0.5
    assert area_under_curve(torch.zeros(3), torch.zeros(5)) == 0.5


def test_the_area_is_the_share_of_comparisons_that_come_out_right():
    generator = torch.Generator().manual_seed(0)
    same, different = (torch.rand(7, generator=generator).round(decimals=1) for _ in range(2))
    won = [(a > b) + 0.5 * (a == b) for a in same.tolist() for b in different.tolist()]
    assert area_under_curve(same, different) == pytest.approx(sum(won) / 49)
    assert area_under_curve(2 * same + 3, 2 * different + 3) == area_under_curve(same, different)


def test_a_perfect_encoder_separates_everybody_and_a_blind_one_nobody():
    perfect, blind = torch.eye(5), torch.ones(5, 5) / 5**0.5
    assert separated(perfect, perfect).area == 1
    assert separated(perfect, perfect).num_different == 20
    assert separated(blind, blind).area == 0.5


def test_one_person_alone_is_not_told_from_anybody():
    alone = separated(torch.ones(1, 4) / 2, torch.ones(1, 4) / 2)
    assert alone.same == pytest.approx(1.0)
    assert alone.area is None
    assert alone.different is None


def test_nobody_comes_twice():
    people = different_people(100)
    assert len(set(map(str, people))) == 100


def test_a_twin_differs_in_exactly_one_thing_that_can_be_seen():
    rng, changed = random.Random(0), set()
    for person in different_people(150):
        other = twin(person, rng)
        fields = [name for name, value in asdict(other).items() if value != asdict(person)[name]]
        assert len(fields) == 1
        assert face_answers(other) != face_answers(person)
        changed |= set(fields)
    assert changed == {"skin", "hair_colour", "hair_style", "glasses", "hat"}


def test_views_of_a_person_are_two_portraits_and_two_stages():
    views = four_views(different_people(1)[0], random.Random(0), 16)
    assert views.shape == (4, 3, 16, 16)
    assert len({tuple(view.flatten().tolist()) for view in views}) == 4


def test_measuring_compares_everybody_with_everybody_and_tells_its_progress():
    torch.manual_seed(0)
    encoder, seen = IdentityEncoder(TINY).eval(), []
    work = Work(identity_work(4), lambda *counts: seen.append(counts))
    measures = measure_identity(encoder, 4, work)
    assert seen[-1] == (4, 4)
    assert set(measures.separation) == {ON_STAGE, PORTRAITS, TWINS}
    assert [measures.separation[kind].num_different for kind in (ON_STAGE, PORTRAITS, TWINS)] == [12, 12, 4]
    assert all(0 <= one.area <= 1 for one in measures.separation.values())
