"""TAE, the temporal autoencoder: clip <-> latent, 8x8x8 with 16 channels.

Source: Movie Gen, section on the temporal autoencoder: an LDM image autoencoder inflated to 2.5D, symmetric
replicate padding in time, strided temporal downsampling, nearest-then-conv upsampling, any frame count.
Widths, kernel sizes, the norm and the level that carries each stride are not in the paper and are our choice.
"""

# Shape letters: B clip, C channel, T frame, H row, W column, M = B*T*... rows of one attention.

from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from math import prod
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import GeometryError, SettingsError
from ..geometry import TaeGrid
from ..layers.attention import SelfAttention
from ..layers.factorized_conv import FactorizedConv
from ..layers.norms import PixelNorm


@dataclass(frozen=True, slots=True, kw_only=True)
class TaeConfig:
    """Shape of a temporal autoencoder; level 0 is nearest the pixels."""

    latent_channels: int = 16
    patch: int = 1
    """Pixels per side folded into channels at the stem (space-to-depth); 1 is the paper's."""
    encoder_widths: tuple[int, ...]
    """Channels of each level."""
    decoder_widths: tuple[int, ...]
    encoder_blocks: tuple[int, ...]
    """Residual blocks at each level."""
    decoder_blocks: tuple[int, ...]
    space_strides: tuple[int, ...]
    """Spatial stride between level i and i + 1, one fewer than levels."""
    time_strides: tuple[int, ...]
    head_width: int = 64
    """Channels per attention head in the middle block."""
    flat: bool = False
    """An image autoencoder: nothing that mixes frames, time strides 1."""

    def __post_init__(self) -> None:
        lists = (self.encoder_widths, self.decoder_widths, self.encoder_blocks, self.decoder_blocks)
        levels = len(self.space_strides) + 1
        if len(self.time_strides) != levels - 1 or any(len(one) != levels for one in lists):
            raise SettingsError(f"tae config: every list needs {levels} levels and {levels - 1} strides")
        for width in (self.encoder_widths[-1], self.decoder_widths[-1]):
            if width % self.head_width:
                raise SettingsError(
                    f"tae config: width {width} is not a multiple of head_width {self.head_width}"
                )

    @property
    def flattened(self) -> "TaeConfig":
        """The image autoencoder that this one is inflated from."""
        return replace(self, flat=True, time_strides=(1,) * len(self.time_strides))

    @property
    def grid(self) -> TaeGrid:
        """Frames and pixels per latent cell."""
        side = self.patch * prod(self.space_strides)
        return TaeGrid(prod(self.time_strides), side, side)


TAE_PRESETS = {
    "nano": TaeConfig(
        patch=4,
        encoder_widths=(64, 96, 96, 96),
        decoder_widths=(96, 128, 128, 128),
        encoder_blocks=(2, 1, 1, 0),
        decoder_blocks=(3, 1, 1, 0),
        space_strides=(2, 1, 1),
        time_strides=(2, 2, 2),
        head_width=32,
    ),
    "paper": TaeConfig(
        encoder_widths=(128, 256, 512, 512),
        decoder_widths=(128, 256, 512, 512),
        encoder_blocks=(2, 2, 2, 2),
        decoder_blocks=(3, 3, 3, 3),
        space_strides=(2, 2, 2),
        time_strides=(2, 2, 2),
        head_width=512,
    ),
}
"""``paper`` takes the LDM autoencoder's usual widths; the paper states none."""


@torch.no_grad()
def start_silent(layer: nn.Module) -> None:
    """Let a layer begin with zeros, so that a fresh model does without it."""
    layer.weight.zero_()
    layer.bias.zero_()


def sharply(layer: nn.Module, x_BCTHW: Tensor, wanted: bool) -> Tensor:
    """A layer out of reach of autocast, if so wanted.

    Rounded to bfloat16 at both ends, frames that stand still come out half a grey level apart, and flicker.
    An image autoencoder, which knows no neighbours in time, keeps its ends and so its skips in float32.
    """
    if not wanted:
        return layer(x_BCTHW)
    with torch.autocast(x_BCTHW.device.type, enabled=False):
        return layer(x_BCTHW.to(next(layer.parameters()).dtype))


