"""Byte-level text encoder, trained with the video model.

Takes the place of the paper's UL2, ByT5 and Long-prompt MetaCLIP in the nano cast: it reads any language and
emoji, needs no vocabulary file, and gives one context token per byte, so prompt weights land on the letters
they were put on. The ``paper`` preset has the size of ByT5-small's encoder. Our choice throughout.
"""

# Shape letters: B prompt, L byte, C channel.

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import PromptError, SettingsError
from ..layers.attention import key_mask
from ..layers.block import EncoderBlock

PAD, END, FIRST_BYTE = 0, 1, 2
VOCABULARY = FIRST_BYTE + 256


@dataclass(frozen=True, slots=True, kw_only=True)
class ByteEncoderConfig:
    """Shape of a byte encoder."""

    width: int
    num_layers: int
    num_heads: int
    ffn_width: int
    max_bytes: int = 512
    """Longest prompt in UTF-8 bytes, prefix included."""

    def __post_init__(self) -> None:
        if self.width % self.num_heads:
            raise SettingsError(f"width {self.width} is not a multiple of num_heads {self.num_heads}")


TEXT_PRESETS = {
    "nano": ByteEncoderConfig(width=192, num_layers=4, num_heads=4, ffn_width=512),
    "paper": ByteEncoderConfig(width=1472, num_layers=12, num_heads=16, ffn_width=3584, max_bytes=1024),
}


def check_prompt(prompt: str, max_bytes: int) -> None:
    """Refuse a prompt that says nothing or that the encoder would have to cut.

    Args:
        prompt: what the user wrote.
        max_bytes: what the encoder reads, prefix included.

    Raises:
        PromptError: empty, or too long.
    """
    if not prompt.strip():
        raise PromptError(
            "the prompt is empty; describe the clip, for example: a red ball bounces on the beach"
        )
    size = len(prompt.encode("utf-8", errors="replace"))
    room = max_bytes - 32
    if size > room:
        raise PromptError(f"the prompt is {size} bytes long and this cast reads {room}; shorten it")


def tokenize(prompts: Sequence[str], multiple: int = 16) -> tuple[Tensor, Tensor]:
    """UTF-8 bytes of prompts with an end mark each, padded to a common length.

    Args:
        prompts: any text; the empty prompt becomes the end mark alone.
        multiple: the common length is rounded up to this.

    Returns:
        Ids (B, L) int64 and the mask (B, L), True where a token counts.
    """
    rows = [
        [byte + FIRST_BYTE for byte in prompt.encode("utf-8", errors="replace")] + [END] for prompt in prompts
    ]
    length = -(-max(len(row) for row in rows) // multiple) * multiple
    ids_BL = torch.tensor([row + [PAD] * (length - len(row)) for row in rows])
    return ids_BL, ids_BL != PAD


class ByteEncoder(nn.Module):
    """Bytes to one feature vector each; a 5-byte convolution lets letters meet before attention begins."""

    def __init__(
        self,
        config: ByteEncoderConfig,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        operations: ModuleType = nn,  # type: ignore[assignment]
    ) -> None:
        super().__init__()
        factory = {"device": device, "dtype": dtype}
        self.config = config
        self.bytes = operations.Embedding(VOCABULARY, config.width, **factory)
        self.positions = operations.Embedding(config.max_bytes, config.width, **factory)
        for table in (self.bytes, self.positions):
            table.weight.is_table = True
            nn.init.normal_(table.weight, std=0.5)
        self.letters = operations.Conv1d(config.width, config.width, 5, padding=2, **factory)
        self.blocks = nn.ModuleList(
            EncoderBlock(config.width, config.num_heads, config.ffn_width, operations, **factory)
            for _ in range(config.num_layers)
        )
        self.norm = operations.LayerNorm(config.width, **factory)

    def forward(self, ids_BL: Tensor, mask_BL: Tensor | None = None) -> Tensor:
        """Features of tokenized prompts.

        Args:
            ids_BL: (B, L) from ``tokenize``.
            mask_BL: (B, L), True where a token counts; None when all do.

        Returns:
            (B, L, C); rows of padding hold nothing of use.

        Raises:
            PromptError: L is longer than the encoder's positions.
        """
        if ids_BL.shape[1] > self.config.max_bytes:
            raise PromptError(
                f"a prompt of {ids_BL.shape[1]} bytes is too long; at most {self.config.max_bytes} fit"
            )
        places = torch.arange(ids_BL.shape[1], device=ids_BL.device)
        x = self.bytes(ids_BL) + self.positions(places)
        if mask_BL is not None:  # the convolution must not see padding
            x = x.masked_fill(~mask_BL[:, :, None], 0)
        x = x + F.silu(self.letters(x.transpose(1, 2)).transpose(1, 2))
        for block in self.blocks:
            x = block(x, key_mask(mask_BL))
        return self.norm(x)
