"""Videos and pictures in: exact frame counts, constant rate, upright, full-range RGB."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import torch
from av.container import InputContainer
from av.filter import Graph
from av.sidedata.sidedata import Type as SideData
from av.stream import Disposition
from av.video.stream import VideoStream
from torch import Tensor

from ..errors import MediaError
from .images import is_picture, read_image

PICTURE_FPS = Fraction(16)
"""A picture is a one-frame clip at this rate."""
FALLBACK_FPS = Fraction(25)
"""For streams that say nothing about their rate."""
HD_LINES = 720
"""Untagged video whose shorter side has this many lines counts as bt709, below as bt601, as in players."""
MATRICES = {1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020", 10: "bt2020"}
"""AVColorSpace number -> the scale filter's name for that matrix."""
TURNS = {0: (1, 0, 0, 1), 90: (0, -1, 1, 0), 180: (-1, 0, 0, -1), 270: (0, 1, -1, 0)}
"""Degrees counter-clockwise -> display matrix (a, b, c, d)."""
FULL_RANGE = 2
"""AVColorRange number of full-range video."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipInfo:
    """What a file says about itself; only decoding it all would be certain."""

    num_frames: int | None
    """As the container claims, None when it does not."""
    fps: Fraction
    """Average rate."""
    height: int
    """Pixels as shown, after rotation."""
    width: int
    rotation: int
    """Degrees counter-clockwise from the stored picture to the one shown: 0, 90, 180 or 270."""
    seconds: Fraction | None
    """None when the container does not say."""


def probe(path: str | Path) -> ClipInfo:
    """Describe a video or picture, decoding its first frame only.

    A file that is missing, a folder, empty, unreadable or without a picture is refused with a MediaError.

    Args:
        path: a video or picture file.

    Returns:
        Size as shown, average rate, and length as far as the container tells.
    """
    path = checked_file(path)
    if is_picture(path):
        return _picture_info(*read_image(path).shape[:2])
    with opened(path) as container:
        stream = video_stream(container, path)
        first, _ = next(_decoded(container, stream, path))
        height, width = _upright(np.empty((first.height, first.width)), _display_matrix(first)).shape
        return ClipInfo(
            num_frames=stream.frames or None,
            fps=_average_rate(stream),
            height=height,
            width=width,
            rotation=_degrees(first),
            seconds=_seconds(container, stream),
        )


def frames(path: str | Path, *, fps: Fraction | None = None) -> Iterator[Tensor]:
    """Stream a clip's frames at a constant rate, one in memory at a time.

    Variable-rate video, and any video when ``fps`` is given, is resampled: every output time takes the frame
    presented nearest to it, so the length in seconds stays. Of a damaged file comes what can be decoded; one
    without any frame is refused with a MediaError (see ``probe``). Anamorphic pixels are kept.

    Args:
        path: a video or picture file.
        fps: the rate to resample to; the file's own average rate when None.

    Yields:
        Tensor: (H, W, 3) uint8, full-range RGB, upright.
    """
    path = checked_file(path)
    if is_picture(path):
        yield torch.from_numpy(read_image(path))
        return
    with opened(path) as container:
        stream = video_stream(container, path)
        rate = fps or _average_rate(stream)
        timed = _timed(_decoded(container, stream, path), 1 / rate, stream.time_base)
        yield from _rgb(_at_constant_rate(timed, rate))


def timed_frames(path: Path) -> Iterator[tuple[Fraction, Tensor]]:
    """Stream a video's frames, each with its own moment in seconds after the first; see ``frames``."""
    with opened(path) as container:
        stream, moments = video_stream(container, path), []

        def pictures() -> Iterator[av.VideoFrame]:
            for shown in _timed(
                _decoded(container, stream, path), 1 / _average_rate(stream), stream.time_base
            ):
                moments.append(shown.start)
                yield shown.frame

        for picture in _rgb(pictures()):
            yield moments.pop(), picture


def frame_at(path: Path, seconds: Fraction) -> Tensor:
    """The frame shown at a moment of a video, found by seeking and not by reading all before it.

    Args:
        path: a video file.
        seconds: after its first frame.

    Returns:
        (H, W, 3) uint8; the last frame where the clip has ended.
    """
    with opened(path) as container:
        stream = video_stream(container, path)
        start = (stream.start_time or 0) * stream.time_base
        container.seek(math.floor((start + seconds) / stream.time_base), stream=stream)
        return next(_rgb(iter([_shown_at(container, stream, path, start + seconds)])))


