"""What the judge is asked about a clip, what the right answers are, and how often it gives them.

It learns from theatre renders alone, and from renders that passed through an autoencoder (still renders,
never generated clips), so what it says about a generated clip is independent of the model that made it.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import WeightsError
from ..models.judge import Judge
from ..theatre.questions import QUESTIONS, Answers, right_answers
from ..theatre.scene import Scene
from ..weights.files import load_model

SHIPPED = Path(__file__).parent.parent / "weights" / "judge" / "judge.safetensors"


def open_judge(path: Path | str = SHIPPED, device: torch.device | str = "cpu") -> Judge:
    """Load a judge and check that it knows this theatre's words.

    A file that is missing, broken, or of a judge of another vocabulary is refused with a WeightsError.

    Args:
        path: its weights file.
        device: where it goes.

    Returns:
        The judge in eval mode.
    """
    return open_answering(path, "judge", QUESTIONS, device)


def open_answering(
    path: Path | str, role: str, questions: Mapping[str, Sequence[str]], device: torch.device | str
) -> Any:  # noqa: ANN401 - the role's model
    """Load a model that answers questions.

    Args:
        path: its weights file.
        role: which model it must be.
        questions: the theatre's, with the answers to choose from.
        device: where it goes.

    Returns:
        The model in eval mode.

    Raises:
        WeightsError: it was trained on other questions.
    """
    judge = load_model(path, role, device=device)
    known = dict(zip(judge.config.questions, judge.config.num_answers, strict=True))
    wanted = {question: len(answers) for question, answers in questions.items()}
    if known != wanted:
        raise WeightsError(f"{path} answers {known}, the theatre asks {wanted}; train the judge again")
    return judge


def picked(logits: Mapping[str, Tensor], questions: Mapping[str, Sequence[str]]) -> list[Answers]:
    """The likeliest answer to every question, for each row of (B, answers)."""
    named = {
        name: [questions[name][pick] for pick in scores.argmax(1).tolist()] for name, scores in logits.items()
    }
    return [dict(zip(named, row, strict=True)) for row in zip(*named.values(), strict=True)]


@torch.no_grad()
def ask(judge: Judge, clips: Tensor) -> list[Answers]:
    """What the judge sees in each clip.

    Args:
        judge: in eval mode.
        clips: (B, 3, T, H, W), pixels in -1..1, of about two seconds.

    Returns:
        An answer to every question, for each clip.
    """
    return picked(judge(clips.to(next(judge.parameters()).device).float()), QUESTIONS)


def verdicts(seen: Sequence[Answers], scenes: Sequence[Scene]) -> list[dict[str, bool]]:
    """For each scene, question to whether the judge is right; unanswerable questions are left out."""
    return compared(seen, map(right_answers, scenes), QUESTIONS)


def compared(
    answers: Iterable[Answers], truths: Iterable[Answers], questions: Iterable[str]
) -> list[dict[str, bool]]:
    """Question to whether its answer is the right one; questions without a right answer are left out."""
    return [
        {name: one[name] == right[name] for name in questions if name in right}
        for one, right in zip(answers, truths, strict=True)
    ]
