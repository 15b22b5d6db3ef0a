"""What the caption said must have arrived in the middle of a transformer.

How a clip moves and who is in it, or which music a sound holds, is a small part of the flow-matching loss, so
a small model on a small budget is slow to look for it in the caption. A representation that can be read makes
diffusion transformers learn faster (Yu et al., 2024, align theirs with a vision model's); the theatre knows
its scenes, so here the hidden tokens answer questions about them. The answers are thrown away after training.
Our choice.
"""

# Shape letters: B clip, C channel, Q question.

import torch
from torch import Tensor, nn

from ..theatre.questions import Questions
from .hidden import HiddenTokens
from .train_text import answer_losses


class Recall(nn.Module):
    """One linear answer per question, from the mean of the tokens that leave the middle block."""

    def __init__(self, blocks: nn.ModuleList, width: int, questions: Questions) -> None:
        super().__init__()
        self.questions = questions
        self.answers = nn.ModuleList(nn.Linear(width, len(options)) for options in questions.values())
        self.hidden = HiddenTokens(blocks)

    def forward(self, classes_BQ: Tensor) -> Tensor:
        """Cross entropy, summed over questions, of what the transformer knew in its latest forward pass.

        Args:
            classes_BQ: right answers, int64, in the order of the questions; NO_ANSWER is skipped.

        Returns:
            A scalar.
        """
        hidden_BC = self.hidden.take().mean(dim=1)
        scores = [answer(hidden_BC) for answer in self.answers]
        return torch.stack(list(answer_losses(scores, classes_BQ, self.questions).values())).sum()
