"""Clips out: H.264 in mp4 with exact frame count, rate and colour, and the text of how they were made."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import torch
from av.container import OutputContainer
from av.filter import Graph
from av.video.stream import VideoStream
from torch import Tensor

from ..errors import MediaError
from .images import image_tags, is_picture, write_image
from .pixels import from_bytes, to_bytes
from .target import checked_target, replacing

__all__ = ["clip_from_frames", "frames_from_clip", "read_metadata", "write_clip", "write_image"]

CRF = 14
"""x264 quality: lower is better and larger; at 14 the difference to the source cannot be seen."""
PRESET = "fast"
REPRODUCIBLE = "mbtree=0"
"""x264's macroblock tree reads memory it never wrote where frames are small: one clip became many files."""
BT709, LIMITED_RANGE = 1, 1
"""H.264 numbers of the colour tags."""
MAX_RATIO = 2**31 - 1
"""mp4 keeps rates as 32-bit whole numbers."""


def frames_from_clip(clip: Tensor) -> Tensor:
    """Bring a clip of (3, T, H, W) in -1..1 to frames (T, H, W, 3) uint8, rounding to the nearest value."""
    return to_bytes(clip).permute(1, 2, 3, 0).contiguous()


def clip_from_frames(frames: Tensor) -> Tensor:
    """Bring frames of (T, H, W, 3) uint8 to a clip (1, 3, T, H, W) float32 in -1..1."""
    return from_bytes(frames).permute(3, 0, 1, 2).unsqueeze(0).contiguous()


def write_clip(
    path: str | Path,
    frames: Iterable[Tensor],
    fps: Fraction,
    *,
    metadata: Mapping[str, str] | None = None,
    crf: int = CRF,
) -> Path:
    """Write frames as mp4 (H.264, yuv420p, bt709), under a temporary name until the file is whole.

    Odd sides are padded to even ones by repeating the last row or column, since yuv420p halves colour planes.
    After an error or interrupt nothing new is left in the folder, and a file of that name stays as it was.

    Args:
        path: ends in .mp4; its folder must exist.
        frames: (H, W, 3) uint8 each, all of one size; a (T, H, W, 3) tensor or anything that yields them.
        fps: exact rate.
        metadata: kept as tags that players show, and together as JSON in ``comment``.
        crf: x264 quality, 0 (lossless) to 51.

    Returns:
        The path written.

    Raises:
        MediaError: no frames, a frame of another size or type, a rate out of range, or no place to write.
    """
    path = checked_target(path, ".mp4")
    if not (fps > 0 and max(fps.numerator, fps.denominator) <= MAX_RATIO):
        raise MediaError(f"fps {fps} does not fit into mp4; give a plain ratio such as 24000/1001")
    checked = checked_frames(frames)
    first = next(checked, None)
    if first is None:
        raise MediaError(f"there is no frame to write to {path}; give at least one")
    try:
        with replacing(path) as partial, _mp4(partial, metadata or {}) as container:
            _encode(container, _h264(container, first, fps, crf), chain([first], checked))
    except (av.FFmpegError, OSError) as error:
        raise MediaError(f"{path} cannot be written ({error}); choose another folder") from error
    return path


def read_metadata(path: str | Path) -> dict[str, str]:
    """Read what ``write_clip`` or ``write_image`` was told; of files by others, their plain tags.

    A file that cannot be read is refused with a MediaError.

    Args:
        path: an mp4 or png.

    Returns:
        Key -> text, empty when there is none.
    """
    path = Path(path)
    tags = image_tags(path) if is_picture(path) else _container_tags(path)
    try:
        told = json.loads(tags.get("comment", tags.get("COMMENT", "")))  # Matroska shouts
    except ValueError:
        return tags
    return told if isinstance(told, dict) else tags


def _container_tags(path: Path) -> dict[str, str]:
    try:
        with av.open(f"file:{path}") as container:
            return dict(container.metadata)
    except (av.FFmpegError, ValueError) as error:
        raise MediaError(f"{path} cannot be read; give an mp4 or png that exists") from error


