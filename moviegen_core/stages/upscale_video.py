"""A video becomes a larger one, unit by unit: never all in memory, never lost, its sound untouched."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..errors import MediaError
from ..geometry import FrameFit
from ..media.images import is_picture, write_image
from ..media.join import Joined, checked_ending, join
from ..media.read import frames
from ..media.source import Source
from ..media.target import checked_target, replacing
from ..media.write import CRF, write_clip
from .content import file_key
from .jobs import Job, open_job
from .meter import peak_bytes, told_bytes
from .steadiness import Steadiness
from .upscale import Place, Upscaler, UpscaleSettings, upscale_stream, upscale_window

UNIT_SECONDS = 2
"""What a kill can cost at most, about."""
PICTURES, STATE = ".mp4", ".safetensors"
"""Files of a unit. The pictures are written last: where they are, the unit is whole."""
BASE_BYTES = 400e6
"""What the program itself takes."""
ENCODER_BYTES = 300.0
"""What x264 keeps for each pixel of a frame, about: it looks dozens of frames ahead."""
VERSION = 1
"""Changes when the same settings would give other frames."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an upscale will take, told before it begins."""

    num_frames: int | None
    num_units: int | None
    unit_frames: int
    done_units: int
    memory: float
    """Bytes, roughly."""
    seconds: float | None
    """From a short trial; None where the length is not known or the upscaler is not tried."""
    text: str
    """All of it in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upscaled:
    """What was written."""

    path: Path
    num_frames: int
    fps: Fraction
    height: int
    width: int
    sound: str
    dropped: tuple[str, ...]
    report: dict[str, float | None]
    peak: int | None
    """Bytes."""
    resumed_frames: int
    """Frames that an earlier run had finished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpscaleJob:
    """An upscale that is about to run."""

    source: Source
    path: Path
    upscaler: Upscaler
    settings: UpscaleSettings
    crf: int = CRF
    source_key: str = ""
    """A name for what the source holds, where its file does not always hold the same bytes."""
    source_name: str | None = None
    """What the result's tags call the source; nothing when empty, when None as its file is called."""
    way_on: str = "go on with --resume"
    """What a user does after a stop."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """What the result's tags say besides."""

    @property
    def unit_windows(self) -> int:
        """Windows of a unit."""
        return max(1, round(UNIT_SECONDS * self.source.fps / self.upscaler.hop))

    @property
    def unit_frames(self) -> int:
        """Frames of a unit; the last may hold others."""
        return self.unit_windows * self.upscaler.hop

    def facts(self) -> dict[str, object]:
        """Everything that decides the units, in plain values."""
        fit = self.settings.fit
        return {
            "version": VERSION,
            "input": self.source_key or file_key(self.source.path),
            "size": list(fit.target),
            "scaled": list(fit.scaled),
            "colour": self.settings.colour,
            "upscaler": self.upscaler.name,
            "content": self.upscaler.content,
            "factor": self.upscaler.factor,
            "window": [self.upscaler.window, self.upscaler.overlap],
            "tile": [self.upscaler.tile, self.upscaler.tile_overlap],
            "unit": self.unit_windows,
            "crf": self.crf,
        }


OnFrames = Callable[[int], None]
"""Called with the number of frames just finished; may raise to stop."""


def prepare(source: Source, path: str | Path, upscaler: Upscaler, settings: UpscaleSettings) -> UpscaleJob:
    """Check an upscale before any work is spent on it.

    Args:
        source: the video or picture.
        path: what to write: .mp4, .m4v, .mov or .mkv, for one picture .png.
        upscaler: makes frames larger.
        settings: target and colours.

    Returns:
        The job.

    Raises:
        MediaError: a place that cannot be written, or a video that would become a picture.
    """
    path = Path(path)
    if is_picture(path):
        if not is_picture(source.path):
            raise MediaError(f"{source.path} is a video and {path} a picture; end the name in .mp4")
        checked_target(path, ".png")
    else:
        checked_ending(path)
    return UpscaleJob(source=source, path=path, upscaler=upscaler, settings=settings)


