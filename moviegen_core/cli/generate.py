"""``moviegen generate``: a sentence becomes a clip or a picture, a file of sentences a folder of clips."""

import argparse
import time
from pathlib import Path

from ..errors import MediaError, SettingsError
from ..media.target import checked_target
from .batch import run_batch
from .output import tell
from .progress import Progress, clock
from .studio import PICTURE, SUFFIXES, open_studio, requested


def run(args: argparse.Namespace) -> int:
    """Do what the options ask for.

    Args:
        args: parsed options of ``generate``.

    Returns:
        The exit code.

    Raises:
        SettingsError: neither or both of a prompt and a file of prompts.
    """
    if (args.prompt is None) == (args.prompts is None):
        raise SettingsError("give either a PROMPT or --prompts FILE")
    return run_batch(args) if args.prompts is not None else _run_one(args)


def _run_one(args: argparse.Namespace) -> int:
    started, path = time.monotonic(), _output_file(args.output)
    shape, settings = requested(args)
    studio = open_studio(args, shape, settings)
    with Progress(path.name, studio.num_steps) as progress:
        drift = studio.make(args.prompt, path, progress.advance)
    seconds = time.monotonic() - started
    length = f"{shape.num_frames} frames at {float(shape.fps):g} fps" if shape.num_frames > 1 else "1 frame"
    length += " with sound" if studio.sound and path.suffix.lower() != PICTURE else ""
    sentence = f"{path}: {studio.size}, {length}, seed {settings.seed}, made in {clock(seconds)}"
    sentence += f"; drift of colour {drift['colour']:g}, of contrast x{drift['contrast']:g}" if drift else ""
    facts = {"file": str(path), "prompt": args.prompt, "drift": drift} | studio.facts
    tell(args, sentence, facts | {"seconds_taken": round(seconds, 3)})
    return 0


def _output_file(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() not in SUFFIXES:
        raise MediaError(f"output {text!r} does not end in {' or '.join(SUFFIXES)}; name it like clip.mp4")
    return checked_target(path, path.suffix.lower())
