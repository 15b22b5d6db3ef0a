"""What a sound's judge is asked."""

from dataclasses import replace

from moviegen_core.theatre.events import INSTRUMENTS, MOODS, beds, events, music
from moviegen_core.theatre.questions import NO_ANSWER
from moviegen_core.theatre.sampling import sample_scenes
from moviegen_core.theatre.sound.hearing import AUDIBLE_SECONDS, heard
from moviegen_core.theatre.sound.questions import NO_MUSIC, SOUND_QUESTIONS, right_answers, sound_classes

SCENES = sample_scenes(0, 600)
SECONDS = 4.0


def test_every_answer_is_given_somewhere_and_every_class_is_known():
    sounds = [heard(scene, SECONDS) for scene in SCENES] + [
        heard(SCENES[0], SECONDS, ("effects", "ambience"))
    ]
    classes = sound_classes(sounds)
    assert classes.shape == (len(sounds), len(SOUND_QUESTIONS))
    for column, options in zip(classes.T, SOUND_QUESTIONS.values(), strict=True):
        assert set(column.tolist()) - {NO_ANSWER} == set(range(len(options)))


def test_the_ambience_is_the_loudest_bed_of_the_place():
    for scene in SCENES:
        levels = {bed.kind: bed.level for bed in beds(scene) if bed.actor is None}
        assert levels[right_answers(heard(scene, SECONDS))["ambience"]] == max(levels.values())


def test_music_is_asked_with_its_instrument_only_where_there_is_music():
    for scene in SCENES[:50]:
        answers = right_answers(heard(scene, SECONDS))
        assert (answers["music"], answers["instrument"]) == (music(scene).mood, music(scene).instrument)
        without = right_answers(heard(scene, SECONDS, ("effects",)))
        assert without["music"] == NO_MUSIC
        assert "instrument" not in without
        assert "ambience" not in without
    assert set(MOODS) < set(SOUND_QUESTIONS["music"])
    assert SOUND_QUESTIONS["instrument"] == INSTRUMENTS


def test_an_effect_is_heard_when_one_of_its_kind_happens():
    for scene in SCENES:
        answers, told = (
            right_answers(heard(scene, SECONDS)),
            {event.kind.split()[0] for event in events(scene, SECONDS)},
        )
        for family in ("impact", "footstep", "splash", "thunder"):
            assert answers.get(family, "doubtful") != "heard" or family in told
            assert answers.get(family, "doubtful") != "absent" or family not in told


def test_what_is_cut_off_at_the_end_is_not_asked():
    cut = 0
    for scene in (scene for scene in SCENES if len(scene.actors) == 1):
        told = events(scene, SECONDS)
        if told and told[0].time > AUDIBLE_SECONDS and told[0].kind != "thunder":
            answers = right_answers(heard(scene, told[0].time + 0.5 * AUDIBLE_SECONDS))
            assert told[0].kind.split()[0] not in answers
            cut += 1
    assert cut > 50


def test_an_engine_is_heard_where_a_car_is_and_only_in_the_effects():
    for scene in SCENES:
        has_car = any(actor.kind == "car" for actor in scene.actors)
        assert right_answers(heard(scene, SECONDS))["engine"] == ("heard" if has_car else "absent")
        assert right_answers(heard(scene, SECONDS, ("ambience",)))["engine"] == "absent"


def test_questions_do_not_depend_on_look_or_camera():
    for scene in SCENES[:30]:
        other = replace(scene, look="neon" if scene.look != "neon" else "plain")
        assert right_answers(heard(scene, SECONDS)) == right_answers(heard(other, SECONDS))
