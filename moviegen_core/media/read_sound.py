"""Sound in: any container and codec, streamed, every sample where its time stamp says."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
import torch
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from torch import Tensor

from ..errors import MediaError
from .channels import TO_STEREO
from .read import checked_file
from .sound import SPEAKERS, Sound, silence

# Shape letters: C channel, S sample.

FULL_SCALE = {"u8": 2**7, "s16": 2**15, "s32": 2**31, "s64": 2**63, "flt": 1, "dbl": 1}
"""FFmpeg's sample formats, packed or planar, and their 1.0."""
SLACK = Fraction(1, 100)
"""Seconds that a time stamp may be off before sound is moved for it: muxers round, and moving would click."""
COARSE_SLACK = Fraction(1, 25)
"""The same for stamps in whole milliseconds, which recorders often guess."""
COARSE_TICK = Fraction(1, 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundInfo:
    """What a file says about its sound; only decoding it all would be certain."""

    sample_rate: int
    speakers: tuple[str, ...]
    codec: str
    num_tracks: int
    """Sound tracks in the file."""
    seconds: Fraction | None
    """None when the container does not say."""


def probe_sound(path: str | Path, *, track: int = 0) -> SoundInfo:
    """Describe a file's sound, decoding its first frame only; what holds none is refused with a MediaError.

    Args:
        path: a sound or video file.
        track: which of its sound tracks, from 0.

    Returns:
        Rate and speakers as decoded, and the length that the container tells.
    """
    with _opened(path, track) as (container, stream):
        first, _ = next(_decoded(container, stream, Path(path)))
        return SoundInfo(
            sample_rate=first.sample_rate,
            speakers=_speakers(first, Path(path)),
            codec=stream.codec_context.name,
            num_tracks=len(container.streams.audio),
            seconds=None if stream.duration is None else stream.duration * stream.time_base,
        )


def open_sound(path: str | Path, *, track: int = 0) -> Sound:
    """Open a file's sound, to be streamed as often as needed.

    It begins where the picture begins, if there is one, else with its own first sample. Silence fills what is
    missing: a late start, gaps, packets that do not decode. Codec padding is dropped as far as the file tells
    of it. What holds no sound, or none that decodes, is refused with a MediaError, and while it streams
    so are samples that are no numbers, and a change of rate or speakers on the way.

    Args:
        path: a sound or video file.
        track: which of its sound tracks, from 0.

    Returns:
        The sound, at its own rate and with its own speakers.
    """
    path = Path(path)
    info = probe_sound(path, track=track)
    return Sound(
        sample_rate=info.sample_rate, speakers=info.speakers, chunks=lambda: _streamed(path, track, info)
    )


def has_sound(path: str | Path) -> bool:
    """Whether a file that can be opened holds a sound track."""
    try:
        with _opened(path, 0):
            return True
    except NoSoundError:
        return False


class NoSoundError(MediaError):
    """A file that can be read, but holds no such sound track."""


def _streamed(path: Path, track: int, info: SoundInfo) -> Iterator[Tensor]:
    """Place what is decoded; of the last frame keep what lies before the end that the container states."""
    with _opened(path, track) as (container, stream):
        frames = _decoded(container, stream, path)
        first = next(frames)
        origin = _origin(container, first[0])
        end = _stated_end(container, stream, origin)
        held, start = None, 0
        for wave in _placed(chain([first], frames), origin, info, path):
            if held is not None:
                yield held
                start += held.shape[1]
            held = wave
        if held is not None:
            yield held[:, : end - start] if end is not None and end > start else held


@contextmanager
def _opened(path: str | Path, track: int) -> Iterator[tuple[InputContainer, AudioStream]]:
    path = checked_file(path, "sound or video")
    try:
        container = av.open(f"file:{path}")
    except (av.FFmpegError, ValueError) as error:
        raise MediaError(
            f"{path} is no sound or video that can be read, or is cut off; export it again"
        ) from error
    with container:
        count = len(container.streams.audio)
        if not count:
            raise NoSoundError(
                f"{path} holds no sound, only pictures or data; give a file with a sound track"
            )
        if not 0 <= track < count:
            raise NoSoundError(f"{path} has no sound track {track}; it has {count}, counted from 0")
        yield container, container.streams.audio[track]


def _origin(container: InputContainer, first: av.AudioFrame) -> Fraction:
    """When the first picture is shown by the container's clock; without one, when the first sample sounds."""
    pictures = [s for s in container.streams.video if Disposition.attached_pic not in s.disposition]
    if pictures and pictures[0].start_time is not None:
        return pictures[0].start_time * pictures[0].time_base
    return _moment(first) or Fraction(0)


def _stated_end(container: InputContainer, stream: AudioStream, origin: Fraction) -> int | None:
    """Samples after the origin at which an mp4 says its sound ends: encoders fill the last frame up."""
    if "mp4" not in container.format.name or not stream.duration:
        return None
    end = ((stream.start_time or 0) + stream.duration) * stream.time_base
    return round((end - origin) * stream.rate)


def _decoded(
    container: InputContainer, stream: AudioStream, path: Path
) -> Iterator[tuple[av.AudioFrame, bool]]:
    """Every frame that decodes, and whether something before it was lost."""
    empty, lost = True, False
    for packet in _packets(container, stream):
        try:
            frames = packet.decode()
        except av.FFmpegError:
            lost = True
            continue
        for frame in frames:
            yield frame, lost
            empty = lost = False
    if empty:
        raise MediaError(f"{path} holds a sound track that is empty or cannot be decoded; export it again")


def _packets(container: InputContainer, stream: AudioStream) -> Iterator[av.Packet]:
    try:
        yield from container.demux(stream)
    except av.FFmpegError:
        return


def _placed(
    frames: Iterator[tuple[av.AudioFrame, bool]], origin: Fraction, info: SoundInfo, path: Path
) -> Iterator[Tensor]:
    """Waveforms in a row: silence where nothing is, and only once what the stamps say comes twice."""
    cursor = 0
    for number, (frame, lost) in enumerate(frames):
        wave = _waveform(frame, info, path)
        moment = _moment(frame)
        if moment is not None:
            gap = round((moment - origin) * info.sample_rate) - cursor
            if abs(gap) > _slack(frame, exact=number == 0 or lost) * info.sample_rate:
                yield from silence(max(gap, 0), info.sample_rate, info.speakers).chunks()
                cursor += max(gap, 0)
                wave = wave[:, max(-gap, 0) :]
        if wave.shape[1]:
            yield wave
            cursor += wave.shape[1]


def _moment(frame: av.AudioFrame) -> Fraction | None:
    """When a frame sounds, by the container's clock."""
    return None if frame.pts is None else frame.pts * frame.time_base


def _slack(frame: av.AudioFrame, *, exact: bool) -> Fraction:
    """How far a frame may be from its stamp; ``exact``: only as far as stamps are rounded."""
    if frame.time_base < COARSE_TICK:
        return Fraction(0) if exact else SLACK
    return frame.time_base if exact else COARSE_SLACK


def _waveform(frame: av.AudioFrame, info: SoundInfo, path: Path) -> Tensor:
    """Samples of a frame, (C, S) float32, full scale 1."""
    if (frame.sample_rate, _speakers(frame, path)) != (info.sample_rate, info.speakers):
        raise MediaError(
            f"{path} changes its sample rate or channels {_when(frame)}; export it with one of each"
        )
    values = frame.to_ndarray()
    if not frame.format.is_planar:
        values = values.reshape(-1, len(info.speakers)).T
    kind = frame.format.name.removesuffix("p")
    wave = torch.from_numpy(np.ascontiguousarray(values, dtype=np.float64)) - (128 if kind == "u8" else 0)
    wave = (wave / FULL_SCALE[kind]).float()
    if not wave.isfinite().all():
        raise MediaError(f"{path} holds samples that are not numbers {_when(frame)}; export it again")
    return wave


def _when(frame: av.AudioFrame) -> str:
    return f"{float(_moment(frame) or 0):.1f} seconds in"


def _speakers(frame: av.AudioFrame, path: Path) -> tuple[str, ...]:
    """Where the channels are heard; by their number when the file does not say."""
    names = tuple(channel.name for channel in frame.layout.channels)
    if len(names) == 1:
        return SPEAKERS[1]
    if all(name in TO_STEREO for name in names):
        return names
    if len(names) not in SPEAKERS:
        raise MediaError(
            f"{path} has {len(names)} channels, nobody knows where they are heard; export it as stereo"
        )
    return SPEAKERS[len(names)]
