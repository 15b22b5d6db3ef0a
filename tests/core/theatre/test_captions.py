import random
import re
from dataclasses import replace

import pytest

from moviegen_core.theatre import vocabulary as words
from moviegen_core.theatre import wording as say
from moviegen_core.theatre.captions import (
    MAX_CAPTION,
    camera_label,
    canonical_caption,
    caption,
    caption_and_label,
)
from moviegen_core.theatre.sampling import sample_scenes
from moviegen_core.theatre.scene import Actor, Scene

SCENES = sample_scenes(0, 600)
CAPTIONS = [caption(scene, random.Random(index)) for index, scene in enumerate(SCENES)]
BALL = Scene(
    actors=(Actor(kind="ball", colour="red", size="medium", action="bounce"),),
    place="beach",
    weather="clear",
    camera="static shot",
    look="plain",
    seed=1,
)


def _says_one_of(text, phrases):
    return any(re.search(rf"\b{re.escape(phrase.lower())}", text.lower()) for phrase in phrases)


def test_the_same_draw_gives_the_same_caption():
    assert caption(BALL, random.Random(4)) == caption(BALL, random.Random(4))


def test_one_scene_is_said_in_more_than_a_hundred_ways():
    assert len({caption(BALL, random.Random(seed)).lower().rstrip(".") for seed in range(400)}) > 100


def test_every_actor_is_named_in_every_caption():
    for scene, text in zip(SCENES, CAPTIONS, strict=True):
        for actor in scene.actors:
            assert _says_one_of(text, say.NOUNS[actor.kind]), text


def test_every_colour_is_named_unless_the_picture_has_none():
    for scene, text in zip(SCENES, CAPTIONS, strict=True):
        for actor in scene.actors:
            names = (*say.COLOUR_WORDS.get(actor.colour, ()), actor.colour)
            assert scene.look == "black-and-white" or _says_one_of(text, names), text


def test_look_and_weather_are_said_whenever_they_are_special():
    stems = {"rain": "rain", "snow": "snow", "storm": "storm|lightning"}
    looks = {"pencil": "pencil", "black-and-white": "black|monochrome|b&w", "burning gold": "burning[- ]gold"}
    for scene, text in zip(SCENES, CAPTIONS, strict=True):
        assert scene.weather == "clear" or re.search(stems[scene.weather], text.lower()), text
        assert scene.look == "plain" or re.search(looks.get(scene.look, scene.look), text.lower()), text


def test_short_captions_drop_place_or_action_seldom_and_long_ones_never():
    deeds = [say.progressive(deed) for deed in say.deeds("ball", "bounce")]
    deeds += [say.third_person(deed) for deed in say.deeds("ball", "bounce")] + ["bounce"]
    for detail, fewest, most in ((0.0, 0.87, 0.98), (1.0, 1.0, 1.0)):
        texts = [caption(BALL, random.Random(seed), detail=detail) for seed in range(400)]
        assert fewest <= sum(_says_one_of(text, deeds) for text in texts) / 400 <= most


def test_lengths_run_from_a_few_words_to_the_limit():
    lengths = sorted(map(len, CAPTIONS))
    assert 50 < lengths[300] < 75
    assert lengths[0] < 30
    assert lengths[-1] <= MAX_CAPTION


def test_more_detail_says_more():
    def mean(detail):
        return sum(len(caption(s, random.Random(i), detail=detail)) for i, s in enumerate(SCENES)) / len(
            SCENES
        )

    assert mean(0.0) < mean(0.5) < mean(1.0)


def test_captions_carry_no_stray_spaces_or_doubled_points():
    for text in CAPTIONS:
        assert text == " ".join(text.split())
        assert not re.search(r" [,.]|[,.]{2}", text), text


@pytest.mark.parametrize(
    ("deed", "says", "doing"),
    [
        ("slide left", "slides left", "sliding left"),
        ("spin", "spins", "spinning"),
        ("fly up", "flies up", "flying up"),
        ("go to the left", "goes to the left", "going to the left"),
        ("do a dance", "does a dance", "doing a dance"),
        ("perch quietly", "perches quietly", "perching quietly"),
        ("lie still", "lies still", "lying still"),
        ("stay still", "stays still", "staying still"),
    ],
)
def test_deeds_are_inflected_as_english_does(deed, says, doing):
    assert (say.third_person(deed), say.progressive(deed)) == (says, doing)


def test_articles_suit_the_sound_that_follows():
    assert [say.with_article(word) for word in ("orange ball", "red ball")] == [
        "an orange ball",
        "a red ball",
    ]
    assert not any(re.search(r"\ba [aeio](?!ne)|\ban [^aeio]", text.lower()) for text in CAPTIONS)


def test_the_canonical_caption_is_one_clean_sentence():
    assert canonical_caption(BALL) == "A red ball bounces on the beach."


def test_scenes_that_words_can_tell_apart_have_different_canonical_captions():
    texts = {
        canonical_caption(replace(BALL, place=place, look=look))
        for place in words.PLACES
        for look in words.LOOKS
    }
    assert len(texts) == len(words.PLACES) * len(words.LOOKS)
    actors = [
        Actor(kind=kind, colour=colour, size=size, action=action)
        for kind in words.ACTORS[:-1]
        for colour in words.COLOURS
        for size in words.SIZES
        for action in words.ACTIONS
    ]
    assert len({canonical_caption(replace(BALL, actors=(actor,))) for actor in actors}) == len(actors)


def test_no_canonical_caption_is_too_long():
    assert max(len(canonical_caption(scene)) for scene in SCENES) <= MAX_CAPTION


def test_a_static_shot_is_mostly_unlabelled_and_a_moving_one_always_labelled():
    labels = [camera_label(BALL, random.Random(seed)) for seed in range(400)]
    assert 0.7 < labels.count(None) / 400 < 0.8
    assert camera_label(replace(BALL, camera="zoom in"), random.Random(0)) == "zoom in"


def test_caption_and_label_together_always_tell_a_moving_camera():
    for seed, scene in enumerate(SCENES):
        text, label = caption_and_label(scene, random.Random(seed))
        told = "camera" in text.lower() or "tracking shot" in text.lower() or scene.camera in text.lower()
        assert scene.camera == "static shot" or label == scene.camera or (label is None and told), text
