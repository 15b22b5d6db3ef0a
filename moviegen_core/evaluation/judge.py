"""What the judge is asked about a clip, what the right answers are, and how often it gives them.

It learns from theatre renders alone, and from renders that passed through an autoencoder (still renders,
never generated clips), so what it says about a generated clip is independent of the model that made it.
"""

from collections.abc import Sequence
from pathlib import Path

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

    Args:
        path: its weights file.
        device: where it goes.

    Returns:
        The judge in eval mode.

    Raises:
        WeightsError: the file is missing, broken, or its judge was trained on another vocabulary.
    """
    judge = load_model(path, "judge", device=device)
    known = dict(zip(judge.config.questions, judge.config.num_answers, strict=True))
    wanted = {question: len(answers) for question, answers in QUESTIONS.items()}
    if known != wanted:
        raise WeightsError(f"{path} answers {known}, the theatre asks {wanted}; train the judge again")
    return judge


@torch.no_grad()
def ask(judge: Judge, clips: Tensor) -> list[Answers]:
    """What the judge sees in each clip.

    Args:
        judge: in eval mode.
        clips: (B, 3, T, H, W), pixels in -1..1, of about two seconds.

    Returns:
        An answer to every question, for each clip.
    """
    logits = judge(clips.to(next(judge.parameters()).device).float())
    named = {
        name: [QUESTIONS[name][pick] for pick in scores.argmax(1).tolist()] for name, scores in logits.items()
    }
    return [{name: named[name][row] for name in named} for row in range(len(clips))]


def verdicts(seen: Sequence[Answers], scenes: Sequence[Scene]) -> list[dict[str, bool]]:
    """For each scene, question to whether the judge is right; unanswerable questions are left out."""
    right = (right_answers(scene) for scene in scenes)
    return [
        {name: truth[name] == one[name] for name in QUESTIONS if name in truth}
        for one, truth in zip(seen, right, strict=True)
    ]
