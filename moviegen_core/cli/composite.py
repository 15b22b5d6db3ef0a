"""``moviegen composite``: whatever model edited a video, what was not asked for stays the source's own."""

import argparse
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import torch

from ..media.images import write_image
from ..media.target import checked_target
from ..models.tae import TemporalAutoencoder
from ..stages.locality.files import PASSES, Composited, clip_shape, composite_files, composite_target
from ..stages.locality.matte import MatteSettings
from ..weights.cast import open_cast
from .output import tell
from .progress import Progress
from .values import parse_device

NO_CAST = "none"
"""In place of a cast: pixels alone decide what changed."""


def run(args: argparse.Namespace) -> int:
    """Do what the options ask for; returns the exit code."""
    path, started = composite_target(args.output), time.monotonic()
    picture = None if args.matte is None else checked_target(args.matte, ".png")
    settings, shape = matte_settings(args), clip_shape(args.source)
    tae = _open_tae(args)
    with Progress(path.name, PASSES * shape.num_frames) as progress:
        done = composite_files(
            args.source,
            args.edited,
            path,
            settings=settings,
            mask=args.mask,
            tae=tae,
            on_frame=progress.advance,
        )
    if picture is not None:
        write_image(picture, done.picture)
    _tell(args, done, picture, time.monotonic() - started)
    return 0


def matte_settings(args: argparse.Namespace) -> MatteSettings:
    """Read --grow, --feather and --sensitivity."""
    return MatteSettings(grow=args.grow, feather=args.feather, sensitivity=args.sensitivity)


def _open_tae(args: argparse.Namespace) -> TemporalAutoencoder | None:
    """The cast's eyes; an artist's mask needs none."""
    if args.cast == NO_CAST or args.mask is not None:
        return None
    tae = open_cast(args.cast).load("tae", parse_device(args.device), torch.float32)
    assert isinstance(tae, TemporalAutoencoder)
    return tae


def say_notes(notes: Iterable[str]) -> None:
    """Whatever was not as it should be, a line each on stderr."""
    for note in notes:
        sys.stderr.write(f"moviegen: {note}\n")


def _tell(args: argparse.Namespace, done: Composited, picture: Path | None, seconds: float) -> None:
    say_notes(done.notes)
    facts = {
        "file": str(done.path),
        "notes": list(done.notes),
        "matte": None if picture is None else str(picture),
        "frames_per_second": round(done.report.num_frames / seconds, 2),
    }
    tell(args, f"{done.path}: {done.report.sentence()}", facts | dict(done.report.facts()))
