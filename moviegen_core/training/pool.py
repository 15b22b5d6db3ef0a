"""Theatre clips for training: rendered as they are needed, each kept for a while and cropped many times."""

import random
from collections import OrderedDict
from dataclasses import dataclass

import torch
from torch import Tensor

from ..media.pixels import to_bytes
from ..theatre.render import render
from ..theatre.sampling import sample_scenes
from .footage import random_below

FRAME_SIZES = ((112, 192), (112, 192), (144, 144), (192, 112))
"""(height, width) of 16:9, 1:1 and 9:16 at nano size; 16:9 twice as often."""
FRAME_RATES = (16, 16, 24, 12, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolConfig:
    """How many clips wait to be cropped, and how fast new ones replace old ones."""

    num_groups: int = 24
    group_size: int = 8
    steps_per_group: int = 24
    """After so many training steps one group of clips is replaced by a fresh one."""
    num_frames: int = 32
    frame_rates: tuple[int, ...] = FRAME_RATES
    """One is drawn for each group."""
    first_seed: int = 1_000_000


class ClipPool:
    """A sliding window over an endless row of rendered clips; the content depends on the step alone."""

    def __init__(self, config: PoolConfig, device: str = "cpu") -> None:
        self.config = config
        self.device = device
        self.groups: OrderedDict[int, Tensor] = OrderedDict()

    def crop(self, rng: torch.Generator, step: int, frames: int, height: int, width: int) -> Tensor:
        """A random piece of a random clip of the window at ``step``: (3, frames, height, width) uint8."""
        first = step // self.config.steps_per_group
        group = self._group(first + random_below(rng, self.config.num_groups), first)
        clip = group[random_below(rng, group.shape[0])]
        starts = [
            random_below(rng, have - want + 1)
            for have, want in zip(clip.shape[1:], (frames, height, width), strict=True)
        ]
        t, y, x = starts
        return clip[:, t : t + frames, y : y + height, x : x + width]

    def _group(self, index: int, first: int) -> Tensor:
        for stale in [key for key in self.groups if key < first]:
            del self.groups[stale]
        if index not in self.groups:
            self.groups[index] = self.render_group(index)
        return self.groups[index]

    def render_group(self, index: int) -> Tensor:
        """Clips of one group: (B, 3, T, H, W) uint8. Negative groups are never drawn for training."""
        rng = random.Random(index)
        height, width = rng.choice(FRAME_SIZES)
        scenes = sample_scenes(
            self.config.first_seed + index * self.config.group_size, self.config.group_size
        )
        clips = render(
            scenes,
            num_frames=self.config.num_frames,
            fps=rng.choice(self.config.frame_rates),
            height=height,
            width=width,
            device=self.device,
        )
        return to_bytes(clips)
