"""Clips out without any loss: FFV1 in Matroska, every RGB byte as it was."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import torch
from torch import Tensor

from ..errors import MediaError
from .target import checked_target, replacing
from .write import checked_frames, plain_tags

PIXELS = "bgr0"
"""What FFV1 calls 8-bit RGB."""


def write_lossless(
    path: str | Path, frames: Iterable[Tensor], fps: Fraction, *, metadata: Mapping[str, str] | None = None
) -> Path:
    """Write frames as mkv (FFV1, RGB), under a temporary name until the file is whole.

    Args:
        path: ends in .mkv; its folder must exist.
        frames: (H, W, 3) uint8 each, all of one size.
        fps: exact rate.
        metadata: kept as tags, and together as JSON in ``comment``.

    Returns:
        The path written.

    Raises:
        MediaError: no frames, a frame of another size or type, or no place to write.
    """
    path = checked_target(path, ".mkv")
    checked = checked_frames(frames)
    first = next(checked, None)
    if first is None:
        raise MediaError(f"there is no frame to write to {path}; give at least one")
    try:
        with replacing(path) as partial, av.open(f"file:{partial}", "w", format="matroska") as container:
            container.metadata.update(plain_tags(metadata or {}))
            stream = container.add_stream("ffv1", rate=fps, options={"level": "3", "slices": "4"})
            stream.height, stream.width = first.shape[:2]
            stream.pix_fmt = PIXELS
            stream.codec_context.time_base = 1 / fps
            for tick, frame in enumerate(chain([first], checked)):
                container.mux(stream.encode(_picture(frame, tick, fps)))
            container.mux(stream.encode(None))
    except (av.FFmpegError, OSError) as error:
        raise MediaError(f"{path} cannot be written ({error}); choose another folder") from error
    return path


def _picture(frame_HWC: Tensor, tick: int, fps: Fraction) -> av.VideoFrame:
    """Bytes blue, green, red and nothing: no conversion that could round."""
    padding = torch.zeros_like(frame_HWC[:, :, :1])
    values = torch.cat([frame_HWC.flip(2), padding], dim=2).cpu().contiguous()
    picture = av.VideoFrame(frame_HWC.shape[1], frame_HWC.shape[0], PIXELS)
    plane = picture.planes[0]
    rows = torch.zeros(plane.height, plane.line_size, dtype=torch.uint8)
    rows[:, : 4 * frame_HWC.shape[1]] = values.flatten(1)
    plane.update(rows.numpy().tobytes())
    picture.pts, picture.time_base = tick, 1 / fps
    return picture
