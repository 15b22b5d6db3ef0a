"""Latents to frames a few at a time, as exactly as their VAE allows."""

# Shape letters: B clip, C channel, T latent frame, H row, W column.

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import comfy.model_management
import torch
from torch import Tensor

from ...moviegen_core.errors import GeometryError
from ...moviegen_core.media.pixels import to_bytes
from ...moviegen_core.stages.decode import chunk_cells, decode_stream
from ...moviegen_core.stages.meter import told_bytes
from ..convert import bytes_from_image
from .vae import MovieGenVAE, decode_memory

TILE, TILE_OVERLAP = 512, 64
SPAN, SPAN_OVERLAP = 64, 8
"""Pixels and frames of a tile for VAEs that are not ours: what the host's own node takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """Frames that are decoded while they are taken."""

    frames: Iterator[Tensor]
    """(H, W, 3) uint8 each."""
    num_frames: int
    how: str
    """In words."""


def is_ours(vae: Any) -> bool:  # noqa: ANN401 - the host's VAE
    """Whether it can decode as a stream."""
    return isinstance(vae, MovieGenVAE)


def decoded(vae: Any, latent: Tensor, count: int) -> Decoded:  # noqa: ANN401
    """Decode clips one after the other.

    Args:
        vae: the host's.
        latent: (B, C, T, H, W), or (B, C, H, W) of pictures.
        count: frames of each clip; 0 takes all that another VAE than ours gives.

    Returns:
        The frames, not yet decoded where the VAE is ours.

    Raises:
        GeometryError: another VAE gave fewer frames.
    """
    if is_ours(vae):
        frames = (frame for clip in latent for frame in _streamed(vae, clip[None], count))
        how = "decoded as a stream,\nin chunks that join exactly"
        return Decoded(frames=frames, num_frames=count * len(latent), how=how)
    images = _tiled(vae, latent)
    kept = images[:, : count or None]
    if count > images.shape[1]:
        raise GeometryError(f"this VAE decodes {images.shape[1]} frames, not {count}; give that many, or 0")
    size = told_bytes(images.numel() * images.element_size())
    how = f"this VAE cannot stream: decoded in\nComfyUI's tiles, all frames in memory\n({size})"
    frames = (as_bytes(image) for clip in kept for image in clip)
    return Decoded(frames=frames, num_frames=kept.shape[0] * kept.shape[1], how=how)


def as_bytes(image_HWC: Tensor) -> Tensor:
    """A picture of the host, 0..1 with any number of channels from three on, as uint8 RGB."""
    return bytes_from_image(image_HWC[..., :3]).cpu()


def _streamed(vae: MovieGenVAE, latent: Tensor, count: int) -> Iterator[Tensor]:
    model, shape = vae.first_stage_model, latent.shape
    cells = min(shape[2], chunk_cells(model.grid, shape))
    needed = decode_memory(model.config, (*shape[:2], cells, *shape[3:]), vae.vae_dtype)
    options = {"memory_required": needed, "force_full_load": vae.disable_offload}
    comfy.model_management.load_models_gpu([vae.patcher], **options)
    at_home = latent.to(vae.vae_dtype).to(vae.device)
    for chunk in decode_stream(model, [at_home], count, num_cells=cells):
        yield from to_bytes(chunk[0]).permute(1, 2, 3, 0).cpu()


def _tiled(vae: Any, latent: Tensor) -> Tensor:  # noqa: ANN401
    """(B, T, H, W, C): whatever the VAE, as the host's tiled node asks for it."""
    time, side = vae.temporal_compression_decode(), vae.spacial_compression_decode()
    span = {"tile_t": max(2, SPAN // time), "overlap_t": max(1, SPAN_OVERLAP // time)} if time else {}
    tile = {"tile_x": TILE // side, "tile_y": TILE // side, "overlap": TILE_OVERLAP // side}
    images = torch.as_tensor(vae.decode_tiled(latent, **tile, **span))
    return images[None] if images.ndim == 4 else images
