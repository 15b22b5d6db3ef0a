"""The loaded cast and everything that the clips of one call have in common."""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

from torch import Tensor

from ..geometry import ClipShape, samples_for
from ..media.images import write_image
from ..media.mux import add_sound
from ..media.sound import Sound
from ..media.write import frames_from_clip, write_clip
from ..stages.content import content_key
from ..stages.drift import Drift
from ..stages.generate import (
    ROLES,
    TextToVideo,
    check_shape,
    decode_parts,
    fast_dtype,
    generate_latents,
    load_text_to_video,
)
from ..stages.mix import MixSettings, Stem, mix
from ..stages.settings import SamplingSettings, SoundSettings
from ..stages.sound import ROLES as SOUND_ROLES
from ..stages.sound import SoundModels, load_sound
from ..stages.soundtrack import see_video, soundtrack, stretches
from ..weights.cast import Cast, open_cast
from .enlarge import Enlarger, requested_enlarger
from .values import clip_shape, parse_device

PICTURE = ".png"
SUFFIXES = (".mp4", PICTURE)
OnSteps = Callable[[int], None]
"""Called with the number of steps just done."""


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
    enlarger: Enlarger | None = None
    """Make every clip larger at the end; None leaves it as the model makes it."""

    def make(self, prompt: str, path: Path, on_steps: OnSteps) -> dict[str, float]:
        """Generate a clip and write it, with what made it in its metadata; returns a long clip's drift."""
        if self.enlarger is None:
            return self._make(prompt, path, on_steps)
        small = path.with_name(f".{path.stem}.small{path.suffix}")
        try:
            drift = self._make(prompt, small, on_steps)
            self.enlarger.enlarge(small, path, self.key(prompt), self.metadata(prompt), on_steps)
        finally:
            small.unlink(missing_ok=True)
        return drift

    def _make(self, prompt: str, path: Path, on_steps: OnSteps) -> dict[str, float]:
        """Generate a clip and write it in the size that the model makes."""
        latent = generate_latents(
            self.models,
            [prompt],
            self.shape,
            self.settings,
            camera=self.camera,
            on_step=lambda *_: on_steps(1),
        )
        drift, metadata = Drift(self.models.span * self.models.tae.grid.frames), self.metadata(prompt)
        frames = self._frames(latent, drift)
        if path.suffix.lower() == PICTURE:
            write_image(path, next(frames), metadata)
        elif self.sound is None:
            write_clip(path, frames, self.shape.fps, metadata=metadata)
        else:
            self._write_with_sound(path, frames, metadata, on_steps)
        return drift.facts()

    def _frames(self, latent: Tensor, drift: Drift) -> Iterator[Tensor]:
        """The clip's frames, decoded as they are asked for."""
        is_long = latent.shape[2] > self.models.span
        for clip in decode_parts(self.models, latent, self.shape.num_frames):
            frames = frames_from_clip(clip[0])
            if is_long:
                drift.add(frames)
            yield from frames

    def _write_with_sound(
        self, path: Path, frames: Iterator[Tensor], metadata: dict[str, str], on_steps: OnSteps
    ) -> None:
        """Write the clip beside its place, and to its place once it has the sound of what it shows."""
        silent = path.with_name(f".{path.stem}.silent{path.suffix}")
        try:
            write_clip(silent, frames, self.shape.fps, metadata=metadata)
            add_sound(silent, self._sound_of(silent, on_steps), path)
        finally:
            silent.unlink(missing_ok=True)

    def _sound_of(self, silent: Path, on_steps: OnSteps) -> Sound:
        """Effects and ambience of what a file shows."""
        assert self.sound is not None
        wanted = SoundSettings(sampling=replace(SoundSettings().sampling, seed=self.settings.seed))
        seen = see_video(self.sound, silent, self.shape.fps)
        num_samples, counted = samples_for(self.shape.num_frames, self.shape.fps), 0

        def count(done: int, _total: int) -> None:
            nonlocal counted
            on_steps(done - counted)
            counted = done

        stems = soundtrack(self.sound, wanted, num_samples, seen, on_progress=count)
        return mix({name: Stem(sound=one) for name, one in stems.items()}, num_samples, MixSettings()).sound

    @property
    def num_steps(self) -> int:
        """Solver steps of one clip, those of its sound and frames to be made larger included."""
        steps = self.settings.num_steps + (self.shape.num_frames if self.enlarger else 0)
        if self.sound is None:
            return steps
        num_samples = samples_for(self.shape.num_frames, self.shape.fps)
        count = len(stretches(self.sound.codec.grid.latent_frames(num_samples)))
        return steps + count * SoundSettings().sampling.num_steps

    @property
    def size(self) -> str:
        """Of every clip, in words."""
        made = f"{self.shape.width}x{self.shape.height}"
        return f"{self.enlarger.size} from {made}" if self.enlarger else made

    def metadata(self, prompt: str) -> dict[str, str]:
        """What a file says about how it was made."""
        return {"prompt": prompt} | {name: str(value) for name, value in self.facts.items()}

    @property
    def facts(self) -> dict[str, object]:
        """Settings, size and cast in plain values."""
        size = {"frames": self.shape.num_frames, "width": self.shape.width, "height": self.shape.height}
        camera = {"camera": self.camera} if self.camera else {}
        camera |= {"sound": "effects and ambience"} if self.sound else {}
        large = (
            {"upscaled": self.enlarger.size, "upscaler": self.enlarger.upscaler.name} if self.enlarger else {}
        )
        plain = {"cast": self.cast.name} | asdict(self.settings) | size | {"fps": str(self.shape.fps)}
        return plain | camera | large

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
    enlarger = requested_enlarger(args, shape)
    heard = not args.silent and shape.num_frames > 1 and set(SOUND_ROLES) <= set(cast.roles)
    sound = load_sound(cast, device=device, dtype=fast_dtype(device)) if heard else None
    return Studio(
        cast=cast,
        models=models,
        shape=shape,
        settings=settings,
        camera=args.camera,
        sound=sound,
        enlarger=enlarger,
    )
