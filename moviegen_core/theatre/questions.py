"""What can be asked of a scene, and the right answers: for the judge of clips and the reader of captions."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from . import vocabulary as words
from .scene import Actor, Person, Scene

Questions = Mapping[str, tuple[str, ...]]
"""Question to possible answers, in class order."""
Answers = dict[str, str]
"""Question to answer."""

QUESTIONS: Questions = {
    "actor": words.ACTORS,
    "colour": tuple(words.COLOURS),
    "action": words.ACTIONS,
    "place": words.PLACES,
    "camera": words.CAMERAS,
    "look": words.LOOKS,
    "weather": words.WEATHERS,
}
"""Of a clip; the first three are about the first actor."""
CAPTION_QUESTIONS: Questions = QUESTIONS | {
    "second actor": words.ACTORS,
    "second colour": tuple(words.COLOURS),
    "second action": words.ACTIONS,
}
"""Of a caption, which tells who does what where two meet."""
FACE_QUESTIONS: Questions = {
    "skin": tuple(words.SKINS),
    "hair colour": tuple(words.HAIR_COLOURS),
    "hair style": words.HAIR_STYLES,
    "eyes": tuple(words.EYE_COLOURS),
    "glasses": ("no", "yes"),
    "hat": words.HATS,
}
"""Of a person's face."""
SQUARE_QUESTIONS: Questions = {"face": ("no", "yes")} | FACE_QUESTIONS
"""Of a square of a picture; all but the first only where it holds a face, whole and about as large."""
NO_ANSWER = -100
"""Class of a question that has no answer; cross entropy skips it."""


def right_answers(scene: Scene) -> Answers:
    """What there is to say of a scene; a black-and-white one shows no colour, so it has no such answer."""
    answers = {"place": scene.place, "camera": scene.camera, "look": scene.look, "weather": scene.weather}
    for prefix, actor in zip(("", "second "), scene.actors, strict=False):
        answers |= _about(actor, prefix, is_coloured=scene.look != "black-and-white")
    return answers


def _about(actor: Actor, prefix: str, *, is_coloured: bool) -> Answers:
    answers = {f"{prefix}actor": actor.kind, f"{prefix}action": actor.action}
    return answers | {f"{prefix}colour": actor.colour} if is_coloured else answers


def face_answers(person: Person) -> Answers:
    """What there is to say of a face; who is bald has no hair colour."""
    answers = {"skin": person.skin, "hair style": person.hair_style, "eyes": person.eyes, "hat": person.hat}
    answers |= {"glasses": "yes" if person.glasses else "no"}
    return answers if person.hair_style == "bald" else answers | {"hair colour": person.hair_colour}


def classes(scenes: Sequence[Scene], questions: Questions = QUESTIONS) -> Tensor:
    """Class of each scene for each question, (B, Q) int64; NO_ANSWER where there is none."""
    return _classes([right_answers(scene) for scene in scenes], questions)


def square_classes(people: Sequence[Person | None]) -> Tensor:
    """Class of each square for each of SQUARE_QUESTIONS, (B, Q) int64; None is a square without a face."""
    rows = [{"face": "yes"} | face_answers(person) if person else {"face": "no"} for person in people]
    return _classes(rows, SQUARE_QUESTIONS)


def _classes(rows: Sequence[Answers], questions: Questions) -> Tensor:
    return torch.tensor(
        [
            [options.index(row[name]) if name in row else NO_ANSWER for name, options in questions.items()]
            for row in rows
        ]
    )
