"""``moviegen upscale``: a video or picture becomes a larger one, its sound untouched."""

import argparse
import time
from dataclasses import asdict
from pathlib import Path

from ..errors import SettingsError
from ..geometry import fit_frame
from ..media.source import Source, open_source
from ..stages.jobs import Job
from ..stages.meter import told_bytes
from ..stages.settings import UpsampleSettings
from ..stages.upsample import open_upscaler
from ..stages.upscale import RESAMPLERS, Upscaler, UpscaleSettings, resampler
from ..stages.upscale_video import Plan, Upscaled, prepare, upscale_video
from ..weights.cast import SHIPPED, open_cast
from .options.video import UPSCALERS
from .output import tell
from .progress import Progress, clock
from .values import parse_device

WEIGHTS = ".safetensors"


def run(args: argparse.Namespace) -> int:
    """Do what the options ask for; returns the exit code."""
    started, source = time.monotonic(), open_source(args.input)
    fit = fit_frame((source.info.height, source.info.width), args.height, args.width, args.fit)
    settings = UpscaleSettings(fit=fit, colour=args.colour)
    upscaler = find_upscaler(args.upscaler, args.device, seed=args.seed, num_steps=args.steps)
    job = prepare(source, Path(args.output), upscaler, settings)
    with Progress(job.path.name, source.num_frames) as progress:
        for note in source.notes:
            progress.say(f"moviegen: {source.path.name}: {note}")

        def on_plan(plan: Plan, units: Job) -> None:
            if units.notice:
                progress.say(f"moviegen: {units.notice}")
            progress.say(f"moviegen: {plan.text}")
            progress.advance(plan.done_units * plan.unit_frames)

        done = upscale_video(job, resume=args.resume, on_frames=progress.advance, on_plan=on_plan)
    tell(args, _sentence(done, time.monotonic() - started), _facts(done, source))
    return 0


def find_upscaler(
    name: str, device: str, *, seed: int, num_steps: int = UpsampleSettings().num_steps
) -> Upscaler:
    """Look up what --upscaler names and load it.

    Args:
        name: of a filter or a cast, or a file.
        device: as --device says it.
        seed: decides a model's detail.
        num_steps: solver steps of a model.

    Returns:
        The upscaler.

    Raises:
        SettingsError: it names nothing.
    """
    place, settings = parse_device(device), UpsampleSettings(num_steps=num_steps, seed=seed)
    if name in RESAMPLERS:
        return resampler(name, place)
    path = Path(name)
    if name not in SHIPPED and not path.exists():
        raise SettingsError(f"upscaler {name!r} is neither a name nor a file; use {UPSCALERS}")
    if path.suffix != WEIGHTS:
        path = open_cast(name).path("upsampler")
    return open_upscaler(path, device=place, settings=settings)


def _sentence(done: Upscaled, seconds: float) -> str:
    frames = f"{done.num_frames} frame{'s' * (done.num_frames != 1)}"
    text = f"{done.path}: {done.width}x{done.height}, {frames}, made in {clock(seconds)}"
    text += f", {done.resumed_frames} of them before" if done.resumed_frames else ""
    text += "" if done.sound == "none" else f", sound {done.sound}"
    told = [f"{name} {value:g}" for name, value in done.report.items() if value is not None]
    text += f"; {', '.join(told)}" if told else ""
    return text + (f"; peak memory {told_bytes(done.peak)}" if done.peak else "")


def _facts(done: Upscaled, source: Source) -> dict[str, object]:
    facts = asdict(done) | {"path": None, "fps": str(done.fps), "notes": list(source.notes)}
    return {"file": str(done.path)} | {name: value for name, value in facts.items() if name != "path"}
