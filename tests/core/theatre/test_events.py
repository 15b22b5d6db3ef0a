from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from moviegen_core.theatre import vocabulary as words
from moviegen_core.theatre.events import BEDS, INSTRUMENTS, MOODS, SPLASHING, TEMPOS, beds, events, music
from moviegen_core.theatre.motion import track
from moviegen_core.theatre.sampling import sample_scenes
from moviegen_core.theatre.scene import Actor, Person, Scene
from moviegen_core.theatre.weather import flash

SECONDS = 6.0
SCENES = sample_scenes(0, 150)
FACE = Person(skin="tan", hair_colour="brown", hair_style="short", eyes="blue", glasses=False, hat="none")


def _scene(
    kind="ball",
    action="bounce",
    *,
    seed=3,
    place="beach",
    size="medium",
    weather="clear",
    camera="static shot",
):
    person = FACE if kind == "person" else None
    actor = Actor(kind=kind, colour="red", size=size, action=action, person=person)
    return Scene(actors=(actor,), place=place, weather=weather, camera=camera, look="plain", seed=seed)


def _lowest_moments(scene, steps_per_second=500):
    """Times at which the drawn actor is at the bottom of its way, found from its poses alone."""
    times = torch.arange(-50, int(SECONDS * steps_per_second) + 50, dtype=torch.float64) / steps_per_second
    y = track(scene, 0).y(times)
    low = (y[1:-1] <= y[:-2]) & (y[1:-1] < y[2:])
    return [float(t) for t in times[1:-1][low] if 0 <= t < SECONDS]


def _landing_moments(scene, steps_per_second=500):
    """Times at which the drawn actor comes down from the air, found from its poses alone."""
    times = torch.arange(-50, int(SECONDS * steps_per_second) + 50, dtype=torch.float64) / steps_per_second
    way = track(scene, 0)
    up = way.y(times) > way.ground + 1e-6
    return [float(t) for t in times[1:][up[:-1] & ~up[1:]] if 0 <= t < SECONDS]


def _heard(scene, *kinds):
    return [event.time for event in events(scene, SECONDS) if event.kind.split()[0] in kinds]


def _agree(heard, seen):
    """Every contact away from the clip's ends is heard once, and nothing else is."""

    def covered(some, others):
        return all(any(abs(t - other) < 0.005 for other in others) for t in some if 0.01 < t < SECONDS - 0.01)

    apart = all(later - earlier > 0.05 for earlier, later in pairwise(heard))
    return apart and bool(heard) and covered(heard, seen) and covered(seen, heard)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kind", ["ball", "boat", "person"])
def test_a_bouncing_actor_is_heard_exactly_when_it_is_lowest(kind, seed):
    scene = _scene(kind, "bounce", seed=seed)
    assert _agree(_heard(scene, "impact", "splash"), _lowest_moments(scene))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kind", ["box", "fish", "cat"])
def test_a_jumping_actor_is_heard_exactly_when_it_lands(kind, seed):
    scene = _scene(kind, "jump", seed=seed)
    assert _agree(_heard(scene, "impact", "splash"), _landing_moments(scene))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    ("kind", "action"), [("person", "go left"), ("cat", "go right"), ("person", "dance")]
)
def test_feet_are_heard_exactly_when_the_walker_sinks_onto_them(kind, action, seed):
    scene = _scene(kind, action, seed=seed)
    assert _agree(_heard(scene, "footstep"), _lowest_moments(scene))


@pytest.mark.parametrize("action", ["spin", "float up", "stand still"])
def test_who_touches_nothing_makes_no_sound(action):
    for kind in words.ACTORS:
        assert events(_scene(kind, action), SECONDS) == ()


def test_events_lie_within_the_clip_in_order_and_in_range():
    for scene in SCENES:
        found = events(scene, 4.0)
        assert [event.time for event in found] == sorted(event.time for event in found)
        for event in found:
            assert 0 <= event.time < 4.0
            assert 0 < event.strength <= 1
            assert -1 <= event.pan <= 1
            assert 20 < event.pitch < 4000


def test_a_longer_clip_extends_the_events_of_a_shorter_one():
    for scene in SCENES:
        longer = events(scene, 7.3)
        assert events(scene, 2.9) == tuple(event for event in longer if event.time < 2.9)


