"""What the judge of faces is asked, what the right answers are, and how often it gives them.

It learns from the theatre's faces alone, some of them from frames that passed through an autoencoder, never
from generated ones, and it shares nothing with the identity encoder.
"""

# Shape letters: B face, C channel, H row, W column.

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from ..models.face_judge import FaceJudge
from ..theatre.questions import FACE_QUESTIONS, SQUARE_QUESTIONS, Answers, face_answers
from ..theatre.scene import Person
from .judge import open_answering, picked

FACE_JUDGE = Path(__file__).parent.parent / "weights" / "judge" / "face_judge.safetensors"


def open_face_judge(path: Path | str = FACE_JUDGE, device: torch.device | str = "cpu") -> FaceJudge:
    """Load a judge of faces and check that it knows this theatre's words.

    A file that is missing, broken, or of a judge of another vocabulary is refused with a WeightsError.

    Args:
        path: its weights file.
        device: where it goes.

    Returns:
        The judge in eval mode.
    """
    return open_answering(path, "face_judge", SQUARE_QUESTIONS, device)


@torch.no_grad()
def ask_faces(judge: FaceJudge, faces_BCHW: Tensor) -> list[Answers]:
    """What the judge sees in each face, (B, 3, S, S) in -1..1 of its size: an answer to every question."""
    return picked(judge(faces_BCHW.to(next(judge.parameters()).device)), SQUARE_QUESTIONS)


def most_seen(answers: Sequence[Answers]) -> Answers:
    """To every question what most pictures of one face show; of equals what was seen first."""
    return {
        name: max((seen := [one[name] for one in answers]), key=seen.count)
        for name in (answers[0] if answers else ())
    }


def face_verdicts(seen: Mapping[str, str], person: Person) -> dict[str, bool]:
    """Question to whether it was answered rightly; of a face that was not seen all answers are wrong."""
    truth = face_answers(person)
    return {name: seen.get(name) == truth[name] for name in FACE_QUESTIONS if name in truth}
