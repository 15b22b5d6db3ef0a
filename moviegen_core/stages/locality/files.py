"""Composite files: whatever model edited a video, what was not asked for stays the source's own."""

# Shape letters: H row, W column, C channel.

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice, repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import torch
from torch import Tensor

from ...errors import GeometryError, MediaError
from ...geometry import ClipShape
from ...media.images import is_picture
from ...media.mux import add_sound
from ...media.picture_time import picture_time
from ...media.read import frames, probe
from ...media.read_sound import has_sound, open_sound
from ...media.resize import fit, resize
from ...media.target import checked_target
from ...media.write import write_clip, write_image
from ...media.write_lossless import write_lossless
from ...models.tae import TemporalAutoencoder
from .align import Alignment, align
from .change import find_change
from .compositing import Compositing
from .matte import DEFAULTS, MatteSettings, mattes
from .report import LocalityReport, OutsideError

SUFFIXES = (".mp4", ".mkv", ".png")
"""H.264 for players, FFV1 for keeping every bit, and a picture."""
Unit = TypeVar("Unit")
OnFrame = Callable[[], None]
"""Called after each frame of each pass; may raise to stop."""
PASSES = 3
"""How often frames are counted: compared, composited, checked in the file as written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Composited:
    """What was written."""

    path: Path
    report: LocalityReport
    notes: tuple[str, ...]
    """How the edit was brought to the source where they did not match."""
    picture: Tensor
    """(H', W', 3) uint8: three frames with the matte as a tint, and the matte below."""


def clip_shape(path: Path | str) -> ClipShape:
    """Size, rate and exact frame count of a file, counted as ``frames`` gives them."""
    info = probe(path)
    if is_picture(Path(path)):
        return ClipShape(num_frames=1, fps=info.fps, height=info.height, width=info.width)
    time = picture_time(path)
    count = time.num_frames if time.fps else max(1, round(time.seconds * info.fps))
    return ClipShape(num_frames=count, fps=time.fps or info.fps, height=info.height, width=info.width)


def composite_target(path: Path | str) -> Path:
    """Refuse a result that cannot be written, before any work."""
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise MediaError(f"{path} does not end in {', '.join(SUFFIXES)}; name it like clip.mp4")
    return checked_target(path, path.suffix.lower())


def composite_files(
    source: Path | str,
    edited: Path | str,
    path: Path | str,
    *,
    settings: MatteSettings = DEFAULTS,
    mask: Path | str | None = None,
    tae: TemporalAutoencoder | None = None,
    on_frame: OnFrame | None = None,
) -> Composited:
    """Lay what changed in an edited video over its source, and write that with the source's sound and rate.

    Files that do not match are aligned by the rules of ``align``, or refused with a GeometryError; what
    cannot be read or written is refused with a MediaError.

    Args:
        source: a video or picture.
        edited: what any model made of it.
        path: ends in .mp4 (H.264), .mkv (lossless) or .png (one frame).
        settings: of the automatic matte.
        mask: a picture or video of the source's shape that says where the edit shows, white; it replaces the
            automatic matte.
        tae: looks for the change along with the pixels.
        on_frame: called after each frame of the three passes; raising in it stops the work.

    Returns:
        What was written, with its report.
    """
    shape = clip_shape(source)
    plan = align(shape, clip_shape(edited))
    edits = _Edits(Path(source), Path(edited), shape, plan)
    tell = on_frame or (lambda: None)

    def ways(pairs: Iterator[tuple[Tensor, Tensor]]) -> Iterator[Tensor]:
        if mask is None:
            return mattes(find_change(_counted(pairs, tell), tae), settings)
        return _counted(read_mask(mask, shape, plan.num_frames), tell)

    done = composite_over(
        source, edits.frames, ways, path, num_frames=plan.num_frames, name=Path(edited).name, on_frame=tell
    )
    return replace(done, notes=plan.notes)


Pairs = Iterator[tuple[Tensor, Tensor]]
"""A source frame and its edit each, (H, W, 3) uint8."""


def composite_over(
    source: Path | str,
    edits: Callable[[], Iterator[Tensor]],
    ways: Callable[[Pairs], Iterator[Tensor]],
    path: Path | str,
    *,
    num_frames: int,
    name: str = "",
    on_frame: OnFrame = lambda: None,
) -> Composited:
    """Lay edited frames over a file's, and write that with the file's sound and rate.

    Args:
        source: a video or picture.
        edits: starts the edited frames, of the source's size, (H, W, 3) uint8.
        ways: makes the mattes of pairs of frames, (h, w) in 0..1 or (H, W) uint8.
        path: ends in .mp4 (H.264), .mkv (lossless) or .png (one frame).
        num_frames: of the result; at most the source's.
        name: of the edit, for the file's metadata.
        on_frame: called after each frame composited and each one checked; raising in it stops the work.

    Returns:
        What was written, with its report.

    Raises:
        MediaError: the result cannot be written.
    """
    path, shape = composite_target(path), clip_shape(source)
    if path.suffix.lower() == ".png" and num_frames > 1:
        raise MediaError(f"{path} holds one frame and the clip {num_frames}; name it like clip.mp4")
    job = _Job(Path(source), edits, shape, num_frames)
    result = Compositing(job.pairs(), ways(job.pairs()), num_frames)
    facts = {"source": job.source.name, "edited": name}
    _write(path, job, _counted(result.frames(), on_frame), facts)
    error = _written_error(path, job, result, on_frame)
    report = replace(result.report(), psnr_outside_file=error)
    return Composited(path=path, report=report, notes=(), picture=result.picture())


@dataclass(frozen=True, slots=True)
class _Job:
    source: Path
    edits: Callable[[], Iterator[Tensor]]
    shape: ClipShape
    num_frames: int

    def sources(self) -> Iterator[Tensor]:
        """The source's frames, as many as the result has."""
        return islice(frames(self.source, fps=self.shape.fps), self.num_frames)

    def pairs(self) -> Pairs:
        """A source frame and its edit each; should the edits end early, the last one stays."""
        return zip(self.sources(), _filled(self.edits()), strict=False)