def test_every_lightning_is_heard_when_it_is_seen():
    for scene in (_scene(weather="storm", seed=seed) for seed in range(20)):
        claps = [event.time for event in events(scene, SECONDS) if event.kind == "thunder"]
        assert claps
        assert torch.all(flash(scene, torch.tensor(claps)) > 0.99)
    assert not [event for event in events(_scene(), SECONDS) if event.kind == "thunder"]


def test_the_second_actors_sounds_do_not_change_when_the_first_is_another():
    quiet = _scene("balloon", "stand still").actors[0]
    for scene in (scene for scene in SCENES if len(scene.actors) == 2 and scene.camera == "static shot"):
        alone, both = events(replace(scene, actors=scene.actors[:1]), 4.0), events(scene, 4.0)
        swapped = events(replace(scene, actors=(quiet, scene.actors[1])), 4.0)
        assert {event for event in both if event not in alone} <= set(swapped)


def test_small_actors_sound_higher_and_softer_than_large_ones():
    small, large = (events(_scene(size=size), SECONDS)[0] for size in ("small", "large"))
    assert small.pitch > large.pitch
    assert small.strength < large.strength


def test_boats_fish_and_koalas_land_with_a_splash_except_under_water():
    for kind in words.ACTORS:
        kinds = {event.kind for event in events(_scene(kind), SECONDS)}
        assert kinds == {"splash" if kind in SPLASHING else f"impact {kind}"}
        assert {event.kind for event in events(_scene(kind, place="underwater"), SECONDS)} == {
            f"impact {kind}"
        }


def test_a_walker_is_heard_moving_the_way_it_walks_and_fades_outside():
    steps = events(_scene("person", "go left"), 5.0)
    assert steps[0].pan > steps[len(steps) // 3].pan > steps[-1].pan
    gone = events(_scene("person", "go left"), 9.0)
    assert min(event.strength for event in gone) < 0.9 * steps[0].strength


def test_a_tracking_shot_keeps_the_walker_in_the_middle():
    steps = events(_scene("person", "go left", camera="tracking shot"), SECONDS)
    assert all(abs(event.pan) < 0.3 for event in steps)


def test_beds_are_known_audible_and_unique():
    for scene in SCENES:
        found = beds(scene)
        assert found
        assert all(bed.kind in BEDS and 0 < bed.level <= 1 for bed in found)
        assert len({(bed.kind, bed.actor) for bed in found}) == len(found)


def test_every_bed_is_heard_somewhere():
    assert {bed.kind for scene in sample_scenes(0, 600) for bed in beds(scene)} == set(BEDS)


def test_birds_and_crickets_hide_from_rain_but_waves_do_not():
    def kinds(place, weather):
        return {bed.kind for bed in beds(_scene(place=place, weather=weather))}

    assert "birds" in kinds("meadow", "clear")
    assert "birds" not in kinds("meadow", "rain")
    assert "crickets" not in kinds("night sky", "snow")
    assert {"waves", "rain", "wind"} <= kinds("beach", "storm")


def test_each_car_has_an_engine_louder_when_it_drives():
    [driving] = [bed for bed in beds(_scene("car", "go left")) if bed.kind == "engine"]
    [idle] = [bed for bed in beds(_scene("car", "stand still")) if bed.kind == "engine"]
    assert (driving.actor, idle.actor) == (0, 0)
    assert driving.level > idle.level
    assert "engine" not in {bed.kind for bed in beds(_scene("boat", "go left"))}


def test_music_is_known_repeatable_and_in_the_tempo_of_its_mood():
    for scene in SCENES:
        heard = music(scene)
        low, high = TEMPOS[heard.mood]
        assert heard.mood in MOODS
        assert heard.instrument in INSTRUMENTS
        assert low <= heard.tempo <= high
        assert music(scene) == heard


def test_every_mood_and_instrument_is_played_somewhere():
    heard = [music(scene) for scene in sample_scenes(0, 600)]
    assert {one.mood for one in heard} == set(MOODS)
    assert {one.instrument for one in heard} == set(INSTRUMENTS)


def test_a_dancers_steps_fall_on_beats():
    for seed in range(10):
        scene = _scene("star", "dance", seed=seed)
        heard = music(scene)
        for event in events(scene, SECONDS):
            beats = (event.time - heard.first_beat) * heard.tempo / 60
            assert abs(beats - round(beats)) < 1e-6