def checked_frames(frames: Iterable[Tensor]) -> Iterator[Tensor]:
    """Pass on frames as long as they are uint8 pictures of the first one's size; others are a MediaError."""
    size = None
    for index, frame in enumerate(frames):
        if frame.dtype != torch.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or frame.numel() == 0:
            raise MediaError(f"frame {index} is {frame.dtype} {tuple(frame.shape)}; give uint8 (H, W, 3)")
        size = size or frame.shape
        if frame.shape != size:
            raise MediaError(
                f"frame {index} is {tuple(frame.shape)} but the first was {tuple(size)}; resize it"
            )
        yield frame


@contextmanager
def _mp4(path: Path, metadata: Mapping[str, str]) -> Iterator[OutputContainer]:
    options = {"movflags": "+faststart+use_metadata_tags"}
    with av.open(f"file:{path}", "w", format="mp4", options=options) as container:
        container.metadata.update(plain_tags(metadata))
        yield container


def plain_tags(metadata: Mapping[str, str]) -> dict[str, str]:
    """Tags as containers hold them, and all of them as JSON in ``comment``."""
    tags = {**metadata, "comment": json.dumps(dict(metadata))}
    return {key: _plain(value) for key, value in tags.items()}


def _plain(text: str) -> str:
    """Text as a tag can hold it; the JSON beside it holds every character."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _h264(container: OutputContainer, first: Tensor, fps: Fraction, crf: int) -> VideoStream:
    options = {"crf": str(crf), "preset": PRESET, "x264-params": REPRODUCIBLE}
    return picture_stream(container, first, fps, "libx264", options)


def picture_stream(
    container: OutputContainer, first: Tensor, fps: Fraction, codec: str, options: Mapping[str, str]
) -> VideoStream:
    """Add a stream of pictures like the first to a container, yuv420p and tagged bt709.

    Args:
        container: not yet begun.
        first: (H, W, 3) uint8; odd sides are rounded up.
        fps: its average rate; a tick of its time base lasts 1 / fps.
        codec: FFmpeg's name of the encoder.
        options: of that encoder.

    Returns:
        The stream, to which ``encoded_pictures`` can be written.
    """
    stream = container.add_stream(codec, rate=fps, options=dict(options))
    stream.height, stream.width = (side + side % 2 for side in first.shape[:2])
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.time_base = 1 / fps
    context.colorspace = context.color_primaries = context.color_trc = BT709
    context.color_range = LIMITED_RANGE
    return stream


def _encode(container: OutputContainer, stream: VideoStream, frames: Iterable[Tensor]) -> None:
    for packet in encoded_pictures(stream, enumerate(frames)):
        container.mux(packet)


def encoded_pictures(stream: VideoStream, timed: Iterable[tuple[int, Tensor]]) -> Iterator[av.Packet]:
    """Encode frames, each at its tick of the encoder's time base, as bt709 yuv420p.

    Args:
        stream: an opened stream of a size that is even, and at most one larger than the frames.
        timed: ticks and (H, W, 3) uint8 frames.

    Yields:
        av.Packet: in the order in which they are to be written.
    """
    graph = _yuv_graph(stream)
    for tick, frame in timed:
        graph.push(av.VideoFrame.from_ndarray(_even(frame).cpu().contiguous().numpy(), format="rgb24"))
        picture = graph.pull()
        picture.pts, picture.time_base = tick, stream.codec_context.time_base
        yield from stream.encode(picture)
    yield from stream.encode()


def _even(frame: Tensor) -> Tensor:
    """Repeat the last row and column of odd sides."""
    frame = torch.cat([frame, frame[-1:]]) if frame.shape[0] % 2 else frame
    return torch.cat([frame, frame[:, -1:]], dim=1) if frame.shape[1] % 2 else frame


def _yuv_graph(stream: VideoStream) -> Graph:
    target = "in_range=full:out_color_matrix=bt709:out_range=limited"
    graph = Graph()
    graph.link_nodes(
        graph.add_buffer(
            width=stream.width, height=stream.height, format="rgb24", time_base=stream.codec_context.time_base
        ),
        graph.add("scale", f"{target}:flags=bicubic+accurate_rnd+full_chroma_inp"),
        graph.add("format", "pix_fmts=yuv420p"),
        graph.add("buffersink"),
    ).configure()
    return graph
