"""What is heard when must have arrived in the middle of the audio transformer.

A footstep is a small part of the flow-matching loss, and when it falls a smaller one, so a small model is
slow to look for it in the picture. As ``recall`` does for captions, this asks hidden tokens for what the
theatre knows: in which latent frame something begins to sound. The answers are thrown away after training.
Our choice.
"""

# Shape letters: B clip, F audio latent frame, C channel, E family of events.

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..geometry import SoundGrid
from ..models.audio import AudioTransformer
from ..theatre.scene import Scene
from ..theatre.sound.hearing import heard
from .hidden import HiddenTokens

FAMILIES = ("impact", "footstep", "splash", "thunder")
RARENESS = 8.0
"""Most frames begin nothing; one that does counts so much more."""
RARE_CHANCE = -3.0
"""Logit that answers begin with."""


def onset_costs(scores_BFE: Tensor, onsets_BFE: Tensor) -> Tensor:
    """Cross entropy of every frame and family; onsets, which are rare, count ``RARENESS`` times."""
    rareness = torch.full((len(FAMILIES),), RARENESS, device=scores_BFE.device)
    return F.binary_cross_entropy_with_logits(
        scores_BFE.float(), onsets_BFE, pos_weight=rareness, reduction="none"
    )


class Listener(nn.Module):
    """One linear answer per family of events, from each token that leaves the middle block."""

    def __init__(self, audio: AudioTransformer) -> None:
        super().__init__()
        self.answer = nn.Linear(audio.config.width, len(FAMILIES))
        nn.init.constant_(self.answer.bias, RARE_CHANCE)
        self.hidden = HiddenTokens(audio.blocks)

    def forward(self, onsets_BFE: Tensor, t_B: Tensor) -> Tensor:
        """Cross entropy of what the transformer knew in its latest forward pass.

        Args:
            onsets_BFE: 1 where an event begins, else 0.
            t_B: times; a sample counts the more the noisier it is, as a clean sound tells its onsets itself.

        Returns:
            A scalar.
        """
        costs_BFE = onset_costs(self.answer(self.hidden.take()), onsets_BFE)
        return ((1 - t_B) * costs_BFE.mean((1, 2))).sum() / (1 - t_B).sum()


def onsets(scene: Scene, stems: tuple[str, ...], seconds: float, grid: SoundGrid) -> Tensor:
    """Which events begin in each latent frame of a sound: (F, E), 0 or 1."""
    found = torch.zeros(int(seconds * grid.rate), len(FAMILIES))
    for event in heard(scene, seconds, stems).events:
        family = event.kind.split()[0]
        if family in FAMILIES:
            found[int(event.time * grid.rate), FAMILIES.index(family)] = 1
    return found
