"""What can be asked of a scene, and the right answers: for the judge of clips and the reader of captions."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from . import vocabulary as words
from .scene import Actor, Scene

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


def classes(scenes: Sequence[Scene], questions: Questions = QUESTIONS) -> Tensor:
    """Class of each scene for each question, (B, Q) int64; NO_ANSWER where there is none."""
    rows = [right_answers(scene) for scene in scenes]
    return torch.tensor(
        [
            [options.index(row[name]) if name in row else NO_ANSWER for name, options in questions.items()]
            for row in rows
        ]
    )
