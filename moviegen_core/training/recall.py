"""What the caption said must have arrived in the middle of the video transformer.

How a clip moves and who is in it is a small part of the flow-matching loss, so a small model on a small
budget is slow to look for it in the caption. A representation that can be read makes diffusion transformers
learn faster (Yu et al., 2024, align theirs with a vision model's); the theatre knows its scenes, so here the
hidden tokens answer questions about them. The answers are thrown away after training. Our choice.
"""

# Shape letters: B clip, L token, C channel, Q question.

import torch
from torch import Tensor, nn

from ..layers.norms import rms_norm
from ..models.video import VideoTransformer
from ..theatre.questions import QUESTIONS
from .train_text import answer_losses


class Recall(nn.Module):
    """One linear answer per question, from the mean of the tokens that leave the middle block."""

    def __init__(self, video: VideoTransformer) -> None:
        super().__init__()
        width = video.config.width
        self.answers = nn.ModuleList(nn.Linear(width, len(options)) for options in QUESTIONS.values())
        self.tokens_BLC: Tensor | None = None
        video.blocks[(len(video.blocks) - 1) // 2].register_forward_hook(self._keep)

    def _keep(self, block: nn.Module, inputs: tuple, tokens_BLC: Tensor) -> None:  # noqa: ARG002
        self.tokens_BLC = tokens_BLC

    def forward(self, classes_BQ: Tensor) -> Tensor:
        """Cross entropy, summed over questions, of what the transformer knew in its latest forward pass.

        Args:
            classes_BQ: right answers, int64, in the order of ``QUESTIONS``; NO_ANSWER is skipped.

        Returns:
            A scalar.

        Raises:
            RuntimeError: there was no forward pass since the last time it was asked.
        """
        if self.tokens_BLC is None:
            raise RuntimeError("recall asks about a forward pass, and there was none since it last asked")
        hidden_BC = rms_norm(self.tokens_BLC).mean(dim=1)
        self.tokens_BLC = None
        scores = [answer(hidden_BC) for answer in self.answers]
        return torch.stack(list(answer_losses(scores, classes_BQ, QUESTIONS).values())).sum()
