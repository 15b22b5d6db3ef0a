"""Clips become latents, long ones window by window, so that memory does not grow with length."""

import torch
from torch import Tensor

from ..models.tae import TemporalAutoencoder
from .decode import CONTEXT_CELLS, WINDOW_CELLS


@torch.no_grad()
def encode_clip(tae: TemporalAutoencoder, clip: Tensor) -> Tensor:
    """Encode a clip of any length.

    Args:
        tae: the autoencoder.
        clip: (B, 3, T, H, W) in -1..1, sides multiples of a cell.

    Returns:
        (B, 16, ceil(T / 8), H / 8, W / 8), normalized, float32.
    """
    size, cells = tae.grid.frames, tae.grid.latent_frames(clip.shape[2])
    if cells <= WINDOW_CELLS + CONTEXT_CELLS:
        return tae.encode(clip).float()
    parts = []
    for start in range(0, cells, WINDOW_CELLS):
        first = max(0, start - CONTEXT_CELLS)
        stop = (start + WINDOW_CELLS + CONTEXT_CELLS) * size
        latent = tae.encode(clip[:, :, first * size : stop]).float()
        parts.append(latent[:, :, start - first : start - first + WINDOW_CELLS])
    return torch.cat(parts, dim=2)