@dataclass(frozen=True, slots=True)
class _Edits:
    """An edited file, brought to its source."""

    source: Path
    edited: Path
    shape: ClipShape
    plan: Alignment

    def frames(self) -> Iterator[Tensor]:
        """Its frames at the source's size, and at its rate where they meet by time."""
        cropped = self.plan.may_crop and self._is_cropped()
        for edit in frames(self.edited, fps=self.shape.fps if self.plan.resample else None):
            yield self._sized(edit, cropped)

    def _sized(self, edit: Tensor, cropped: bool) -> Tensor:
        if not self.plan.resize:
            return edit
        return (fit if cropped else resize)(edit[None], self.shape.height, self.shape.width)[0]

    def _is_cropped(self) -> bool:
        """Whether the first frames are more alike if the edit is taken for a crop, and not as stretched."""
        original, edit = next(frames(self.source)), next(frames(self.edited))
        tries = (self._sized(edit, cropped) for cropped in (False, True))
        stretched, cropped = ((one.float() - original.float()).abs().median() for one in tries)
        return bool(cropped < stretched)


def _counted(units: Iterable[Unit], on_frame: OnFrame) -> Iterator[Unit]:
    """Hand on, and tell of each."""
    for unit in units:
        yield unit
        on_frame()


def _filled(shown: Iterator[Tensor]) -> Iterator[Tensor]:
    """Frames, the last one again and again."""
    for frame in shown:
        yield frame
    yield from repeat(frame)


def read_mask(path: Path | str, shape: ClipShape, num_frames: int) -> Iterator[Tensor]:
    """Read an artist's mask, for each of ``num_frames`` frames.

    Args:
        path: a picture, or a video with a frame for each of the clip's; white shows the edit.
        shape: of the clip; a mask of another size is resized if its aspect is the same.
        num_frames: how many are needed.

    Returns:
        (H, W) uint8 each, 0 where the source stays.

    Raises:
        GeometryError: another aspect, or too few frames.
    """
    found = clip_shape(path)
    off = abs(Fraction(found.width * shape.height, found.height * shape.width) - 1)
    if off > Fraction(1, 100):
        raise GeometryError(
            f"the mask is {found.width}x{found.height} and the source {shape.width}x{shape.height}:"
            " draw it over a frame of the source"
        )
    if 1 < found.num_frames < num_frames:
        raise GeometryError(
            f"the mask has {found.num_frames} frames and the clip {num_frames}; give one frame for all,"
            " or one for each"
        )
    return islice(_filled(_greys(Path(path), shape)), num_frames)


def _greys(path: Path, shape: ClipShape) -> Iterator[Tensor]:
    for frame in frames(path):
        yield resize(frame[None], shape.height, shape.width)[0].float().mean(2).round().to(torch.uint8)


def _write(path: Path, job: _Job, results: Iterator[Tensor], facts: Mapping[str, str]) -> None:
    """Write the frames, with the source's sound where there is one."""
    if path.suffix.lower() == ".png":
        write_image(path, next(results), facts)
        return
    write = write_lossless if path.suffix.lower() == ".mkv" else write_clip
    if is_picture(job.source) or not has_sound(job.source):
        write(path, results, job.shape.fps, metadata=facts)
        return
    with TemporaryDirectory(dir=path.parent, prefix=".moviegen-") as folder:
        silent = Path(folder) / f"silent{path.suffix}"
        write(silent, results, job.shape.fps, metadata=facts)
        add_sound(silent, open_sound(job.source), path)


def _written_error(path: Path, job: _Job, result: Compositing, on_frame: OnFrame) -> float | None:
    """PSNR of the written file against the source where mattes are 0."""
    error = OutsideError()
    written = (frame[: job.shape.height, : job.shape.width] for frame in frames(path))
    for source, frame, matte in zip(job.sources(), written, result.mattes(), strict=False):
        error.add(source, frame, matte)
        on_frame()
    return error.psnr
