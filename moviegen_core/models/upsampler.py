"""The spatial upsampler: a transformer that adds detail to frames made larger (Movie Gen, section 5).

Frames are enlarged plainly, encoded one by one, and laid beside the noisy latent on channels; the
transformer is the video model's. What the paper leaves open and we chose: it reads no text, and how the
network's answer becomes a velocity (see ``Upsampler.forward``).
"""

# Shape letters: B clip, C channel, T frame, H row, W column.

from dataclasses import dataclass
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import SettingsError
from ..layers.attention import Attend, attend
from .tae import TaeConfig, TemporalAutoencoder
from .video import VideoTransformer, VideoTransformerConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsamplerConfig:
    """Shape of an upsampler: its autoencoder of single frames, and its transformer."""

    latent_channels: int
    patch: int
    """Pixels per side folded into channels before the autoencoder's first layer."""
    encoder_widths: tuple[int, ...]
    decoder_widths: tuple[int, ...]
    encoder_blocks: tuple[int, ...]
    decoder_blocks: tuple[int, ...]
    space_strides: tuple[int, ...]
    head_width: int
    """Channels per attention head in the autoencoder's middle block."""
    width: int
    num_layers: int
    num_heads: int
    ffn_width: int
    table_sizes: tuple[int, int, int]
    """Learned positions along (frames, rows, columns), in tokens; the first is the window in time."""
    token_patch: tuple[int, int, int] = (1, 2, 2)
    mixes_neighbours: bool = False
    """Whether every block begins by mixing tokens that touch, as the paper's do not."""
    factor: int = 2
    """How many times larger frames become."""

    def __post_init__(self) -> None:
        if self.factor < 2:
            raise SettingsError(f"upsampler config: factor {self.factor} makes nothing larger; use 2 or more")

    @property
    def frames(self) -> TaeConfig:
        """The autoencoder of single frames."""
        return TaeConfig(
            latent_channels=self.latent_channels,
            patch=self.patch,
            encoder_widths=self.encoder_widths,
            decoder_widths=self.decoder_widths,
            encoder_blocks=self.encoder_blocks,
            decoder_blocks=self.decoder_blocks,
            space_strides=self.space_strides,
            time_strides=(1,) * len(self.space_strides),
            head_width=self.head_width,
            flat=True,
        )

    @property
    def transformer(self) -> VideoTransformerConfig:
        """The video model's, with as many input channels more as the enlarged frames have."""
        return VideoTransformerConfig(
            width=self.width,
            num_layers=self.num_layers,
            num_heads=self.num_heads,
            ffn_width=self.ffn_width,
            context_widths=(),
            table_sizes=self.table_sizes,
            latent_channels=self.latent_channels,
            extra_channels=self.latent_channels,
            patch=self.token_patch,
            mixes_neighbours=self.mixes_neighbours,
        )

    @property
    def multiple(self) -> int:
        """Sides of a small frame must be multiples of this."""
        cell = self.frames.grid.height * self.token_patch[1]
        return max(1, cell // self.factor)


UPSAMPLER_PRESETS = {
    "nano": UpsamplerConfig(
        latent_channels=32,
        patch=4,
        encoder_widths=(64,),
        decoder_widths=(80,),
        encoder_blocks=(1,),
        decoder_blocks=(1,),
        space_strides=(),
        head_width=16,
        width=160,
        num_layers=4,
        num_heads=5,
        ffn_width=432,
        table_sizes=(14, 8, 8),
        mixes_neighbours=True,
    ),
    "paper": UpsamplerConfig(
        latent_channels=8,
        patch=1,
        encoder_widths=(128, 256, 512, 512),
        decoder_widths=(128, 256, 512, 512),
        encoder_blocks=(2, 2, 2, 2),
        decoder_blocks=(3, 3, 3, 3),
        space_strides=(2, 2, 2),
        head_width=512,
        width=3840,
        num_layers=40,
        num_heads=30,
        ffn_width=10240,
        table_sizes=(14, 68, 120),
    ),
}
"""``paper`` has its 7B, its 8-channel latents of single frames and its window of 14; how the 7B are spread is
our choice. ``nano`` compresses less, 48 values of 4x4 pixels to 32: what its autoencoder loses bounds what it
can win over a plain filter, which is at 35 dB on theatre scenes already."""


class Upsampler(nn.Module):
    """Velocity of a noisy latent of large frames, given those frames without detail.

    ``residual_scale`` (per channel, measured before training) says how far true latents lie from those of
    plainly enlarged frames; it travels in the weights file.
    """

    residual_scale: Tensor

    def __init__(
        self,
        config: UpsamplerConfig,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        operations: ModuleType = nn,  # type: ignore[assignment]
        attention: Attend = attend,
    ) -> None:
        super().__init__()
        factory = {"device": device, "dtype": dtype, "operations": operations}
        self.config = config
        self.frames = TemporalAutoencoder(config.frames, **factory)
        self.transformer = VideoTransformer(config.transformer, attention=attention, **factory)
        scale = torch.ones(config.latent_channels, 1, 1, 1, device=device, dtype=torch.float32)
        self.register_buffer("residual_scale", scale)

    def enlarged(self, clip: Tensor) -> Tensor:
        """Bilinear, as in the paper: (B, 3, T, h, w) -> (B, 3, T, factor h, factor w)."""
        B, _, T, height, width = clip.shape
        size = (self.config.factor * height, self.config.factor * width)
        frames = F.interpolate(clip.transpose(1, 2).flatten(0, 1), size, mode="bilinear", align_corners=False)
        return frames.unflatten(0, (B, T)).transpose(1, 2)

    def spread(self, t_B: Tensor) -> Tensor:
        """Variance of what lies in a noisy latent beside the enlarged frames, (B, C, 1, 1, 1)."""
        t = t_B.view(-1, 1, 1, 1, 1)
        return t.square() * self.residual_scale.square() + (1 - t).square()

    def forward(self, x_BCTHW: Tensor, t_B: Tensor, low_BCTHW: Tensor) -> Tensor:
        """Velocity (data minus noise) of noisy latents.

        With r for the true latent minus that of the enlarged frames, of deviation s per channel, the best
        guess that knows s alone is ``low + a(t) (x - t low)``. The network sees that guess of r in units of
        s, and adds what it knows better, in units of what is still unknown then. So a fresh model carries
        noise to r's prior around the enlarged frames, and in one step to the enlarged frames themselves;
        noise that tells nothing yet, at t = 0, is not seen at all. Our choice: a small network spends
        nothing on passing noise through. (Karras et al., 2022, do so for diffusion.)

        Args:
            x_BCTHW: (B, C, T, H, W), noisy, normalized.
            t_B: (B,) times, 0 noise to 1 data.
            low_BCTHW: same shape: the latent of the enlarged frames.

        Returns:
            (B, C, T, H, W), the dtype of x.
        """
        t = t_B.view(-1, 1, 1, 1, 1)
        s, spread = self.residual_scale, self.spread(t_B)
        centred = x_BCTHW - t * low_BCTHW
        guess = t * s / spread * centred
        better = self.transformer(guess, t_B, None, extra_BCTHW=low_BCTHW)
        plain = low_BCTHW + (t * s.square() - (1 - t)) / spread * centred
        return (plain + s * spread.rsqrt() * better).to(x_BCTHW.dtype)
