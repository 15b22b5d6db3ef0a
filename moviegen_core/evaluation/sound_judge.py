"""What the judge of sounds is asked, what the right answers are, and how often it gives them.

It learns from theatre sounds alone, and from some that passed through a codec, never from generated ones.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from ..models.sound_judge import SoundJudge
from ..theatre.questions import Answers
from ..theatre.sound.hearing import Heard
from ..theatre.sound.questions import SOUND_QUESTIONS, right_answers
from .judge import compared, open_answering, picked

SOUND_JUDGE = Path(__file__).parent.parent / "weights" / "judge" / "sound_judge.safetensors"


def open_sound_judge(path: Path | str = SOUND_JUDGE, device: torch.device | str = "cpu") -> SoundJudge:
    """Load a judge of sounds and check that it knows this theatre's words.

    A file that is missing, broken, or of a judge of another vocabulary is refused with a WeightsError.

    Args:
        path: its weights file.
        device: where it goes.

    Returns:
        The judge in eval mode.
    """
    return open_answering(path, "sound_judge", SOUND_QUESTIONS, device)


@torch.no_grad()
def ask_sound(judge: SoundJudge, sounds_BCS: Tensor) -> list[Answers]:
    """What the judge hears in each sound, (B, 1, S) at 48 kHz: an answer to every question."""
    return picked(judge(sounds_BCS.to(next(judge.parameters()).device).float()), SOUND_QUESTIONS)


def sound_verdicts(answers: Sequence[Answers], sounds: Sequence[Heard]) -> list[dict[str, bool]]:
    """For each sound, question to whether the judge is right; unanswerable questions are left out."""
    return compared(answers, map(right_answers, sounds), SOUND_QUESTIONS)
