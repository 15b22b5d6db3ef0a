"""``moviegen edit``: an instruction changes a video, and what was not asked for stays the source's own."""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ..errors import SettingsError
from ..evaluation.describe import describe
from ..flow.guidance import USUAL_PULLS, EditGuidance
from ..geometry import ClipShape, parse_size
from ..media.images import write_image
from ..media.read import read_clip
from ..media.target import checked_target
from ..media.write import clip_from_frames
from ..stages.edit import Locality, edit_file, made_as
from ..stages.edit_model import check_guidance, edit_clip, load_edit, task_of
from ..stages.flow_edit import FlowEditSettings, flow_edit
from ..stages.generate import TextToVideo, fast_dtype, load_text_to_video
from ..stages.instruction import check_instruction, target_caption
from ..stages.locality.files import clip_shape, composite_target
from ..stages.settings import SamplingSettings
from ..weights.cast import Cast, open_cast
from .composite import matte_settings, say_notes
from .output import tell
from .progress import Progress, clock
from .values import parse_device

SEEN_FRAMES = 64
"""Frames that are looked at when nobody said what the source shows."""
FLOW_OPTIONS = ("caption", "target", "strength", "averages")
OnStep = Callable[[int, Tensor], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    """A loaded model, asked for one change."""

    models: TextToVideo
    change: Callable[[Tensor, ClipShape, OnStep], Tensor]
    facts: dict[str, str]


def run(args: argparse.Namespace) -> int:
    """Do what the options ask for; returns the exit code."""
    started, path = time.monotonic(), composite_target(args.output)
    picture = None if args.matte is None else checked_target(args.matte, ".png")
    check_instruction(args.instruction)
    locality = Locality(keep=args.keep, settings=matte_settings(args))
    size = None if args.size is None else parse_size(args.size)
    whole, editor = clip_shape(args.input), _open_editor(args)
    with Progress(f"editing {path.name}", args.steps) as progress:

        def change(clip: Tensor, shape: ClipShape) -> Tensor:
            return editor.change(clip, shape, lambda *_: progress.advance())

        def on_frame() -> None:
            progress.turn_to(f"writing {path.name}", 2 * whole.num_frames)
            progress.advance()

        done = edit_file(
            editor.models, args.input, path, change, size=size, locality=locality, on_frame=on_frame
        )
    if picture is not None:
        write_image(picture, done.picture)
    seconds = time.monotonic() - started
    facts = {"file": str(path)} | editor.facts | dict(done.report.facts())
    sentence = f"{path}: {done.report.sentence()}, made in {clock(seconds)}"
    tell(args, sentence, facts | {"seconds_taken": round(seconds, 3)})
    return 0


def _open_editor(args: argparse.Namespace) -> Editor:
    """The cast's edit model, or where it has none its text-to-video model."""
    cast = open_cast(args.cast)
    if args.flow_edit or "edit" not in cast.roles:
        return _flow_editor(args, cast)
    for name in FLOW_OPTIONS:
        if getattr(args, name) is not None:
            raise SettingsError(
                f"--{name} steers FlowEdit, and cast {cast.name} edits by instruction; add --flow-edit, or"
                f" leave --{name} away"
            )
    return _edit_editor(args, cast)


def _pulls(args: argparse.Namespace, *defaults: float) -> tuple[float, float]:
    given = (args.source_pull, args.text_pull)
    source, text = (usual if one is None else one for one, usual in zip(given, defaults, strict=True))
    return source, text


def _edit_editor(args: argparse.Namespace, cast: Cast) -> Editor:
    guidance = EditGuidance(*_pulls(args, USUAL_PULLS.video, USUAL_PULLS.text))
    check_guidance(guidance)
    settings = SamplingSettings(num_steps=args.steps, seed=args.seed)
    device = parse_device(args.device)
    models = load_edit(cast, device=device, dtype=fast_dtype(device))

    def change(clip: Tensor, shape: ClipShape, on_step: OnStep) -> Tensor:
        return edit_clip(models, clip, args.instruction, shape, settings, guidance, on_step=on_step)

    return Editor(models=models, change=change, facts={"task": task_of(args.instruction)})


def _flow_editor(args: argparse.Namespace, cast: Cast) -> Editor:
    usual = FlowEditSettings()
    source_pull, text_pull = _pulls(args, usual.source_guidance, usual.target_guidance)
    settings = FlowEditSettings(
        strength=usual.strength if args.strength is None else args.strength,
        num_steps=args.steps,
        source_guidance=source_pull,
        target_guidance=text_pull,
        num_averages=usual.num_averages if args.averages is None else args.averages,
        seed=args.seed,
    )
    device = parse_device(args.device)
    models = load_text_to_video(cast, device=device, dtype=fast_dtype(device))
    captions = _captions(args)

    def change(clip: Tensor, shape: ClipShape, on_step: OnStep) -> Tensor:
        return flow_edit(models, clip, captions, shape, settings, on_step=on_step)

    facts = {"source_caption": captions[0], "caption": captions[1]}
    return Editor(models=models, change=change, facts=facts)


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
    made_of = made_as(path)
    if made_of:
        return made_of, "was made as"
    frames, fps = read_clip(path, max_frames=SEEN_FRAMES)
    return describe(clip_from_frames(frames), fps), "looks to our small judge like"
