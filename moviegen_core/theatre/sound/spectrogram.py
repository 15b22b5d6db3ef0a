"""Pictures of sound: time to the right, pitch upwards by octaves, louder is brighter."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from .signal import SAMPLE_RATE

# Shape letters: S audio sample, W column, H row.

LOWEST_HZ, HIGHEST_HZ = 40.0, 16000.0
_FFT_SAMPLES = 4096
_RANGE_DB = (-95.0, -20.0)
"""Power that is black and power that is white."""
_PALETTE = ((-1.0, -1.0, -0.9), (-0.6, -0.8, 0.2), (0.5, -0.6, 0.1), (1.0, 0.2, -0.6), (1.0, 1.0, 0.7))
_MARK = (0.2, 1.0, 1.0)
_MARK_ROWS = 5


def spectrogram(waveform: Tensor, *, height: int, width: int, marks: Sequence[float] = ()) -> Tensor:
    """Draw a waveform.

    Args:
        waveform: (2, S) or (1, S) in -1..1 at 48 kHz.
        height: pixels, from ``LOWEST_HZ`` below to ``HIGHEST_HZ`` above.
        width: pixels, the whole waveform.
        marks: seconds at which the upper border is ticked.

    Returns:
        (3, H, W) in -1..1.
    """
    power_HW = _log_power(waveform.mean(0), height, width)
    level = ((power_HW - _RANGE_DB[0]) / (_RANGE_DB[1] - _RANGE_DB[0])).clamp(0, 1) * (len(_PALETTE) - 1)
    below = level.long().clamp(max=len(_PALETTE) - 2)
    palette = torch.tensor(_PALETTE)
    picture = torch.lerp(palette[below], palette[below + 1], (level - below)[..., None]).permute(2, 0, 1)
    for mark in marks:
        column = min(width - 1, int(mark * SAMPLE_RATE / waveform.shape[-1] * width))
        picture[:, :_MARK_ROWS, column] = torch.tensor(_MARK)[:, None]
    return picture


def _log_power(mono: Tensor, height: int, width: int) -> Tensor:
    """Power in dB at every pixel (H, W); a column is a window around its middle."""
    half, middles = _FFT_SAMPLES // 2, (torch.arange(width) + 0.5) * len(mono) / width
    padded = torch.nn.functional.pad(mono, (half, half))
    windows = padded[middles.long()[:, None] + torch.arange(_FFT_SAMPLES)] * torch.hann_window(_FFT_SAMPLES)
    power = torch.fft.rfft(windows).abs().square().T / (_FFT_SAMPLES / 4) ** 2
    return 10 * torch.log10(power[_rows(height)] + 1e-12)


def _rows(height: int) -> Tensor:
    """The bin of each row, the highest first."""
    octaves = torch.linspace(math.log2(HIGHEST_HZ), math.log2(LOWEST_HZ), height)
    return (2**octaves * _FFT_SAMPLES / SAMPLE_RATE).round().long()
