import random
from collections import Counter

import pytest

from moviegen_core.errors import SceneError
from moviegen_core.theatre import vocabulary as words
from moviegen_core.theatre.holdouts import HELD_OUT_COLOURS, HELD_OUT_DEEDS, is_held_out
from moviegen_core.theatre.sampling import draw_scene, possible_weathers, sample_scene, sample_scenes

TRAIN = sample_scenes(0, 3000)
HELD_OUT = sample_scenes(0, 2000, "held-out")


def test_the_same_seed_draws_the_same_scene_and_another_seed_another():
    assert sample_scenes(5, 20) == [sample_scene(5 + offset) for offset in range(20)]
    assert len({scene.to_json() for scene in TRAIN}) == len(TRAIN)


def test_a_known_seed_draws_this_scene_on_every_machine():
    scene = sample_scene(0)
    assert (scene.actors[0].kind, scene.place, scene.camera, scene.seed) == (
        "person",
        "desert",
        "static shot",
        1788956504,
    )


def test_training_never_sees_a_held_out_combination_and_evaluation_sees_nothing_else():
    assert not any(map(is_held_out, TRAIN))
    assert all(map(is_held_out, HELD_OUT))


def test_an_unknown_split_is_refused_with_the_known_ones():
    with pytest.raises(SceneError, match="train, held-out"):
        sample_scene(0, "test")


def test_about_a_seventh_of_all_scenes_is_held_out():
    rng = random.Random(1)
    share = sum(is_held_out(draw_scene(rng, 1 + (rng.random() < 0.15))) for _ in range(4000)) / 4000
    assert 0.12 < share < 0.18


@pytest.mark.parametrize(
    ("of", "known", "spread"),
    [
        (lambda scene: scene.actors[0].kind, words.ACTORS, 1.6),
        (lambda scene: scene.actors[0].colour, tuple(words.COLOURS), 2.2),
        (lambda scene: scene.actors[0].action, words.ACTIONS, 1.6),
        (lambda scene: scene.place, words.PLACES, 1.6),
    ],
)
def test_held_out_scenes_hold_every_word_about_evenly(of, known, spread):
    counts = Counter(map(of, HELD_OUT))
    assert set(counts) == set(known)
    assert max(counts.values()) < spread * min(counts.values())


def test_every_held_out_table_names_only_what_the_theatre_has():
    assert set(HELD_OUT_COLOURS) == set(HELD_OUT_DEEDS) == set(words.ACTORS)
    assert set(HELD_OUT_COLOURS.values()) == set(words.COLOURS)
    for places, actions in HELD_OUT_DEEDS.values():
        assert set(places) <= set(words.PLACES)
        assert set(actions) <= set(words.ACTIONS)


@pytest.mark.parametrize(
    ("trait", "common", "share"),
    [("look", "plain", 0.70), ("camera", "static shot", 0.45), ("weather", "clear", 0.75)],
)
def test_the_common_case_is_as_common_as_documented(trait, common, share):
    assert abs(sum(getattr(scene, trait) == common for scene in TRAIN) / len(TRAIN) - share) < 0.03


def test_two_actors_share_a_scene_in_fifteen_of_a_hundred_and_words_can_tell_them_apart():
    pairs = [scene.actors for scene in TRAIN if len(scene.actors) == 2]
    assert abs(len(pairs) / len(TRAIN) - 0.15) < 0.02
    assert all((first.kind, first.colour) != (second.kind, second.colour) for first, second in pairs)


def test_weather_and_tracking_shots_appear_only_where_they_make_sense():
    for scene in TRAIN + HELD_OUT:
        assert scene.weather in possible_weathers(scene.place)
        assert scene.camera != "tracking shot" or scene.actors[0].action in ("go left", "go right")


def test_no_weather_reaches_the_stage_or_the_sea_floor():
    assert possible_weathers("stage") == possible_weathers("underwater") == ("clear",)


def test_every_actor_still_turns_up_in_every_place():
    seen = {(scene.actors[0].kind, scene.place) for scene in TRAIN}
    assert len(seen) == len(words.ACTORS) * len(words.PLACES)
