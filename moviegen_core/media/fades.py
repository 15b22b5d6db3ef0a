"""Coming in, going out, and passing from one sound to the next."""

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, repeat

import torch
from torch import Tensor

from ..errors import MediaError, SettingsError
from .sound import BLOCK, Sound, cut

CURVES = ("equal-power", "linear")
"""Equal power suits sounds that have nothing in common, linear two takes of the same."""


def rising(num_samples: int, curve: str = "equal-power") -> Tensor:
    """The way up from silence, (S,) float32; ``flip`` it for the way down.

    Args:
        num_samples: how long it takes.
        curve: "equal-power": the squares of both ways sum to one; "linear": the ways themselves do.

    Returns:
        Factors above 0 and below 1.

    Raises:
        SettingsError: another curve.
    """
    if curve not in CURVES:
        raise SettingsError(f"curve {curve!r} is unknown; use one of {', '.join(CURVES)}")
    share = (torch.arange(num_samples, dtype=torch.float64) + 0.5) / max(1, num_samples)
    return (share if curve == "linear" else torch.sin(share * math.pi / 2)).float()


def faded(sound: Sound, num_samples: int, fade_in: int, fade_out: int, curve: str = "equal-power") -> Sound:
    """Let a sound come in and go out.

    Args:
        sound: to be heard.
        num_samples: its length, which decides where the fade out begins; see ``exactly``.
        fade_in: samples from silence to full.
        fade_out: samples from full to silence; where both meet, both apply.
        curve: see ``rising``.

    Returns:
        The sound, as long as before.
    """
    up, down = rising(fade_in, curve), rising(fade_out, curve).flip(0)

    def change(blocks: Iterator[Tensor]) -> Iterator[Tensor]:
        start = 0
        for block in blocks:
            _scale(block, up, -start)
            _scale(block, down, num_samples - fade_out - start)
            start += block.shape[1]
            yield block

    return sound.through(change) if fade_in or fade_out else sound


def crossfaded(first: Sound, second: Sound, overlap: int, curve: str = "equal-power") -> Sound:
    """Pass from one sound to the next while both are heard.

    Args:
        first: heard from the start.
        second: of the same rate and speakers; begins ``overlap`` samples before the first ends.
        overlap: samples per channel, at least 1.
        curve: see ``rising``.

    Returns:
        A sound as long as both together less the overlap.

    Raises:
        SettingsError: no overlap, or another curve.
        MediaError: they differ in rate or speakers; or, once heard, one of them is shorter than the overlap.
    """
    if overlap < 1:
        raise SettingsError(f"an overlap of {overlap} samples is none; give at least 1")
    if (first.sample_rate, first.speakers) != (second.sample_rate, second.speakers):
        raise MediaError("sounds of different rates or channels cannot meet; resample and remix them first")
    up = rising(overlap, curve)

    def chunks() -> Iterator[Tensor]:
        held = torch.zeros(len(first.speakers), 0)
        for block in first.blocks():
            held = torch.cat([held, block], dim=1)
            yield held[:, : max(0, held.shape[1] - overlap)]
            held = held[:, -overlap:]
        rest = cut(second.chunks(), chain([overlap], repeat(BLOCK)))
        head = next(rest, held[:, :0])
        if min(held.shape[1], head.shape[1]) < overlap:
            raise MediaError(f"a sound is shorter than the overlap of {overlap} samples; shorten the overlap")
        yield held * up.flip(0) + head * up
        yield from rest

    return replace(first, chunks=chunks)


def _scale(block: Tensor, factors: Tensor, start: int) -> None:
    """Multiply the part of a block on which factors fall that begin at ``start`` within it."""
    left, right = max(0, start), min(block.shape[1], start + len(factors))
    if left < right:
        block[:, left:right] *= factors[left - start : right - start]
