"""Videos that lose nothing between nodes: FFV1 in the host's temp folder, H.264 only where one saves them."""

# Shape letters: T frame, H row, W column, C channel.

import json
from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import comfy.model_management
import folder_paths
import torch
from comfy.cli_args import args
from comfy_api.latest import InputImpl, Types
from torch import Tensor

from ...moviegen_core.errors import MediaError
from ...moviegen_core.media.copy import copy_tagged
from ...moviegen_core.media.mux import add_sound
from ...moviegen_core.media.read import frames
from ...moviegen_core.media.read_sound import has_sound, open_sound
from ...moviegen_core.media.sound import Sound
from ...moviegen_core.media.write import write_clip
from ...moviegen_core.media.write_lossless import write_lossless
from ...moviegen_core.stages.locality.files import clip_shape
from ..convert import audio_of, bytes_from_image, image_from_bytes, sound_of
from .video import file_of, is_in_memory, new_file, rate_of, stereo

PLAIN = ("auto", "mp4"), ("auto", "h264")
"""Containers and codecs that a plain Save Video asks for."""


class ExactVideo(InputImpl.VideoFromFile):
    """A VIDEO in a lossless file: every node reads its pixels as they are, and saving it makes an mp4.

    The host would copy FFV1 into an mp4, where nobody can play it, or read the whole clip into memory. Older
    ones hand on its sound as it is packed, newer ones its colours one off.
    """

    def get_components(self) -> Any:  # noqa: ANN401 - the host's
        """As the host's, but every byte as it is, and the sound in floats, channel by channel."""
        path = Path(self.get_stream_source())
        shown = _watched(shown_frames(path))
        images = torch.stack([image_from_bytes(frame_HWC) for frame_HWC in shown])
        audio = audio_of(open_sound(path)) if has_sound(path) else None
        return Types.VideoComponents(images=images, audio=audio, frame_rate=clip_shape(path).fps)

    def save_to(
        self,
        path: str | BytesIO,
        format: Any = "auto",  # noqa: ANN401 - the host's names
        codec: Any = "auto",  # noqa: ANN401
        metadata: dict[str, Any] | None = None,
        **options: Any,  # noqa: ANN401 - what newer hosts add
    ) -> None:
        """As the host's; what is not asked for in particular becomes H.264, frame by frame."""
        wanted = (_word(format), _word(codec))
        plain = all(one in some for one, some in zip(wanted, PLAIN, strict=True))
        if isinstance(path, BytesIO) or not plain or Path(path).suffix.lower() != ".mp4" or _set(options):
            given = {} if metadata is None else {"metadata": metadata}
            super().save_to(path, format=format, codec=codec, **given, **_set(options))
            return
        write_playable(Path(self.get_stream_source()), Path(path), metadata or {})


def _word(choice: Any) -> str:  # noqa: ANN401 - a word or one of the host's enumerations
    return str(getattr(choice, "value", choice))


def _set(options: dict[str, Any]) -> dict[str, Any]:
    """What was really asked for: None is the host's word for its default."""
    return {name: value for name, value in options.items() if value is not None}


def write_playable(source: Path, path: Path, metadata: dict[str, Any]) -> None:
    """Write a file as mp4 that everything plays, with its sound, a frame in memory at a time.

    Args:
        source: any video.
        path: ends in .mp4.
        metadata: of the host, values that JSON knows.
    """
    fps, told = clip_shape(source).fps, tags(metadata)
    shown = _watched(shown_frames(source))
    if not has_sound(source):
        write_clip(path, shown, fps, metadata=told)
        return
    silent = new_file(".mp4")
    try:
        write_clip(silent, shown, fps, metadata=told)
        add_sound(silent, stereo(open_sound(source)), path)
    finally:
        silent.unlink(missing_ok=True)


def shown_frames(path: Path) -> Iterator[Tensor]:
    """All frames of a file, (H, W, 3) uint8, as many as it says."""
    shape = clip_shape(path)
    return islice(frames(path, fps=shape.fps), shape.num_frames)


def tags(metadata: dict[str, Any]) -> dict[str, str]:
    """What the host tells of a workflow, as containers hold it."""
    return {key: one if isinstance(one, str) else json.dumps(one) for key, one in metadata.items()}


def exact_file_of(video: Any) -> Path:  # noqa: ANN401 - the host's VIDEO
    """A file that holds a VIDEO's pixels as other nodes read them.

    Args:
        video: of any kind; what lies in memory or was trimmed is written losslessly, in 8 bits a colour.

    Returns:
        Its own file where it has one.

    Raises:
        MediaError: it holds no frames.
    """
    trimmed = getattr(video, "get_active_trim_window", lambda: (0, 0))() != (0, 0)
    if not trimmed and not is_in_memory(video):
        return file_of(video)
    parts = video.get_components()
    if not len(parts.images):
        raise MediaError("the video holds no frames; give one of at least one frame")
    sound = None if parts.audio is None else sound_of(parts.audio, "video's sound")
    return write_exact(_bytes(parts.images), rate_of(parts.frame_rate), sound)


def _bytes(images_THWC: Tensor) -> Iterator[Tensor]:
    return _watched(bytes_from_image(image_HWC[..., :3]) for image_HWC in images_THWC)


def _watched(shown: Iterator[Tensor]) -> Iterator[Tensor]:
    """Frames, until the user wants no more."""
    for frame in shown:
        comfy.model_management.throw_exception_if_processing_interrupted()
        yield frame


def write_exact(shown: Iterator[Tensor], fps: Fraction, sound: Sound | None = None) -> Path:
    """Write frames, and their sound, losslessly into the host's temp folder.

    Args:
        shown: (H, W, 3) uint8 each.
        fps: their rate.
        sound: as long as they are; None for silence.

    Returns:
        The file.
    """
    silent = new_file(".mkv")
    write_lossless(silent, shown, fps)
    if sound is None:
        return silent
    path = new_file(".mkv")
    add_sound(silent, stereo(sound), path)
    silent.unlink()
    return path


def save_exact(video: Any, prefix: str, metadata: dict[str, Any]) -> Path:  # noqa: ANN401
    """Save a VIDEO without any loss into the host's output folder.

    Args:
        video: of any kind; what has a file is copied as it is.
        prefix: of the file's name, as in the host's own save nodes.
        metadata: of the host.

    Returns:
        The file.
    """
    width, height = video.get_dimensions()
    root = folder_paths.get_output_directory()
    folder, name, number, *_ = folder_paths.get_save_image_path(prefix, root, width, height)
    path = Path(folder) / f"{name}_{number:05}_.mkv"
    return copy_tagged(exact_file_of(video), path, tags({} if args.disable_metadata else metadata))
