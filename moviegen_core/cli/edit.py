"""``moviegen edit``: an instruction changes a video, and what was not asked for stays the source's own."""

import argparse
import time
from pathlib import Path

from torch import Tensor

from ..errors import SettingsError
from ..evaluation.describe import describe
from ..geometry import ClipShape, parse_size
from ..media.images import write_image
from ..media.read import read_clip
from ..media.target import checked_target
from ..media.write import clip_from_frames, read_metadata
from ..stages.edit import Locality, edit_file
from ..stages.flow_edit import FlowEditSettings, flow_edit
from ..stages.generate import TextToVideo, fast_dtype, load_text_to_video
from ..stages.instruction import check_instruction, target_caption
from ..stages.locality.files import clip_shape, composite_target
from ..weights.cast import open_cast
from .composite import matte_settings, say_notes
from .output import tell
from .progress import Progress, clock
from .values import parse_device

SEEN_FRAMES = 64
"""Frames that are looked at when nobody said what the source shows."""


def run(args: argparse.Namespace) -> int:
    """Do what the options ask for; returns the exit code."""
    started, path = time.monotonic(), composite_target(args.output)
    picture = None if args.matte is None else checked_target(args.matte, ".png")
    check_instruction(args.instruction)
    settings, locality = _settings(args), Locality(keep=args.keep, settings=matte_settings(args))
    size = None if args.size is None else parse_size(args.size)
    whole = clip_shape(args.input)
    models = _open_models(args)
    captions = _captions(args)
    with Progress(f"editing {path.name}", settings.num_steps) as progress:

        def change(clip: Tensor, shape: ClipShape) -> Tensor:
            return flow_edit(models, clip, captions, shape, settings, on_step=lambda *_: progress.advance())

        def on_frame() -> None:
            progress.turn_to(f"writing {path.name}", 2 * whole.num_frames)
            progress.advance()

        done = edit_file(models, args.input, path, change, size=size, locality=locality, on_frame=on_frame)
    if picture is not None:
        write_image(picture, done.picture)
    seconds = time.monotonic() - started
    facts = {"file": str(path), "source_caption": captions[0], "caption": captions[1]}
    sentence = f"{path}: {captions[1]} {done.report.sentence()}, made in {clock(seconds)}"
    tell(args, sentence, facts | dict(done.report.facts()) | {"seconds_taken": round(seconds, 3)})
    return 0


def _settings(args: argparse.Namespace) -> FlowEditSettings:
    return FlowEditSettings(
        strength=args.strength,
        num_steps=args.steps,
        source_guidance=args.source_pull,
        target_guidance=args.text_pull,
        num_averages=args.averages,
        seed=args.seed,
    )


def _open_models(args: argparse.Namespace) -> TextToVideo:
    device = parse_device(args.device)
    return load_text_to_video(open_cast(args.cast), device=device, dtype=fast_dtype(device))


def _captions(args: argparse.Namespace) -> tuple[str, str]:
    """What the source shows and what it shall show; told on stderr wherever we had to find it out."""
    source, notes = args.caption, []
    if source is None:
        source, how = _source_caption(Path(args.input))
        notes.append(f'the source {how} "{source}"; say it yourself with --caption if that is wrong')
    target = args.target
    if target is None:
        found = target_caption(args.instruction, source)
        target = found.text
        notes.append(f'by the rule "{found.rule}" it shall show "{target}"; say it yourself with --target')
    if not target.strip():
        raise SettingsError("--target is empty; describe the edited clip, or leave --target away")
    say_notes(notes)
    return source, target


def _source_caption(path: Path) -> tuple[str, str]:
    """The prompt that a file was made with, else what our judge sees in it."""
    made_of = read_metadata(path).get("prompt", "").strip()
    if made_of:
        return made_of, "was made as"
    frames, fps = read_clip(path, max_frames=SEEN_FRAMES)
    return describe(clip_from_frames(frames), fps), "looks to our small judge like"
