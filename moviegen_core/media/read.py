"""Videos and pictures in: exact frame counts, constant rate, upright, in full-range RGB."""

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
from av.video.stream import VideoStream
from torch import Tensor

from ..errors import MediaError
from .images import PICTURE_SUFFIXES, read_image

PICTURE_FPS = Fraction(16)
"""A picture is a one-frame clip at this rate."""
FALLBACK_FPS = Fraction(25)
"""For streams that say nothing about their rate."""
HD_LINES = 720
"""Untagged video of this height and above is taken for bt709, below for bt601, as players do."""
MATRICES = {1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020", 10: "bt2020"}
"""AVColorSpace number -> name of the scale filter's matrix."""
FULL_RANGE = 2
"""AVColorRange number of full-range video."""

Picture = np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipInfo:
    """What a file says about itself before a frame is decoded."""

    num_frames: int | None
    """As the container claims, None when it does not; only decoding counts for certain."""
    fps: Fraction
    """Average rate."""
    height: int
    """Pixels as shown, after rotation."""
    width: int
    rotation: int
    """Degrees counter-clockwise that turn the stored picture upright: 0, 90, 180 or 270."""
    seconds: Fraction | None
    """None when the container does not say."""


def probe(path: str | Path) -> ClipInfo:
    """Describe a video or picture without decoding more than its first frame.

    Args:
        path: a video or picture file.

    Returns:
        Size as shown, average rate, and length as far as the container tells.

    Raises:
        MediaError: missing, a folder, empty, unreadable, or without a picture in it.
    """
    path = _checked(path)
    if _is_picture(path):
        height, width = read_image(path).shape[:2]
        return ClipInfo(
            num_frames=1, fps=PICTURE_FPS, height=height, width=width, rotation=0, seconds=1 / PICTURE_FPS
        )
    with _opened(path) as container:
        stream = _video_stream(container, path)
        first = next(_decoded(container, stream, path))
        turn = _rotation(first)
        sides = (first.height, first.width) if turn % 180 == 0 else (first.width, first.height)
        length = None if stream.duration is None else stream.duration * stream.time_base
        return ClipInfo(
            num_frames=stream.frames or None,
            fps=_average_rate(stream),
            height=sides[0],
            width=sides[1],
            rotation=turn,
            seconds=length,
        )


def frames(path: str | Path, *, fps: Fraction | None = None) -> Iterator[Tensor]:
    """Stream a clip's frames at a constant rate, one in memory at a time.

    Variable-rate video, and any video when ``fps`` is given, is resampled: every output time takes the frame
    presented nearest to it, so the length in seconds stays. Anamorphic pixels are not stretched.

    Args:
        path: a video or picture file.
        fps: the rate to resample to; the file's own average rate when None.

    Yields:
        (H, W, 3) uint8, full-range RGB, upright.

    Raises:
        MediaError: missing, a folder, empty, unreadable, or without a picture in it.
    """
    path = _checked(path)
    if _is_picture(path):
        yield torch.from_numpy(read_image(path))
        return
    with _opened(path) as container:
        stream = _video_stream(container, path)
        rate = fps or _average_rate(stream)
        convert = _RgbConverter()
        last: tuple[av.VideoFrame, Tensor] | None = None
        for frame in _at_constant_rate(_decoded(container, stream, path), rate, stream.time_base):
            if last is None or last[0] is not frame:
                last = (frame, torch.from_numpy(convert(frame)))
            yield last[1]


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
        MediaError: unreadable (see ``frames``), or no frame left after ``start``.
    """
    rate = fps or probe(path).fps
    stop = None if max_frames is None else start + max_frames
    wanted = list(islice(frames(path, fps=rate), start, stop))
    if not wanted:
        raise MediaError(f"{path} has no frame {start}; start earlier or ask for at least one frame")
    return torch.stack(wanted), rate


def _checked(path: str | Path) -> Path:
    path = Path(path)
    if not path.exists():
        raise MediaError(f"{path} does not exist; give the path of a video or picture")
    if path.is_dir():
        raise MediaError(f"{path} is a folder; give the path of a video or picture inside it")
    try:
        if path.stat().st_size == 0:
            raise MediaError(f"{path} is empty (0 bytes); copy or export it again")
        path.open("rb").close()
    except OSError as error:
        raise MediaError(f"{path} cannot be opened ({error.strerror}); check its permissions") from error
    return path


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in PICTURE_SUFFIXES


def _opened(path: Path) -> InputContainer:
    try:
        return av.open(str(path))
    except (av.FFmpegError, ValueError) as error:
        raise MediaError(
            f"{path} is not a video that can be read, or is cut off; export it again as mp4"
        ) from error


def _video_stream(container: InputContainer, path: Path) -> VideoStream:
    streams = [stream for stream in container.streams.video if not _is_cover(stream)]
    if not streams:
        raise MediaError(f"{path} holds no video, only sound or data; give a file with a picture track")
    streams[0].thread_type = "AUTO"
    return streams[0]


def _is_cover(stream: VideoStream) -> bool:
    """Whether this is the picture pinned to a song."""
    return bool(int(stream.disposition) & 0x400)


def _decoded(container: InputContainer, stream: VideoStream, path: Path) -> Iterator[av.VideoFrame]:
    """Every frame that decodes; what a damaged tail cannot give is left out, but no frame at all is refused."""
    count = 0
    packets = container.demux(stream)
    while True:
        try:
            batch = next(packets).decode()
        except StopIteration:
            break
        except av.FFmpegError:
            continue_after_damage = count > 0
            if not continue_after_damage:
                continue
            break
        count += len(batch)
        yield from batch
    if count == 0:
        raise MediaError(f"{path} holds a video track but no frame of it can be decoded; export it again")


def _average_rate(stream: VideoStream) -> Fraction:
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate:
            return Fraction(rate)
    return FALLBACK_FPS


def _at_constant_rate(
    decoded: Iterable[av.VideoFrame], fps: Fraction, time_base: Fraction
) -> Iterator[av.VideoFrame]:
    """Give output k the frame presented nearest to k / fps after the first; the last frame lasts its own duration."""
    origin, now, held, count = None, Fraction(0), None, 0
    for frame in decoded:
        if held is not None:
            known = frame.pts is not None and origin is not None
            arrival = (frame.pts - origin) * time_base if known else now + 1 / fps
            arrival = max(arrival, now)
            stop = _last_index_before((now + arrival) / 2, fps)
            yield from (held for _ in range(count, stop))
            count, now = max(count, stop), arrival
        elif frame.pts is not None:
            origin = frame.pts
        held = frame
    if held is not None:
        lasting = held.duration * time_base if getattr(held, "duration", 0) else 1 / fps
        yield from (held for _ in range(count, max(round((now + lasting) * fps), 1)))


def _last_index_before(moment: Fraction, fps: Fraction) -> int:
    """How many output times lie at or before a moment."""
    return math.floor(moment * fps) + 1


def _rotation(frame: av.VideoFrame) -> int:
    return round(frame.rotation / 90) * 90 % 360


class _RgbConverter:
    """Turns frames into upright RGB; keeps its filter graph while the stream's format stays the same."""

    def __init__(self) -> None:
        self._key: tuple[object, ...] = ()
        self._graph = Graph()

    def __call__(self, frame: av.VideoFrame) -> Picture:
        turn = _rotation(frame)
        key = (frame.format.name, frame.width, frame.height, int(frame.colorspace), int(frame.color_range))
        if key != self._key:
            self._key, self._graph = key, _rgb_graph(frame)
        self._graph.push(frame)
        rgb = self._graph.pull().to_ndarray()
        return np.ascontiguousarray(np.rot90(rgb, turn // 90))


def _rgb_graph(frame: av.VideoFrame) -> Graph:
    fallback = "bt709" if frame.height >= HD_LINES else "bt601"
    matrix = MATRICES.get(int(frame.colorspace), fallback)
    full = int(frame.color_range) == FULL_RANGE or frame.format.name.startswith("yuvj")
    options = f"in_color_matrix={matrix}:in_range={'full' if full else 'limited'}:out_range=full"
    graph = Graph()
    nodes = [
        graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1000)
        ),
        graph.add("scale", f"{options}:flags=bicubic+accurate_rnd+full_chroma_int"),
        graph.add("format", "pix_fmts=rgb24"),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*nodes).configure()
    return graph
