"""Losses of the temporal autoencoder, each a function and each switchable by its weight."""

# Shape letters: B clip, C channel, T frame, H row, W column.

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class TaeLossConfig:
    """Weight of each loss; 0 switches it off. All weights are our choice unless they name the paper."""

    reconstruction: float = 1.0
    """Mean absolute error."""
    square: float = 0.0
    """Mean squared error; a late phase that aims at PSNR."""
    gradient: float = 1.0
    """Mean absolute error of neighbour differences in space and time: edges and motion count double."""
    kl: float = 1e-4
    """Pull of the posterior toward a unit normal, per latent value."""
    outlier: float = 1.0
    """Outlier penalty; the paper's weight of 1e5 belongs to its own loss scale and destroys a small run."""
    outlier_threshold: float = 3.0
    """r of the paper."""
    adversarial: float = 0.0
    """Hinge loss against a patch discriminator; a later phase."""


def gradient_loss(output_BCTHW: Tensor, clip_BCTHW: Tensor) -> Tensor:
    """Mean absolute difference of the first differences along each axis that has more than one entry."""
    error = output_BCTHW - clip_BCTHW
    parts = [error.diff(dim=dim).abs().mean() for dim in (2, 3, 4) if error.shape[dim] > 1]
    return torch.stack(parts).mean()


def kl_loss(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Divergence of the posterior from the unit normal, mean over latent values."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()


def outlier_loss(latent_BCTHW: Tensor, threshold: float = 3.0) -> Tensor:
    """Outlier penalty: how far latent vectors lie beyond ``threshold`` deviations of their frame.

    ``mean_ij max(||X_ij - Mean(X)|| - r ||Std(X)||, 0)`` with norms over channels, time folded into the
    batch.
    Source: Movie Gen, temporal autoencoder, outlier penalty loss.
    """
    mean = latent_BCTHW.mean(dim=(3, 4), keepdim=True)
    deviation = latent_BCTHW.std(dim=(3, 4), keepdim=True, unbiased=False)
    distance = torch.linalg.vector_norm(latent_BCTHW - mean, dim=1)
    limit = threshold * torch.linalg.vector_norm(deviation, dim=1)
    return F.relu(distance - limit).mean()


def hinge_generator_loss(scores_fake: Tensor) -> Tensor:
    """What the decoder minimizes against the discriminator."""
    return -scores_fake.mean()


def hinge_discriminator_loss(scores_real: Tensor, scores_fake: Tensor) -> Tensor:
    """What the discriminator minimizes."""
    return (F.relu(1 - scores_real).mean() + F.relu(1 + scores_fake).mean()) / 2


def tae_losses(
    clip_BCTHW: Tensor, output_BCTHW: Tensor, mean: Tensor, log_variance: Tensor, weights: TaeLossConfig
) -> dict[str, Tensor]:
    """Every switched-on loss by name, and their weighted ``total``."""
    error = output_BCTHW - clip_BCTHW
    available = {
        "reconstruction": lambda: error.abs().mean(),
        "square": lambda: error.square().mean(),
        "gradient": lambda: gradient_loss(output_BCTHW, clip_BCTHW),
        "kl": lambda: kl_loss(mean, log_variance),
        "outlier": lambda: outlier_loss(mean, weights.outlier_threshold),
    }
    losses = {name: loss() for name, loss in available.items() if getattr(weights, name) > 0}
    losses["total"] = torch.stack([getattr(weights, name) * loss for name, loss in losses.items()]).sum()
    return losses
