"""Norms that see one position of one frame and nothing around it."""

from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn


class PixelNorm(nn.Module):
    """LayerNorm over the channels of every cell of a (B, C, T, H, W) tensor.

    Neither neighbouring frames nor neighbouring pixels enter the statistics, so a clip decodes the same
    whole, in temporal chunks or in tiles. Our choice; the paper's autoencoder does not state its norm.
    """

    def __init__(self, channels: int, operations: ModuleType, **factory: Any) -> None:  # noqa: ANN401
        super().__init__()
        self.norm = operations.LayerNorm(channels, eps=1e-6, **factory)

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        """Normalize each cell over its channels."""
        return self.norm(x_BCTHW.permute(0, 2, 3, 4, 1)).permute(0, 4, 1, 2, 3)


def rms_norm(x_BLC: Tensor, eps: float = 1e-6) -> Tensor:
    """Divide each token by its root mean square; no gain, as what follows would absorb it."""
    lengths_BL1 = torch.linalg.vector_norm(x_BLC, dim=-1, keepdim=True)
    return x_BLC * (x_BLC.shape[-1] ** 0.5 / (lengths_BL1 + eps))
