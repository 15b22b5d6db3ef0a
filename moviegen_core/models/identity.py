"""The identity encoder: of a face's picture it makes tokens, a vector that tells who it is, and a verdict.

The tokens go beside the text's to the video model; the verdict says whether the picture is a face at all.
Takes the place of the paper's Long-prompt MetaCLIP tower with its projection. It is small and trained on the
theatre's people: its likeness is no face recognizer's. Token count, size and the other heads are our choice.

Source: Movie Gen, section 4.
"""

# Shape letters: B face, L token, C channel, H row, W column.

from dataclasses import asdict, dataclass
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..layers.norms import rms_norm
from .vision import VISION_PRESETS, FrameEncoder, FrameEncoderConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityEncoderConfig(FrameEncoderConfig):
    """Shape of an identity encoder; ``feature_width`` is that of the identity vector."""

    token_width: int
    """Width of the video model that the tokens go to."""


def _config(name: str, token_width: int) -> IdentityEncoderConfig:
    return IdentityEncoderConfig(**asdict(VISION_PRESETS[name]), token_width=token_width)


IDENTITY_PRESETS = {"nano": _config("nano", 256), "paper": _config("paper", 6144)}


class IdentityEncoder(FrameEncoder):
    """Face pictures of (B, 3, S, S) in -1..1, S the config's size."""

    config: IdentityEncoderConfig

    def __init__(
        self,
        config: IdentityEncoderConfig,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        operations: ModuleType = nn,  # type: ignore[assignment]
    ) -> None:
        super().__init__(config, device=device, dtype=dtype, operations=operations)
        factory = {"device": device, "dtype": dtype}
        self.project = operations.Linear(config.width, config.token_width, bias=False, **factory)
        self.norm = operations.LayerNorm(config.token_width, **factory)
        self.is_face = operations.Linear(config.feature_width, 1, **factory)

    def tokens(self, faces_BCHW: Tensor) -> Tensor:
        """What the video model reads of each face, (B, L, token width)."""
        return self.norm(self.project(rms_norm(self._seen(faces_BCHW))))

    def tokens_of(self, references: list[Tensor]) -> Tensor:
        """Tokens of one person's pictures, side by side: (1, sum of L, token width)."""
        return torch.cat([self.tokens(one) for one in references], dim=1)

    def look(self, faces_BCHW: Tensor) -> tuple[Tensor, Tensor]:
        """Identity vectors of length one, (B, C), and how surely each picture is a face, (B,) logits."""
        features_BC = self(faces_BCHW[:, :, None])[:, 0]
        return F.normalize(features_BC.float(), dim=1), self.is_face(features_BC)[:, 0].float()

    def _seen(self, faces_BCHW: Tensor) -> Tensor:
        x_BLC = self._tokens(faces_BCHW.to(self.patch.weight.dtype))
        for block in self.blocks:
            x_BLC = block(x_BLC)
        return x_BLC
