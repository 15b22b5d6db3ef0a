"""Multi-head attention, shared by every transformer of the cast: no biases, no causal mask (Movie Gen)."""

# Shape letters: B clip, L query token, K key token, C channel, N head, D head dim (of angles: half), M = B*N
# products.

from collections.abc import Callable
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .rotary import rotate

KeysValues = tuple[Tensor, Tensor]
"""Keys and values of one layer, each (B, N, K, D)."""
Attend = Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor]
"""(q, k, v of (B, N, L, D), mask (B, 1, 1, K) True where a key counts, or None) -> (B, N, L, D)."""


MAX_SCORES = 2**24
"""Largest table of attention scores that is worth being written out."""


def attend(q_BNLD: Tensor, k_BNKD: Tensor, v_BNKD: Tensor, mask_B11K: Tensor | None = None) -> Tensor:
    """Scaled dot-product attention; a host may pass its own instead."""
    num_scores = q_BNLD.shape[:3].numel() * k_BNKD.shape[2]
    if q_BNLD.dtype == torch.bfloat16 and q_BNLD.device.type == "cpu" and num_scores <= MAX_SCORES:
        return attend_in_products(q_BNLD, k_BNKD, v_BNKD, mask_B11K)
    return F.scaled_dot_product_attention(q_BNLD, k_BNKD, v_BNKD, attn_mask=mask_B11K)


def attend_in_products(
    q_BNLD: Tensor, k_BNKD: Tensor, v_BNKD: Tensor, mask_B11K: Tensor | None = None
) -> Tensor:
    """Two matrix products around a softmax: in bfloat16 on a CPU faster than torch's fused kernel."""
    B, N, L, D = q_BNLD.shape
    q_MLD, k_MKD, v_MKD = (part.reshape(B * N, -1, D) for part in (q_BNLD, k_BNKD, v_BNKD))
    bias_M1K = q_MLD.new_zeros(1, 1, 1)
    if mask_B11K is not None:
        bias_B11K = bias_M1K.masked_fill(~mask_B11K, -torch.inf)
        bias_M1K = bias_B11K.expand(-1, N, -1, -1).reshape(B * N, 1, -1)
    scores_MLK = torch.baddbmm(bias_M1K, q_MLD, k_MKD.mT, beta=int(mask_B11K is not None), alpha=D**-0.5)
    return torch.bmm(scores_MLK.softmax(dim=-1), v_MKD).view(B, N, L, D)


def split_heads(x_BLC: Tensor, num_heads: int) -> Tensor:
    """(B, L, N * D) -> (B, N, L, D)."""
    return x_BLC.unflatten(-1, (num_heads, -1)).transpose(1, 2)


def merge_heads(x_BNLD: Tensor) -> Tensor:
    """(B, N, L, D) -> (B, L, N * D)."""
    return x_BNLD.transpose(1, 2).flatten(2)


class SelfAttention(nn.Module):
    """Every token of a clip looks at every other."""

    def __init__(
        self,
        width: int,
        num_heads: int,
        operations: ModuleType,
        attention: Attend = attend,
        **factory: Any,  # noqa: ANN401
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.attention = attention
        self.qkv = operations.Linear(width, 3 * width, bias=False, **factory)
        self.out = operations.Linear(width, width, bias=False, **factory)

    def forward(
        self, x_BLC: Tensor, mask_B11K: Tensor | None = None, angles_LD: Tensor | None = None
    ) -> Tensor:
        """(B, L, C) -> (B, L, C); with ``angles_LD`` queries and keys are turned by their places first."""
        q, k, v = (split_heads(part, self.num_heads) for part in self.qkv(x_BLC).chunk(3, dim=-1))
        if angles_LD is not None:
            q, k = rotate(q, angles_LD), rotate(k, angles_LD)
        return self.out(merge_heads(self.attention(q, k, v, mask_B11K)))


class CrossAttention(nn.Module):
    """Every token of a clip looks at the context (text, and later image or task tokens)."""

    def __init__(
        self,
        width: int,
        num_heads: int,
        operations: ModuleType,
        attention: Attend = attend,
        **factory: Any,  # noqa: ANN401
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.attention = attention
        self.q = operations.Linear(width, width, bias=False, **factory)
        self.kv = operations.Linear(width, 2 * width, bias=False, **factory)
        self.out = operations.Linear(width, width, bias=False, **factory)

    def forward(self, x_BLC: Tensor, context: Tensor | KeysValues, mask_B11K: Tensor | None) -> Tensor:
        """(B, L, C) and context tokens (B, K, C), or what ``keys_values`` made of them -> (B, L, C)."""
        k, v = self.keys_values(context) if isinstance(context, Tensor) else context
        q = split_heads(self.q(x_BLC), self.num_heads)
        return self.out(merge_heads(self.attention(q, k, v, mask_B11K)))

    def keys_values(self, context_BKC: Tensor) -> KeysValues:
        """What this layer looks up in a context: the same at every step of a sampler."""
        k, v = (split_heads(part, self.num_heads) for part in self.kv(context_BKC).chunk(2, dim=-1))
        return k, v


def key_mask(mask_BK: Tensor | None) -> Tensor | None:
    """Token mask (B, K) as an attention mask (B, 1, 1, K); None stays None."""
    return None if mask_BK is None else mask_BK[:, None, None, :].to(torch.bool)
