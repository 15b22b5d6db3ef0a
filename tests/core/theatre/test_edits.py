import re
from collections import Counter
from dataclasses import replace

import pytest

from moviegen_core.theatre import wording as say
from moviegen_core.theatre.edits import TASKS, sample_edit
from moviegen_core.theatre.holdouts import is_held_out
from moviegen_core.theatre.motion import track
from moviegen_core.theatre.sampling import possible_weathers

EDITS = [sample_edit(seed) for seed in range(700)]


def _of(task):
    return [edit for edit in EDITS if edit.task == task]


def _changed_actor(edit):
    pairs = zip(edit.source.actors, edit.target.actors, strict=True)
    [(before, after)] = [(before, after) for before, after in pairs if before != after]
    return before, after


def test_the_same_seed_draws_the_same_edit():
    assert [sample_edit(seed) for seed in range(20)] == EDITS[:20]


def test_every_task_comes_up_about_as_often():
    counts = Counter(edit.task for edit in EDITS)
    assert set(counts) == set(TASKS)
    assert max(counts.values()) < 1.7 * min(counts.values())


def test_every_edit_changes_something_and_never_seed_or_camera():
    for edit in EDITS:
        assert edit.source != edit.target
        assert (edit.source.seed, edit.source.camera) == (edit.target.seed, edit.target.camera)


@pytest.mark.parametrize(
    ("task", "trait"), [("background", "place"), ("weather", "weather"), ("style", "look")]
)
def test_an_edit_of_the_scene_changes_one_trait_only(task, trait):
    for edit in _of(task):
        assert getattr(edit.source, trait) != getattr(edit.target, trait)
        assert replace(edit.source, **{trait: getattr(edit.target, trait)}) == edit.target


def test_recolouring_changes_one_actor_and_only_its_colour():
    for edit in _of("recolour"):
        before, after = _changed_actor(edit)
        assert replace(before, colour=after.colour) == after
        assert replace(edit.source, actors=edit.target.actors) == edit.target


def test_a_grey_picture_is_never_recoloured():
    assert all(edit.source.look != "black-and-white" for edit in _of("recolour"))


def test_a_swapped_actor_keeps_action_and_size():
    for edit in _of("swap"):
        before, after = _changed_actor(edit)
        assert before.kind != after.kind
        assert (before.action, before.size) == (after.action, after.size)


def test_only_the_second_actor_comes_or_goes():
    for edit in _of("add"):
        assert edit.target.actors[:1] == edit.source.actors
        assert len(edit.target.actors) == 2
    for edit in _of("remove"):
        assert edit.source.actors[:1] == edit.target.actors
        assert len(edit.source.actors) == 2


def test_training_edits_touch_no_held_out_combination_and_held_out_ones_end_in_one():
    assert not any(is_held_out(edit.source) or is_held_out(edit.target) for edit in EDITS)
    assert all(is_held_out(sample_edit(seed, "held-out").target) for seed in range(100))


def test_every_target_is_a_scene_that_could_have_been_drawn():
    for edit in EDITS:
        assert edit.target.weather in possible_weathers(edit.target.place)


def test_an_instruction_names_the_new_colour_and_its_inverse_the_old_one():
    for edit in _of("recolour"):
        before, after = _changed_actor(edit)
        for text, colour in ((edit.instruction, after.colour), (edit.inverse, before.colour)):
            names = (*say.COLOUR_WORDS.get(colour, ()), colour)
            assert any(name in text.lower() for name in names), text


def test_an_instruction_names_the_newcomer():
    for edit in _of("add") + _of("swap"):
        newcomer = edit.target.actors[1] if edit.task == "add" else _changed_actor(edit)[1]
        assert any(noun in edit.instruction.lower() for noun in say.NOUNS[newcomer.kind]), edit.instruction


def test_actors_of_one_kind_are_told_apart_by_colour():
    for edit in _of("remove"):
        first, second = edit.source.actors
        if first.kind == second.kind:
            assert second.colour in edit.instruction.lower(), edit.instruction


def test_each_task_is_asked_for_in_many_ways():
    for task in TASKS:
        assert len({re.sub(r"[.]|please ", "", edit.instruction.lower()) for edit in _of(task)}) > 15, task


def test_requests_are_tidy():
    for edit in EDITS:
        for text in (edit.instruction, edit.inverse):
            assert text == " ".join(text.split())
            assert len(text) < 200


def test_an_actor_that_is_not_edited_moves_as_before():
    for edit in EDITS:
        for index, (before, after) in enumerate(zip(edit.source.actors, edit.target.actors, strict=False)):
            if before == after:
                assert track(edit.source, index) == track(edit.target, index)
