"""When something begins to sound must be seen in the features of the frame encoder.

Through sound alone nano learnt nothing of that: given pictures of held-out clips and noise for a sound, the
middle of its transformer could tell none of 37 impacts, as an event is a small part of the flow-matching loss
and the noisy sound itself tells it more easily. The theatre knows the moments, so here the features of a
moment and its neighbours answer for them, before and beside the lessons in sound. The answers are thrown away
after training. Our choice.
"""

# Shape letters: B clip, F audio latent frame, C channel, E family of events.

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..layers.norms import rms_norm
from .listen import FAMILIES, RARE_CHANCE, onset_costs

if TYPE_CHECKING:
    from .train_audio import AudioObjective

WIDTH, TAPS = 96, 9
"""Of the two convolutions over time; together they see a third of a second to either side."""


class Watcher(nn.Module):
    """What begins to sound in each latent frame, from the features of the frames around it."""

    def __init__(self, feature_width: int) -> None:
        super().__init__()
        self.near = nn.Conv1d(feature_width, WIDTH, TAPS, padding=TAPS // 2)
        self.far = nn.Conv1d(WIDTH, WIDTH, TAPS, padding=TAPS // 2)
        self.answer = nn.Linear(WIDTH, len(FAMILIES))
        nn.init.constant_(self.answer.bias, RARE_CHANCE)

    def forward(self, features_BFC: Tensor) -> Tensor:
        """(B, F, C) -> scores (B, F, E)."""
        x_BCF = F.silu(self.near(rms_norm(features_BFC).transpose(1, 2)))
        return self.answer(F.silu(self.far(x_BCF)).transpose(1, 2)).float()

    def loss(self, features_BFC: Tensor, onsets_BFE: Tensor, shown_B: Tensor) -> Tensor:
        """Cross entropy, the mean of the clips that are shown; 0 where none is."""
        costs_B = onset_costs(self(features_BFC), onsets_BFE).mean((1, 2))
        return (costs_B * shown_B).sum() / shown_B.sum().clamp(min=1)


class WatchingObjective:
    """Lessons in watching alone, drawn from the step's number."""

    def __init__(self, sounds: "AudioObjective") -> None:
        self.sounds = sounds

    def __call__(self, step: int) -> dict[str, Tensor]:
        """The loss of step ``step``; every clip is shown."""
        batch = self.sounds.batch(step, random.Random(f"watching {step}"))
        batch = replace(batch, conditions=[replace(one, video=True) for one in batch.conditions])
        device = self.sounds.device
        with torch.autocast(torch.device(device).type, torch.bfloat16):
            features = self.sounds.features(batch)
            watch = self.sounds.model.watcher.loss(
                features, batch.onsets_BFE.to(device), batch.shown_B.to(device)
            )
        return {"watch": watch, "total": watch}
