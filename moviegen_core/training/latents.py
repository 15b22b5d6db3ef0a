"""Theatre clips as latents on disk: rendered and encoded once, in shards, with the scenes they show."""

import json
import random
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..geometry import ClipShape
from ..models.tae import TemporalAutoencoder
from ..theatre.render import render
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


@dataclass(frozen=True, slots=True)
class Shard:
    """Latents of one bucket and what they show."""

    latents: Tensor
    """(N, 16, T, H, W), bfloat16, normalized."""
    scenes: tuple[Scene, ...]
    fps: int


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
            self.shards[index] = _read(path)
        return self.shards[index]

    def _make(self, index: int, path: Path) -> None:
        shape = self.shape(index)
        size = self.config.shard_size
        scenes = sample_scenes(self.config.first_seed + index * size, size)
        moment = random.Random(index).uniform(0.1, 2.0)
        parts = [self._encode(scenes[start : start + 8], shape, moment) for start in range(0, size, 8)]
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
    def _encode(self, scenes: list[Scene], shape: ClipShape, moment: float) -> Tensor:
        device = next(self.tae.parameters()).device
        size = {"height": shape.height, "width": shape.width, "device": str(device)}
        if shape.num_frames == 1:
            clips = render(scenes, num_frames=2, fps=1 / moment, **size)[
                :, :, 1:
            ]  # one picture, at that moment
        else:
            clips = render(scenes, num_frames=shape.num_frames, fps=shape.fps, **size)
        with torch.autocast(device.type, torch.bfloat16):
            return torch.cat([self.tae.encode(clip[None]).float().cpu() for clip in clips])


def _read(path: Path) -> Shard:
    with safe_open(path, framework="pt") as file:
        note = file.metadata()
        scenes = tuple(Scene.from_json(text) for text in json.loads(note["scenes"]))
        return Shard(file.get_tensor("latents"), scenes, int(Fraction(note["fps"])))


def fingerprint(tae: TemporalAutoencoder, config: LatentConfig) -> str:
    """Short name of all that decides the latents: the encoder's weights, its statistics and the config."""
    digest = sha256(repr(config).encode())
    for tensor in (*tae.encoder.state_dict().values(), tae.latent_mean, tae.latent_scale):
        digest.update(tensor.detach().float().cpu().numpy().tobytes())
    return digest.hexdigest()[:12]
