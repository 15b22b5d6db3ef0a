"""A VIDEO as the source of long work: a file that can be read again, and a name for what it holds."""

# Shape letters: H row, W column, C channel.

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import comfy.model_management
from torch import Tensor

from ...moviegen_core.errors import MediaError
from ...moviegen_core.media.sound import Sound
from ...moviegen_core.media.source import Source, open_source
from ...moviegen_core.media.write_lossless import write_lossless
from ...moviegen_core.stages.content import content_key, file_key
from ..convert import sound_of
from .decode import as_bytes
from .video import file_of, is_in_memory, new_file, rate_of

COLOURS = 3
"""Channels of a picture without transparency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Footage:
    """What long work reads."""

    source: Source
    key: str
    """Equal when the same is shown at the same rate, whenever and wherever its file was written."""
    name: str
    """Of the user's file; empty where there is none."""
    sound: Sound | None
    """Of a clip in memory; a file carries its own."""


@contextmanager
def footage_of(video: Any) -> Iterator[Footage]:  # noqa: ANN401 - the host's VIDEO
    """A VIDEO as footage; what had to be written for it is deleted afterwards.

    Args:
        video: of a file, in a buffer, trimmed or in memory.

    Yields:
        Footage: to be read while the context is open.
    """
    if is_in_memory(video):
        with _from_memory(video) as footage:
            yield footage
        return
    path, original = file_of(video), video.get_stream_source()
    try:
        name = Path(original).name if isinstance(original, str | Path) else ""
        yield Footage(source=open_source(path), key=_key(video, path), name=name, sound=None)
    finally:
        if str(path) != str(original):
            path.unlink(missing_ok=True)


def _key(video: Any, path: Path) -> str:  # noqa: ANN401
    """A trimmed clip is encoded again each time, so that its own file says nothing."""
    window = getattr(video, "get_active_trim_window", lambda: (0, 0))()
    original = video.get_stream_source()
    if window == (0, 0) or not isinstance(original, str | Path):
        return file_key(path)
    return content_key({"of": file_key(Path(original)), "from": window[0], "seconds": window[1]})


@contextmanager
def _from_memory(video: Any) -> Iterator[Footage]:  # noqa: ANN401
    """Pictures go to a lossless file, so that nothing after this needs them in memory."""
    parts = video.get_components()
    if not len(parts.images):
        raise MediaError("the video holds no frames; give one of at least one frame")
    path, fps = new_file(".mkv"), rate_of(parts.frame_rate)
    digest = hashlib.sha256(f"{fps} {tuple(parts.images.shape)}".encode())
    try:
        write_lossless(path, _hashed(parts.images, digest), fps)
        found = open_source(path)
        info = replace(found.info, num_frames=len(parts.images))
        notes = ("its transparency is dropped",) if parts.images.shape[-1] > COLOURS else ()
        sound = None if parts.audio is None else sound_of(parts.audio, "video's sound")
        source = replace(found, info=info, fps=fps, has_sound=sound is not None, notes=notes)
        yield Footage(source=source, key=digest.hexdigest()[:32], name="", sound=sound)
    finally:
        path.unlink(missing_ok=True)


def _hashed(images: Tensor, digest: Any) -> Iterator[Tensor]:  # noqa: ANN401 - of hashlib
    for image_HWC in images:
        comfy.model_management.throw_exception_if_processing_interrupted()
        frame = as_bytes(image_HWC).contiguous()
        digest.update(frame.numpy())
        yield frame
