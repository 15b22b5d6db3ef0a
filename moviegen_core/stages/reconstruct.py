"""Pass footage through the autoencoder and back: what the cast can see and show at best."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from ..geometry import TaeGrid
from ..media.resize import crop_back, pad_to_multiple
from ..models.tae import TemporalAutoencoder
from .decode import CONTEXT_CELLS, WINDOW_CELLS

WINDOW_PIXELS = 64 * 512 * 512
"""Pixels passed at once, at most: larger frames go in shorter windows, down to one latent frame."""


def reconstruct(tae: TemporalAutoencoder, clip: Tensor) -> Tensor:
    """Encode a clip and decode it again, window by window.

    Args:
        tae: the autoencoder.
        clip: (3, T, H, W), pixels in -1..1, any size and length.

    Returns:
        The same shape, in -1..1.
    """
    return torch.cat(list(reconstruct_stream(tae, [clip])), dim=1)


@torch.no_grad()
def reconstruct_stream(tae: TemporalAutoencoder, pieces: Iterable[Tensor]) -> Iterator[Tensor]:
    """Encode and decode a clip of any length, holding one window of it in memory.

    Args:
        tae: the autoencoder.
        pieces: (3, T, H, W) each, in -1..1: consecutive parts of one clip, cut anywhere.

    Yields:
        Tensor: the clip's frames in order, (3, T, H, W) in -1..1; their lengths add up to the clip's.
    """
    context, held, seen = CONTEXT_CELLS * tae.grid.frames, None, 0
    for piece in pieces:
        held = piece if held is None else torch.cat([held, piece], dim=1)
        window = _window_cells(held, tae.grid) * tae.grid.frames
        while held.shape[1] >= seen + window + context:
            yield _round_trip(tae, held[:, : seen + window + context])[:, seen : seen + window]
            held = held[:, seen + window - context :]
            seen = context
    if held is not None and held.shape[1] > seen:
        yield _round_trip(tae, held)[:, seen:]


def _window_cells(clip: Tensor, grid: TaeGrid) -> int:
    cell_pixels = grid.frames * clip.shape[-2] * clip.shape[-1]
    return max(1, min(WINDOW_CELLS, WINDOW_PIXELS // cell_pixels))


def _round_trip(tae: TemporalAutoencoder, clip: Tensor) -> Tensor:
    num_frames, height, width = clip.shape[1:]
    latent = tae.encode(pad_to_multiple(clip[None], tae.grid.height))
    return crop_back(tae.decode(latent, num_frames), height, width)[0].float().clamp(-1, 1)
