"""The host's VIDEO as the core reads it: streamed from its file, or taken from memory where it lies there."""

# Shape letters: T frame, H row, W column.

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import comfy.model_management
import folder_paths
from comfy_api.latest import InputImpl
from torch import Tensor

from ...moviegen_core.errors import MediaError
from ...moviegen_core.geometry import parse_fps, samples_in
from ...moviegen_core.media.channels import remixed
from ...moviegen_core.media.mux import CONTAINERS, add_sound
from ...moviegen_core.media.picture_time import picture_time
from ...moviegen_core.media.pixels import from_bytes
from ...moviegen_core.media.read import frames, probe, timed_frames
from ...moviegen_core.media.read_sound import has_sound, open_sound
from ...moviegen_core.media.resample import resampled
from ...moviegen_core.media.sound import SAMPLE_RATE, Sound, exactly
from ...moviegen_core.media.write import CRF, write_clip
from ..convert import audio_of, image_from_pixels_, pixels_from_image, sound_of

MAX_DENOMINATOR = 1001
"""Of rates: those of broadcast have no larger one."""
TimedPixels = Iterator[tuple[Fraction, Tensor]]
"""Seconds at which a picture appears, and the picture (3, H, W) in -1..1."""
ENDINGS = {"matroska": ".mkv", "webm": ".mkv", "mp4": ".mp4", "mov": ".mp4"}
"""Of a file in memory, by what the host calls its format; others are copied as mkv, which holds anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A VIDEO, read when asked for."""

    seconds: Fraction
    """Exact length of the pictures."""
    fps: Fraction
    """Their rate, the average one where it varies."""
    pixels: Callable[[], TimedPixels]
    steady: Callable[[], Iterator[Tensor]]
    """Pictures (3, H, W) in -1..1 at that rate."""
    sound: Callable[[], Sound | None]
    """None where it has none."""

    def num_samples(self, sample_rate: int = SAMPLE_RATE) -> int:
        """Samples per channel that last as long as the pictures."""
        return samples_in(self.seconds, sample_rate)


def clip_of(video: Any) -> Clip:  # noqa: ANN401 - the host's VIDEO
    """Read a VIDEO, whichever kind of it."""
    return _clip_in_memory(video) if is_in_memory(video) else _clip_in_file(file_of(video))


def evenly_seen(video: Any, count: int) -> list[Tensor]:  # noqa: ANN401 - the host's VIDEO
    """So many of a VIDEO's frames as the host's (H, W, 3) in 0..1, from the first to the last, evenly."""
    clip = clip_of(video)
    total = max(1, round(clip.seconds * clip.fps))
    wanted = {round(place * (total - 1) / max(1, count - 1)) for place in range(min(count, total))}
    chosen = (pixels for number, pixels in enumerate(clip.steady()) if number in wanted)
    return [image_from_pixels_(pixels.clone().movedim(0, -1)) for pixels in chosen]


def is_in_memory(video: Any) -> bool:  # noqa: ANN401
    """Whether a VIDEO is tensors, and not a file."""
    return isinstance(video, InputImpl.VideoFromComponents)


def _clip_in_memory(video: Any) -> Clip:  # noqa: ANN401
    parts = video.get_components()
    fps = Fraction(parts.frame_rate)
    if not len(parts.images):
        raise MediaError("the video holds no frames; give one of at least one frame")

    def steady() -> Iterator[Tensor]:
        for image_HWC in parts.images:
            comfy.model_management.throw_exception_if_processing_interrupted()
            yield pixels_from_image(image_HWC[..., :3].float().permute(2, 0, 1))

    def sound() -> Sound | None:
        return None if parts.audio is None else sound_of(parts.audio, "video's sound")

    return Clip(
        seconds=len(parts.images) / fps,
        fps=fps,
        pixels=lambda: ((number / fps, pixels) for number, pixels in enumerate(steady())),
        steady=steady,
        sound=sound,
    )


