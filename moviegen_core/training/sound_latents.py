"""Theatre sounds as latents on disk, with the pictures they belong to: made once, in shards."""

# Shape letters: N sound, C channel, F audio latent frame, T frame, H row, W column.

import json
import random
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..media.pixels import to_bytes
from ..models.audio_codec import AudioCodec
from ..models.vision import fit_frames
from ..theatre.render import render
from ..theatre.sampling import sample_scenes
from ..theatre.scene import Scene
from .sounds import mono

Stems = tuple[str, ...]
AT_ONCE = 4
"""Clips rendered and encoded together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundLatentConfig:
    """Which sounds are cached."""

    seconds: int = 8
    """Of every sound."""
    frame_rates: tuple[int, ...] = (16, 8, 24, 12)
    """Of the pictures; shards go round them."""
    stems: tuple[Stems, ...] = (
        ("effects", "ambience"),
        ("effects", "ambience"),
        ("effects", "ambience", "music"),
        ("music",),
        ("effects",),
    )
    """What is heard together; one entry is drawn for each sound."""
    shard_size: int = 16
    """Sounds; with the pictures of a small frame encoder about 25 MB."""
    first_seed: int = 9_000_000

    def fps(self, shard: int) -> int:
        """Frames a second of a shard's pictures."""
        return self.frame_rates[shard % len(self.frame_rates)]


@dataclass(frozen=True, slots=True)
class SoundShard:
    """Sounds of one frame rate and all that is known about them."""

    latents_NCF: Tensor
    """bfloat16, normalized."""
    frames_NCTHW: Tensor
    """uint8, at the frame encoder's own size."""
    scenes: tuple[Scene, ...]
    stems: tuple[Stems, ...]
    """Heard in each sound."""
    fps: int


class SoundLatentStore:
    """A folder of shards for one codec; what is missing is made, what is there is never made again."""

    def __init__(self, folder: Path, codec: AudioCodec, size: int, config: SoundLatentConfig) -> None:
        self.codec, self.size, self.config = codec, size, config
        self.folder = folder / sound_fingerprint(codec, size, config)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.shards: dict[int, SoundShard] = {}

    def shard(self, index: int) -> SoundShard:
        """Shard ``index``, from memory, from disk, or made now."""
        if index not in self.shards:
            path = self.folder / f"{index:06d}.safetensors"
            if not path.exists():
                self._make(index, path)
            self.shards[index] = _read(path)
        return self.shards[index]

    def _make(self, index: int, path: Path) -> None:
        rng, size, fps = random.Random(index), self.config.shard_size, self.config.fps(index)
        scenes = sample_scenes(self.config.first_seed + index * size, size)
        stems = [rng.choice(self.config.stems) for _ in scenes]
        latents = [self._encode(scene, heard, fps) for scene, heard in zip(scenes, stems, strict=True)]
        frames = [self._film(scenes[start : start + AT_ONCE], fps) for start in range(0, size, AT_ONCE)]
        note = {
            "scenes": json.dumps([scene.to_json() for scene in scenes]),
            "stems": json.dumps(stems),
            "fps": str(fps),
        }
        partial = path.with_suffix(".partial")
        tensors = {"latents": torch.cat(latents).to(torch.bfloat16), "frames": torch.cat(frames)}
        save_file({name: one.contiguous() for name, one in tensors.items()}, partial, metadata=note)
        partial.replace(path)

    @torch.no_grad()
    def _encode(self, scene: Scene, stems: Stems, fps: int) -> Tensor:
        wave = mono(scene, stems, num_frames=self.config.seconds * fps, fps=fps)
        device = next(self.codec.parameters()).device
        with torch.autocast(device.type, torch.bfloat16):
            return self.codec.encode(wave[None].to(device)).float().cpu()

    def _film(self, scenes: list[Scene], fps: int) -> Tensor:
        clips = render(
            scenes, num_frames=self.config.seconds * fps, fps=fps, height=self.size, width=self.size * 7 // 4
        )
        return to_bytes(torch.cat([fit_frames(clip[None], self.size) for clip in clips]))


def _read(path: Path) -> SoundShard:
    with safe_open(path, framework="pt") as file:
        note = file.metadata()
        return SoundShard(
            file.get_tensor("latents"),
            file.get_tensor("frames"),
            tuple(Scene.from_json(text) for text in json.loads(note["scenes"])),
            tuple(tuple(names) for names in json.loads(note["stems"])),
            int(note["fps"]),
        )


def sound_fingerprint(codec: AudioCodec, size: int, config: SoundLatentConfig) -> str:
    """Short name of all that decides a shard: encoder, statistics, picture size and config."""
    digest = sha256(repr((size, config)).encode())
    bent = codec.companding.state_dict().values() if codec.companding is not None else ()
    for tensor in (*codec.encoder.state_dict().values(), codec.latent_mean, codec.latent_scale, *bent):
        digest.update(tensor.detach().float().cpu().numpy().tobytes())
    return digest.hexdigest()[:12]
