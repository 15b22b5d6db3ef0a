"""What the judge of sounds is asked, what the right answers are, and how often it gives them.

It learns from theatre sounds alone, and from some that passed through a codec, never from generated ones.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from ..errors import WeightsError
from ..models.sound_judge import SoundJudge
from ..theatre.questions import Answers
from ..theatre.sound.hearing import Heard
from ..theatre.sound.questions import SOUND_QUESTIONS, right_answers
from ..weights.files import load_model

SOUND_JUDGE = Path(__file__).parent.parent / "weights" / "judge" / "sound_judge.safetensors"


def open_sound_judge(path: Path | str = SOUND_JUDGE, device: torch.device | str = "cpu") -> SoundJudge:
    """Load a judge of sounds and check that it knows this theatre's words.

    Args:
        path: its weights file.
        device: where it goes.

    Returns:
        The judge in eval mode.

    Raises:
        WeightsError: the file is missing, broken, or its judge was trained on another vocabulary.
    """
    judge = load_model(path, "sound_judge", device=device)
    known = dict(zip(judge.config.questions, judge.config.num_answers, strict=True))
    wanted = {question: len(answers) for question, answers in SOUND_QUESTIONS.items()}
    if known != wanted:
        raise WeightsError(f"{path} answers {known}, the theatre asks {wanted}; train the judge again")
    return judge


@torch.no_grad()
def ask_sound(judge: SoundJudge, sounds_BCS: Tensor) -> list[Answers]:
    """What the judge hears in each sound, (B, 1, S) at 48 kHz: an answer to every question."""
    logits = judge(sounds_BCS.to(next(judge.parameters()).device).float())
    picks = {name: scores.argmax(1).tolist() for name, scores in logits.items()}
    return [
        {name: SOUND_QUESTIONS[name][picks[name][row]] for name in picks} for row in range(len(sounds_BCS))
    ]


def sound_verdicts(answers: Sequence[Answers], sounds: Sequence[Heard]) -> list[dict[str, bool]]:
    """For each sound, question to whether the judge is right; unanswerable questions are left out."""
    right = (right_answers(sound) for sound in sounds)
    return [
        {name: truth[name] == one[name] for name in SOUND_QUESTIONS if name in truth}
        for one, truth in zip(answers, right, strict=True)
    ]