def _clip_in_file(path: Path) -> Clip:
    time = picture_time(path)
    average = time.fps or probe(path).fps

    def pixels() -> TimedPixels:
        for number, (moment, frame_HWC) in enumerate(timed_frames(path)):
            yield number / time.fps if time.fps else moment, _read_pixels(frame_HWC)

    return Clip(
        seconds=time.seconds,
        fps=average,
        pixels=pixels,
        steady=lambda: (_read_pixels(frame_HWC) for frame_HWC in frames(path, fps=average)),
        sound=lambda: open_sound(path) if has_sound(path) else None,
    )


def _read_pixels(frame_HWC: Tensor) -> Tensor:
    """Bytes from a file as pixels, unless the user wants no more."""
    comfy.model_management.throw_exception_if_processing_interrupted()
    return from_bytes(frame_HWC.permute(2, 0, 1))


def file_of(video: Any) -> Path:  # noqa: ANN401
    """Where a VIDEO's file lies; what is trimmed, or only in memory, is written to the host's temp folder."""
    if getattr(video, "get_active_trim_window", lambda: (0, 0))() != (0, 0):
        path = new_file(".mp4")
        video.save_to(str(path))
        return path
    source = video.get_stream_source()
    if not isinstance(source, BytesIO):
        return Path(source)
    names = video.get_container_format().split(",")
    path = new_file(next((ENDINGS[name] for name in names if name in ENDINGS), ".mkv"))
    source.seek(0)
    with path.open("wb") as file:
        shutil.copyfileobj(source, file)
    return path


def new_file(ending: str) -> Path:
    """A name that is free in the host's temp folder, which it empties when it starts."""
    folder = Path(folder_paths.get_temp_directory())
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"moviegen_{uuid4().hex[:12]}{ending}"


def write_video(frames: Iterator[Tensor], fps: Fraction, crf: int = CRF) -> Any:  # noqa: ANN401
    """Frames (H, W, 3) uint8 as they come into a file of the temp folder, as VIDEO."""
    path = new_file(".mp4")
    write_clip(path, frames, fps, crf=crf)
    return InputImpl.VideoFromFile(str(path))


def stereo(sound: Sound) -> Sound:
    """With two channels at most."""
    return remixed(sound, min(2, len(sound.speakers)))


def rate_of(fps: Fraction | float) -> Fraction:
    """A rate that containers hold; hosts hand on what was typed as a float with all its digits."""
    return parse_fps(Fraction(fps).limit_denominator(MAX_DENOMINATOR))


def with_sound(video: Any, sound: Sound, keep_sound: bool = False) -> tuple[Any, str]:  # noqa: ANN401
    """A VIDEO with this sound, exactly as long as the pictures, which are not touched.

    Args:
        video: the host's.
        sound: of any rate and channels, cut or followed by silence.
        keep_sound: whether the tracks that a file has stay behind the new one; memory holds one alone.

    Returns:
        A VIDEO of the same kind, and what was done in words.
    """
    sound = stereo(sound)
    if is_in_memory(video):
        clip, parts = _clip_in_memory(video), video.get_components()
        fitted = exactly(resampled(sound, SAMPLE_RATE), clip.num_samples())
        depth = {"bit_depth": video.get_bit_depth()} if hasattr(video, "get_bit_depth") else {}
        made = InputImpl.VideoFromComponents(replace(parts, audio=audio_of(fitted)), **depth)
        return made, f"{clip.num_samples()} samples at 48 kHz"
    source = file_of(video)
    target = new_file(source.suffix.lower() if source.suffix.lower() in CONTAINERS else ".mkv")
    muxed = add_sound(source, _interruptible(sound), target, keep_sound=keep_sound)
    pictures = "pictures copied untouched" if muxed.copied else "pictures encoded again"
    words = f"{muxed.num_samples} samples at 48 kHz, {pictures}"
    lost = f"; left out: {', '.join(muxed.dropped)}" if muxed.dropped else ""
    return InputImpl.VideoFromFile(str(target)), words + lost


def _interruptible(sound: Sound) -> Sound:
    def change(blocks: Iterator[Tensor]) -> Iterator[Tensor]:
        for block in blocks:
            comfy.model_management.throw_exception_if_processing_interrupted()
            yield block

    return sound.through(change)
