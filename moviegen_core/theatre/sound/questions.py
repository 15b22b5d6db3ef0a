"""What can be asked of a sound, and the right answers, for its judge."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..events import BEDS, INSTRUMENTS, MOODS
from ..questions import NO_ANSWER, Answers, Questions
from .hearing import Heard

NO_MUSIC = "no music"
_FAMILIES = ("impact", "footstep", "splash", "thunder")
_YES_NO = ("absent", "heard")

SOUND_QUESTIONS: Questions = {
    "ambience": tuple(kind for kind in BEDS if kind != "engine"),
    "music": (NO_MUSIC, *MOODS),
    "instrument": INSTRUMENTS,
    **dict.fromkeys((*_FAMILIES, "engine"), _YES_NO),
}
"""Question to possible answers, in class order: the loudest bed, the music, and each kind of effect."""


def right_answers(sound: Heard) -> Answers:
    """What there is to say of a sound; without ambience or music, or where an effect is doubtful, less."""
    answers = {"music": sound.music.mood if sound.music else NO_MUSIC}
    if sound.music:
        answers["instrument"] = sound.music.instrument
    if sound.beds:
        answers["ambience"] = sound.beds[0].kind
    answers["engine"] = _YES_NO[bool(sound.engines)]
    return answers | _effect_answers(sound)


def _effect_answers(sound: Heard) -> Answers:
    clear, doubtful = ({event.kind.split()[0] for event in some} for some in (sound.events, sound.doubtful))
    return {
        family: _YES_NO[family in clear]
        for family in _FAMILIES
        if family in clear | (set(_FAMILIES) - doubtful)
    }


def sound_classes(sounds: Sequence[Heard], questions: Questions = SOUND_QUESTIONS) -> Tensor:
    """Class of each sound for each question, (B, Q) int64; NO_ANSWER where there is none."""
    rows = [right_answers(sound) for sound in sounds]
    return torch.tensor(
        [
            [options.index(row[name]) if name in row else NO_ANSWER for name, options in questions.items()]
            for row in rows
        ]
    )
