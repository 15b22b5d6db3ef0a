"""Latents become clips, long ones chunk by chunk: as if decoded whole, in far less memory."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from ..flow.windows import crossfade_windows, tiles
from ..geometry import TaeGrid
from ..models.tae import TemporalAutoencoder
from ..models.tae_stream import decode_chunks

WHOLE_PIXELS = 2**21
"""A clip of so many pixels is decoded in one piece: two seconds at 192x112, six times over."""
CHUNK_PIXELS = 2**20
"""Longer ones go in chunks of about so many, but of at least one latent frame: half as much was as fast."""
OVERLAP_WINDOW, OVERLAP = 4, 2
"""Latent frames of a window and shared by two: the paper's 32 and 16 frames."""


@dataclass(frozen=True, slots=True)
class Tiling:
    """Frames decoded in overlapping tiles, for frames so large that a single latent frame does not fit."""

    side: int = 32
    """Latent cells along each side of a tile: 256 pixels."""
    overlap: int = 4
    """Cells shared by neighbours, over which one fades into the other."""


def chunk_cells(grid: TaeGrid, latent_shape: tuple[int, ...]) -> int:
    """Latent frames worked on at once, for latents of (B, C, T, H, W)."""
    cell_pixels = grid.frames * grid.height * grid.width
    return max(1, CHUNK_PIXELS // (cell_pixels * latent_shape[0] * latent_shape[-2] * latent_shape[-1]))


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
    pixels = num_frames * latent[:, 0, 0].numel() * tae.grid.height * tae.grid.width
    fits = tae.grid.latent_frames(num_frames) == latent.shape[2]
    if pixels <= WHOLE_PIXELS or not fits:  # the autoencoder refuses what does not fit
        return tae.decode(latent, num_frames).float().clamp(-1, 1)
    return torch.cat(list(decode_stream(tae, [latent], num_frames)), dim=2)


@torch.no_grad()
def decode_stream(
    tae: TemporalAutoencoder,
    latents: Iterable[Tensor],
    num_frames: int | None = None,
    *,
    num_cells: int | None = None,
    tiling: Tiling | None = None,
    around: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> Iterator[Tensor]:
    """Decode a latent of any length, a chunk at a time; the chunks joined are what the whole would give.

    Args:
        tae: the autoencoder.
        latents: (B, 16, T, H, W) each, normalized, cut anywhere; all are read before the first frame comes.
        num_frames: frames of the clip; surplus ones are dropped. All when None.
        num_cells: latent frames worked on at once; chosen by the size of a frame when None.
        tiling: overlapping tiles for frames too large for the memory. They cost what overlaps, and are close
            to the whole, not equal: attention within a frame then sees a tile.
        around: makes the context of each step, such as autocast.

    Yields:
        Tensor: (B, 3, T, 8 H, 8 W), float32 in -1..1, consecutive.
    """
    latents = iter(latents)
    first = next(latents, None)
    if first is None:
        return
    size = num_cells or chunk_cells(tae.grid, first.shape)
    whole = _again(first, latents)
    decoded = decode_chunks(tae, whole, size) if tiling is None else _tiled(tae, list(whole), tiling, size)
    for frames in _limited(_within(decoded, around), num_frames):
        yield frames.float().clamp(-1, 1)


def _again(first: Tensor, rest: Iterator[Tensor]) -> Iterator[Tensor]:
    yield first
    yield from rest


def _within(
    chunks: Iterator[Tensor], around: Callable[[], AbstractContextManager[object]]
) -> Iterator[Tensor]:
    """Work on each chunk inside a context of its own: one that stayed open would reach into the caller."""
    while True:
        with around():
            chunk = next(chunks, None)
        if chunk is None:
            return
        yield chunk


def _limited(chunks: Iterator[Tensor], num_frames: int | None) -> Iterator[Tensor]:
    """The first frames of a stream, which is read to its end."""
    done = 0
    for chunk in chunks:
        kept = chunk if num_frames is None else chunk[:, :, : max(0, num_frames - done)]
        done += chunk.shape[2]
        if kept.shape[2]:
            yield kept


def _tiled(
    tae: TemporalAutoencoder, latents: list[Tensor], tiling: Tiling, num_cells: int
) -> Iterator[Tensor]:
    """All tiles of a clip in step with each other, chunk by chunk."""
    grid, shape = tae.grid, latents[0].shape[-2:]
    places = tiles(shape[0], shape[1], tiling.side, tiling.overlap, scale=grid.height)
    streams = [decode_chunks(tae, [place.cut(latent) for latent in latents], num_cells) for place in places]
    while True:
        whole = None
        for place, stream in zip(places, streams, strict=True):
            part = next(stream, None)
            if part is None:
                return
            if whole is None:
                whole = part.new_zeros(*part.shape[:3], shape[0] * grid.height, shape[1] * grid.width)
            place.add(whole, part)
        assert whole is not None
        yield whole


@torch.no_grad()
def decode_overlapped(
    tae: TemporalAutoencoder,
    latent: Tensor,
    num_frames: int,
    *,
    window: int = OVERLAP_WINDOW,
    overlap: int = OVERLAP,
) -> Iterator[Tensor]:
    """Decode in windows that overlap in time and fade into each other, as the paper does.

    ``decode_stream`` gives the whole's frames at half the cost of this; this is for comparison, and for
    models whose layers cannot be streamed.

    Args:
        tae: the autoencoder.
        latent: (B, 16, T, H, W), normalized.
        num_frames: frames of the clip.
        window: latent frames decoded at once.
        overlap: of them shared with the next window, at most half.

    Yields:
        Tensor: (B, 3, T, 8 H, 8 W), float32 in -1..1, consecutive.

    Source: Movie Gen, temporal tiling; its ramp is printed the wrong way round.
    """
    yield from _limited(_faded(tae, latent, window, overlap), num_frames)


def _faded(tae: TemporalAutoencoder, latent: Tensor, window: int, overlap: int) -> Iterator[Tensor]:
    size, held = tae.grid.frames, None
    end, shared = latent.shape[2] * size, overlap * size
    for place, weight in crossfade_windows(end, window * size, shared):
        part = latent[:, :, place.start // size : place.stop // size]
        frames = tae.decode(part, part.shape[2] * size).float().clamp(-1, 1) * weight.view(-1, 1, 1).to(
            latent
        )
        if held is not None:
            frames[:, :, :shared] += held
        is_last = place.stop == end
        yield frames if is_last else frames[:, :, :-shared]
        held = None if is_last else frames[:, :, -shared:]
