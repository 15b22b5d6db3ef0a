"""What the commands of sound have in common: models, settings, the folder of finished pieces, progress."""

import argparse
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from ..errors import MediaError, SettingsError
from ..media.images import write_image
from ..media.resample import resampled
from ..media.sound import SAMPLE_RATE, Sound, waveform_of
from ..media.sound_picture import sound_picture
from ..media.target import checked_target
from ..stages.content import content_key
from ..stages.generate import fast_dtype
from ..stages.settings import SamplingSettings, SoundSettings
from ..stages.sound import ROLES, SoundModels, load_sound
from ..stages.soundtrack import OnProgress
from ..stages.units import Units
from ..weights.cast import Cast, open_cast
from .progress import Progress
from .values import parse_device

MOST_DRAWN = 30_000_000
"""Samples of a picture; longer sounds are drawn at a lower rate."""


def sound_settings(args: argparse.Namespace, num_candidates: int = 1) -> SoundSettings:
    """Read --prompt, --no-effects, --music, --steps, --guidance and --seed."""
    if args.prompt is not None and getattr(args, "no_effects", False):
        raise SettingsError("--prompt says what --no-effects switches off; give one of them")
    sampling = SamplingSettings(
        num_steps=args.steps, guidance=args.guidance, seed=args.seed, solver=SoundSettings().sampling.solver
    )
    effects = None if getattr(args, "no_effects", False) else args.prompt or ""
    return SoundSettings(effects=effects, music=args.music, num_candidates=num_candidates, sampling=sampling)


def open_models(args: argparse.Namespace) -> tuple[Cast, SoundModels]:
    """Load the cast's roles of sound onto --device."""
    device, cast = parse_device(args.device), open_cast(args.cast)
    return cast, load_sound(cast, device=device, dtype=fast_dtype(device))


def open_units(out: Path, cast: Cast, settings: SoundSettings, facts: Mapping[str, object]) -> Units:
    """The folder beside the result that holds finished pieces until the whole is there."""
    job = {"settings": asdict(settings), "weights": cast.fingerprint(ROLES)} | dict(facts)
    return Units(folder=out.with_name(f".{out.name}.parts"), job=content_key(job))


def steps_of(progress: Progress, name: str) -> OnProgress:
    """Solver steps on a bar."""

    def on_progress(done: int, total: int) -> None:
        progress.turn_to(name, total)
        progress.reach(done)

    return on_progress


def output_file(text: str, endings: tuple[str, ...]) -> Path:
    """Refuse an output that is not of one of these kinds, or cannot be written."""
    path = Path(text)
    if path.suffix.lower() not in endings:
        raise MediaError(f"output {text!r} does not end in {' or '.join(endings)}; name it like sound.wav")
    return checked_target(path, path.suffix.lower())


def parse_gap(text: str) -> tuple[float, float]:
    """Read "START-STOP" in seconds.

    Args:
        text: such as "2.5-4".

    Returns:
        Both, unchecked.

    Raises:
        SettingsError: not two numbers with a dash between.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?)\s*-\s*(\d+(?:\.\d*)?)\s*", text)
    if found is None:
        raise SettingsError(f"gap {text[:40]!r} is not START-STOP in seconds; write it like 2.5-4")
    return float(found[1]), float(found[2])


def draw(path: Path, sound: Sound, num_samples: int, events: list[float]) -> None:
    """Write a picture of a sound with marks at the events of its clip."""
    rate = min(sound.sample_rate, max(100, MOST_DRAWN * SAMPLE_RATE // max(1, num_samples)))
    write_image(path, sound_picture(waveform_of(resampled(sound, rate)), rate, events))


def checked_picture(text: str | None) -> Path | None:
    """Refuse a picture that could not be written before any work is spent."""
    return None if text is None else checked_target(text, ".png")
