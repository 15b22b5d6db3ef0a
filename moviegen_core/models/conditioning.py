"""Joint conditioning: several encoders' tokens, side by side along the sequence (Movie Gen, section 2)."""

# Shape letters: B clip, K context token, C channel.

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from ..layers.attention import KeysValues
from ..layers.block import Block


@dataclass(frozen=True, slots=True)
class Context:
    """What cross-attention looks at."""

    tokens_BKC: Tensor
    mask_BK: Tensor | None = None
    """True where a token counts; None when all do."""
    keys_values: tuple[KeysValues, ...] = ()
    """Of every layer, where they were computed ahead."""

    def joined(self, tokens_BKC: Tensor, mask_BK: Tensor | None = None) -> "Context":
        """With more tokens behind (a reference face, a task): those of the mask count, all when None."""
        tokens = torch.cat([self.tokens_BKC, tokens_BKC.to(self.tokens_BKC)], dim=1)
        if self.mask_BK is None and mask_BK is None:
            return Context(tokens)
        masks = [
            torch.ones(part.shape[:2], dtype=torch.bool, device=tokens.device) if mask is None else mask
            for mask, part in ((self.mask_BK, self.tokens_BKC), (mask_BK, tokens_BKC))
        ]
        return Context(tokens, torch.cat(masks, dim=1))

    def computed_ahead(self, blocks: Iterable[Block]) -> "Context":
        """The same with every block's keys and values, for a sampler that asks many times."""
        layers = [block.cross_attention.keys_values(self.tokens_BKC) for block in blocks]
        return replace(self, keys_values=tuple(layers))


class JointConditioning(nn.Module):
    """A Linear and a LayerNorm per encoder, then concatenation along the sequence."""

    def __init__(
        self,
        encoder_widths: tuple[int, ...],
        width: int,
        operations: ModuleType,
        **factory: Any,  # noqa: ANN401
    ) -> None:
        super().__init__()
        self.projections = nn.ModuleList(
            operations.Linear(one, width, bias=False, **factory) for one in encoder_widths
        )
        self.norms = nn.ModuleList(operations.LayerNorm(width, **factory) for _ in encoder_widths)

    def forward(self, features: Sequence[Tensor], masks: Sequence[Tensor] | None = None) -> Context:
        """One (B, K_i, C_i) and one mask (B, K_i) per encoder -> a Context of (B, sum K_i, C)."""
        pairs = zip(self.projections, self.norms, features, strict=True)
        tokens = [norm(projection(feature)) for projection, norm, feature in pairs]
        return Context(torch.cat(tokens, dim=1), None if masks is None else torch.cat(list(masks), dim=1))
