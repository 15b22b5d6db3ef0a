"""Factorized learned positions: one table each for time, height and width, summed (Movie Gen, section 3).

Sizes beyond a table are reached by linear interpolation; the paper expands its tables between stages without
saying how.
"""

# Shape letters: B clip, T frame, H row, W column, C channel, L token.

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def table_rows(table_NC: Tensor, count: int) -> Tensor:
    """The first ``count`` rows; more than there are come from stretching the whole table over them."""
    if count <= table_NC.shape[0]:
        return table_NC[:count]
    stretched = F.interpolate(table_NC.float().T[None], size=count, mode="linear", align_corners=True)
    return stretched[0].T.to(table_NC.dtype)


@dataclass(frozen=True, slots=True)
class Place:
    """Where clips lie that are cut out of larger ones, or begin later; in tokens."""

    whole: tuple[int, int, int]
    """(frames, rows, columns) of what they are cut out of."""
    corners_B3: Tensor
    """First frame, row and column of each, int64."""


class FactorizedPositions(nn.Module):
    """Position vectors of a (T, H, W) grid of tokens."""

    def __init__(
        self,
        sizes: tuple[int, int, int],
        width: int,
        operations: ModuleType,
        **factory: Any,  # noqa: ANN401
    ) -> None:
        super().__init__()
        self.frames, self.rows, self.columns = (
            operations.Embedding(size, width, **factory) for size in sizes
        )
        for table in (self.frames, self.rows, self.columns):
            table.weight.is_table = True
            nn.init.normal_(table.weight, std=0.02)

    def forward(self, grid: tuple[int, int, int], place: Place | None = None) -> Tensor:
        """(T, H, W) counts -> (T * H * W, C); with a ``place`` for each clip its own (B, T * H * W, C)."""
        tables, counts = (self.frames, self.rows, self.columns), grid if place is None else place.whole
        t, h, w = (table_rows(self._whole(table), count) for table, count in zip(tables, counts, strict=True))
        if place is None:
            return (t[:, None, None] + h[:, None] + w).flatten(0, 2)
        t, h, w = (
            rows_NC[corner_B[:, None] + torch.arange(count, device=rows_NC.device)]
            for rows_NC, corner_B, count in zip((t, h, w), place.corners_B3.to(t.device).T, grid, strict=True)
        )
        return (t[:, :, None, None] + h[:, None, :, None] + w[:, None, None]).flatten(1, 3)

    @staticmethod
    def _whole(table: nn.Embedding) -> Tensor:
        # called, not read: a host that offloads weights hooks the call
        return table(torch.arange(table.num_embeddings, device=table.weight.device))
