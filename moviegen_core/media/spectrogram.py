"""Pictures of sound: time to the right, pitch upwards by octaves, louder is brighter."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from .sound import SAMPLE_RATE

# Shape letters: S audio sample, W column, H row, F frequency bin.

LOWEST_HZ, HIGHEST_HZ = 40.0, 16000.0
_FFT_SAMPLES = 2048
_WINDOWS = 3
"""Averaged in each column."""
_RANGE_DB = (-95.0, -20.0)
"""Power that is black and power that is white."""
_PALETTE = ((-1.0, -1.0, -0.9), (-0.6, -0.8, 0.2), (0.5, -0.6, 0.1), (1.0, 0.2, -0.6), (1.0, 1.0, 0.7))
_MARK = (0.2, 1.0, 1.0)
_MARK_ROWS = 5


def spectrogram(
    waveform: Tensor,
    *,
    height: int,
    width: int,
    marks: Sequence[float] = (),
    sample_rate: int = SAMPLE_RATE,
) -> Tensor:
    """Draw a waveform.

    Args:
        waveform: (C, S) in -1..1; one sample or more, hours cost no more than seconds.
        height: pixels, from ``LOWEST_HZ`` below to ``HIGHEST_HZ`` above.
        width: pixels, the whole waveform.
        marks: seconds at which the upper border is ticked.
        sample_rate: of the waveform; rows above half of it are black.

    Returns:
        (3, H, W) in -1..1.
    """
    power_HW = _log_power(waveform.mean(0), height, width, sample_rate)
    level = ((power_HW - _RANGE_DB[0]) / (_RANGE_DB[1] - _RANGE_DB[0])).clamp(0, 1) * (len(_PALETTE) - 1)
    below = level.long().clamp(max=len(_PALETTE) - 2)
    palette = torch.tensor(_PALETTE)
    picture = torch.lerp(palette[below], palette[below + 1], (level - below)[..., None]).permute(2, 0, 1)
    for mark in marks:
        column = min(width - 1, int(mark * sample_rate / waveform.shape[-1] * width))
        picture[:, :_MARK_ROWS, column] = torch.tensor(_MARK)[:, None]
    return picture


def _log_power(mono: Tensor, height: int, width: int, sample_rate: int) -> Tensor:
    """Power in dB at every pixel (H, W), the mean over the column's time and the row's band."""
    starts = (torch.arange(width * _WINDOWS) + 0.5) * len(mono) / (width * _WINDOWS)
    padded = torch.nn.functional.pad(mono, (_FFT_SAMPLES // 2, _FFT_SAMPLES // 2))
    windows = padded[starts.long()[:, None] + torch.arange(_FFT_SAMPLES)] * torch.hann_window(_FFT_SAMPLES)
    power = torch.fft.rfft(windows).abs().square() / (_FFT_SAMPLES / 4) ** 2
    power_FW = power.view(width, _WINDOWS, -1).mean(1).T
    return 10 * torch.log10(_bands(height, sample_rate) @ power_FW + 1e-12)


def _bands(height: int, sample_rate: int) -> Tensor:
    """How much each bin counts in each row (H, F), the highest row first; low rows share a bin."""
    edges = 2 ** torch.linspace(math.log2(HIGHEST_HZ), math.log2(LOWEST_HZ), height + 1)
    edges = edges * _FFT_SAMPLES / sample_rate
    bins = torch.arange(_FFT_SAMPLES // 2 + 1)
    high, low = edges[:-1, None], edges[1:, None]
    weights = (torch.minimum(high, bins + 0.5) - torch.maximum(low, bins - 0.5)).clamp(min=0)
    return weights / weights.sum(1, keepdim=True).clamp(min=1e-9)