def plan(job: UpscaleJob, done_units: int = 0) -> Plan:
    """Reckon units, memory and time; a few frames are upscaled for it.

    Args:
        job: what is to be done.
        done_units: units that an earlier run finished.

    Returns:
        The plan.
    """
    total, (height, width) = job.source.num_frames, job.settings.fit.scaled
    pixels = job.upscaler.window * height * width
    tile = (job.upscaler.tile * (job.upscaler.factor or 1)) ** 2 * job.upscaler.window
    piece = min(pixels, tile) if tile else pixels
    memory = (
        BASE_BYTES
        + ENCODER_BYTES * height * width
        + pixels * 3 * (2 * 4 + 3)
        + piece * job.upscaler.bytes_per_pixel
    )
    units = None if total is None else max(1, -(-(total - job.upscaler.overlap) // job.unit_frames))
    left = None if total is None else max(0, total - done_units * job.unit_frames)
    seconds = None if left is None or not job.upscaler.trial_frames else left * seconds_per_frame(job)
    parts = [f"{total or 'an unknown number of'} frames", job.settings.fit.describe()]
    parts += [f"{units} units of {job.unit_frames} frames" if units else f"units of {job.unit_frames} frames"]
    parts += [f"{done_units} of them done"] if done_units else []
    parts += [f"about {told_bytes(memory)} of memory"]
    parts += [f"about {_told_time(seconds)}"] if seconds is not None else []
    return Plan(
        num_frames=total,
        num_units=units,
        unit_frames=job.unit_frames,
        done_units=done_units,
        memory=memory,
        seconds=seconds,
        text=", ".join(parts),
    )


def _told_time(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def seconds_per_frame(job: UpscaleJob) -> float:
    """Time one frame of the source, or a piece of it as large as a tile, and reckon up."""
    first = next(iter(frames(job.source.path)))
    fit = job.settings.fit
    side = job.upscaler.tile or max(first.shape[:2])
    side = max(1, round(side / fit.factor)) if job.upscaler.wants_enlarged else side
    piece = first[:side, :side]
    share = piece.numel() / first.numel()
    size = (piece.shape[0], piece.shape[1])
    scaled = (max(1, round(size[0] * fit.factor)), max(1, round(size[1] * fit.factor)))
    small = replace(job.settings, fit=FrameFit(source=size, scaled=scaled, target=scaled))
    count = min(job.upscaler.trial_frames, job.upscaler.window)
    started = time.monotonic()
    upscale_window(job.upscaler, torch.stack([piece] * count), small)
    spent = (time.monotonic() - started) / count / share
    return spent * job.upscaler.window / job.upscaler.hop


def upscale_video(
    job: UpscaleJob,
    *,
    resume: bool = False,
    on_frames: OnFrames | None = None,
    on_plan: Callable[[Plan, Job], None] | None = None,
) -> Upscaled:
    """Do it: every finished unit is on the disk, and a run that was stopped can be gone on with.

    Args:
        job: from ``prepare``.
        resume: go on from the units that are there.
        on_frames: called after each window; may raise to stop.
        on_plan: called once before the work begins, with the plan and the folder of units.

    Returns:
        What was written.

    Raises:
        MediaError: the source cannot be read on, or the disk is full; what is finished stays.
    """
    if is_picture(job.path):
        return _upscale_picture(job)
    units = open_job(job.path, job.facts(), resume=resume)
    number = units.num_done(PICTURES)
    at = _load_place(units, number - 1) if number else Place.begin()
    if on_plan is not None:
        on_plan(plan(job, number), units)
    resumed = at.made
    source = islice(frames(job.source.path), at.start, None)
    windows = upscale_stream(job.upscaler, source, job.settings, at)
    while not at.is_done:
        at = _make_unit(job, units, number, windows, on_frames)
        number += 1
    joined = _join(job, units, number)
    if joined.num_frames != at.made:
        raise MediaError(
            f"{job.path} holds {joined.num_frames} of {at.made} frames; free the disk and resume"
        )
    units.close()
    return _upscaled(job, at, joined, resumed)


def _upscaled(job: UpscaleJob, at: Place, joined: Joined, resumed: int) -> Upscaled:
    height, width = job.settings.fit.target
    return Upscaled(
        path=job.path,
        num_frames=at.made,
        fps=job.source.fps,
        height=height,
        width=width,
        sound=joined.sound,
        dropped=joined.dropped,
        report=at.steadiness.facts(),
        peak=peak_bytes(job.upscaler.device),
        resumed_frames=resumed,
    )


def _upscale_picture(job: UpscaleJob) -> Upscaled:
    picture = torch.stack(list(frames(job.source.path)))
    made = upscale_window(job.upscaler, picture, job.settings)
    write_image(job.path, made[0], _metadata(job))
    steadiness = Steadiness()
    at = Place(made=1, steadiness=steadiness, is_done=True)
    return _upscaled(job, at, Joined(path=job.path, num_frames=1, sound="none", dropped=()), 0)


def _make_unit(
    job: UpscaleJob,
    units: Job,
    number: int,
    windows: Iterator[tuple[Tensor, Place]],
    on_frames: OnFrames | None,
) -> Place:
    """Upscale the next few windows and put them on the disk as one unit; returns the place behind them."""
    reached: list[Place] = []

    def made() -> Iterator[Tensor]:
        for finished, place in islice(windows, job.unit_windows):
            reached.append(place)
            yield from finished
            if on_frames is not None:
                on_frames(len(finished))

    pictures = units.unit(number, PICTURES)
    waiting = pictures.with_name(f".{pictures.name}")
    try:
        write_clip(waiting, made(), job.source.fps, crf=job.crf)
        _save_place(units.unit(number, STATE), reached[-1])
        waiting.replace(pictures)
        units.unit(number - 1, STATE).unlink(missing_ok=True)
    except (OSError, SafetensorError, MediaError) as error:
        raise MediaError(f"{error}; what is finished stays in {units.folder}: {job.way_on}") from error
    finally:
        waiting.unlink(missing_ok=True)
    return reached[-1]


def _save_place(path: Path, at: Place) -> None:
    """Write all that the next unit needs of those before it."""
    kept = {"tail": at.tail, "made": at.steadiness.made, "source": at.steadiness.source}
    tensors = {name: tensor.contiguous() for name, tensor in kept.items() if tensor is not None}
    note = {"start": at.start, "made": at.made, "is_done": at.is_done, "sums": at.steadiness.state()}
    with replacing(path) as partial:
        save_file(tensors, partial, metadata={"place": json.dumps(note)})


def _load_place(units: Job, number: int) -> Place:
    path = units.unit(number, STATE)
    try:
        with safe_open(path, framework="pt") as file:
            note = json.loads(file.metadata()["place"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise MediaError(f"{path} is damaged; delete {units.folder} and begin again") from error
    return Place(
        start=note["start"],
        made=note["made"],
        tail=tensors.get("tail"),
        steadiness=Steadiness.resumed(note["sums"], tensors.get("made"), tensors.get("source")),
        is_done=note["is_done"],
    )


def _join(job: UpscaleJob, units: Job, count: int) -> Joined:
    return join(
        [units.unit(number, PICTURES) for number in range(count)],
        job.path,
        fps=job.source.fps,
        source=None if is_picture(job.source.path) else job.source.path,
        start=job.source.start,
        metadata=_metadata(job),
    )


def _metadata(job: UpscaleJob) -> dict[str, str]:
    """What the file says about how it was made."""
    name = job.source.path.name if job.source_name is None else job.source_name
    return (
        dict(job.metadata)
        | ({"source": name} if name else {})
        | {
            "upscaler": job.upscaler.name,
            "size": job.settings.fit.describe(),
            "colour": job.settings.colour,
        }
    )
