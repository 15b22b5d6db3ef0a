"""Where actors are at which time."""

import math
from dataclasses import replace

import pytest
import torch

from moviegen_core.theatre import vocabulary as words
from moviegen_core.theatre.motion import track
from moviegen_core.theatre.scene import Actor, Person, Scene

FACE = Person(skin="tan", hair_colour="red", hair_style="curly", eyes="green", glasses=True, hat="cap")


def actor(kind="ball", action="bounce", size="medium", colour="red"):
    return Actor(
        kind=kind, colour=colour, size=size, action=action, person=FACE if kind == "person" else None
    )


def scene(*actors, seed=3, camera="static shot", place="meadow"):
    return Scene(actors=actors, place=place, weather="clear", camera=camera, look="plain", seed=seed)


def lows(way, seconds):
    """Times at which the actor's base is at its lowest, found on a fine grid."""
    times = torch.linspace(0, seconds, int(seconds * 2000) + 1, dtype=torch.float64)
    y = way.y(times)
    inner = (y[1:-1] < y[:-2]) & (y[1:-1] <= y[2:])
    return times[1:-1][inner]


@pytest.mark.parametrize("kind", words.ACTORS)
@pytest.mark.parametrize("seed", range(3))
def test_bounces_hit_the_ground_exactly_when_impacts_say(kind, seed):
    way = track(scene(actor(kind, "bounce"), seed=seed), 0)
    impacts = [t for t in way.impacts(5) if 0.01 < t < 4.99]
    assert len(impacts) >= 3
    assert torch.allclose(lows(way, 5), torch.tensor(impacts, dtype=torch.float64), atol=2e-3)
    assert torch.allclose(way.y(torch.tensor(impacts)), torch.full((len(impacts),), way.ground), atol=1e-4)


@pytest.mark.parametrize("kind", words.ACTORS)
def test_a_jump_lands_when_impacts_say(kind):
    way = track(scene(actor(kind, "jump")), 0)
    for landing in way.impacts(6):
        before, after = (
            way.y(torch.tensor([landing - 0.05, landing + 0.05], dtype=torch.float64)) - way.ground
        )
        assert before > 0.01
        assert after == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("kind", ["person", "cat"])
@pytest.mark.parametrize("action", ["go left", "go right"])
def test_a_step_sounds_when_the_legs_are_furthest_apart(kind, action):
    way = track(scene(actor(kind, action)), 0)
    steps = torch.tensor(way.footsteps(4), dtype=torch.float64)
    assert len(steps) >= 6
    assert torch.allclose(torch.sin(way.phase(steps)).abs(), torch.ones_like(steps), atol=1e-6)


@pytest.mark.parametrize("kind", words.ACTORS)
def test_only_feet_make_footsteps_and_only_landings_impacts(kind):
    walking, still = (track(scene(actor(kind, a)), 0) for a in ("go left", "stand still"))
    assert bool(walking.footsteps(4)) == (kind in ("person", "cat"))
    assert walking.impacts(4) == still.impacts(4) == still.footsteps(4) == []


@pytest.mark.parametrize("action", words.ACTIONS)
def test_contacts_of_a_shorter_time_begin_those_of_a_longer(action):
    way = track(scene(actor("person", action)), 0)
    short, long = way.impacts(2) + way.footsteps(2), way.impacts(5) + way.footsteps(5)
    assert short == long[: len(short)]
    assert all(0 <= t <= 2 for t in short)


@pytest.mark.parametrize("kind", words.ACTORS)
@pytest.mark.parametrize("seed", range(4))
def test_an_actor_that_goes_crosses_calmly_in_the_direction_it_looks(kind, seed):
    for action, sign in (("go left", -1), ("go right", 1)):
        way = track(scene(actor(kind, action), seed=seed), 0)
        across, _ = way.velocity(torch.linspace(0, 3, 7))
        assert (across * sign > 0.15).all()
        assert (across.abs() <= 0.36).all()


@pytest.mark.parametrize("action", words.ACTIONS)
@pytest.mark.parametrize("seed", range(4))
def test_the_middle_of_an_actor_stays_on_the_stage_for_four_seconds(action, seed):
    way = track(scene(actor("koala", action, "large"), seed=seed), 0)
    times = torch.linspace(0, 4, 81)
    assert (way.x(times).abs() < 0.9).all()
    assert ((way.y(times) + 0.5 * way.size).abs() < 0.5).all()


def test_a_rolling_ball_does_not_slip():
    way = track(scene(actor("ball", "go right"), seed=5), 0)
    times = torch.tensor([0.5, 1.0])
    turned, gone = way.rotation(times).diff(), way.x(times).diff()
    assert float(-turned * way.size / 2) == pytest.approx(float(gone), rel=1e-4)


def test_spins_take_between_two_and_three_and_a_half_seconds():
    for seed in range(8):
        angle = track(scene(actor("star", "spin"), seed=seed), 0).rotation(torch.tensor([0.0, 1.0]))
        assert 0.28 < abs(float(angle.diff())) / math.tau < 0.5


def test_motion_knows_nothing_of_place_and_second_actor():
    alone = scene(actor("car", "go left"))
    changed = replace(alone, actors=(*alone.actors, actor("cat", "dance")), place="underwater", look="neon")
    assert track(alone, 0) == track(changed, 0)


def test_two_standing_actors_stand_apart():
    for seed in range(6):
        pair = scene(actor("cat", "stand still"), actor("bird", "spin"), seed=seed)
        assert abs(track(pair, 0).start - track(pair, 1).start) > 0.4


def test_the_followed_actor_never_jumps_back():
    way = track(scene(actor("car", "go right"), camera="tracking shot"), 0)
    assert (way.x(torch.linspace(0, 30, 400)).diff() > 0).all()
