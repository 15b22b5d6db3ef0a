"""The block and the head that the video and the audio transformer share, and the block of the encoders.

Source: Movie Gen, section 3: LLaMa's block with cross-attention between self-attention and feed-forward,
modulation by time, and no causal mask. Silent points that are our choice: no QK-norm, an RMS norm before
cross-attention, a modulated linear head, gates that start at 1 over zero output projections.
"""

# Shape letters: B clip, L token, K context token or modulation vector, C channel, D half a head's width.

from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from .attention import Attend, CrossAttention, KeysValues, SelfAttention
from .feed_forward import SwiGLU
from .local_mix import LocalMix, TimeMix
from .modulation import LayerBias, SharedModulation, modulate
from .norms import rms_norm


class Block(nn.Module):
    """Self-attention, cross-attention, feed-forward; time scales, shifts and gates the first and the last."""

    def __init__(
        self,
        width: int,
        num_heads: int,
        ffn_width: int,
        operations: ModuleType,
        attention: Attend,
        *,
        mix: LocalMix | TimeMix | None = None,
        reads: bool = True,
        **factory: Any,  # noqa: ANN401
    ) -> None:
        super().__init__()
        self.mix = mix
        self.modulation = LayerBias(width, 6, operations, **factory)
        self.self_attention = SelfAttention(width, num_heads, operations, attention, **factory)
        self.cross_attention = (
            CrossAttention(width, num_heads, operations, attention, **factory) if reads else None
        )
        self.ffn = SwiGLU(width, ffn_width, operations, **factory)

    def forward(
        self,
        x_BLC: Tensor,
        shared_BKC: Tensor,
        context: Tensor | KeysValues | None,
        mask_B11K: Tensor | None,
        angles_LD: Tensor | None = None,
        grid: tuple[int, int, int] = (1, 1, 1),
    ) -> Tensor:
        """(B, L, C) -> (B, L, C).

        With ``angles_LD`` self-attention turns by place; a block that mixes neighbours needs the ``grid`` of
        tokens (T, H, W), one that reads a ``context``.
        """
        x_BLC = x_BLC if self.mix is None else x_BLC + self.mix(rms_norm(x_BLC), grid)
        scale1, shift1, gate1, scale2, shift2, gate2 = self.modulation(shared_BKC)
        seen_BLC = modulate(rms_norm(x_BLC), scale1, shift1)
        x_BLC = torch.addcmul(x_BLC, gate1, self.self_attention(seen_BLC, angles_LD=angles_LD))
        if self.cross_attention is not None:
            x_BLC = x_BLC + self.cross_attention(rms_norm(x_BLC), context, mask_B11K)
        return torch.addcmul(x_BLC, gate2, self.ffn(modulate(rms_norm(x_BLC), scale2, shift2)))

    @torch.no_grad()
    def reset(self) -> None:
        """Start as the identity: gates 1, output projections 0, neighbours unmixed."""
        if self.mix is not None:
            self.mix.reset()
        self.modulation.table.weight.zero_()
        self.modulation.table.weight[[2, 5]] = 1
        if self.cross_attention is not None:
            self.cross_attention.out.weight.zero_()
        self.self_attention.out.weight.zero_()
        self.ffn.down.weight.zero_()


class Head(nn.Module):
    """Tokens to velocities."""

    def __init__(self, width: int, channels_out: int, operations: ModuleType, **factory: Any) -> None:  # noqa: ANN401
        super().__init__()
        self.shared = SharedModulation(width, 2, operations, **factory)
        self.modulation = LayerBias(width, 2, operations, **factory)
        self.project = operations.Linear(width, channels_out, bias=False, **factory)

    def forward(self, x_BLC: Tensor, time_BC: Tensor) -> Tensor:
        """(B, L, C) -> (B, L, channels out)."""
        scale, shift = self.modulation(self.shared(time_BC))
        return self.project(modulate(rms_norm(x_BLC), scale, shift))

    @torch.no_grad()
    def reset(self) -> None:
        """Start by predicting nothing."""
        for parameter in self.parameters():
            parameter.zero_()


class EncoderBlock(nn.Module):
    """Self-attention and feed-forward, each behind a norm and around a skip: no time, no context."""

    def __init__(
        self,
        width: int,
        num_heads: int,
        ffn_width: int,
        operations: ModuleType,
        **factory: Any,  # noqa: ANN401
    ) -> None:
        super().__init__()
        self.norm1 = operations.LayerNorm(width, **factory)
        self.attention = SelfAttention(width, num_heads, operations, **factory)
        self.norm2 = operations.LayerNorm(width, **factory)
        self.ffn = SwiGLU(width, ffn_width, operations, **factory)

    def forward(self, x_BLC: Tensor, mask_B11L: Tensor | None = None) -> Tensor:
        """(B, L, C) -> (B, L, C)."""
        x_BLC = x_BLC + self.attention(self.norm1(x_BLC), mask_B11L)
        return x_BLC + self.ffn(self.norm2(x_BLC))
