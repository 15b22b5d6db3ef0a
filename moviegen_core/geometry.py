"""Sizes, rates and lengths: integers and Fractions, one home for every formula.

Order follows tensors: (frames, height, width).
"""

import math
import re
from dataclasses import dataclass
from fractions import Fraction

from .errors import GeometryError

MAX_SECONDS = 64
MAX_SIDE = 4096
MAX_SOUND_SECONDS = 4 * 3600
"""Of sound made without a video; a video may be of any length."""


@dataclass(frozen=True, slots=True)
class TaeGrid:
    """Frames and pixels per latent cell of the temporal autoencoder."""

    frames: int = 8
    height: int = 8
    width: int = 8

    def latent_frames(self, num_frames: int) -> int:
        """ceil: the last latent frame may be partly filled."""
        return -(-num_frames // self.frames)

    def surplus_frames(self, num_frames: int) -> int:
        """How many decoded frames lie past the clip's end; the caller drops them."""
        return self.latent_frames(num_frames) * self.frames - num_frames

    def latent_shape(self, num_frames: int, height: int, width: int) -> tuple[int, int, int]:
        """Latent (frames, height, width) of a clip whose sides are multiples of the cell."""
        return self.latent_frames(num_frames), height // self.height, width // self.width


@dataclass(frozen=True, slots=True)
class SoundGrid:
    """Samples per latent frame of the sound codec, and which picture is seen meanwhile (Movie Gen: 25 Hz)."""

    sample_rate: int = 48000
    hop: int = 1920

    @property
    def rate(self) -> Fraction:
        """Latent frames per second."""
        return Fraction(self.sample_rate, self.hop)

    def latent_frames(self, num_samples: int) -> int:
        """ceil: the last latent frame may be partly filled."""
        return -(-num_samples // self.hop)

    def surplus_samples(self, num_samples: int) -> int:
        """How many decoded samples lie past the sound's end; the caller drops them."""
        return self.latent_frames(num_samples) * self.hop - num_samples

    def latent_frame_at(self, seconds: Fraction) -> int:
        """The latent frame that sounds at a moment."""
        return math.floor(seconds * self.rate)

    def video_frame_at(self, latent_frame: int, num_frames: int, fps: Fraction) -> int:
        """The picture shown in the middle of a latent frame; past the clip's end it is the last one."""
        middle = (latent_frame + Fraction(1, 2)) / self.rate
        return min(math.floor(middle * fps), num_frames - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipShape:
    """How long, fast and large a clip is."""

    num_frames: int
    fps: Fraction
    height: int
    width: int

    @property
    def seconds(self) -> Fraction:
        """Exact length."""
        return self.num_frames / self.fps


def parse_fps(value: int | float | str | Fraction) -> Fraction:
    """Read a frame rate; 23.976, 29.97 and 59.94 mean the broadcast rates n * 1000 / 1001.

    Args:
        value: frames per second, above 0 and at most 240; text may be a ratio such as "24000/1001".

    Returns:
        The exact rate.

    Raises:
        GeometryError: not a number, or out of range.
    """
    top, _, bottom = str(value).partition("/")
    try:
        nearly = float(top) / float(bottom or 1)
    except (ValueError, ZeroDivisionError) as error:
        raise GeometryError(f"fps {value!r} is not a rate; give a number such as 16 or 24000/1001") from error
    if not 0 < nearly <= 240:  # before any exact arithmetic: 1e999999999 has a billion digits
        raise GeometryError(f"fps {value} is out of range; give a rate above 0 and at most 240, such as 16")
    fps = Fraction(value) if isinstance(value, (int, Fraction)) else Fraction(top) / Fraction(bottom or 1)
    broadcast = Fraction(round(fps) * 1000, 1001)
    return broadcast if fps.denominator != 1 and abs(fps - broadcast) < Fraction(1, 100) else fps


def frames_for(seconds: float | Fraction, fps: Fraction) -> int:
    """Whole frames nearest to a length in seconds, at least one.

    Args:
        seconds: above 0 and at most MAX_SECONDS.
        fps: frames per second.

    Returns:
        The frame count.

    Raises:
        GeometryError: the length is out of range.
    """
    if not 0 < seconds <= MAX_SECONDS:
        raise GeometryError(f"{seconds} seconds is out of range; give more than 0 and at most {MAX_SECONDS}")
    return max(1, round(Fraction(seconds) * fps))


def check_size(height: int, width: int, multiple: int) -> None:
    """Refuse a picture size that the model cannot take, naming the nearest that it can.

    Args:
        height: pixels.
        width: pixels.
        multiple: both sides must be whole multiples of this.

    Raises:
        GeometryError: a side is below ``multiple``, above MAX_SIDE or not a multiple.
    """
    legal = tuple(min(max(multiple, round(side / multiple) * multiple), MAX_SIDE) for side in (height, width))
    if legal != (height, width):
        raise GeometryError(
            f"size {width}x{height} does not fit: sides are multiples of {multiple} from {multiple} to"
            f" {MAX_SIDE}; the nearest is {legal[1]}x{legal[0]}"
        )


def parse_size(text: str) -> tuple[int, int]:
    """Read "WIDTHxHEIGHT" and return (height, width).

    Args:
        text: such as "192x112".

    Returns:
        (height, width) in pixels, unchecked.

    Raises:
        GeometryError: the text is not two whole numbers with an x between.
    """
    sides = re.fullmatch(r"\s*(\d{1,9})\s*[xX]\s*(\d{1,9})\s*", text)
    if sides is None:
        raise GeometryError(f"size {text[:40]!r} is not WIDTHxHEIGHT; write it like 192x112")
    return int(sides[2]), int(sides[1])


def samples_for(num_frames: int, fps: Fraction, sample_rate: int = 48000) -> int:
    """Audio samples that last as long as the frames: round(N / F * rate) per channel, ties to even.

    It is also where frame ``num_frames`` begins, so that frames a to b have ``samples_for(b) -
    samples_for(a)``.
    """
    return round(Fraction(num_frames) / fps * sample_rate)


def samples_in(seconds: float | Fraction, sample_rate: int = 48000) -> int:
    """Audio samples per channel nearest to a length in seconds, a tie to the even count."""
    return round(Fraction(seconds) * sample_rate)


def sound_samples(seconds: float | Fraction, sample_rate: int = 48000) -> int:
    """Samples of a sound that is to be made, at least one.

    Args:
        seconds: above 0 and at most MAX_SOUND_SECONDS.
        sample_rate: in Hz.

    Returns:
        Samples per channel.

    Raises:
        GeometryError: the length is out of range.
    """
    if not 0 < seconds <= MAX_SOUND_SECONDS:
        raise GeometryError(
            f"{seconds} seconds of sound is out of range; give more than 0 and at most {MAX_SOUND_SECONDS}"
        )
    return max(1, samples_in(seconds, sample_rate))


def rescaled_samples(num_samples: int, sample_rate: int, new_rate: int) -> int:
    """Samples that last as long at another rate, to the nearest, a tie to the even count."""
    return round(Fraction(num_samples * new_rate, sample_rate))


FITS = ("crop", "pad")


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameFit:
    """How a frame becomes a larger one of an exact size: enlarged evenly, then cut or bordered."""

    source: tuple[int, int]
    """(height, width) before."""
    scaled: tuple[int, int]
    """Enlarged by one factor for both sides, to whole pixels."""
    target: tuple[int, int]

    @property
    def factor(self) -> float:
        """How many times larger; the longer way of the two where rounding makes them differ."""
        return max(self.scaled[0] / self.source[0], self.scaled[1] / self.source[1])

    def describe(self) -> str:
        """Sizes as width x height, and what is cut away or added."""
        (h, w), (rows, columns) = self.source, self.target
        text = f"{w}x{h} to {columns}x{rows}"
        cut = [max(0, have - want) for have, want in zip(self.scaled, self.target, strict=True)]
        added = [max(0, want - have) for have, want in zip(self.scaled, self.target, strict=True)]
        for (down, across), what in ((cut, "cropped"), (added, "padded")):
            parts = [f"{down} row{'s' * (down > 1)}"] * bool(down)
            parts += [f"{across} column{'s' * (across > 1)}"] * bool(across)
            text += f", {' and '.join(parts)} {what}" if parts else ""
        return text


def fit_frame(source: tuple[int, int], height: int, width: int | None = None, fit: str = "crop") -> FrameFit:
    """Plan how frames reach an exact size without being stretched.

    Args:
        source: (height, width) of the frames.
        height: rows wanted, even.
        width: columns wanted, even; what the source's shape asks for, rounded down to even, when None.
        fit: "crop" covers the target and cuts evenly on both sides, "pad" stays inside and adds a border.

    Returns:
        The plan.

    Raises:
        GeometryError: an odd or too large target, one smaller than the source, or an unknown fit.
    """
    if fit not in FITS:
        raise GeometryError(f"fit {fit!r} is unknown; use {' or '.join(FITS)}")
    wide = Fraction(source[1] * height, source[0])
    columns = max(2, int(wide) // 2 * 2) if width is None else width
    if height % 2 or columns % 2 or not (0 < height <= MAX_SIDE and 0 < columns <= MAX_SIDE):
        raise GeometryError(
            f"a target of {columns}x{height} cannot be written; sides are even, from 2 to {MAX_SIDE}"
        )
    ratios = Fraction(height, source[0]), Fraction(columns, source[1])
    factor = max(ratios) if fit == "crop" else min(ratios)
    if factor < 1:
        raise GeometryError(
            f"the target {columns}x{height} is smaller than the source {source[1]}x{source[0]};"
            " choose a size that is not"
        )
    sides = [round(side * factor) for side in source]
    bound = max if fit == "crop" else min
    scaled = bound(sides[0], height), bound(sides[1], columns)
    return FrameFit(source=source, scaled=scaled, target=(height, columns))
