"""Pass footage through the autoencoder and back: what the cast can see and show at best."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ..media.resize import crop_back, pad_to_multiple
from ..models.tae import TemporalAutoencoder
from .decode import decode_stream
from .encode import encode_stream


def reconstruct(tae: TemporalAutoencoder, clip: Tensor) -> Tensor:
    """Encode a clip and decode it again.

    Args:
        tae: the autoencoder.
        clip: (3, T, H, W), pixels in -1..1, any size and length.

    Returns:
        The same shape, in -1..1.
    """
    return torch.cat(list(reconstruct_stream(tae, [clip])), dim=1)


@dataclass(slots=True)
class _Length:
    """Frames that went by, and their size."""

    frames: int = 0
    height: int = 0
    width: int = 0


@torch.no_grad()
def reconstruct_stream(tae: TemporalAutoencoder, pieces: Iterable[Tensor]) -> Iterator[Tensor]:
    """Encode and decode a clip of any length, holding a chunk of it in memory.

    Args:
        tae: the autoencoder.
        pieces: (3, T, H, W) each, in -1..1: consecutive parts of one clip, cut anywhere. All are read before
            the first frame comes: the autoencoder looks along the whole clip.

    Yields:
        Tensor: the clip's frames in order, (3, T, H, W) in -1..1; their lengths add up to the clip's.
    """
    length = _Length()
    latents = encode_stream(tae, _padded(pieces, tae.grid.height, length))
    done = 0
    for chunk in decode_stream(tae, latents):
        frames = crop_back(chunk, length.height, length.width)[0, :, : length.frames - done]
        done += frames.shape[1]
        if frames.shape[1]:
            yield frames


def _padded(pieces: Iterable[Tensor], multiple: int, length: _Length) -> Iterator[Tensor]:
    for piece in pieces:
        length.frames += piece.shape[1]
        length.height, length.width = piece.shape[2:]
        yield pad_to_multiple(piece[None], multiple)
