"""Whether a long clip stays with its actor, asked of the judge part by part."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..models.judge import Judge
from .judge import ask

KEPT_QUESTIONS = ("actor", "colour", "place")
"""What should not change along a clip."""


@dataclass(frozen=True, slots=True)
class Constancy:
    """Of a clip's parts, how many show what most of them show."""

    shares: dict[str, float]
    """Question to share; 1 when the judge sees the same all along."""
    answers: dict[str, tuple[str, ...]]
    """Question to what it sees, part by part."""


def constancy(judge: Judge, clip: Tensor, part_frames: int) -> Constancy:
    """Ask the judge about each part of a clip.

    Args:
        judge: in eval mode.
        clip: (3, T, H, W) in -1..1; frames behind the last whole part are left out.
        part_frames: frames of a part, about two seconds.

    Returns:
        How constant the answers are.
    """
    count = max(1, clip.shape[1] // part_frames)
    parts = [clip[:, index * part_frames : (index + 1) * part_frames] for index in range(count)]
    seen = ask(judge, torch.stack(parts))
    answers = {name: tuple(one[name] for one in seen) for name in KEPT_QUESTIONS}
    shares = {name: max(map(given.count, given)) / len(given) for name, given in answers.items()}
    return Constancy(shares, answers)
