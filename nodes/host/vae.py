"""Our temporal autoencoder as the host's VAE: whole, in tiles, any frame count."""

# Shape letters: B clip, C channel, T frame, H row, W column.

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import comfy.model_management
import comfy.model_patcher
import comfy.ops
import comfy.sd
import torch
from torch import Tensor

from ...moviegen_core.errors import GeometryError
from ...moviegen_core.models.tae import TaeConfig, TemporalAutoencoder
from ...moviegen_core.stages.decode import WHOLE_PIXELS, Tiling, chunk_cells, decode_clip, decode_stream
from ..convert import check_frames, image_from_pixels_, pixels_from_image
from .files import read_model_file
from .keeping import adopt
from .operations import host_operations

LIVE_TENSORS = 6
"""How many tensors of the widest level live at once at the peak."""


class HostAutoencoder(TemporalAutoencoder):
    """The core's autoencoder behind the host's calls; parameter names are the core's."""

    def encode(self, clip: Tensor) -> Tensor:
        """As the core's; the host crops frames to multiples of 8, and what is left may be nothing."""
        check_pixels(clip)
        return super().encode(clip)

    def decode(self, latent: Tensor, num_frames: int | None = None, **_options: Any) -> Tensor:  # noqa: ANN401
        """As the core's; without a count, which the host does not know, all frames, long clips in chunks."""
        if num_frames is not None:
            return super().decode(latent, num_frames)
        check_decodable(latent, self.config.latent_channels)
        return decode_clip(self, latent, latent.shape[2] * self.grid.frames)


def check_pixels(clip: Tensor) -> None:
    """Refuse a clip of nothing.

    Args:
        clip: (B, 3, T, H, W) to be encoded.

    Raises:
        GeometryError: no frames, or frames too small.
    """
    if clip.numel() == 0:
        frames, height, width = clip.shape[2:]
        raise GeometryError(
            f"there is nothing to encode, {frames} frames of {width}x{height} once cropped to multiples of 8;"
            " give at least one frame of 8x8"
        )


def check_decodable(latent: Tensor, channels: int) -> None:
    """Refuse a latent that this autoencoder did not make.

    Args:
        latent: what is to be decoded.
        channels: of our latents.

    Raises:
        GeometryError: other channels, no frames axis, or no frames.
    """
    check_frames(latent)
    if latent.ndim != 5 or latent.shape[1] != channels:
        axes = "" if latent.ndim == 5 else " and no frames"
        raise GeometryError(
            f"the latent has {latent.shape[1]} channels{axes}, and the Movie Gen VAE decodes clips of"
            f" {channels}; use the VAE of the model that made it"
        )


class MovieGenVAE(comfy.sd.VAE):
    """The host's VAE around our autoencoder."""

    def __init__(self, config: TaeConfig, state: dict[str, Tensor]) -> None:
        with without_warning():
            super().__init__(sd={})  # the defaults of the installed host, and no model
        grid, self.latent_channels, self.latent_dim = config.grid, config.latent_channels, 3
        self.upscale_ratio = (lambda cells: cells * grid.frames, grid.height, grid.width)
        self.downscale_ratio = (grid.latent_frames, grid.height, grid.width)
        self.upscale_index_formula = self.downscale_index_formula = (grid.frames, grid.height, grid.width)
        self.process_input, self.process_output = pixels_from_image, image_from_pixels_
        self.working_dtypes = [torch.float32]
        # at least a byte, as the host divides by it, even when there is nothing to decode
        self.memory_used_decode = lambda shape, dtype: max(1.0, decode_memory(config, shape, dtype))
        self.memory_used_encode = lambda shape, dtype: max(1.0, encode_memory(config, shape, dtype))
        adopt(self, HostAutoencoder(config, operations=host_operations(comfy.ops.disable_weight_init)), state)

    def decode_tiled_3d(
        self,
        samples: Tensor,
        tile_t: int = 999,
        tile_x: int = 32,
        tile_y: int = 32,
        overlap: tuple[int, int, int] = (1, 8, 8),
    ) -> Tensor:
        """As the host's, but chunks of time join to exactly the whole; tiles within a frame fade as usual.

        Args:
            samples: (B, 16, T, H, W).
            tile_t: latent frames at once.
            tile_x: latent cells along a tile's width; where both sides hold a frame it is not cut.
            tile_y: latent cells along its height.
            overlap: latent cells that neighbours share along time, which needs none, height and width.

        Returns:
            (B, 3, 8 T, 8 H, 8 W) as the host shows pixels.
        """
        check_decodable(samples, self.latent_channels)
        batch, _, cells, height, width = samples.shape
        side, fits = min(tile_x, tile_y), tile_x >= width and tile_y >= height
        tiling = None if fits else Tiling(side, min(max(overlap[1:]), side - 1))
        latent = samples.to(self.vae_dtype).to(self.device)
        chunks = decode_stream(self.first_stage_model, [latent], num_cells=min(tile_t, cells), tiling=tiling)
        grid = self.first_stage_model.grid
        sizes = (cells * grid.frames, height * grid.height, width * grid.width)
        clip, start = torch.empty(batch, 3, *sizes, device=self.output_device), 0
        for chunk in chunks:
            clip[:, :, start : start + chunk.shape[2]] = chunk
            start += chunk.shape[2]
        return self.process_output(clip)


def load_vae(path: Path) -> MovieGenVAE:
    """Load an autoencoder as VAE."""
    file = read_model_file(path, "tae")
    return MovieGenVAE(file.config, file.state)


def decode_memory(config: TaeConfig, shape: tuple[int, ...], dtype: torch.dtype) -> float:
    """Bytes that decoding latents of this shape needs: one chunk of them, and all pixels."""
    grid = config.grid
    cells = shape[2] if len(shape) > 4 else 1
    pixels = shape[0] * grid.frames * grid.height * grid.width * math.prod(shape[-2:])
    is_whole = pixels * cells <= WHOLE_PIXELS
    at_once = cells if is_whole else min(cells, chunk_cells(grid, shape) if pixels else cells)
    window = _peak_values(config, config.decoder_widths) * pixels * at_once
    return LIVE_TENSORS * window * comfy.model_management.dtype_size(dtype) + 3 * 4 * pixels * cells


def encode_memory(config: TaeConfig, shape: tuple[int, ...], dtype: torch.dtype) -> float:
    """Bytes that encoding pixels of this shape needs."""
    pixels = shape[0] * math.prod(shape[2:])
    values = LIVE_TENSORS * _peak_values(config, config.encoder_widths) * pixels
    return values * comfy.model_management.dtype_size(dtype)


def _peak_values(config: TaeConfig, widths: tuple[int, ...]) -> float:
    """Values per pixel and frame of the level that holds the most."""
    sides, frames = config.patch, 1
    values = [widths[0] / sides**2]
    for width, space, time in zip(widths[1:], config.space_strides, config.time_strides, strict=True):
        values.append(width / (sides * space) ** 2 / frames)  # as it is before its time stride
        sides, frames = sides * space, frames * time
    return max(values)


@contextmanager
def without_warning() -> Iterator[None]:
    """The host warns that it found no weights: we bring them afterwards."""
    logger = logging.getLogger()
    quiet = lambda record: "No VAE weights" not in record.getMessage()  # noqa: E731
    logger.addFilter(quiet)
    try:
        yield
    finally:
        logger.removeFilter(quiet)