def _shown_at(container: InputContainer, stream: VideoStream, path: Path, moment: Fraction) -> av.VideoFrame:
    """The last frame that appears before a moment, or with it, within a thousandth of a second."""
    shown = None
    for frame, _ in _decoded(container, stream, path):
        is_later = frame.pts is not None and frame.pts * stream.time_base > moment + Fraction(1, 1000)
        if is_later and shown is not None:
            break
        shown = frame
    assert shown is not None
    return shown


def read_clip(
    path: str | Path, *, max_frames: int | None = None, start: int = 0, fps: Fraction | None = None
) -> tuple[Tensor, Fraction]:
    """Read a clip, or a stretch of it, into memory.

    Args:
        path: a video or picture file.
        max_frames: stop after this many frames; the whole clip when None.
        start: frames to skip first.
        fps: the rate to resample to; the file's own average rate when None.

    Returns:
        ((T, H, W, 3) uint8 RGB, frames per second).

    Raises:
        MediaError: no frame is left after ``start``, or the file cannot be read (see ``probe``).
    """
    rate = fps or probe(path).fps
    stop = None if max_frames is None else start + max_frames
    wanted = list(islice(frames(path, fps=rate), start, stop))
    if not wanted:
        raise MediaError(f"{path} has no frame number {start}; start earlier or ask for at least one frame")
    return torch.stack(wanted), rate


def _picture_info(height: int, width: int) -> ClipInfo:
    return ClipInfo(
        num_frames=1, fps=PICTURE_FPS, height=height, width=width, rotation=0, seconds=1 / PICTURE_FPS
    )


def checked_file(path: str | Path, kind: str = "video or picture") -> Path:
    """Refuse what is no readable file before FFmpeg puts it in its own words.

    Args:
        path: the file.
        kind: what to give instead.

    Returns:
        The same path.

    Raises:
        MediaError: missing, a folder, empty or unreadable.
    """
    path = Path(path)
    if path.is_dir():
        raise MediaError(f"{path} is a folder; give the path of a {kind} inside it")
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise MediaError(f"{path} is empty (0 bytes); copy or export it again")
    except FileNotFoundError as error:
        raise MediaError(f"{path} does not exist; give the path of a {kind}") from error
    except (OSError, ValueError) as error:
        raise MediaError(f"{path} cannot be opened ({error}); check its name and permissions") from error
    return path


def opened(path: Path) -> InputContainer:
    """Open a video, in our words when it is none."""
    try:
        return av.open(f"file:{path}")
    except (av.FFmpegError, ValueError) as error:
        raise MediaError(
            f"{path} is not a video that can be read, or is cut off; export it again as mp4"
        ) from error


def video_stream(container: InputContainer, path: Path) -> VideoStream:
    """The first stream of moving pictures: a song's cover is none."""
    streams = [s for s in container.streams.video if Disposition.attached_pic not in s.disposition]
    if not streams:
        raise MediaError(f"{path} holds no video, only sound or data; give a file with moving pictures")
    streams[0].thread_type = "AUTO"
    return streams[0]


def _decoded(
    container: InputContainer, stream: VideoStream, path: Path
) -> Iterator[tuple[av.VideoFrame, int]]:
    """Every frame that decodes, with its duration, in order of presentation; damage costs frames only."""
    empty, durations = True, {}
    for packet in _packets(container, stream):
        durations[packet.pts] = packet.duration
        for frame in _frames_of(packet):
            empty = False
            yield frame, durations.pop(frame.pts, None) or 0
    if empty:
        raise MediaError(f"{path} holds a video track but no frame of it can be decoded; export it again")


def _packets(container: InputContainer, stream: VideoStream) -> Iterator[av.Packet]:
    try:
        yield from container.demux(stream)
    except av.FFmpegError:
        return


def _frames_of(packet: av.Packet) -> list[av.VideoFrame]:
    try:
        return packet.decode()
    except av.FFmpegError:
        return []


def _average_rate(stream: VideoStream) -> Fraction:
    rates = (stream.average_rate, stream.guessed_rate, stream.base_rate, FALLBACK_FPS)
    return next(Fraction(rate) for rate in rates if rate)


