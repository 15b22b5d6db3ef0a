"""Multi-head attention, shared by every transformer of the cast: no biases, no causal mask (Movie Gen)."""

# Shape letters: B clip, L query token, K key token, C channel, N head, D head dim.

from collections.abc import Callable
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Attend = Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor]
"""(q, k, v of (B, N, L, D), mask (B, 1, 1, K) True where a key counts, or None) -> (B, N, L, D)."""


def attend(q_BNLD: Tensor, k_BNKD: Tensor, v_BNKD: Tensor, mask_B11K: Tensor | None = None) -> Tensor:
    """Scaled dot-product attention by torch; a host may pass its own instead."""
    return F.scaled_dot_product_attention(q_BNLD, k_BNKD, v_BNKD, attn_mask=mask_B11K)


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

    def forward(self, x_BLC: Tensor, mask_B11K: Tensor | None = None) -> Tensor:
        """(B, L, C) -> (B, L, C)."""
        q, k, v = (split_heads(part, self.num_heads) for part in self.qkv(x_BLC).chunk(3, dim=-1))
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

    def forward(self, x_BLC: Tensor, context_BKC: Tensor, mask_B11K: Tensor | None) -> Tensor:
        """(B, L, C) and (B, K, C) -> (B, L, C)."""
        q = split_heads(self.q(x_BLC), self.num_heads)
        k, v = (split_heads(part, self.num_heads) for part in self.kv(context_BKC).chunk(2, dim=-1))
        return self.out(merge_heads(self.attention(q, k, v, mask_B11K)))


def key_mask(mask_BK: Tensor | None) -> Tensor | None:
    """Token mask (B, K) as an attention mask (B, 1, 1, K); None stays None."""
    return None if mask_BK is None else mask_BK[:, None, None, :].to(torch.bool)
