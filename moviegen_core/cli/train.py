"""``moviegen train``: make a role of the cast anew."""

import argparse
import math
from pathlib import Path

from ..errors import SettingsError
from ..evaluation.train_face_judge import train_face_judge
from ..evaluation.train_judge import train_judge
from ..evaluation.train_sound_judge import train_sound_judge
from ..media.target import checked_target
from ..training.footage import build_footage
from ..training.run import TRAINERS, OnStep, Session, train
from ..weights.cast import open_cast
from .output import check_folder, tell
from .progress import Progress
from .values import parse_device

ALL_TRAINERS = TRAINERS | {
    "judge": train_judge,
    "sound_judge": train_sound_judge,
    "face_judge": train_face_judge,
}
READERS = {
    "footage": ("tae", "upsampler"),
    "tae": ("video", "edit", "personalized", "shared", "judge", "face_judge", "upsampler"),
    "codec": ("audio", "sound_judge"),
}
"""Which roles each file option is for."""


def run(args: argparse.Namespace) -> int:
    """Do what the options ask for.

    Args:
        args: parsed options of ``train``.

    Returns:
        The exit code.

    Raises:
        SettingsError: no time to train in.
    """
    if not 0 < args.minutes < math.inf:
        raise SettingsError(f"{args.minutes} minutes is out of range; give a time budget above 0, such as 60")
    out, sources = check_folder(args.out, levels=2), _sources(args)
    facts = {"role": args.role, "steps": 0, "loss": None}
    with Progress(args.role, None) as progress:

        def on_step(done: int, losses: dict[str, float]) -> None:
            progress.label = f"{args.role}, loss {losses['total']:.4f}, step"
            facts.update(steps=done, loss=losses["total"])
            progress.reach(done)

        path = train(args.role, out, _session(args, on_step), trainers=ALL_TRAINERS, **sources)
    loss = f", loss {facts['loss']:.4f}" if facts["steps"] else ""
    tell(args, f"{path}: {args.role}, {facts['steps']} steps{loss}", {"file": str(path)} | facts)
    return 0


def _session(args: argparse.Namespace, on_step: OnStep) -> Session:
    return Session(
        steps=args.steps,
        minutes=args.minutes,
        resume=args.resume,
        start=open_cast(args.start) if args.start else None,
        device=str(parse_device(args.device)),
        on_step=on_step,
    )


def _sources(args: argparse.Namespace) -> dict[str, Path]:
    """What the role learns from, where the options name it; footage is collected on the way."""
    given = {"footage": args.footage, "tae": args.tae, "codec": args.codec}
    sources = {name: Path(file) for name, file in given.items() if file is not None}
    for name in sources:
        if args.role not in READERS[name]:
            raise SettingsError(
                f"--{name} is for {' and '.join(READERS[name])}, not for {args.role}; leave it out"
            )
    footage = sources.get("footage")
    if footage is not None and not footage.exists():
        build_footage(checked_target(footage, ".safetensors"))
    return sources
