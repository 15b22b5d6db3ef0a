"""2.5D convolution: space first, then time (Movie Gen, temporal autoencoder)."""

# Shape letters: B clip, C channel, T frame, H row, W column.

from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def pad_time(x_BCTHW: Tensor, frames: int = 1) -> Tensor:
    """Repeat the first and last frame ``frames`` times: symmetric replicate padding, as the paper's."""
    return F.pad(x_BCTHW, (0, 0, 0, 0, frames, frames), mode="replicate")


class FactorizedConv(nn.Module):
    """A 3x3 convolution on each frame, then a 3-tap convolution along time.

    The temporal kernel starts as the identity, so that a fresh model treats a clip as separate pictures
    ("centric" start); time learns from there. A ``flat`` one has no temporal kernel at all: it belongs to the
    image autoencoder that a temporal one is inflated from. Source: Movie Gen, temporal autoencoder; kernel
    sizes are our choice.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        operations: ModuleType,
        *,
        space_stride: int = 1,
        time_stride: int = 1,
        flat: bool = False,
        **factory: Any,  # noqa: ANN401
    ) -> None:
        super().__init__()
        self.space = operations.Conv3d(
            channels_in, channels_out, (1, 3, 3), (1, space_stride, space_stride), (0, 1, 1), **factory
        )
        self.flat = flat
        if not flat:
            self.time = operations.Conv3d(
                channels_out, channels_out, (3, 1, 1), (time_stride, 1, 1), **factory
            )
            self.reset_time()

    @torch.no_grad()
    def reset_time(self) -> None:
        """Make the temporal kernel pass its centre frame through unchanged."""
        self.time.weight.zero_()
        self.time.weight[:, :, 1, 0, 0] = torch.eye(self.time.weight.shape[0]).to(self.time.weight)
        self.time.bias.zero_()

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        """(B, C, T, H, W) -> (B, C', ceil(T / time_stride), H / space_stride, W / space_stride)."""
        return self.along_time(self.space(x_BCTHW))

    def along_time(self, x_BCTHW: Tensor) -> Tensor:
        """The temporal half alone; a flat one has none."""
        return x_BCTHW if self.flat else self.time(pad_time(x_BCTHW))
