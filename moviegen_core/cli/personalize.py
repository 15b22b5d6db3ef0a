"""``moviegen personalize``: the face of a picture steps into a new clip."""

import argparse
import time
from pathlib import Path

import torch
from torch import Tensor

from ..geometry import ClipShape
from ..media.images import read_image, write_image
from ..media.pixels import from_bytes
from ..media.target import checked_target
from ..media.write import frames_from_clip, write_clip
from ..stages.faces import reference_face
from ..stages.generate import check_shape, fast_dtype
from ..stages.likeness import curve_picture
from ..stages.personalize import FaceToVideo, Personalized, best_of, load_personalized, personalize
from ..stages.settings import SamplingSettings
from ..weights.cast import open_cast
from .composite import say_notes
from .output import tell
from .progress import Progress, clock
from .values import clip_shape, parse_device


def run(args: argparse.Namespace) -> int:
    """Do what the options ask for; returns the exit code."""
    started, path = time.monotonic(), checked_target(args.output, ".mp4")
    curve = None if args.curve is None else checked_target(args.curve, ".png")
    shape = clip_shape(args)
    settings = SamplingSettings(num_steps=args.steps, guidance=args.guidance, seed=args.seed)
    device, cast = parse_device(args.device), open_cast(args.cast)
    models = load_personalized(cast, device=device, dtype=fast_dtype(device))
    check_shape(models, shape)
    faces = _faces(models, args)
    with Progress(path.name, settings.num_steps * max(1, args.best_of)) as progress:
        done = _made(models, faces, args, shape, settings, progress)
    facts = {"prompt": args.prompt, "seed": done.seed, "cast": cast.name, "steps": settings.num_steps}
    metadata = {name: str(value) for name, value in facts.items()}
    write_clip(path, frames_from_clip(done.clip), shape.fps, metadata=metadata)
    if curve is not None:
        write_image(curve, curve_picture(done.likeness))
    seconds = time.monotonic() - started
    sentence = f"{path}: seed {done.seed}, {done.likeness.sentence()}, made in {clock(seconds)}"
    told = {"file": str(path)} | facts | {"likeness": dict(done.likeness.facts())}
    tell(args, sentence, told | {"seconds_taken": round(seconds, 3)})
    return 0


def _made(
    models: FaceToVideo,
    faces: list[Tensor],
    args: argparse.Namespace,
    shape: ClipShape,
    settings: SamplingSettings,
    progress: Progress,
) -> Personalized:
    """The clip of all seeds that is most like the face."""

    def make(settings: SamplingSettings) -> Personalized:
        return personalize(
            models,
            faces,
            args.prompt,
            shape,
            settings,
            camera=args.camera,
            on_step=lambda *_: progress.advance(),
        )

    return best_of(make, settings, args.best_of)


def _faces(models: FaceToVideo, args: argparse.Namespace) -> list[Tensor]:
    """The reference pictures' faces; only the first may have a mask."""
    mask = None if args.mask is None else torch.from_numpy(read_image(args.mask)).amax(2)
    faces = []
    for number, name in enumerate([args.face, *args.faces]):
        picture = from_bytes(torch.from_numpy(read_image(name))).movedim(-1, 0)
        face, notes = reference_face(
            models.identity, picture.to(models.device), mask if number == 0 else None, Path(name).name
        )
        say_notes(notes)
        faces.append(face)
    return faces
