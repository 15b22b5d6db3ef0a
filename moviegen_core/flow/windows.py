"""Overlapping windows over a long axis and the weights that blend them."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import torch
from torch import Tensor

from ..errors import SettingsError


def crossfade_windows(length: int, window: int, overlap: int) -> Iterator[tuple[slice, Tensor]]:
    """Cut ``length`` into overlapping windows with linear crossfades.

    Args:
        length: entries to cover, at least 1.
        window: entries per window; the last may be shorter.
        overlap: entries shared by neighbours, from 1 to half a window.

    Yields:
        A slice and its weights; at every entry the weights of all slices sum to 1.

    Raises:
        SettingsError: the overlap does not fit the window.

    Source: Movie Gen, temporal tiling, with the ramp running from the earlier window to the later one.
    """
    if not 0 < overlap <= window // 2:
        raise SettingsError(
            f"an overlap of {overlap} does not fit a window of {window}; use 1 to {window // 2}"
        )
    ramp = torch.arange(1, overlap + 1) / (overlap + 1)
    for start in range(0, max(length - overlap, 1), window - overlap):
        stop = min(start + window, length)
        weight = torch.ones(stop - start)
        if start > 0:
            weight[:overlap] = ramp
        if stop < length:
            weight[-overlap:] = ramp.flip(0)
        yield slice(start, stop), weight


def triangle_windows(length: int, window: int, hop: int) -> list[tuple[slice, Tensor]]:
    """Cut ``length`` into windows of one size with triangular crossfades, for long sound.

    The last window is moved back to end with the length, so that none is short unless the length itself is.

    Args:
        length: entries to cover, at least 1.
        window: entries per window.
        hop: entries from one window to the next, from 1 to one less than a window.

    Returns:
        Slices and their weights: triangles, scaled so that at every entry the weights of all slices sum to 1.

    Raises:
        SettingsError: the hop does not fit the window, or there is nothing to cover.

    Source: Movie Gen, audio extension: multi-diffusion with a triangle window.
    """
    if length < 1:
        raise SettingsError(f"a length of {length} entries cannot be cut into windows; give 1 or more")
    if not 0 < hop < window:
        raise SettingsError(f"a hop of {hop} does not fit a window of {window}; use 1 to {window - 1}")
    last = max(0, length - window)
    places = [slice(start, min(start + window, length)) for start in chain(range(0, last, hop), [last])]
    slope = torch.arange(1, window + 1, dtype=torch.float64)
    triangle = torch.minimum(slope, slope.flip(0))
    total = torch.zeros(length, dtype=torch.float64)
    for place in places:
        total[place] += triangle[: place.stop - place.start]
    return [(p, (triangle[: p.stop - p.start] / total[p]).float()) for p in places]


def blend_windows(
    piece: Callable[[slice], Tensor], windows: Iterable[tuple[slice, Tensor]], length: int
) -> Tensor:
    """Make a long tensor of windows, one at a time: the weighted sum of what each gives.

    Asked for a velocity at every step of a solver this is multi-diffusion, the paper's way to long sound.

    Args:
        piece: what a window gives, (..., L) with L the slice's length.
        windows: slices and weights that sum to 1 at every entry.
        length: entries in all.

    Returns:
        (..., length).
    """
    whole = None
    for place, weight in windows:
        part = piece(place)
        whole = part.new_zeros(*part.shape[:-1], length) if whole is None else whole
        whole[..., place] += part * weight.to(part)
    assert whole is not None
    return whole
