"""Theatre clips as latents on disk: rendered and encoded once, in shards, with the scenes they show."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from hashlib import sha256
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..geometry import ClipShape
from ..models.tae import TemporalAutoencoder
from ..theatre.render import render, render_mattes
from ..theatre.sampling import sample_scenes
from ..theatre.scene import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Clips of one shape, which batch together."""

    height: int
    width: int
    num_frames: int
    frame_rates: tuple[int, ...]
    """One is drawn per shard."""
    weight: int
    """How many shards of this bucket to each round of shards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatentConfig:
    """Which clips are cached."""

    buckets: tuple[Bucket, ...]
    shard_size: int = 32
    first_seed: int = 2_000_000

    def round(self) -> list[int]:
        """Bucket index of each shard of one round."""
        return [index for index, bucket in enumerate(self.buckets) for _ in range(bucket.weight)]

    def bucket_of(self, shard: int) -> int:
        """Bucket index of a shard; shards go round the buckets by their weights."""
        order = self.round()
        return order[shard % len(order)]

    def shard_of(self, bucket: int, number: int) -> int:
        """Index of a bucket's shard ``number``, from 0."""
        order = self.round()
        places = [place for place, owner in enumerate(order) if owner == bucket]
        return number // len(places) * len(order) + places[number % len(places)]


@dataclass(frozen=True, slots=True)
class Shard:
    """Latents of one bucket and what they show."""

    latents: Tensor
    """(N, 16, T, H, W), bfloat16, normalized."""
    scenes: tuple[Scene, ...]
    fps: int
    mattes: Tensor
    """(N, 1, T, H, W), how much of each latent cell an actor ever covers, 0 to 1."""


Drawing = Callable[..., Tensor]
"""``render`` or ``render_mattes``."""


class LatentStore:
    """A folder of shards for one autoencoder; what is missing is made, what is there is never made again."""

    def __init__(self, folder: Path, tae: TemporalAutoencoder, config: LatentConfig) -> None:
        self.tae, self.config = tae, config
        self.folder = folder / fingerprint(tae, config)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.shards: dict[int, Shard] = {}

    def shard(self, index: int) -> Shard:
        """Shard ``index``, from memory, from disk, or made now."""
        if index not in self.shards:
            path = self.folder / f"{index:06d}.safetensors"
            if not path.exists():
                self._make(index, path)
            latents, scenes, fps = _read(path)
            self.shards[index] = Shard(latents, scenes, fps, self._mattes(index, scenes))
        return self.shards[index]

    def _make(self, index: int, path: Path) -> None:
        shape = self.shape(index)
        size = self.config.shard_size
        scenes = sample_scenes(self.config.first_seed + index * size, size)
        parts = [
            self._encode(self._film(render, index, shape, scenes[start : start + 8]))
            for start in range(0, size, 8)
        ]
        note = {"scenes": json.dumps([scene.to_json() for scene in scenes]), "fps": str(shape.fps)}
        partial = path.with_suffix(".partial")
        save_file({"latents": torch.cat(parts).to(torch.bfloat16).contiguous()}, partial, metadata=note)
        partial.replace(path)

    def shape(self, index: int) -> ClipShape:
        """Size, length and rate of a shard's clips."""
        bucket = self.config.buckets[self.config.bucket_of(index)]
        fps = random.Random(index).choice(bucket.frame_rates)
        return ClipShape(
            num_frames=bucket.num_frames, fps=Fraction(fps), height=bucket.height, width=bucket.width
        )

    @torch.no_grad()
    def _encode(self, clips: Tensor) -> Tensor:
        with torch.autocast(clips.device.type, torch.bfloat16):
            return torch.cat([self.tae.encode(clip[None]).float().cpu() for clip in clips])

    def _mattes(self, index: int, scenes: Sequence[Scene]) -> Tensor:
        shape, grid = self.shape(index), self.tae.grid
        cells = replace(shape, height=shape.height // grid.height, width=shape.width // grid.width)
        covered = self._film(render_mattes, index, cells, scenes).amax(dim=1, keepdim=True).cpu()
        covered = F.pad(covered, (0, 0, 0, 0, 0, grid.surplus_frames(shape.num_frames)))
        return covered.unflatten(2, (-1, grid.frames)).amax(dim=3)

    def _film(self, draw: Drawing, index: int, shape: ClipShape, scenes: Sequence[Scene]) -> Tensor:
        """A shard's clips or their mattes; a picture is taken at the shard's own moment."""
        device = str(next(self.tae.parameters()).device)
        size = {"height": shape.height, "width": shape.width, "device": device}
        if shape.num_frames > 1:
            return draw(scenes, num_frames=shape.num_frames, fps=shape.fps, **size)
        moment = random.Random(index).uniform(0.1, 2.0)
        return draw(scenes, num_frames=2, fps=1 / moment, **size)[:, :, 1:]


def _read(path: Path) -> tuple[Tensor, tuple[Scene, ...], int]:
    with safe_open(path, framework="pt") as file:
        note = file.metadata()
        scenes = tuple(Scene.from_json(text) for text in json.loads(note["scenes"]))
        return file.get_tensor("latents"), scenes, int(Fraction(note["fps"]))


def fingerprint(tae: TemporalAutoencoder, config: LatentConfig) -> str:
    """Short name of all that decides the latents: the encoder's weights, its statistics and the config."""
    digest = sha256(repr(config).encode())
    for tensor in (*tae.encoder.state_dict().values(), tae.latent_mean, tae.latent_scale):
        digest.update(tensor.detach().float().cpu().numpy().tobytes())
    return digest.hexdigest()[:12]
