"""What the trainings of the judges share: what they learn from, what they lose, and how they end."""

# Shape letters: B example, Q question.

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..theatre.questions import NO_ANSWER
from ..training.loop import LoopConfig, Objective, new_run
from ..training.run import Session
from ..weights.files import save_model


class JudgeRecipe(Protocol):
    """What every recipe of a judge says."""

    preset: str
    loop: LoopConfig
    first_groups: int
    """Groups of examples to start with."""
    most_groups: int
    """Groups kept at most; the oldest go."""
    steps_per_group: int
    """After so many steps a fresh group joins."""


class Groups:
    """A window over an endless row of groups of examples with labels; the step alone decides the content."""

    def __init__(self, recipe: JudgeRecipe, make: Callable[[int], tuple[Tensor, Tensor]]) -> None:
        self.recipe, self.make = recipe, make
        self.kept: dict[int, tuple[Tensor, Tensor]] = {}

    def window(self, step: int) -> range:
        """Groups that may be drawn at a step; what left the window is forgotten."""
        newest = self.recipe.first_groups + step // self.recipe.steps_per_group
        window = range(max(0, newest - self.recipe.most_groups), newest)
        self.kept = {index: group for index, group in self.kept.items() if index >= window.start}
        return window

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Examples and labels of one group, made when it is first asked for."""
        if index not in self.kept:
            self.kept[index] = self.make(index)
        return self.kept[index]

    def __len__(self) -> int:
        """Groups in memory."""
        return len(self.kept)


def answer_losses(
    logits: Mapping[str, Tensor], labels_BQ: Tensor, questions: Iterable[str]
) -> dict[str, Tensor]:
    """Cross entropy of every question that any example answers, and their sum as "total".

    Args:
        logits: question to scores (B, answers).
        labels_BQ: the right classes, NO_ANSWER where a question has none.
        questions: in the order of the labels.

    Returns:
        Question to loss.
    """
    losses = {
        name: F.cross_entropy(
            logits[name].float(), labels_BQ[:, column].to(logits[name].device), ignore_index=NO_ANSWER
        )
        for column, name in enumerate(questions)
        if (labels_BQ[:, column] != NO_ANSWER).any()
    }
    return losses | {"total": torch.stack(list(losses.values())).sum()}


def train_to_answer(
    role: str,
    out: Path,
    session: Session,
    recipe: Any,  # noqa: ANN401 - a JudgeRecipe that is a dataclass
    objective: Callable[[Any, Any], Objective],
) -> Path:
    """Train a judge and write its averaged weights.

    Args:
        role: which judge; its file is named after it.
        out: folder for checkpoint, curve and weights; made when missing.
        session: how long this sitting lasts, and on what it goes on.
        recipe: what to train and how.
        objective: makes the losses of a judge under the recipe as long as it is in this sitting.

    Returns:
        The weights file.
    """
    recipe = replace(recipe, loop=session.fit(recipe.loop))
    torch.manual_seed(0)
    state = new_run(session.first_model(role, recipe.preset), recipe.loop)
    session.run(state, objective(state.model, recipe), recipe.loop, out)
    averaged: nn.Module = type(state.model)(state.model.config)
    state.ema.copy_to(averaged)
    path = out / f"{role}.safetensors"
    save_model(path, role, averaged)
    return path
