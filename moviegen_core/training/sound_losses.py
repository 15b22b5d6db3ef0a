"""Losses of the audio codec, each switchable by its weight: spectra at several resolutions, KL, adversary."""

# Shape letters: B clip, C channel, S audio sample, H frequency bin, M mel band, T spectrum frame.

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..layers.mel import mel_filters, spectrum
from .losses import kl_loss

MEL_BANDS = {2048: 128, 1024: 80, 512: 40, 256: 20, 128: 10, 64: 5}
"""Window length: mel bands, so that each band has about as many bins at every resolution."""
FLOOR = 1e-4
"""Amplitude below which nothing is heard, -80 dB of full scale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundLossConfig:
    """Weight of each loss; 0 switches it off. The paper names the losses, all weights are our choice."""

    windows: tuple[int, ...] = (2048, 512, 128)
    """Samples of each spectrum's window; the hop is a quarter."""
    spectrum: float = 1.0
    """Spectral convergence: the error of amplitudes, as a fraction of all there are."""
    mel: float = 2.0
    """Mean absolute error of mel bands on a log scale: as loud as it should be, in every band."""
    waveform: float = 0.2
    """Mean absolute error of samples, as a fraction of their mean: holds the phase of what is regular. Kept
    low, as noise of the right loudness and another phase costs more here than silence does."""
    kl: float = 1e-3
    """Pull of the posterior toward a unit normal, per latent value."""
    adversarial: float = 0.0
    """Hinge loss against a discriminator of spectra; a later phase."""


def convergence_loss(output: Tensor, target: Tensor) -> Tensor:
    """Size of the difference of two spectra over the size of the second, over the whole batch at once."""
    return torch.linalg.vector_norm(output - target) / (torch.linalg.vector_norm(target) + FLOOR)


def mel_loss(output_MHT: Tensor, target_MHT: Tensor, num_bands: int) -> Tensor:
    """Mean absolute difference of log mel bands, in units of 20 dB."""
    filters = mel_filters(num_bands, output_MHT.shape[1]).to(output_MHT.device)
    output, target = (torch.log10(filters @ amplitudes + FLOOR) for amplitudes in (output_MHT, target_MHT))
    return F.l1_loss(output, target)


def waveform_loss(output: Tensor, target: Tensor) -> Tensor:
    """Mean absolute error as a fraction of the mean absolute sample, over the whole batch at once."""
    return F.l1_loss(output, target) / (target.abs().mean() + FLOOR)


def spectral_losses(output_BCS: Tensor, target_BCS: Tensor, windows: tuple[int, ...]) -> dict[str, Tensor]:
    """``spectrum`` and ``mel``, each the mean over the windows."""
    pairs = [(spectrum(output_BCS, window), spectrum(target_BCS, window)) for window in windows]
    bands = [MEL_BANDS[window] for window in windows]
    return {
        "spectrum": torch.stack([convergence_loss(*pair) for pair in pairs]).mean(),
        "mel": torch.stack([mel_loss(*pair, count) for pair, count in zip(pairs, bands, strict=True)]).mean(),
    }


def sound_losses(
    target_BCS: Tensor, output_BCS: Tensor, mean: Tensor, log_variance: Tensor, weights: SoundLossConfig
) -> dict[str, Tensor]:
    """Every loss by name, and the weighted ``total``."""
    losses = spectral_losses(output_BCS, target_BCS, weights.windows)
    losses |= {"waveform": waveform_loss(output_BCS, target_BCS), "kl": kl_loss(mean, log_variance)}
    losses["total"] = torch.stack([getattr(weights, name) * loss for name, loss in losses.items()]).sum()
    return losses


class SpectrumDiscriminator(nn.Module):
    """Scores patches of a sound's complex spectra, one stack of convolutions a window. Our choice of kind."""

    def __init__(self, windows: tuple[int, ...] = (1024, 256), width: int = 16) -> None:
        super().__init__()
        self.windows = windows
        self.stacks = nn.ModuleList(_spectrum_stack(width) for _ in windows)

    def forward(self, waveform_BCS: Tensor) -> Tensor:
        """(B, C, S) -> scores (B * C, all patches of all windows), high for real."""
        scores = []
        for window, stack in zip(self.windows, self.stacks, strict=True):
            hann = torch.hann_window(window, device=waveform_BCS.device)
            bins = torch.stft(
                waveform_BCS.flatten(0, 1), window, window // 4, window=hann, return_complex=True
            )
            parts = torch.view_as_real(bins).permute(0, 3, 1, 2) / hann.sum().sqrt()
            scores.append(stack(parts).flatten(1))
        return torch.cat(scores, dim=1)


def _spectrum_stack(width: int) -> nn.Sequential:
    widths = (2, width, 2 * width, 4 * width)
    layers: list[nn.Module] = []
    for a, b in pairwise(widths):
        layers += [nn.Conv2d(a, b, (5, 3), stride=(3, 1), padding=(2, 1)), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 3, padding=1))
