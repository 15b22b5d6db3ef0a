"""Close-ups: lessons in a small box of a latent around an actor, at its own place in the whole.

Actors cover a twentieth of a picture, so nearly all that a small budget buys is backdrop. A transformer that
takes any set of tokens can learn from those around an actor alone, several times as many actors for the same
work; lessons on whole clips in between teach how the parts go together. After training on masked tokens
(Zheng et al., 2024) and on patches (Wang et al., 2023). Our choice.
"""

# Shape letters: B clip, C channel, T latent frame, H row, W column.

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

Box = tuple[int, int, int]
"""(frames, rows, columns)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseUps:
    """How often lessons are close-ups, and of what size."""

    share: float
    """Of all lessons."""
    box: Box
    """Tokens; of a smaller latent all there are."""
    tokens_per_step: int
    """Batches of every bucket hold about as many."""


def box_in(whole: Box, wanted: Box) -> Box:
    """As much of the ``wanted`` box as a latent of ``whole`` tokens holds."""
    frames, rows, columns = (min(pair) for pair in zip(whole, wanted, strict=True))
    return frames, rows, columns


def draw_corners(mattes_B1THW: Tensor, patch: Box, box: Box, rng: random.Random) -> Tensor:
    """First frame, row and column, in tokens, of a box for each clip.

    Its middle is a cell drawn where an actor is, the more often the more of it; without an actor, anywhere.

    Args:
        mattes_B1THW: how much of each latent cell an actor covers, 0 to 1.
        patch: latent cells of a token.
        box: tokens of the box.
        rng: decides.

    Returns:
        (B, 3) int64.
    """
    return torch.tensor([_corner(matte[0], patch, box, rng) for matte in mattes_B1THW])


def _corner(matte_THW: Tensor, patch: Box, box: Box, rng: random.Random) -> list[int]:
    covered = matte_THW.flatten().tolist()
    weights = covered if sum(covered) > 0 else [1.0] * len(covered)
    cell = rng.choices(range(len(weights)), weights)[0]
    _, rows, columns = matte_THW.shape
    middle = cell // (rows * columns), cell // columns % rows, cell % columns
    return [
        max(0, min(at // side - size // 2, length // side - size))
        for at, side, size, length in zip(middle, patch, box, matte_THW.shape, strict=True)
    ]


def cut_out(latents: Tensor, corners_B3: Tensor, patch: Box, box: Box) -> Tensor:
    """The boxes of (B, C, T, H, W) latents: (B, C, t, h, w) cells."""
    pairs = zip(latents, corners_B3.tolist(), strict=True)
    return torch.stack([latent[(slice(None), *_cells(corner, patch, box))] for latent, corner in pairs])


def _cells(corner: Sequence[int], patch: Box, box: Box) -> tuple[slice, ...]:
    sides = zip(corner, patch, box, strict=True)
    return tuple(slice(first * side, (first + size) * side) for first, side, size in sides)