def _seconds(container: InputContainer, stream: VideoStream) -> Fraction | None:
    if stream.duration is not None:
        return stream.duration * stream.time_base
    return None if container.duration is None else Fraction(container.duration, av.time_base)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """A decoded frame and when it is presented, in seconds after the first."""

    frame: av.VideoFrame
    start: Fraction
    seconds: Fraction


def _timed(
    decoded: Iterable[tuple[av.VideoFrame, int]], step: Fraction, time_base: Fraction
) -> Iterator[_Shown]:
    """Reckon presentation times; frames without a time stamp follow a step later, none goes back in time."""
    origin, now = None, -step
    for frame, ticks in decoded:
        if frame.pts is None:
            now = now + step
        else:
            origin = frame.pts * time_base - max(now, 0) if origin is None else origin
            now = max(now, frame.pts * time_base - origin)
        yield _Shown(frame=frame, start=now, seconds=ticks * time_base or step)


def _at_constant_rate(shown: Iterator[_Shown], fps: Fraction) -> Iterator[av.VideoFrame]:
    """Give output k the frame presented nearest to k / fps; the last frame lasts its own duration."""
    count = 0
    held = next(shown)
    for following in shown:
        stop = math.floor((held.start + following.start) / 2 * fps) + 1
        yield from (held.frame for _ in range(count, stop))
        count, held = max(count, stop), following
    stop = max(1, round((held.start + held.seconds) * fps))
    yield from (held.frame for _ in range(count, stop))


def _rgb(pictures: Iterable[av.VideoFrame]) -> Iterator[Tensor]:
    """Convert frames, keeping the filter graph while the format stays and the tensor while the frame does."""
    key, graph, matrix, last, rgb = None, None, None, None, None
    for frame in pictures:
        if frame is not last:
            if _format(frame) != key:
                key, graph, matrix = _format(frame), _rgb_graph(frame), _display_matrix(frame)
            graph.push(frame)
            last, rgb = frame, torch.from_numpy(_upright(graph.pull().to_ndarray(), matrix))
        yield rgb


def _format(frame: av.VideoFrame) -> tuple[object, ...]:
    """What decides how a frame is converted and turned."""
    tags = int(frame.colorspace), int(frame.color_range), frame.rotation
    return frame.format.name, frame.height, frame.width, *tags


def _rgb_graph(frame: av.VideoFrame) -> Graph:
    """Convert by the frame's own matrix and range, untagged video as players guess it."""
    guess = "bt709" if min(frame.height, frame.width) >= HD_LINES else "bt601"
    matrix = MATRICES.get(int(frame.colorspace), guess)
    full = int(frame.color_range) == FULL_RANGE or frame.format.name.startswith("yuvj")
    source = f"in_color_matrix={matrix}:in_range={'full' if full else 'limited'}"
    graph = Graph()
    graph.link_nodes(
        graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1000)
        ),
        graph.add("scale", f"{source}:out_range=full:flags=bicubic+accurate_rnd+full_chroma_int"),
        graph.add("format", "pix_fmts=rgb24"),
        graph.add("buffersink"),
    ).configure()
    return graph


def _upright(picture: np.ndarray, matrix: tuple[int, int, int, int]) -> np.ndarray:
    """Turn and mirror a stored picture by (a, b, c, d): x' = a x + c y, y' = b x + d y."""
    a, b, c, d = matrix
    if abs(b) > abs(a):
        picture, a, d = picture.swapaxes(0, 1), c, b
    return np.ascontiguousarray(picture[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])


def _display_matrix(frame: av.VideoFrame) -> tuple[int, int, int, int]:
    """Ask seldom: a frame whose side data was looked at lives on until the garbage collector runs."""
    try:
        matrix = frame.side_data.get(SideData.DISPLAYMATRIX)
    except ValueError:  # beside it lies a kind of side data that this PyAV does not know
        return TURNS[_degrees(frame)]
    if matrix is None:
        return TURNS[0]
    a, b, _, c, d = np.frombuffer(bytes(matrix), dtype=np.int32)[:5].tolist()
    return a, b, c, d


def _degrees(frame: av.VideoFrame) -> int:
    return round(frame.rotation / 90) * 90 % 360
