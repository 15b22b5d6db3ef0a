"""Latents become clips, long ones window by window, so that memory does not grow with length."""

from collections.abc import Iterator

import torch
from torch import Tensor

from ..models.tae import TemporalAutoencoder

WINDOW_CELLS = 8
"""Latent frames decoded at once: 64 frames, as long as the longest clips the nano TAE learns from."""
CONTEXT_CELLS = 1
"""Latent frames on either side that are decoded along and dropped, so that windows meet without a seam."""


@torch.no_grad()
def decode_clip(tae: TemporalAutoencoder, latent: Tensor, num_frames: int) -> Tensor:
    """Decode latents of any length.

    Args:
        tae: the autoencoder.
        latent: (B, 16, T, H, W), normalized.
        num_frames: frames of the clip, from 8 (T - 1) + 1 to 8 T.

    Returns:
        (B, 3, num_frames, 8 H, 8 W), float32 in -1..1.
    """
    fits = tae.grid.latent_frames(num_frames) == latent.shape[2]
    if (
        latent.shape[2] <= WINDOW_CELLS + CONTEXT_CELLS or not fits
    ):  # the autoencoder refuses what does not fit
        return tae.decode(latent, num_frames).float().clamp(-1, 1)
    return torch.cat(list(_windows(tae, latent, num_frames)), dim=2)


def _windows(tae: TemporalAutoencoder, latent: Tensor, num_frames: int) -> Iterator[Tensor]:
    size = tae.grid.frames
    for start in range(0, latent.shape[2], WINDOW_CELLS):
        first = max(0, start - CONTEXT_CELLS)
        part = latent[:, :, first : start + WINDOW_CELLS + CONTEXT_CELLS]
        frames = tae.decode(part, min(part.shape[2] * size, num_frames - first * size))
        kept = slice((start - first) * size, (start - first + WINDOW_CELLS) * size)
        yield frames[:, :, kept].float().clamp(-1, 1)
