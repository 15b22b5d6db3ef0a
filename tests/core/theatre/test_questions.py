import random
from dataclasses import fields, replace

import torch

from moviegen_core.theatre.questions import (
    FACE_QUESTIONS,
    NO_ANSWER,
    SQUARE_QUESTIONS,
    face_answers,
    square_classes,
)
from moviegen_core.theatre.sampling import draw_person
from moviegen_core.theatre.scene import Person

PEOPLE = [draw_person(random.Random(seed)) for seed in range(200)]


def test_a_face_is_asked_for_everything_that_makes_a_person():
    assert {name.replace(" ", "_") for name in FACE_QUESTIONS} == {field.name for field in fields(Person)}


def test_every_answer_about_a_face_is_one_to_choose_from_and_every_choice_occurs():
    seen = {name: set() for name in FACE_QUESTIONS}
    for person in PEOPLE:
        for name, answer in face_answers(person).items():
            seen[name].add(answer)
    assert seen == {name: set(options) for name, options in FACE_QUESTIONS.items()}


def test_who_is_bald_is_not_asked_for_the_hair_s_colour():
    bald, not_bald = (replace(PEOPLE[0], hair_style=style) for style in ("bald", "long"))
    column = list(SQUARE_QUESTIONS).index("hair colour")
    classes = square_classes([bald, not_bald])
    assert classes[0, column] == NO_ANSWER
    assert classes[1, column] >= 0
    others = [index for index in range(len(SQUARE_QUESTIONS)) if index != column]
    assert (classes[:, others] >= 0).all()


def test_people_who_differ_differ_in_their_classes():
    person = replace(PEOPLE[0], glasses=True)
    assert not torch.equal(*square_classes([person, replace(person, glasses=False)]))


def test_a_square_without_a_face_is_asked_for_nothing_else():
    (no, *others), (yes, *_) = square_classes([None, PEOPLE[0]]).tolist()
    assert (no, yes) == (0, 1)
    assert set(others) == {NO_ANSWER}
