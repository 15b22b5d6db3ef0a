"""Reading first: a byte encoder learns what captions say before a video or audio model learns from it.

The paper takes text encoders that were trained before (UL2, ByT5, and MetaCLIP, which knows what texts look
like). This gives the nano cast's encoders the same start from the theatre alone: from a caption they
answer what the scene shows, or what is heard in it. Our choice.
"""

# Shape letters: B prompt, L byte, C channel, Q question.

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..models.prompt import format_prompt
from ..models.text import ByteEncoder, tokenize
from ..theatre.captions import caption_and_label
from ..theatre.questions import CAPTION_QUESTIONS, NO_ANSWER, Questions, classes
from ..theatre.sampling import sample_scenes
from ..theatre.scene import Scene
from .loop import LoopConfig

TRIES = 8
"""Wordings drawn before a long one is taken as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRecipe:
    """A whole training of a text encoder as a reader."""

    loop: LoopConfig
    batch: int = 64
    limit: int = 128
    """Bytes, prefix included, below which prompts are worded where they can be."""
    frame_rates: tuple[int, ...] = (8, 12, 16, 24)
    first_seed: int = 5_000_000


def draw_prompt(scene: Scene, fps: int, rng: random.Random, limit: int) -> str:
    """Freshly worded, in the training form; below ``limit`` bytes where the scene can be told so briefly."""
    for _ in range(TRIES):
        caption, camera = caption_and_label(scene, rng)
        prompt = format_prompt(caption, fps, camera)
        if not limit or len(prompt.encode()) < limit:
            break
    return prompt


class Reader(nn.Module):
    """A text encoder and, for each question, one learned query over its tokens and one linear answer.

    The answers are thrown away after training. That they see the tokens as cross-attention does is the point:
    what they find there, the video model finds too.
    """

    def __init__(self, encoder: ByteEncoder, questions: Questions) -> None:
        super().__init__()
        width = encoder.config.width
        self.encoder, self.questions = encoder, questions
        self.look = nn.Linear(width, len(questions), bias=False)
        self.answers = nn.ModuleList(nn.Linear(width, len(options)) for options in questions.values())

    def forward(self, ids_BL: Tensor, mask_BL: Tensor) -> list[Tensor]:
        """Scores of every answer, (B, answers) for each question."""
        features_BLC = self.encoder(ids_BL, mask_BL)
        weights_BLQ = self.look(features_BLC).masked_fill(~mask_BL[:, :, None], -torch.inf).softmax(dim=1)
        found_BQC = torch.einsum("blq,blc->bqc", weights_BLQ, features_BLC)
        return [answer(found_BQC[:, place]) for place, answer in enumerate(self.answers)]


Lesson = Callable[[int], tuple[list[str], Tensor]]
"""A step's number to freshly worded prompts and the classes (B, Q) of what they tell."""


class ReadingObjective:
    """Cross entropies of one step, drawn from the step's number alone."""

    def __init__(self, reader: Reader, lesson: Lesson) -> None:
        self.reader, self.lesson = reader, lesson

    def __call__(self, step: int) -> dict[str, Tensor]:
        """Losses of step ``step``, one for each question."""
        prompts, classes_BQ = self.lesson(step)
        device = next(self.reader.parameters()).device
        ids_BL, mask_BL = (part.to(device) for part in tokenize(prompts))
        with torch.autocast(device.type, torch.bfloat16):
            scores = self.reader(ids_BL, mask_BL)
        losses = answer_losses(scores, classes_BQ.to(device), self.reader.questions)
        return losses | {"total": torch.stack(list(losses.values())).sum()}


def read_captions(recipe: TextRecipe, step: int) -> tuple[list[str], Tensor]:
    """The lesson in captions of clips, which answer ``CAPTION_QUESTIONS``."""
    size, rng = recipe.batch, random.Random(step)
    scenes = sample_scenes(recipe.first_seed + step * size, size)
    rates = rng.choices(recipe.frame_rates, k=size)
    prompts = [draw_prompt(scene, fps, rng, recipe.limit) for scene, fps in zip(scenes, rates, strict=True)]
    return prompts, classes(scenes, CAPTION_QUESTIONS)


def answer_losses(scores: Sequence[Tensor], classes_BQ: Tensor, questions: Questions) -> dict[str, Tensor]:
    """Cross entropy of each question by name; ``scores`` holds (B, answers) for each."""
    pairs = zip(questions, scores, classes_BQ.unbind(1), strict=True)
    return {name: _cross_entropy(score, right) for name, score, right in pairs}


def _cross_entropy(scores: Tensor, right: Tensor) -> Tensor:
    """Mean over those that have an answer, 0 when none has."""
    total = F.cross_entropy(scores.float(), right, ignore_index=NO_ANSWER, reduction="sum")
    return total / (right != NO_ANSWER).sum().clamp(min=1)
