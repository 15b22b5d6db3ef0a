"""Clips become latents, long ones chunk by chunk: as if encoded whole."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from ..models.tae import TemporalAutoencoder
from ..models.tae_stream import encode_chunks
from .decode import CHUNK_PIXELS


def encode_clip(tae: TemporalAutoencoder, clip: Tensor) -> Tensor:
    """Encode a clip of any length in one go, (B, 3, T, H, W) to (B, 16, T, H / 8, W / 8), float32."""
    return torch.cat([part.float() for part in encode_stream(tae, [clip])], dim=2)


@torch.no_grad()
def encode_stream(tae: TemporalAutoencoder, clips: Iterable[Tensor]) -> Iterator[Tensor]:
    """Encode a clip of any length, holding a chunk of it in memory.

    Args:
        tae: the autoencoder.
        clips: (B, 3, T, H, W) each, pixels in -1..1, consecutive and cut anywhere; sides in multiples of 8.
            All are read before the first latent comes: every latent depends on the whole clip.

    Yields:
        Tensor: (B, 16, T, H / 8, W / 8), normalized; together what ``tae.encode`` makes of the whole.
    """
    clips = iter(clips)
    first = next(clips, None)
    if first is None:
        return
    tae.check_size(*first.shape[-2:])
    cell_pixels = first[:, 0, 0].numel() * tae.grid.frames
    num_frames = max(1, CHUNK_PIXELS // cell_pixels) * tae.grid.frames

    def whole() -> Iterator[Tensor]:
        yield first
        yield from clips

    yield from encode_chunks(tae, whole(), num_frames)
