"""Pairs of a small and a large clip: theatre scenes rendered at both sizes, and real pictures made small."""

# Shape letters: C channel, T frame, H row, W column.

import random
from collections import OrderedDict
from dataclasses import dataclass, field

import torch
from torch import Generator, Tensor

from ..media.pixels import from_bytes, to_bytes
from ..models.tae import TemporalAutoencoder
from ..theatre.render import render
from ..theatre.sampling import sample_scenes
from .degrade import DegradeConfig, degrade
from .footage import Footage, random_below
from .pool import FRAME_RATES


@dataclass(frozen=True, slots=True, kw_only=True)
class PairConfig:
    """How pairs are made."""

    factor: int = 2
    num_frames: int = 14
    side: int = 64
    """Rows and columns of a large crop: what an upsampler's tables of positions cover, its tile."""
    batch: int = 4
    small_sizes: tuple[tuple[int, int], ...] = ((112, 192), (112, 192), (144, 144), (192, 112))
    """(height, width) at which scenes are rendered; the large ones are ``factor`` times that."""
    group_size: int = 4
    num_groups: int = 12
    steps_per_group: int = 24
    """After so many steps one group of scenes is replaced by a fresh one."""
    frame_rates: tuple[int, ...] = FRAME_RATES
    first_seed: int = 3_000_000
    footage_share: float = 0.5
    """Part of every batch that is real pictures and clips, where there are any."""
    clean_share: float = 0.5
    """How often the small clip is as good as it can be: rendered small, or shrunk without loss."""
    tae_share: float = 0.2
    """How often it went through the temporal autoencoder instead, where there is one."""
    degrade: DegradeConfig = field(default_factory=DegradeConfig)

    @property
    def small_side(self) -> int:
        """Rows and columns of a small crop."""
        return self.side // self.factor


class PairPool:
    """A sliding window over an endless row of scenes, each rendered small and large."""

    def __init__(
        self,
        config: PairConfig,
        footage: Footage | None = None,
        tae: TemporalAutoencoder | None = None,
        device: str = "cpu",
    ) -> None:
        self.config, self.footage, self.tae, self.device = config, footage, tae, device
        self.groups: OrderedDict[int, tuple[Tensor, Tensor]] = OrderedDict()

    def batch(self, rng: Generator, step: int) -> tuple[Tensor, Tensor]:
        """Small (B, 3, T, h, w) and large (B, 3, T, H, W) clips in -1..1, drawn from the step alone."""
        config = self.config
        num_real = round(config.batch * config.footage_share) if self.footage else 0
        pairs = [self._theatre(rng, step) for _ in range(config.batch - num_real)]
        pairs += [self._real(rng) for _ in range(num_real)]
        small, large = zip(*pairs, strict=True)
        return torch.stack(small), torch.stack(large)

    def _theatre(self, rng: Generator, step: int) -> tuple[Tensor, Tensor]:
        config = self.config
        first = step // config.steps_per_group
        small, large = self._group(first + random_below(rng, config.num_groups), first)
        index = random_below(rng, len(small))
        low, side = small[index], config.small_side
        y, x = (random_below(rng, have - side + 1) for have in low.shape[-2:])
        f = config.factor
        low = from_bytes(low[..., y : y + side, x : x + side])
        high = from_bytes(large[index][..., f * y : f * (y + side), f * x : f * (x + side)])
        return self._spoiled(low, high, rng), high

    def _real(self, rng: Generator) -> tuple[Tensor, Tensor]:
        assert self.footage is not None
        side, small = self.config.side, self.config.small_side
        crop = self.footage.crop(rng, self.config.num_frames, side, side)
        high = from_bytes(crop.to(self.device))
        return self._spoiled(shrunk(high, small, small), high, rng), high

    @torch.no_grad()
    def _spoiled(self, low: Tensor, high: Tensor, rng: Generator) -> Tensor:
        """The small clip as it is, through the temporal autoencoder, or the large one degraded."""
        lot = torch.rand((), generator=rng).item()
        if lot < self.config.clean_share:
            return low
        if self.tae is not None and lot < self.config.clean_share + self.config.tae_share:
            return self.tae.decode(self.tae.encode(low[None]), low.shape[1])[0].clamp(-1, 1)
        return degrade(high, (low.shape[-2], low.shape[-1]), rng, self.config.degrade)

    def _group(self, index: int, first: int) -> tuple[Tensor, Tensor]:
        for stale in [key for key in self.groups if key < first]:
            del self.groups[stale]
        if index not in self.groups:
            self.groups[index] = self.render_group(index)
        return self.groups[index]

    def render_group(self, index: int) -> tuple[Tensor, Tensor]:
        """The scenes of one group, small and large: (B, 3, T, H, W) uint8 each."""
        config, rng = self.config, random.Random(index)
        height, width = rng.choice(config.small_sizes)
        scenes = sample_scenes(config.first_seed + index * config.group_size, config.group_size)
        fps = rng.choice(config.frame_rates)
        small, large = (
            to_bytes(
                render(
                    scenes,
                    num_frames=config.num_frames,
                    fps=fps,
                    height=height * scale,
                    width=width * scale,
                    device=self.device,
                )
            )
            for scale in (1, config.factor)
        )
        return small, large


def shrunk(clip_CTHW: Tensor, height: int, width: int) -> Tensor:
    """Bicubic and antialiased: the usual small clip that upsamplers are measured on."""
    frames = torch.nn.functional.interpolate(
        clip_CTHW.transpose(0, 1), (height, width), mode="bicubic", align_corners=False, antialias=True
    )
    return frames.transpose(0, 1).clamp(-1, 1)
