"""The loaded cast and everything that the clips of one call have in common."""

import argparse
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

from torch import Tensor

from ..geometry import ClipShape, samples_for
from ..media.images import write_image
from ..media.mux import add_sound
from ..media.write import frames_from_clip, write_clip
from ..stages.generate import (
    ROLES,
    OnStep,
    TextToVideo,
    check_shape,
    fast_dtype,
    generate,
    load_text_to_video,
)
from ..stages.mix import MixSettings, Stem, mix
from ..stages.settings import SamplingSettings, SoundSettings
from ..stages.sound import ROLES as SOUND_ROLES
from ..stages.sound import SoundModels, load_sound
from ..stages.soundtrack import see_clip, soundtrack, stretches
from ..stages.units import content_key
from ..weights.cast import Cast, open_cast
from .values import clip_shape, parse_device

PICTURE = ".png"
SUFFIXES = (".mp4", PICTURE)


@dataclass(frozen=True, kw_only=True)
class Studio:
    """Makes clips that differ by prompt only."""

    cast: Cast
    models: TextToVideo
    shape: ClipShape
    settings: SamplingSettings
    camera: str | None
    sound: SoundModels | None = None
    """Give every clip its sound; None leaves clips silent."""

    def make(self, prompt: str, path: Path, on_step: OnStep) -> None:
        """Generate a clip and write it, with what made it in its metadata."""
        clip = generate(
            self.models,
            prompt,
            self.shape,
            self.settings,
            camera=self.camera,
            on_step=on_step,
        )
        frames, metadata = frames_from_clip(clip), self.metadata(prompt)
        if path.suffix.lower() == PICTURE:
            write_image(path, frames[0], metadata)
        elif self.sound is None:
            write_clip(path, frames, self.shape.fps, metadata=metadata)
        else:
            self._write_with_sound(path, clip, frames, metadata, on_step)

    def _write_with_sound(
        self, path: Path, clip: Tensor, frames: Tensor, metadata: dict[str, str], on_step: OnStep
    ) -> None:
        """Write the clip beside its place, and to its place once it has the sound of what it shows."""
        assert self.sound is not None
        sampling, counted = replace(SoundSettings().sampling, seed=self.settings.seed), 0

        def count(done: int, _total: int) -> None:
            nonlocal counted
            for _ in range(counted, done):
                on_step(done, clip)
            counted = done

        seen = see_clip(self.sound, [clip], self.shape.fps)
        num_samples = samples_for(self.shape.num_frames, self.shape.fps)
        wanted = SoundSettings(sampling=sampling)
        stems = soundtrack(self.sound, wanted, num_samples, seen, on_progress=count)
        mixed = mix({name: Stem(sound=one) for name, one in stems.items()}, num_samples, MixSettings())
        silent = path.with_name(f".{path.stem}.silent{path.suffix}")
        try:
            write_clip(silent, frames, self.shape.fps, metadata=metadata)
            add_sound(silent, mixed.sound, path)
        finally:
            silent.unlink(missing_ok=True)

    @property
    def num_steps(self) -> int:
        """Solver steps of one clip, those of its sound included."""
        if self.sound is None:
            return self.settings.num_steps
        num_samples = samples_for(self.shape.num_frames, self.shape.fps)
        count = len(stretches(self.sound.codec.grid.latent_frames(num_samples)))
        return self.settings.num_steps + count * SoundSettings().sampling.num_steps

    def metadata(self, prompt: str) -> dict[str, str]:
        """What a file says about how it was made."""
        return {"prompt": prompt} | {name: str(value) for name, value in self.facts.items()}

    @property
    def facts(self) -> dict[str, object]:
        """Settings, size and cast in plain values."""
        size = {"frames": self.shape.num_frames, "width": self.shape.width, "height": self.shape.height}
        camera = {"camera": self.camera} if self.camera else {}
        camera |= {"sound": "effects and ambience"} if self.sound else {}
        return {"cast": self.cast.name} | asdict(self.settings) | size | {"fps": str(self.shape.fps)} | camera

    @cached_property
    def fingerprint(self) -> str:
        """Which weights these are; other weights make other clips."""
        return self.cast.fingerprint(ROLES + SOUND_ROLES if self.sound else ROLES)

    def key(self, prompt: str) -> str:
        """Equal when a clip would come out the same."""
        return content_key(self.facts | {"prompt": prompt, "weights": self.fingerprint})


def requested(args: argparse.Namespace) -> tuple[ClipShape, SamplingSettings]:
    """Read and check size, length, rate and settings; a picture is a clip of one frame."""
    shape = clip_shape(args)
    if Path(args.output).suffix.lower() == PICTURE and not args.prompts:
        shape = replace(shape, num_frames=1)
    return shape, SamplingSettings(num_steps=args.steps, guidance=args.guidance, seed=args.seed)


def open_studio(args: argparse.Namespace, shape: ClipShape, settings: SamplingSettings) -> Studio:
    """Load the cast that --cast names onto --device."""
    device, cast = parse_device(args.device), open_cast(args.cast)
    models = load_text_to_video(cast, device=device, dtype=fast_dtype(device))
    check_shape(models, shape)
    heard = not args.silent and shape.num_frames > 1 and set(SOUND_ROLES) <= set(cast.roles)
    sound = load_sound(cast, device=device, dtype=fast_dtype(device)) if heard else None
    return Studio(cast=cast, models=models, shape=shape, settings=settings, camera=args.camera, sound=sound)
