"""The audio transformer: noise to latent sound (Movie Gen, audio).

One model does everything by what is left out: all frames of ``known`` masked is generation, the tail masked
is extension, a gap masked is infilling; without frames' features it is text to sound, without text it follows
the picture alone.

Its blocks are the video transformer's. The published 18432 of the feed-forward is read as LLaMa's code reads
it: each of SwiGLU's three matrices has two thirds, so that the count is that of two whole ones, which alone
adds up to 13B. Our choices: rotary positions, features brought to unit size before their gated projection,
gates that start half open.
"""

# Shape letters: B clip, C channel, F audio latent frame, L byte or token, K context token.

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import GeometryError, SettingsError
from ..layers.attention import Attend, attend, key_mask
from ..layers.block import Block, Head
from ..layers.local_mix import TimeMix
from ..layers.modulation import SharedModulation, TimeEmbedding
from ..layers.norms import rms_norm
from ..layers.rotary import rotary_angles
from .conditioning import Context, JointConditioning
from .text import ByteEncoderConfig

FIRST_GATE = 0.5
"""Half open: a model that learns picture and sound together has nothing to protect from the picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioTransformerConfig:
    """Shape of an audio transformer."""

    width: int
    """Model dimension, shared by every block."""
    num_layers: int
    num_heads: int
    ffn_width: int
    """As published; each of the three matrices has two thirds of it."""
    context_widths: tuple[int, ...]
    """Feature width of each text encoder, in the order their features are given."""
    vision_width: int
    """Feature width of the frame encoder."""
    latent_channels: int = 128
    mixes_neighbours: bool = False
    """Whether every block begins by mixing frames that touch, as the paper's do not."""

    def __post_init__(self) -> None:
        if self.width % (2 * self.num_heads):
            raise SettingsError(
                f"audio config: width {self.width} does not split into {self.num_heads} heads of even width"
            )
        if self.ffn_width % 3:
            raise SettingsError(f"audio config: ffn_width {self.ffn_width} is not a multiple of 3")

    @property
    def head_width(self) -> int:
        """Channels of one attention head."""
        return self.width // self.num_heads


AUDIO_PRESETS = {
    "nano": AudioTransformerConfig(
        width=192,
        num_layers=6,
        num_heads=4,
        ffn_width=576,
        context_widths=(128,),
        vision_width=128,
        latent_channels=64,
        mixes_neighbours=True,
    ),
    "paper": AudioTransformerConfig(
        width=4608, num_layers=36, num_heads=36, ffn_width=18432, context_widths=(768,), vision_width=1024
    ),
}

AUDIO_TEXT_PRESETS = {
    "nano": ByteEncoderConfig(width=128, num_layers=2, num_heads=2, ffn_width=320, max_bytes=640),
    "paper": ByteEncoderConfig(width=768, num_layers=12, num_heads=12, ffn_width=2048, max_bytes=1024),
}
"""The reader of sound captions, another than the video model's as in the paper, whose place for T5-base it
takes; ``paper`` has that size."""


class GatedFeatures(nn.Module):
    """Features of the picture, frame by frame, behind a learned gate per channel; no features add nothing."""

    def __init__(self, width_in: int, width: int, operations: ModuleType, **factory: Any) -> None:  # noqa: ANN401
        super().__init__()
        self.project = operations.Linear(width_in, width, bias=False, **factory)
        self.gate = operations.Embedding(1, width, **factory)
        self.gate.weight.is_table = True
        with torch.no_grad():
            self.gate.weight.fill_(FIRST_GATE)

    def forward(self, features_BFC: Tensor) -> Tensor:
        """(B, F, feature width) -> (B, F, width)."""
        row = torch.zeros(1, dtype=torch.int64, device=features_BFC.device)
        return self.gate(row).to(features_BFC.dtype).tanh() * self.project(rms_norm(features_BFC))


