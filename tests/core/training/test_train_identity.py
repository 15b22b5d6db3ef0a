import random
from dataclasses import replace

import pytest
import torch

from moviegen_core.evaluation.measure_personalized import is_same_place
from moviegen_core.models.identity import IdentityEncoder
from moviegen_core.stages.faces import around_head
from moviegen_core.theatre.sampling import draw_person
from moviegen_core.training import train_identity
from moviegen_core.training.recipes import PERSONALIZED_NANO
from moviegen_core.training.train_identity import (
    IdentityObjective,
    Softening,
    near_miss,
    nobodys,
    portrait,
)
from tests.core.training.conftest import SMALL

RECIPE = replace(
    PERSONALIZED_NANO.identity,
    people=3,
    loop=replace(PERSONALIZED_NANO.identity.loop, num_steps=2, warmup_steps=1),
)


def test_views_of_a_person_differ_and_nobody_comes_twice():
    objective = IdentityObjective(IdentityEncoder(SMALL), RECIPE)
    views, others = objective.views(3)
    assert views.shape == (3, 3, 3, 16, 16)
    assert others.shape == (9, 3, 16, 16)
    assert not torch.equal(views[0], views[1])


def test_a_perfect_encoder_has_no_contrast_loss_and_a_blind_one_the_logarithm():
    objective = IdentityObjective(IdentityEncoder(SMALL), RECIPE)
    perfect = torch.eye(4).expand(3, 4, 4)
    assert objective._alike(perfect) < 1e-3
    blind = torch.ones(3, 4, 4) / 2
    assert objective._alike(blind) == pytest.approx(torch.tensor(4.0).log().item(), abs=1e-4)


def test_a_portrait_fills_its_square():
    face = portrait(draw_person(random.Random(0)), random.Random(1), 32)
    assert face.shape == (3, 32, 32)
    assert face.std() > 0.1


@pytest.mark.parametrize("seed", range(12))
def test_a_near_miss_is_no_square_that_a_finder_should_choose(seed, monkeypatch):
    taken = []
    monkeypatch.setattr(train_identity, "crop", lambda _picture, face, _size: taken.append(face))
    near_miss(torch.zeros(3, 112, 192), (50.0, 90.0, 9.0), random.Random(seed), 16)
    assert not is_same_place(around_head(50.0, 90.0, 9.0), taken[0])


def test_where_nobody_is_half_of_the_squares_lie_on_what_there_is_instead(monkeypatch):
    seen = []
    monkeypatch.setattr(train_identity, "render", lambda scenes, **_: seen.extend(scenes) or pictures(scenes))
    monkeypatch.setattr(train_identity, "render_mattes", lambda scenes, **_: half(scenes))
    monkeypatch.setattr(train_identity, "crop", lambda _picture, face, _size: face)
    faces = nobodys(200, random.Random(0), 16)
    assert not any(actor.kind == "person" for scene in seen for actor in scene.actors)
    right = sum(face.left + face.side / 2 > 170 for face in faces)
    assert 60 < right < 140


def pictures(scenes):
    return torch.zeros(len(scenes), 3, 1, 112, 192)


def half(scenes):
    """Mattes of an actor at the right edge."""
    return torch.zeros(len(scenes), 1, 1, 112, 192).index_fill_(4, torch.arange(180, 192), 1.0)


def test_some_pictures_lose_detail_and_the_others_stay():
    noise = torch.randn(40, 3, 16, 16)
    soft = Softening(0.5, random.Random(0))(noise)
    same = (soft == noise).flatten(1).all(1)
    assert 10 < same.sum() < 30
    assert soft[~same].std() < 0.8 * noise.std()
