"""Sound into a video: pictures copied packet by packet where the container allows, sound exactly as long."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from heapq import merge
from itertools import chain
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.stream import Disposition, Stream
from torch import Tensor

from ..errors import MediaError
from .picture_time import PictureTime, picture_time
from .read import opened, timed_frames, video_stream
from .resample import resampled
from .sound import BLOCK, SAMPLE_RATE, Sound, exactly
from .target import checked_target, replacing
from .write import CRF, PRESET, encoded_pictures, picture_stream
from .write_sound import audio_frame, checked_samples, layout_of, quantized

MAX_TIMESCALE = 10**7
"""Ticks a second of an mp4's edit lists; finer ones than this are not worth their size."""
MIN_TICKS = 10000
"""A second; muxers use no fewer."""
CONTAINER_TAGS = frozenset({"major_brand", "minor_version", "compatible_brands", "encoder", "creation_time"})
"""What a container says of itself, not of what is in it."""


@dataclass(frozen=True, slots=True)
class _Container:
    """What sound and pictures are encoded with for files of one ending."""

    format: str
    sound_codec: str
    sample_format: str
    bits_per_channel: int | None
    """A second; None where nothing is lost."""
    picture_codec: str
    """For pictures that cannot be copied."""


MP4 = _Container("mp4", "aac", "fltp", 128000, "libx264")
CONTAINERS = {
    ".mp4": MP4,
    ".m4v": MP4,
    ".mov": _Container("mov", "aac", "fltp", 128000, "libx264"),
    ".mkv": _Container("matroska", "flac", "s32", None, "libx264"),
    ".webm": _Container("webm", "libopus", "flt", 96000, "libvpx-vp9"),
}
KEPT_TYPES = frozenset({"video", "audio", "subtitle"})
PICTURE_OPTIONS = {
    "libx264": {"crf": str(CRF), "preset": PRESET},
    "libvpx-vp9": {"crf": "18", "b": "0", "cpu-used": "4", "row-mt": "1"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Muxed:
    """What was written."""

    path: Path
    num_samples: int
    """Per channel, at 48 kHz: as long as the pictures."""
    copied: bool
    """Whether the pictures were copied untouched; else they were encoded again."""
    dropped: tuple[str, ...]
    """What else the video held and the new file cannot."""


def add_sound(video: str | Path, sound: Sound, path: str | Path, *, keep_sound: bool = False) -> Muxed:
    """Give a video this sound.

    The sound is brought to 48 kHz and to exactly the length of the pictures: round(N / F * 48000) samples,
    cut or followed by silence. It starts with the first picture. Pictures keep their packets, time stamps and
    rotation; only where the new container cannot hold their codec they are encoded again. Subtitles, tags and
    chapters are kept where the container can.

    AAC comes in packets of 1024 samples and begins with one that primes the decoder. The edit list of mp4 and
    mov says where the sound begins and ends, to the sample: FFmpeg reports just that length and drops the
    priming by itself, but hands out the last packet whole. So ``open_sound``, and players that heed the list,
    hear exactly N samples, and who decodes with FFmpeg and looks no further up to 1023 more. FLAC (mkv) and
    Opus (webm) give exactly N either way.

    Args:
        video: any video file; it may be the file to write.
        sound: mono or stereo.
        path: ends in .mp4, .m4v, .mov, .mkv or .webm; its folder must exist.
        keep_sound: whether the sound tracks of the video stay, behind the new one.

    Returns:
        What was written.

    Raises:
        MediaError: no pictures, a container we do not write, more than two channels, or no place to write.
    """
    path, video = Path(path), Path(video)
    container = CONTAINERS.get(path.suffix.lower())
    if container is None:
        raise MediaError(f"{path} is of no kind we can write; end its name in one of {', '.join(CONTAINERS)}")
    checked_target(path, path.suffix.lower())
    time = picture_time(video)
    fitted = exactly(resampled(sound, SAMPLE_RATE), time.num_samples())
    job = _Job(video=video, sound=fitted, container=container, time=time, keep_sound=keep_sound)
    try:
        with replacing(path) as partial:
            copied, dropped = _written(job, partial)
    except (av.FFmpegError, OSError) as error:
        raise MediaError(f"{path} cannot be written ({error}); choose another folder or ending") from error
    return Muxed(path=path, num_samples=time.num_samples(), copied=copied, dropped=dropped)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    video: Path
    sound: Sound
    container: _Container
    time: PictureTime
    keep_sound: bool


def _written(job: _Job, partial: Path) -> tuple[bool, tuple[str, ...]]:
    """Copy the pictures, or encode them again when the container does not take them."""
    try:
        return True, _write(job, partial, _copied_pictures)
    except (av.FFmpegError, ValueError):
        return False, _write(job, partial, _encoded_pictures)


_Added = tuple[dict[Stream, Stream], Iterator[av.Packet]]
"""Streams to copy, under their new ones, and packets encoded here."""
_Pictures = Callable[[_Job, InputContainer, OutputContainer], _Added]


def _write(job: _Job, partial: Path, pictures: _Pictures) -> tuple[str, ...]:
    """Write the whole file; returns what of the video is left out."""
    with opened(job.video) as source, _begun(job, partial, _ticks(job, source)) as target:
        taken, encoded = pictures(job, source, target)
        sound = _sound_stream(job, target)
        others, dropped = _other_streams(job, source, target)
        tell(source, target)
        target.start_encoding()
        streams = encoded, copied(source, taken | others), _sound_packets(job, sound)
        for packet in merge(*streams, key=moment):
            target.mux(packet)
        return dropped


@contextmanager
def _begun(job: _Job, partial: Path, ticks: int) -> Iterator[OutputContainer]:
    options = {}
    if job.container.format in ("mp4", "mov"):
        options = {
            "movflags": "+faststart+use_metadata_tags",
            "movie_timescale": str(_timescale(job.time)),
            "video_track_timescale": str(ticks),
        }
    with av.open(f"file:{partial}", "w", format=job.container.format, options=options) as target:
        yield target


def _ticks(job: _Job, source: InputContainer) -> int:
    """Ticks a second in which the pictures have whole times: theirs, or a multiple that is not too coarse."""
    ticks = video_stream(source, job.video).time_base.denominator
    return ticks * -(-MIN_TICKS // ticks)


def _timescale(time: PictureTime) -> int:
    """Ticks in which sound and pictures both have a whole length, so that edit lists say it exactly."""
    scale = math.lcm(SAMPLE_RATE, time.seconds.denominator)
    return scale if scale <= MAX_TIMESCALE else SAMPLE_RATE


def _copied_pictures(job: _Job, source: InputContainer, target: OutputContainer) -> _Added:
    stream = video_stream(source, job.video)
    if not fits(stream, target):
        raise ValueError(f"{job.container.format} does not take {stream.codec_context.name}")
    return {stream: like(stream, target)}, iter(())


def _encoded_pictures(job: _Job, source: InputContainer, target: OutputContainer) -> _Added:
    """Encode the pictures again, upright, each at its own moment."""
    time_base = 1 / job.time.fps if job.time.fps else video_stream(source, job.video).time_base
    frames = timed_frames(job.video)
    moment, first = next(frames)
    rate = job.time.fps or job.time.num_frames / job.time.seconds
    codec = job.container.picture_codec
    stream = picture_stream(target, first, rate.limit_denominator(100000), codec, PICTURE_OPTIONS[codec])
    stream.codec_context.time_base = time_base
    shown = chain([(moment, first)], frames)
    return {}, encoded_pictures(stream, ((round((at + job.time.start) / time_base), f) for at, f in shown))


def _sound_stream(job: _Job, target: OutputContainer) -> AudioStream:
    container = job.container
    stream = target.add_stream(container.sound_codec, rate=SAMPLE_RATE, layout=layout_of(job.sound))
    stream.codec_context.format = container.sample_format
    if container.bits_per_channel:
        stream.bit_rate = container.bits_per_channel * len(job.sound.speakers)
    return stream


def _sound_packets(job: _Job, stream: AudioStream) -> Iterator[av.Packet]:
    """Encode the sound so that it begins when the first picture is shown."""
    place = round(job.time.start * SAMPLE_RATE)
    for block in job.sound.blocks(stream.codec_context.frame_size or BLOCK):
        values = _stored(checked_samples(block), job.container.sample_format)
        yield from stream.encode(audio_frame(values, stream, place))
        place += block.shape[1]
    yield from stream.encode(None)


def _stored(block: Tensor, sample_format: str) -> Tensor:
    if sample_format == "fltp":
        return block
    return quantized(block, "24" if sample_format == "s32" else "float")


def _other_streams(
    job: _Job, source: InputContainer, target: OutputContainer
) -> tuple[dict[Stream, Stream], tuple[str, ...]]:
    """Streams beside the pictures that are copied along, and the names of those that cannot be."""
    kept, dropped, pictures = {}, [], video_stream(source, job.video)
    for stream in source.streams:
        if stream is pictures or (stream.type == "audio" and not job.keep_sound):
            continue
        if stream.type in KEPT_TYPES and fits(stream, target):
            kept[stream] = like(stream, target)
        else:
            dropped.append(f"{stream.type} track {stream.index}")
    return kept, tuple(dropped)


def fits(stream: Stream, target: OutputContainer) -> bool:
    """Whether a container says that it takes a stream's codec; a cover is not copied."""
    context = stream.codec_context
    cover = Disposition.attached_pic in stream.disposition
    return context is not None and not cover and context.codec.canonical_name in target.supported_codecs


def like(stream: Stream, target: OutputContainer) -> Stream:
    copy = target.add_stream_from_template(stream, opaque=True)  # else older PyAV opens an encoder for it
    copy.metadata.update(stream.metadata)
    return copy


def tell(source: InputContainer, target: OutputContainer) -> None:
    """Hand on tags, and chapters where PyAV knows of them."""
    target.metadata.update({key: text for key, text in source.metadata.items() if key not in CONTAINER_TAGS})
    if hasattr(target, "set_chapters"):
        target.set_chapters(source.chapters())


def copied(source: InputContainer, streams: dict[Stream, Stream]) -> Iterator[av.Packet]:
    """Packets as they are, in their order, under their new streams."""
    waiting: dict[Stream, list[av.Packet]] = {stream: [] for stream in streams}
    for packet in source.demux(list(streams)) if streams else ():
        stream = packet.stream
        if not packet.size:  # the last of each stream
            continue
        packet.stream = streams[stream]
        waiting[stream].append(packet)
        if packet.dts is not None:
            yield from _with_decoding_times(waiting[stream])
            waiting[stream].clear()
    for packets in waiting.values():  # of a stream that ended before it told a decoding time
        yield from _decoded_as_shown(packets)


def _with_decoding_times(packets: list[av.Packet]) -> list[av.Packet]:
    """Matroska hides when the first of reordered pictures are decoded: evenly before the one it tells."""
    known = packets[-1]
    for number, packet in enumerate(reversed(packets)):
        if packet.dts is None:
            packet.dts = known.dts - number * max(1, known.duration or 1)
    return packets


def _decoded_as_shown(packets: list[av.Packet]) -> list[av.Packet]:
    """Decoded at the moments at which pictures are shown, all earlier by as much as their order needs."""
    shown = sorted(packet.pts or 0 for packet in packets)
    early = max((time - (packet.pts or 0) for time, packet in zip(shown, packets, strict=True)), default=0)
    for time, packet in zip(shown, packets, strict=True):
        packet.dts = time - early
    return packets


def moment(packet: av.Packet) -> Fraction:
    return (packet.dts or 0) * packet.time_base