class AudioTransformer(nn.Module):
    """Velocity of a noisy latent sound at time t under text, picture and the sound that is already there."""

    def __init__(
        self,
        config: AudioTransformerConfig,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        operations: ModuleType = nn,  # type: ignore[assignment]
        attention: Attend = attend,
    ) -> None:
        super().__init__()
        factory = {"device": device, "dtype": dtype}
        self.config = config
        self.conditioning = JointConditioning(config.context_widths, config.width, operations, **factory)
        self.patch = operations.Linear(2 * config.latent_channels, config.width, bias=False, **factory)
        self.video = GatedFeatures(config.vision_width, config.width, operations, **factory)
        self.time = TimeEmbedding(config.width, operations, **factory)
        self.modulation = SharedModulation(config.width, 6, operations, **factory)
        self.blocks = nn.ModuleList(
            Block(
                config.width,
                config.num_heads,
                2 * config.ffn_width // 3,
                operations,
                attention,
                mix=TimeMix(config.width, operations, **factory) if config.mixes_neighbours else None,
                **factory,
            )
            for _ in range(config.num_layers)
        )
        self.head = Head(config.width, config.latent_channels, operations, **factory)
        self.reset()

    @torch.no_grad()
    def reset(self) -> None:
        """Fresh weights: every block the identity, the output zero."""
        self.modulation.project.weight.zero_()
        self.head.reset()
        for block in self.blocks:
            block.reset()

    def context(self, features: Sequence[Tensor], masks: Sequence[Tensor] | None = None) -> Context:
        """One (B, K_i, C_i) and one mask per text encoder, to what ``forward`` takes."""
        return self.conditioning(features, masks)

    def computed_ahead(self, context: Context) -> Context:
        """The same context with every layer's keys and values, for a sampler that asks many times."""
        return context.computed_ahead(self.blocks)

    def forward(
        self,
        x_BCF: Tensor,
        t_B: Tensor,
        context: Context,
        *,
        known_BCF: Tensor | None = None,
        video_BFC: Tensor | None = None,
    ) -> Tensor:
        """Velocity (data minus noise) of a noisy latent sound.

        Known sound or features of another length than the latent are refused with a GeometryError.

        Args:
            x_BCF: (B, 128, F); any F, any float dtype.
            t_B: (B,) times, 0 noise to 1 data.
            context: from ``context`` or ``computed_ahead``.
            known_BCF: (B, 128, F), the sound that is already there, 0 where it is to be made; None when all
                is to be made.
            video_BFC: (B, F, vision width), features of what is seen at each latent frame, 0 where nothing
                is; None without a picture.

        Returns:
            (B, 128, F), the dtype of x.

        Source: Movie Gen, audio.
        """
        self._check_lengths(x_BCF, known_BCF, video_BFC)
        dtype = context.tokens_BKC.dtype
        known_BCF = torch.zeros_like(x_BCF) if known_BCF is None else known_BCF.to(x_BCF.dtype)
        x_BLC = self.patch(torch.cat([x_BCF, known_BCF], dim=1).to(dtype).transpose(1, 2))
        if video_BFC is not None:
            x_BLC = x_BLC + self.video(video_BFC.to(dtype))
        time_BC = self.time(t_B, dtype)
        shared_BKC = self.modulation(time_BC)
        angles_LD = rotary_angles(x_BLC.shape[1], self.config.head_width, x_BLC.device)
        mask_B11K = key_mask(context.mask_BK)
        seen = context.keys_values or [context.tokens_BKC] * len(self.blocks)
        for block, tokens in zip(self.blocks, seen, strict=True):
            x_BLC = block(x_BLC, shared_BKC, tokens, mask_B11K, angles_LD)
        return self.head(x_BLC, time_BC).transpose(1, 2).to(x_BCF.dtype)

    def _check_lengths(self, x_BCF: Tensor, known_BCF: Tensor | None, video_BFC: Tensor | None) -> None:
        frames, channels = x_BCF.shape[-1], self.config.latent_channels
        known = (channels, frames) if known_BCF is None else tuple(known_BCF.shape[1:])
        seen = frames if video_BFC is None else video_BFC.shape[1]
        if (known, seen) != ((channels, frames), frames):
            raise GeometryError(
                f"a latent of {channels}x{frames} came with known sound of {known[0]}x{known[1]} and features"
                f" for {seen} frames; all of them need {frames} frames"
            )
