"""Segments of one video put together, packet by packet, with the sound of its source untouched."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from heapq import merge
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer
from av.stream import Stream

from ..errors import MediaError
from .channels import remixed
from .mux import CONTAINERS, KEPT_TYPES, add_sound, copied, fits, like, moment, tell
from .read import opened, video_stream
from .read_sound import open_sound
from .sound import STEREO
from .target import checked_target, replacing
from .write import plain_tags

ENDINGS = (".mp4", ".m4v", ".mov", ".mkv")
"""Of files that hold H.264 as we write it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """What was written."""

    path: Path
    num_frames: int
    sound: str
    """"none", "copied", or "encoded again" (of more than two channels "in stereo") where the container does
    not take it as it is."""
    dropped: tuple[str, ...]
    """What else the source held and the new file cannot."""


def checked_ending(path: str | Path) -> Path:
    """Refuse a file that segments cannot be joined into, before any work is spent on it.

    Args:
        path: the file to be.

    Returns:
        The same path.

    Raises:
        MediaError: another ending, or no place to write.
    """
    path = Path(path)
    if path.suffix.lower() not in ENDINGS:
        raise MediaError(f"{path} is of no kind we can write; end its name in one of {', '.join(ENDINGS)}")
    return checked_target(path, path.suffix.lower())


def join(
    segments: Sequence[Path],
    path: str | Path,
    *,
    fps: Fraction,
    source: Path | None = None,
    start: Fraction = Fraction(0),
    metadata: dict[str, str] | None = None,
) -> Joined:
    """Put segments together without encoding anything again.

    Sound and subtitle tracks, tags and chapters of the source are copied as they are. A sound track whose
    codec the container does not take is encoded again.

    Args:
        segments: videos that ``write_clip`` made with the same settings, in order.
        path: ends in .mp4, .m4v, .mov or .mkv.
        fps: their rate.
        source: whose sound to carry; None for none.
        start: when its first picture is shown, on its own clock.
        metadata: tags to add.

    Returns:
        What was written.

    Raises:
        MediaError: no segments, or no place to write.
    """
    path = checked_ending(path)
    if not segments:
        raise MediaError(f"there is nothing to join into {path}; give at least one segment")
    work = _Work(segments=tuple(segments), fps=fps, start=start, metadata=metadata or {})
    try:
        with replacing(path) as partial:
            num_frames, is_left, dropped = _written(work, source, partial, path.suffix.lower())
    except (av.FFmpegError, OSError, ValueError) as error:
        raise MediaError(f"{path} cannot be written ({error}); choose another folder or ending") from error
    sound = "none" if source is None or not _has_sound(source) else "copied"
    if is_left and source is not None:
        original = open_sound(source)
        few = len(original.speakers) <= len(STEREO)
        add_sound(path, original if few else remixed(original, len(STEREO)), path)
        sound = "encoded again" if few else "encoded again in stereo"
    return Joined(path=path, num_frames=num_frames, sound=sound, dropped=dropped)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    segments: tuple[Path, ...]
    fps: Fraction
    start: Fraction
    metadata: dict[str, str]


def _has_sound(path: Path) -> bool:
    with opened(path) as container:
        return bool(container.streams.audio)


def _written(
    work: _Work, source: Path | None, partial: Path, suffix: str
) -> tuple[int, bool, tuple[str, ...]]:
    """Copy the sound, or leave it to be encoded where the container turns out not to take it."""
    name = CONTAINERS[suffix].format
    try:
        return _write(work, source, partial, name)
    except (av.FFmpegError, ValueError):
        if source is None or not _has_sound(source):
            raise
        num_frames, _, dropped = _write(work, None, partial, name)
        return num_frames, True, dropped


def _write(work: _Work, source: Path | None, partial: Path, name: str) -> tuple[int, bool, tuple[str, ...]]:
    """Write the whole file; returns frames, whether sound is still to be added, and what is left out."""
    with ExitStack() as stack:
        first = stack.enter_context(opened(work.segments[0]))
        pictures = video_stream(first, work.segments[0])
        options = {"movflags": "+faststart+use_metadata_tags"} if name in ("mp4", "mov") else {}
        options |= {"video_track_timescale": str(pictures.time_base.denominator)} if options else {}
        target = stack.enter_context(av.open(f"file:{partial}", "w", format=name, options=options))
        video = like(pictures, target)
        others: dict[Stream, Stream] = {}
        dropped, is_left, carried = (), False, iter(())
        if source is not None:
            origin = stack.enter_context(opened(source))
            others, dropped, is_left = _kept(origin, target)
            tell(origin, target)
            carried = copied(origin, others)
        target.metadata.update(plain_tags(work.metadata))
        target.start_encoding()
        count = _Count()
        for packet in merge(_joined(work, video, count), carried, key=moment):
            target.mux(packet)
        return count.frames, is_left, dropped


def _kept(
    source: InputContainer, target: OutputContainer
) -> tuple[dict[Stream, Stream], tuple[str, ...], bool]:
    """Streams beside the pictures to copy, names of those that cannot be, and whether sound is one."""
    wanted = [stream for stream in source.streams if stream.type in KEPT_TYPES - {"video"}]
    kept = {stream: like(stream, target) for stream in wanted if fits(stream, target)}
    has_sound = any(stream.type == "audio" for stream in kept)
    left = [stream for stream in wanted if stream not in kept]
    is_left = not has_sound and any(stream.type == "audio" for stream in left)
    dropped = [f"{s.type} track {s.index}" for s in left if s.type != "audio" or has_sound]
    return kept, tuple(dropped), is_left


@dataclass(slots=True)
class _Count:
    frames: int = 0


def _joined(work: _Work, video: Stream, count: _Count) -> Iterator[av.Packet]:
    """Packets of all segments, each segment behind the one before, decoded one frame after the other."""
    late = max(_reordering(path, work.fps) for path in work.segments)
    for path in work.segments:
        begin = count.frames
        for packet, shown in _numbered(path, work.fps):
            ticks = [work.start + (number / work.fps) for number in (begin + shown, count.frames - late)]
            packet.pts, packet.dts = (round(moment / packet.time_base) for moment in ticks)
            packet.stream = video
            count.frames += 1
            yield packet


def _numbered(path: Path, fps: Fraction) -> Iterator[tuple[av.Packet, int]]:
    """Packets in the order of decoding, and which frame of the segment each is."""
    with opened(path) as container:
        stream = video_stream(container, path)
        for packet in container.demux(stream):
            if packet.size:
                yield packet, round(packet.pts * stream.time_base * fps)


def _reordering(path: Path, fps: Fraction) -> int:
    """How many frames late a segment's most reordered frame is decoded; short segments reorder less."""
    return max(number - shown for number, (_, shown) in enumerate(_numbered(path, fps)))