class ResBlock(nn.Module):
    """Norm, SiLU, 2.5D convolution, twice, around a skip; a fresh block passes its input through."""

    def __init__(
        self,
        channels: int,
        operations: ModuleType,
        *,
        flat: bool = False,
        **factory: Any,  # noqa: ANN401
    ) -> None:
        super().__init__()
        self.norm1 = PixelNorm(channels, operations, **factory)
        self.conv1 = FactorizedConv(channels, channels, operations, flat=flat, **factory)
        self.norm2 = PixelNorm(channels, operations, **factory)
        self.conv2 = FactorizedConv(channels, channels, operations, flat=flat, **factory)
        start_silent(self.conv2.space)

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        """Same shape in and out."""
        h_BCTHW = self.conv1(F.silu(self.norm1(x_BCTHW)))
        return x_BCTHW + self.conv2(F.silu(self.norm2(h_BCTHW)))


class SpaceAttention(nn.Module):
    """Each frame attends within itself; a fresh one passes its input through."""

    def __init__(self, channels: int, head_width: int, operations: ModuleType, **factory: Any) -> None:  # noqa: ANN401
        super().__init__()
        self.norm = PixelNorm(channels, operations, **factory)
        self.attention = SelfAttention(channels, channels // head_width, operations, **factory)
        with torch.no_grad():
            self.attention.out.weight.zero_()

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        """Same shape in and out."""
        B, C, T, H, W = x_BCTHW.shape
        rows_MLC = self.norm(x_BCTHW).permute(0, 2, 3, 4, 1).reshape(B * T, H * W, C)
        return x_BCTHW + self.attention(rows_MLC).view(B, T, H, W, C).permute(0, 4, 1, 2, 3)


class TimeAttention(SpaceAttention):
    """Each latent cell attends along time."""

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        """Same shape in and out."""
        B, C, T, H, W = x_BCTHW.shape
        rows_MLC = self.norm(x_BCTHW).permute(0, 3, 4, 2, 1).reshape(B * H * W, T, C).contiguous()
        return x_BCTHW + self.attention(rows_MLC).view(B, H, W, T, C).permute(0, 4, 3, 1, 2)


class Middle(nn.Sequential):
    """The only place that sees the whole clip: residual, attention over space, over time, residual."""

    def __init__(
        self,
        channels: int,
        head_width: int,
        operations: ModuleType,
        *,
        flat: bool = False,
        **factory: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(
            ResBlock(channels, operations, flat=flat, **factory),
            SpaceAttention(channels, head_width, operations, **factory),
            nn.Identity() if flat else TimeAttention(channels, head_width, operations, **factory),
            ResBlock(channels, operations, flat=flat, **factory),
        )


class Readout(nn.Module):
    """Norm, SiLU and 2.5D convolution beside a plain linear map of every cell; the map alone at the start.

    With residual blocks that start silent, a fresh autoencoder is linear from pixels to latent to pixels, and
    so soon as good as its best linear code; the rest is learnt on top. A norm in front of every output would
    take the size of what it passes on. Our choice.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        operations: ModuleType,
        *,
        flat: bool = False,
        **factory: Any,  # noqa: ANN401
    ) -> None:
        super().__init__()
        self.sharp = flat
        self.linear = operations.Conv3d(channels_in, channels_out, 1, **factory)
        self.norm = PixelNorm(channels_in, operations, **factory)
        self.conv = FactorizedConv(channels_in, channels_out, operations, flat=flat, **factory)
        start_silent(self.conv.space)

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        """(B, C, T, H, W) -> (B, C', T, H, W)."""
        return sharply(self.linear, x_BCTHW, self.sharp) + self.conv(F.silu(self.norm(x_BCTHW)))


class Upsample(nn.Module):
    """Nearest neighbour in space and time, then a 2.5D convolution."""

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        space: int,
        time: int,
        operations: ModuleType,
        *,
        flat: bool = False,
        **factory: Any,  # noqa: ANN401
    ) -> None:
        super().__init__()
        self.space, self.time = space, time
        self.conv = FactorizedConv(channels_in, channels_out, operations, flat=flat, **factory)

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        """(B, C, T, H, W) -> (B, C', T * time, H * space, W * space)."""
        frames_BCTHW = self.conv.space(repeat(x_BCTHW, 1, self.space))
        return self.conv.along_time(repeat(frames_BCTHW, self.time, 1))


def repeat(x_BCTHW: Tensor, time: int, space: int) -> Tensor:
    """Nearest-neighbour upsampling by whole factors."""
    if time == space == 1:
        return x_BCTHW
    return F.interpolate(x_BCTHW, scale_factor=(time, space, space), mode="nearest")


def fold_patches(clip_BCTHW: Tensor, patch: int) -> Tensor:
    """Space-to-depth: (B, C, T, H, W) -> (B, C * patch^2, T, H / patch, W / patch)."""
    B, C, T, H, W = clip_BCTHW.shape
    cells = clip_BCTHW.reshape(B, C, T, H // patch, patch, W // patch, patch)
    return cells.permute(0, 1, 4, 6, 2, 3, 5).reshape(B, C * patch**2, T, H // patch, W // patch)


def unfold_patches(x_BCTHW: Tensor, patch: int) -> Tensor:
    """The inverse of ``fold_patches``."""
    B, C, T, H, W = x_BCTHW.shape
    cells = x_BCTHW.reshape(B, C // patch**2, patch, patch, T, H, W)
    return cells.permute(0, 1, 4, 5, 2, 6, 3).reshape(B, -1, T, H * patch, W * patch)


FIRST_LOG_VARIANCE = -6.0
"""Of a fresh posterior: quiet enough for the latent to be heard from the first step."""


class Encoder(nn.Module):
    """Clip to the posterior's mean and log variance."""

    def __init__(self, config: TaeConfig, operations: ModuleType, **factory: Any) -> None:  # noqa: ANN401
        super().__init__()
        factory |= {"operations": operations, "flat": config.flat}
        conv = partial(FactorizedConv, **factory)
        widths = config.encoder_widths
        self.patch, self.sharp = config.patch, config.flat
        self.stem = conv(3 * config.patch**2, widths[0])
        steps = zip(pairwise(widths), config.space_strides, config.time_strides, strict=True)
        downs = [conv(a, b, space_stride=space, time_stride=time) for (a, b), space, time in steps]
        self.levels = nn.ModuleList(
            nn.Sequential(*(ResBlock(width, **factory) for _ in range(blocks)))
            for width, blocks in zip(widths, config.encoder_blocks, strict=True)
        )
        self.downs = nn.ModuleList(downs)
        self.middle = Middle(widths[-1], config.head_width, **factory)
        self.head = Readout(widths[-1], 2 * config.latent_channels, **factory)
        with torch.no_grad():
            self.head.linear.bias[config.latent_channels :] = FIRST_LOG_VARIANCE

    def forward(self, clip_BCTHW: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, T, H, W) -> mean and log variance, each (B, 16, ceil(T / 8), H / 8, W / 8)."""
        x = sharply(self.stem, channels_last(fold_patches(clip_BCTHW, self.patch)), self.sharp)
        for level, down in zip(self.levels, self.downs, strict=False):
            x = down(level(x))
        x = self.middle(self.levels[-1](x))
        mean, log_variance = self.head(x).chunk(2, dim=1)
        return mean, log_variance.clamp(-20, 10)


class Decoder(nn.Module):
    """Latent to clip; after the middle block everything is local in time."""

    def __init__(self, config: TaeConfig, operations: ModuleType, **factory: Any) -> None:  # noqa: ANN401
        super().__init__()
        factory |= {"operations": operations, "flat": config.flat}
        conv = partial(FactorizedConv, **factory)
        widths = config.decoder_widths[::-1]
        self.patch, self.sharp = config.patch, config.flat
        self.stem = conv(config.latent_channels, widths[0])
        self.middle = Middle(widths[0], config.head_width, **factory)
        self.levels = nn.ModuleList(
            nn.Sequential(*(ResBlock(width, **factory) for _ in range(blocks)))
            for width, blocks in zip(widths, config.decoder_blocks[::-1], strict=True)
        )
        steps = zip(pairwise(widths), config.space_strides[::-1], config.time_strides[::-1], strict=True)
        ups = [Upsample(a, b, space, time, **factory) for (a, b), space, time in steps]
        self.ups = nn.ModuleList(ups)
        self.head = Readout(widths[-1], 3 * config.patch**2, **factory)

    def forward(self, latent_BCTHW: Tensor) -> Tensor:
        """(B, 16, T, H, W) -> (B, 3, 8 T, 8 H, 8 W), surplus frames included."""
        x = self.middle(sharply(self.stem, channels_last(latent_BCTHW), self.sharp))
        for level, up in zip(self.levels, self.ups, strict=False):
            x = up(level(x))
        x = self.levels[-1](x)
        return unfold_patches(self.head(x), self.patch)


def channels_last(x_BCTHW: Tensor) -> Tensor:
    """The memory order in which convolutions are fastest."""
    return x_BCTHW.contiguous(memory_format=torch.channels_last_3d)


class TemporalAutoencoder(nn.Module):
    """Clip to normalized latent and back.

    ``latent_mean`` and ``latent_scale`` (per channel, measured at the end of training) travel in the weights
    file, so that every consumer sees latents of mean 0 and deviation 1.
    """

    latent_mean: Tensor
    latent_scale: Tensor

    def __init__(
        self,
        config: TaeConfig,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        operations: ModuleType = nn,  # type: ignore[assignment]
    ) -> None:
        super().__init__()
        factory = {"device": device, "dtype": dtype}
        self.config = config
        self.encoder = Encoder(config, operations, **factory)
        self.decoder = Decoder(config, operations, **factory)
        channels = (config.latent_channels, 1, 1, 1)
        self.register_buffer("latent_mean", torch.zeros(channels, device=device, dtype=torch.float32))
        self.register_buffer("latent_scale", torch.ones(channels, device=device, dtype=torch.float32))

    @property
    def grid(self) -> TaeGrid:
        """Frames and pixels per latent cell."""
        return self.config.grid

    def check_size(self, height: int, width: int) -> None:
        """Refuse frames that are not made of whole cells.

        Args:
            height: pixels.
            width: pixels.

        Raises:
            GeometryError: a side is not a multiple of 8.
        """
        if height % self.grid.height or width % self.grid.width:
            raise GeometryError(
                f"a frame of {width}x{height} pixels cannot be encoded; both sides must be multiples of"
                f" {self.grid.height}: pad or crop it"
            )

    def encode(self, clip: Tensor) -> Tensor:
        """Compress a clip to its normalized latent (the posterior's mean); broken cells are refused.

        Args:
            clip: (B, 3, T, H, W), pixels in -1..1; H and W multiples of 8, any T from 1.

        Returns:
            (B, 16, ceil(T / 8), H / 8, W / 8).

        Source: Movie Gen, temporal autoencoder.
        """
        self.check_size(*clip.shape[-2:])
        return self.normalize(self.encoder(clip)[0])

    def decode(self, latent: Tensor, num_frames: int) -> Tensor:
        """Decompress a normalized latent and drop the surplus frames at the end.

        Args:
            latent: (B, 16, T, H, W), as ``encode`` returns it.
            num_frames: frames of the clip, from 8 (T - 1) + 1 to 8 T.

        Returns:
            (B, 3, num_frames, 8 H, 8 W), about -1..1, not clamped.

        Raises:
            GeometryError: the latent does not hold that many frames.

        Source: Movie Gen, temporal autoencoder; that the trailing frames go is our reading of its figure.
        """
        if self.grid.latent_frames(num_frames) != latent.shape[2]:
            most = latent.shape[2] * self.grid.frames
            raise GeometryError(
                f"a latent of {latent.shape[2]} frames decodes to {most - self.grid.frames + 1}..{most}"
                f" frames, not {num_frames}"
            )
        return self.decoder(self.denormalize(latent))[:, :, :num_frames]

    def normalize(self, raw_latent: Tensor) -> Tensor:
        """Raw latent to mean 0, deviation 1 per channel."""
        return (raw_latent - self.latent_mean) / self.latent_scale

    def denormalize(self, latent: Tensor) -> Tensor:
        """The inverse of ``normalize``."""
        return latent * self.latent_scale + self.latent_mean

    @torch.no_grad()
    def measure(self, raw_CN: Tensor) -> None:
        """Set mean and scale by raw latents of clips, (C, N)."""
        self.latent_mean.copy_(raw_CN.mean(dim=1).view_as(self.latent_mean))
        self.latent_scale.copy_(raw_CN.std(dim=1).view_as(self.latent_scale))


def inflate(images: TemporalAutoencoder, config: TaeConfig) -> TemporalAutoencoder:
    """Make a temporal autoencoder that does to every eighth frame what an image autoencoder does to pictures.

    Args:
        images: of ``config.flattened``.
        config: the temporal autoencoder's.

    Returns:
        A new model: what mixes frames is there and does nothing yet; the latent statistics are those of a
        fresh one.

    Raises:
        SettingsError: the image autoencoder is of another shape.

    Source: Movie Gen, temporal autoencoder, inflated from an image autoencoder.
    """
    if images.config != config.flattened:
        raise SettingsError("tae config: the image autoencoder to inflate has another shape")
    model = TemporalAutoencoder(config).to(images.latent_mean.device)
    model.load_state_dict(dict(images.named_parameters()), strict=False)
    return model
