"""Theatre sounds for training: made as they are needed, each kept for a while and cropped many times."""

# Shape letters: C channel, S audio sample.

import random
from collections import OrderedDict
from dataclasses import dataclass

import torch
from torch import Tensor

from ..theatre.sampling import sample_scenes
from ..theatre.scene import Scene
from ..theatre.sound.stems import mixed, render_sound
from .footage import random_below

FULL_SCALE = 32767
MIXES = (
    ("effects", "ambience"),
    ("effects", "ambience"),
    ("effects", "ambience", "music"),
    ("effects", "ambience", "music"),
    ("effects",),
    ("ambience",),
    ("music",),
)
"""Stems that are heard together, one entry drawn at a time: alone each is learnt in every detail."""
FRAMES_A_SECOND = 25
"""At which the codec's sounds are staged: any rate would do, as nothing is seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundPoolConfig:
    """How many sounds wait to be cropped, and how fast new ones replace old ones."""

    num_groups: int = 24
    group_size: int = 8
    steps_per_group: int = 24
    """After so many training steps one group of sounds is replaced by a fresh one."""
    seconds: int = 8
    volumes: tuple[float, float] = (-10.0, 14.0)
    """Decibels between which sounds are made louder: the theatre is quieter than what artists bring."""
    first_seed: int = 7_000_000


class SoundPool:
    """A sliding window over an endless row of sounds; the content depends on the step alone."""

    def __init__(self, config: SoundPoolConfig) -> None:
        self.config = config
        self.groups: OrderedDict[int, Tensor] = OrderedDict()

    def crop(self, rng: torch.Generator, step: int, num_samples: int) -> Tensor:
        """A random piece of a random sound of the window at ``step``: (1, num_samples) in -1..1."""
        first = step // self.config.steps_per_group
        group = self._group(first + random_below(rng, self.config.num_groups), first)
        sound = group[random_below(rng, group.shape[0])]
        start = random_below(rng, sound.shape[-1] - num_samples + 1)
        return sound[:, start : start + num_samples].float() / FULL_SCALE

    def _group(self, index: int, first: int) -> Tensor:
        for stale in [key for key in self.groups if key < first]:
            del self.groups[stale]
        if index not in self.groups:
            self.groups[index] = self.render_group(index)
        return self.groups[index]

    def render_group(self, index: int) -> Tensor:
        """Sounds of one group: (B, 1, S) int16. Negative groups are never drawn for training."""
        rng, size = random.Random(index), self.config.group_size
        scenes = sample_scenes(self.config.first_seed + index * size, size)
        sounds = torch.stack([self._render(scene, rng) for scene in scenes])
        return (sounds * FULL_SCALE).round().to(torch.int16)

    def _render(self, scene: Scene, rng: random.Random) -> Tensor:
        volume = 10 ** (rng.uniform(*self.config.volumes) / 20)
        num_frames = self.config.seconds * FRAMES_A_SECOND
        wave = mono(scene, rng.choice(MIXES), num_frames=num_frames, fps=FRAMES_A_SECOND)
        return (volume * wave).clamp(-1, 1)


def mono(scene: Scene, stems: tuple[str, ...], *, num_frames: int, fps: int) -> Tensor:
    """Some of a scene's stems in one channel, (1, samples of the frames): the codec's kind of sound."""
    return mixed(render_sound(scene, num_frames=num_frames, fps=fps, stems=stems)).mean(0, keepdim=True)
