"""Spectra of sound, and bands that are as wide as ears hear them."""

# Shape letters: B clip, C channel, S audio sample, H frequency bin, M mel band, T spectrum frame.

import math
from functools import cache

import torch
from torch import Tensor


def mel_from_hz(hz: float) -> float:
    """Place of a frequency on the mel scale (O'Shaughnessy, 1987)."""
    return 2595 * math.log10(1 + hz / 700)


@cache
def mel_filters(num_bands: int, num_bins: int, sample_rate: int = 48_000) -> Tensor:
    """Triangles evenly spread on the mel scale, each of mean 1 over its width: (M, H).

    Args:
        num_bands: M.
        num_bins: H, frequencies from 0 to half the sample rate.
        sample_rate: in Hz.

    Returns:
        Weights; no band is without a bin, as its peak counts whole for the nearest one.
    """
    top = mel_from_hz(sample_rate / 2)
    mels = torch.linspace(0, top, num_bands + 2)
    corners = 700 * (10 ** (mels / 2595) - 1) / (sample_rate / 2) * (num_bins - 1)
    bins = torch.arange(num_bins)
    left, peak, right = (corners[i : i + num_bands, None] for i in range(3))
    weights = torch.minimum((bins - left) / (peak - left), (right - bins) / (right - peak)).clamp(min=0)
    weights.scatter_(1, peak.round().long(), 1.0)
    return weights / weights.sum(dim=1, keepdim=True)


def spectrum(waveform_BCS: Tensor, window: int) -> Tensor:
    """Amplitudes (B * C, H, T) of a sound; a full-scale sine has 0.5."""
    hann = torch.hann_window(window, device=waveform_BCS.device)
    bins = torch.stft(
        waveform_BCS.flatten(0, 1), window, window // 4, window=hann, return_complex=True, pad_mode="constant"
    )
    power = torch.view_as_real(bins).square().sum(dim=-1)
    return (power + 1e-8).sqrt() / hann.sum()
