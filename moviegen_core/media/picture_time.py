"""How long a video's pictures are seen, exactly: packets are counted, nothing is decoded."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from ..errors import MediaError
from ..geometry import samples_in
from .read import FALLBACK_FPS, checked_file, opened, video_stream
from .sound import SAMPLE_RATE

MILLISECOND = Fraction(1, 1000)
NEARLY = Fraction(1, 100)
"""Rates this close to a whole number, or to its 1000/1001, may mean it: rounded stamps spoil averages."""
BROADCAST = (24, 30, 48, 60, 120)
"""Rates that are in use a thousandth slower as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureTime:
    """When a video's pictures come."""

    num_frames: int
    fps: Fraction | None
    """The rate that every time stamp keeps to, within its rounding; None when it varies."""
    start: Fraction
    """Seconds on the container's clock at which the first is shown."""
    seconds: Fraction
    """From there until the last one goes."""

    def num_samples(self, sample_rate: int = SAMPLE_RATE) -> int:
        """Samples per channel that last as long: round(N / F * rate) at a constant rate."""
        return samples_in(self.seconds, sample_rate)


def picture_time(path: str | Path) -> PictureTime:
    """Count a video's frames and time them by their stamps, without decoding.

    Args:
        path: a video file.

    Returns:
        The time of its first video track.

    Raises:
        MediaError: no such file, not readable, or without pictures.
    """
    path = checked_file(path, "video")
    with opened(path) as container:
        stream = video_stream(container, path)
        shown = sorted(_stamps(container, stream))
        if not shown:
            raise MediaError(f"{path} holds a video track without a picture; export it again")
        ticks = [tick for tick, _ in shown]
        start, fps = ticks[0] * stream.time_base, _constant_rate(ticks, stream)
        seconds = len(ticks) / fps if fps else _length(shown) * stream.time_base
        return PictureTime(num_frames=len(ticks), fps=fps, start=start, seconds=seconds)


def _stamps(container: InputContainer, stream: VideoStream) -> Iterator[tuple[int, int]]:
    """When each picture comes and how long it stays, in ticks, without those that an edit list hides."""
    try:
        for packet in container.demux(stream):
            if packet.size and not packet.is_discard:
                tick = packet.dts if packet.pts is None else packet.pts
                yield tick or 0, packet.duration or 0
    except av.FFmpegError:  # cut off: what came before is what there is
        return


def _length(shown: list[tuple[int, int]]) -> Fraction:
    """Ticks from the first stamp to the end of the last picture, whose duration may be the average step."""
    first, (last, duration) = shown[0][0], shown[-1]
    return Fraction(last - first) + (duration or Fraction(last - first, max(1, len(shown) - 1)))


def _constant_rate(ticks: list[int], stream: VideoStream) -> Fraction | None:
    """The rate, among those the container may mean, that puts every picture near its stamp.

    At first near is a tick; then a millisecond, as stamps stay rounded to one when they move to a finer
    container.
    """
    counted = (len(ticks) - 1) / ((ticks[-1] - ticks[0]) * stream.time_base) if ticks[-1] > ticks[0] else None
    told = (stream.guessed_rate, stream.average_rate, counted)
    claims = [Fraction(rate) for rate in told if rate] or [FALLBACK_FPS]
    rates = [rate for claim in claims for rate in _meanings(claim)]
    offsets = [(number, tick - ticks[0]) for number, tick in enumerate(ticks)]
    for off in (1, MILLISECOND / stream.time_base):
        for fps in rates:
            step = 1 / (fps * stream.time_base)
            if all(abs(offset - number * step) <= off for number, offset in offsets):
                return fps
    return None


def _meanings(claim: Fraction) -> list[Fraction]:
    """Usual rates near the one claimed, the nearest first, and last the claim itself."""
    whole = max(1, round(claim))
    rates = [Fraction(whole), *([Fraction(whole * 1000, 1001)] if whole in BROADCAST else [])]
    usual = sorted(rates, key=lambda rate: abs(rate - claim))
    return [*(rate for rate in usual if abs(rate / claim - 1) < NEARLY), claim]
