"""The judge of faces: a small classifier that says what a person looks like. The paper asks people.

It shares nothing with the identity encoder whose work it judges.
"""

# Shape letters: B face, C channel, H row, W column.

from dataclasses import dataclass
from itertools import pairwise
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import SettingsError
from ..layers.halving import NUM_GROUPS, Halving
from .judge import check_questions


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceJudgeConfig:
    """What is asked, and how large the classifier is."""

    questions: tuple[str, ...]
    """Such as "hat"; one is "face", whose answers are no and yes."""
    num_answers: tuple[int, ...]
    """Classes of each question."""
    size: int = 48
    """Rows and columns of a face's picture."""
    widths: tuple[int, ...] = (24, 48, 96)
    """Channels after each halving of the picture."""
    num_told: int = 24
    """Channels that tell what is seen at each place that is left."""
    num_hidden: int = 128

    def __post_init__(self) -> None:
        check_questions("face judge", self.questions, self.num_answers)
        if "face" not in self.questions:
            raise SettingsError(
                f'face judge config: "face" is not among {self.questions}; ask for it as well'
            )
        if self.size % 2 ** len(self.widths) or any(width % NUM_GROUPS for width in self.widths):
            raise SettingsError(
                f"face judge config: size {self.size} must be a multiple of {2 ** len(self.widths)}, and"
                f" widths {self.widths} of {NUM_GROUPS}"
            )


FACE_JUDGE_PRESETS = {
    "nano": FaceJudgeConfig(
        questions=("face", "skin", "hair colour", "hair style", "eyes", "glasses", "hat"),
        num_answers=(2, 4, 5, 4, 3, 2, 4),
    )
}


class FaceJudge(nn.Module):
    """Scores of every possible answer to every question about a face."""

    def __init__(
        self,
        config: FaceJudgeConfig,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        operations: ModuleType = nn,  # type: ignore[assignment]
    ) -> None:
        super().__init__()
        factory = {"device": device, "dtype": dtype}
        self.config, widths = config, (3, *config.widths)
        self.levels = nn.ModuleList(Halving(a, b, operations, **factory) for a, b in pairwise(widths))
        self.tell = operations.Conv2d(widths[-1], config.num_told, 1, **factory)
        cells = (config.size // 2 ** len(config.widths)) ** 2
        self.whole = operations.Linear(cells * config.num_told, config.num_hidden, **factory)
        self.heads = nn.ModuleList(
            operations.Linear(config.num_hidden, count, **factory) for count in config.num_answers
        )

    def forward(self, faces_BCHW: Tensor) -> dict[str, Tensor]:
        """(B, 3, S, S) in -1..1, S the config's size -> question to scores (B, answers)."""
        x_BCHW = faces_BCHW.to(self.whole.weight.dtype)
        for level in self.levels:
            x_BCHW = F.silu(level(x_BCHW))
        x_BC = F.silu(self.whole(F.silu(self.tell(x_BCHW)).flatten(1)))
        return {
            name: head(x_BC).float() for name, head in zip(self.config.questions, self.heads, strict=True)
        }

    def look(self, faces_BCHW: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """All scores, and how surely each picture is a face, (B,) logits."""
        scores = self(faces_BCHW)
        no_B, yes_B = scores["face"].unbind(1)
        return scores, yes_B - no_B
