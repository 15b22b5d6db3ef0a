"""The video transformer: noise to latent clip (Movie Gen, section 3).

Its block stands in ``layers/block.py``, which the audio transformer shares.
"""

# Shape letters: B clip, C channel, T latent frame, H row, W column, L token, K context token.

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import torch
from torch import Tensor, nn

from ..errors import GeometryError, SettingsError
from ..layers.attention import Attend, KeysValues, attend, key_mask
from ..layers.block import Block, Head
from ..layers.local_mix import LocalMix
from ..layers.modulation import SharedModulation, TimeEmbedding
from ..layers.patches import from_patches, to_patches, token_grid
from ..layers.positions import FactorizedPositions, Place
from .conditioning import Context, JointConditioning


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoTransformerConfig:
    """Shape of a video transformer."""

    width: int
    """Model dimension, shared by every block."""
    num_layers: int
    num_heads: int
    ffn_width: int
    context_widths: tuple[int, ...]
    """Feature width of each text encoder, in the order their features are given; none: it reads nothing."""
    table_sizes: tuple[int, int, int]
    """Learned positions along (frames, rows, columns), in tokens."""
    latent_channels: int = 16
    extra_channels: int = 0
    """Input channels beside the noisy latent, such as a source clip's 16."""
    patch: tuple[int, int, int] = (1, 2, 2)
    """Latent cells per token along (frames, rows, columns)."""
    mixes_neighbours: bool = False
    """Whether every block begins by mixing tokens that touch, as the paper's do not."""

    def __post_init__(self) -> None:
        if self.width % self.num_heads:
            raise SettingsError(f"width {self.width} is not a multiple of num_heads {self.num_heads}")
        if (
            min(self.num_layers, self.latent_channels, *self.table_sizes, *self.patch) < 1
            or self.extra_channels < 0
        ):
            raise SettingsError("video config: layers, channels, tables and patches must be at least 1")

    @property
    def patch_cells(self) -> int:
        """Latent cells per token."""
        return self.patch[0] * self.patch[1] * self.patch[2]


VIDEO_PRESETS = {
    "nano": VideoTransformerConfig(
        width=256,
        num_layers=6,
        num_heads=4,
        ffn_width=704,
        context_widths=(192,),
        table_sizes=(8, 12, 12),
        mixes_neighbours=True,
    ),
    "13b": VideoTransformerConfig(
        width=4608,
        num_layers=38,
        num_heads=36,
        ffn_width=12288,
        context_widths=(4096, 1280, 1472),
        table_sizes=(32, 96, 96),
    ),
    "paper": VideoTransformerConfig(
        width=6144,
        num_layers=48,
        num_heads=48,
        ffn_width=16384,
        context_widths=(4096, 1280, 1472),
        table_sizes=(32, 96, 96),
    ),
}
"""``paper`` is the published 30B; ``13b`` is a size of ours between, with the same proportions."""


class VideoTransformer(nn.Module):
    """Velocity of a noisy latent clip at time t under a context.

    Room for what comes: ``extra`` latents beside the noisy one on channels (edit, upscale), context tokens
    joined by ``Context.joined`` (face, task), and a task vector added to the time embedding (edit).
    """

    def __init__(
        self,
        config: VideoTransformerConfig,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        operations: ModuleType = nn,  # type: ignore[assignment]
        attention: Attend = attend,
    ) -> None:
        super().__init__()
        factory = {"device": device, "dtype": dtype}
        channels, cells = config.latent_channels, config.patch_cells
        self.config = config
        self.conditioning = JointConditioning(config.context_widths, config.width, operations, **factory)
        self.patch = operations.Linear(cells * channels, config.width, bias=False, **factory)
        self.extra_patch = None
        if config.extra_channels:
            extra = cells * config.extra_channels
            self.extra_patch = operations.Linear(extra, config.width, bias=False, **factory)
            self.extra_patch.weight.is_added = True
        self.positions = FactorizedPositions(config.table_sizes, config.width, operations, **factory)
        self.time = TimeEmbedding(config.width, operations, **factory)
        self.modulation = SharedModulation(config.width, 6, operations, **factory)
        self.blocks = nn.ModuleList(
            Block(
                config.width,
                config.num_heads,
                config.ffn_width,
                operations,
                attention,
                mix=LocalMix(config.width, operations, **factory) if config.mixes_neighbours else None,
                reads=bool(config.context_widths),
                **factory,
            )
            for _ in range(config.num_layers)
        )
        self.head = Head(config.width, cells * channels, operations, **factory)
        self.reset()

    @torch.no_grad()
    def reset(self) -> None:
        """Fresh weights: every block the identity, the output zero, extra channels unseen."""
        self.modulation.project.weight.zero_()
        if self.extra_patch is not None:
            self.extra_patch.weight.zero_()
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
        x_BCTHW: Tensor,
        t_B: Tensor,
        context: Context | None,
        *,
        extra_BCTHW: Tensor | None = None,
        task_BC: Tensor | None = None,
        place: Place | None = None,
    ) -> Tensor:
        """Velocity (data minus noise) of a noisy latent clip.

        A latent not made of whole patches, or extra channels other than the config's, are refused with
        a GeometryError.

        Args:
            x_BCTHW: (B, 16, T, H, W), H and W even; any float dtype.
            t_B: (B,) times, 0 noise to 1 data.
            context: from ``context`` or ``computed_ahead``; None for a model without text encoders.
            extra_BCTHW: (B, extra_channels, T, H, W); needed when the config has extra channels.
            task_BC: (B, width), added to the time embedding.
            place: where the latents lie in larger ones, which training draws; None: they are whole.

        Returns:
            (B, 16, T, H, W), the dtype of x.

        Source: Movie Gen, section 3.
        """
        config = self.config
        dtype = self.patch.weight.dtype if context is None else context.tokens_BKC.dtype
        grid = token_grid(tuple(x_BCTHW.shape[2:]), config.patch)  # type: ignore[arg-type]
        x_BLC = self.patch(to_patches(x_BCTHW.to(dtype), config.patch))
        x_BLC = self._with_extra(x_BLC, extra_BCTHW)
        time_BC = self.time(t_B, dtype)
        time_BC = time_BC if task_BC is None else time_BC + task_BC.to(dtype)
        shared_BKC = self.modulation(time_BC)
        positions = self.positions(grid, place).to(x_BLC.dtype)
        mask_B11K = None if context is None else key_mask(context.mask_BK)
        for block, tokens in zip(self.blocks, self._seen(context), strict=True):
            x_BLC = block(x_BLC + positions, shared_BKC, tokens, mask_B11K, grid=grid)
        return from_patches(self.head(x_BLC, time_BC), grid, config.patch).to(x_BCTHW.dtype)

    def _seen(self, context: Context | None) -> Sequence[Tensor | KeysValues | None]:
        """What each block reads."""
        if context is None:
            return [None] * len(self.blocks)
        return context.keys_values or [context.tokens_BKC] * len(self.blocks)

    def _with_extra(self, x_BLC: Tensor, extra_BCTHW: Tensor | None) -> Tensor:
        """The paper concatenates on channels before one projection; a second one, added, is the same."""
        given, wanted = 0 if extra_BCTHW is None else extra_BCTHW.shape[1], self.config.extra_channels
        if given != wanted:
            raise GeometryError(f"{given} extra channels came with the latent; this model reads {wanted}")
        if extra_BCTHW is None or self.extra_patch is None:
            return x_BLC
        return x_BLC + self.extra_patch(to_patches(extra_BCTHW.to(x_BLC), self.config.patch))
