"""Captions of sounds: true, varied, in the paper's form, short enough for the text encoder."""

import random
import re
from dataclasses import replace

import pytest

from moviegen_core.models.text import TEXT_PRESETS, check_prompt
from moviegen_core.theatre import vocabulary as words
from moviegen_core.theatre.events import music
from moviegen_core.theatre.sampling import sample_scenes
from moviegen_core.theatre.sound import wording as say
from moviegen_core.theatre.sound.captions import (
    MAX_DESCRIPTION,
    MAX_MUSIC_DESCRIPTION,
    SoundText,
    canonical_sound_text,
    paper_caption,
    sound_text,
)
from moviegen_core.theatre.sound.hearing import STEMS, heard

SECONDS = 4.0
SCENES = sample_scenes(0, 400)
FORM = re.compile(
    r"This audio has quality: \d+\.\d\. This audio does not contain speech\. This audio does not contain "
    r"vocal singing\. This audio contains music with a [01]\.\d\d likelihood\. This audio has a description: "
    r'"[^"]*"\. This audio has a music description \(if applicable\): "[^"]*"\.'
)


def _texts(stems=STEMS):
    return [
        (scene, sound_text(scene, SECONDS, random.Random(i), stems=stems)) for i, scene in enumerate(SCENES)
    ]


def _names(text, phrases):
    """Whether any of the phrases is in the text, whatever the ground is called."""
    return any(part in text.lower() for phrase in phrases for part in [phrase.split("{")[0].strip().lower()])


def test_captions_have_the_papers_form_and_fit_the_text_encoder():
    for _, text in _texts():
        caption = paper_caption(text)
        assert FORM.fullmatch(caption)
        check_prompt(caption, TEXT_PRESETS["nano"].max_bytes)
        assert len(text.description) <= MAX_DESCRIPTION
        assert len(text.music) <= MAX_MUSIC_DESCRIPTION
    longest = paper_caption(SoundText(description="x" * MAX_DESCRIPTION, music="x" * MAX_MUSIC_DESCRIPTION))
    check_prompt(longest, TEXT_PRESETS["nano"].max_bytes)


def test_every_clear_effect_and_every_loud_bed_is_told():
    for scene, text in _texts():
        sound = heard(scene, SECONDS)
        for event in sound.events:
            assert _names(text.description, say.EVENTS[event.kind]), (text, event)
        for bed in sound.beds:
            phrases = say.BEDS[bed.kind] + say.STRONG.get(bed.kind, ())
            assert bed.level < say.FAINT_LEVEL or _names(text.description, phrases), (text, bed)


def test_nothing_is_told_that_is_not_heard():
    signs = {
        "thunder": "thunder",
        "splash": "splash",
        "footstep person": "footstep",
        "birds": "bird",
        "rain": "rain",
    }
    for scene, text in _texts():
        sound = heard(scene, SECONDS)
        there = {event.kind for event in sound.events} | {bed.kind for bed in sound.beds}
        for kind, sign in signs.items():
            if kind not in there and "impact bird" not in there:
                assert sign not in text.description.lower(), (text, kind)


def test_music_is_told_if_and_only_if_it_is_in_the_mix():
    for scene, text in _texts():
        played = music(scene)
        assert _names(text.music, say.MOODS[played.mood])
        assert _names(
            text.music, [phrase.removeprefix("a ") for phrase in say.INSTRUMENTS[played.instrument]]
        )
        assert "0.95 likelihood" in paper_caption(text)
    for _, text in _texts(("effects", "ambience")):
        assert text.music == ""
        assert "music" not in text.description
        assert "0.01 likelihood" in paper_caption(text)


def test_stems_that_are_left_out_go_unsaid():
    for scene, text in _texts(("effects",)):
        assert not any(_names(text.description, say.BEDS[kind]) for kind in ("waves", "crickets", "rain"))
        if (
            not heard(scene, SECONDS, ("effects",)).events
            and scene.actors[0].kind != "car"
            and len(scene.actors) == 1
        ):
            assert _names(text.description, say.SILENCE)


def test_the_same_scene_is_worded_in_many_ways():
    scene = replace(SCENES[0], place="beach", weather="storm")
    assert len({sound_text(scene, SECONDS, random.Random(i)).description for i in range(100)}) > 70


def test_captions_repeat_with_their_dice_and_words_are_well_joined():
    for (_, first), (_, second) in zip(_texts(), _texts(), strict=True):
        assert first == second
        assert "  " not in first.description + first.music
        assert "{" not in first.description
        assert not re.search(r"\ba [aeio]", first.music)


def test_the_canonical_text_is_one_and_tells_the_same():
    for scene in SCENES[:100]:
        text = canonical_sound_text(scene, SECONDS)
        assert text == canonical_sound_text(scene, SECONDS)
        assert len(paper_caption(text)) <= 480
        assert all(
            _names(text.description, say.EVENTS[event.kind][:1]) for event in heard(scene, SECONDS).events
        )


@pytest.mark.parametrize("place", words.PLACES)
def test_every_place_has_a_ground_to_tread_on(place):
    assert say.GROUNDS[place]
