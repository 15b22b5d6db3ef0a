"""A video's packets as they are in a new file, with more to tell."""

from collections.abc import Mapping
from pathlib import Path

import av
from av.container import OutputContainer

from ..errors import MediaError
from .mux import copied, fits, like, tell
from .read import opened, video_stream
from .target import checked_target, replacing


def copy_tagged(video: Path | str, path: Path | str, metadata: Mapping[str, str]) -> Path:
    """Copy a video untouched into a Matroska file, which holds nearly every codec.

    Args:
        video: any video file.
        path: ends in .mkv; its folder must exist.
        metadata: tags that are written beside its own.

    Returns:
        The path written.

    Raises:
        MediaError: no pictures, a codec that mkv does not hold, or no place to write.
    """
    path, video = checked_target(Path(path), ".mkv"), Path(video)
    try:
        with replacing(path) as partial, opened(video) as source, _matroska(partial) as target:
            if not fits(video_stream(source, video), target):
                raise MediaError(f"mkv cannot hold the pictures of {video}; save it with Save Video")
            tell(source, target)
            target.metadata.update(metadata)
            streams = {stream: like(stream, target) for stream in source.streams if fits(stream, target)}
            for packet in copied(source, streams):
                target.mux(packet)
    except (av.FFmpegError, OSError) as error:
        raise MediaError(f"{path} cannot be written ({error}); choose another folder") from error
    return path


def _matroska(path: Path) -> OutputContainer:
    return av.open(f"file:{path}", "w", format="matroska")
