"""A picture of a sound: its waveform, its spectrogram below, and where something happens in the clip."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ..errors import SettingsError
from .loudness import decibels
from .pixels import to_bytes
from .sound import SAMPLE_RATE, sound_from
from .spectrogram import HIGHEST_HZ, LOWEST_HZ, spectrogram

# Shape letters: C channel, S audio sample, H row, W column.

LEFT, BELOW, ABOVE = 34, 18, 8
"""Pixels for the pitches beside, the seconds below and the tips of the marks above."""
SMALLEST = (120, 160)
LEAST_FULL = 0.02
"""The loudest sample fills its lane unless it is softer than this."""
WAVE_SHARE = 0.3
"""Of the rows, for the waveform."""
PAPER, INK, WAVE, AXIS = (18, 18, 26), (190, 190, 200), (120, 200, 150), (60, 60, 76)
MARK = (90, 235, 235)
MARK_STRENGTH = 0.55
"""How much of a mark's line covers what lies below it."""
PITCHES = {100: "100", 1000: "1k", 10000: "10k"}
STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800)
"""Seconds between two numbers of the axis."""
LABEL_WIDTH = 56


def sound_picture(
    waveform_CS: Tensor,
    sample_rate: int = SAMPLE_RATE,
    events: Sequence[float] = (),
    *,
    height: int = 360,
    width: int = 960,
) -> Tensor:
    """Draw a sound with marks at moments of its picture.

    Args:
        waveform_CS: samples in -1..1, 1 to 8 channels; each has a lane of its own.
        sample_rate: in Hz.
        events: seconds at which something happens; a line through everything stands at each.
        height: pixels in all.
        width: pixels in all.

    Returns:
        (H, W, 3) uint8.

    Raises:
        SettingsError: the picture would be too small. What is no sound is refused with a MediaError.
    """
    if height < SMALLEST[0] or width < SMALLEST[1]:
        raise SettingsError(
            f"a picture of {width}x{height} is too small to read; give {SMALLEST[1]}x{SMALLEST[0]} or more"
        )
    sound_from(waveform_CS, sample_rate)
    wave_CS = waveform_CS.detach().cpu().float()
    inside = width - LEFT
    rows = round((height - ABOVE - BELOW) * WAVE_SHARE)
    peak = float(wave_CS.abs().max())
    lanes = _waveform(wave_CS / max(peak, LEAST_FULL), rows, inside)
    below = spectrogram(wave_CS, height=height - ABOVE - BELOW - rows, width=inside, sample_rate=sample_rate)
    picture = Image.new("RGB", (width, height), PAPER)
    plot = torch.cat([lanes, to_bytes(below).permute(1, 2, 0)])
    seconds = wave_CS.shape[1] / sample_rate
    picture.paste(Image.fromarray(_marked(plot, events, seconds).numpy()), (LEFT, ABOVE))
    _label(picture, rows, seconds)
    _tell_peak(picture, peak)
    _tips(picture, events, seconds)
    return torch.from_numpy(np.array(picture))


def _waveform(wave_CS: Tensor, height: int, width: int) -> Tensor:
    """Lanes of what lies between the lowest and the highest sample of each column, (H, W, 3) uint8."""
    edges = [column * wave_CS.shape[1] // width for column in range(width + 1)]
    spans = [wave_CS[:, a : max(a + 1, b)] for a, b in pairwise(edges)]
    low_CW, high_CW = (torch.stack([end(one, 1) for one in spans], 1) for end in (torch.amin, torch.amax))
    lanes = []
    for low, high, rows in zip(low_CW, high_CW, _shares(height, len(wave_CS)), strict=True):
        centres = 1 - 2 * (torch.arange(rows) + 0.5)[:, None] / rows
        is_wave = (centres >= low.clamp(-1, 1) - 1 / rows) & (centres <= high.clamp(-1, 1) + 1 / rows)
        lanes.append(torch.where(is_wave[..., None], torch.tensor(WAVE), torch.tensor(PAPER)))
    return torch.cat(lanes).to(torch.uint8)


def _shares(total: int, parts: int) -> list[int]:
    return [total * (number + 1) // parts - total * number // parts for number in range(parts)]


def _columns(events: Sequence[float], seconds: float, width: int) -> list[int]:
    return [int(one / seconds * width) for one in events if 0 <= one < seconds]


def _marked(plot_HWC: Tensor, events: Sequence[float], seconds: float) -> Tensor:
    """The plot with a see-through line at each event."""
    marked, colour = plot_HWC.float(), torch.tensor(MARK).float()
    for column in set(_columns(events, seconds, plot_HWC.shape[1])):
        marked[:, column] += MARK_STRENGTH * (colour - marked[:, column])
    return marked.round().to(torch.uint8)


def _tips(picture: Image.Image, events: Sequence[float], seconds: float) -> None:
    pen = ImageDraw.Draw(picture)
    for column in _columns(events, seconds, picture.width - LEFT):
        x = LEFT + column
        pen.polygon([(x - 3, 1), (x + 3, 1), (x, ABOVE - 1)], MARK)


def _label(picture: Image.Image, wave_rows: int, seconds: float) -> None:
    """Pitches on the left, seconds below."""
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default()
    top, bottom = ABOVE + wave_rows, picture.height - BELOW
    for hz, text in PITCHES.items():
        share = np.log2(hz / LOWEST_HZ) / np.log2(HIGHEST_HZ / LOWEST_HZ)
        y = bottom - share * (bottom - top)
        pen.line([(LEFT - 4, y), (LEFT - 1, y)], INK)
        pen.text((LEFT - 7 - pen.textlength(text, font), y - 6), text, INK, font)
    pen.line([(LEFT, bottom), (picture.width, bottom)], AXIS)
    for moment, text in _moments(seconds, picture.width - LEFT):
        x = LEFT + moment / seconds * (picture.width - LEFT)
        pen.line([(x, bottom), (x, bottom + 3)], INK)
        start = min(max(x - pen.textlength(text, font) / 2, LEFT), picture.width - pen.textlength(text, font))
        pen.text((start, bottom + 4), text, INK, font)


def _tell_peak(picture: Image.Image, peak: float) -> None:
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default()
    text = "silent" if peak == 0 else f"peak {decibels(peak):.1f} dBFS"
    pen.text((picture.width - pen.textlength(text, font) - 3, ABOVE), text, INK, font)


def _moments(seconds: float, width: int) -> list[tuple[float, str]]:
    """Places of the time axis, so far apart that their numbers do not meet."""
    least = seconds * LABEL_WIDTH / width
    step = next((one for one in STEPS if one >= least), STEPS[-1] * max(1, round(least / STEPS[-1])))
    return [(number * step, _clock(number * step)) for number in range(int(seconds / step) + 1)]


def _clock(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:g} s" if seconds == int(seconds) else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"
