"""Overlapping windows over a long axis and the weights that blend them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor

from ..errors import SettingsError
from .solver import Velocity


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


def spread_windows(length: int, window: int, overlap: int, scale: int = 1) -> list[tuple[slice, Tensor]]:
    """Cut ``length`` into as few windows of one size as overlap by so much, evenly spread, with crossfades.

    Args:
        length: entries to cover, at least 1.
        window: entries per window; a shorter length is one window.
        overlap: entries shared by neighbours at least, from 0 to one less than a window.
        scale: weights per entry, for what a window makes larger.

    Returns:
        Slices, and for each ``scale`` times as many weights; at every entry those of all slices sum to 1.

    Raises:
        SettingsError: the overlap does not fit the window, or there is nothing to cover.
    """
    if length < 1 or not 0 <= overlap < window:
        raise SettingsError(
            f"an overlap of {overlap} does not fit windows of {window} over {length} entries; use 0 to"
            f" {window - 1}, over 1 entry or more"
        )
    last = max(0, length - window)
    count = 1 - (-last // (window - overlap))
    starts = [round(index * last / max(1, count - 1)) for index in range(count)]
    places = [slice(start, min(start + window, length)) for start in starts]
    raw = [_trapezoid(place, length, overlap, scale) for place in places]
    total = torch.zeros(length * scale)
    for place, weight in zip(places, raw, strict=True):
        total[place.start * scale : place.stop * scale] += weight
    return [
        (p, weight / total[p.start * scale : p.stop * scale]) for p, weight in zip(places, raw, strict=True)
    ]


def _trapezoid(place: slice, length: int, overlap: int, scale: int) -> Tensor:
    """Rises over the overlap and falls over it, except at the ends of the length."""
    weight = torch.ones((place.stop - place.start) * scale)
    shared = overlap * scale
    ramp = torch.arange(1, shared + 1) / (shared + 1)
    if place.start > 0 and shared:
        weight[:shared] = ramp
    if place.stop < length and shared:
        weight[-shared:] = torch.minimum(weight[-shared:], ramp.flip(0))
    return weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A rectangle of a frame and its part in the whole."""

    rows: slice
    columns: slice
    weight_HW: Tensor
    """Scaled; at every pixel the weights of all tiles sum to 1."""
    scale: int

    def cut(self, frame: Tensor) -> Tensor:
        """The tile of a frame, (..., h, w)."""
        return frame[..., self.rows, self.columns]

    def add(self, whole: Tensor, part: Tensor) -> None:
        """Add what was made of the tile, (..., scale h, scale w), to the whole frame, in place."""
        rows = slice(self.rows.start * self.scale, self.rows.stop * self.scale)
        columns = slice(self.columns.start * self.scale, self.columns.stop * self.scale)
        whole[..., rows, columns] += part * self.weight_HW.to(part)


def tiles(height: int, width: int, side: int, overlap: int, *, scale: int = 1) -> list[Tile]:
    """Cut a frame into overlapping tiles whose crossfades sum to 1.

    Args:
        height: rows of the frame.
        width: columns of the frame.
        side: rows and columns of a tile, fewer where the frame has fewer.
        overlap: shared by neighbours at least.
        scale: how many times larger the result is than what the tile is cut from.

    Returns:
        The tiles, row by row.
    """
    down, across = (spread_windows(length, side, overlap, scale) for length in (height, width))
    return [
        Tile(rows=rows, columns=columns, weight_HW=y[:, None] * x, scale=scale)
        for rows, y in down
        for columns, x in across
    ]


def blend_windows(
    piece: Callable[[slice], Tensor],
    windows: Iterable[tuple[slice, Tensor]],
    length: int,
    dim: int = -1,
) -> Tensor:
    """Make a long tensor of windows, one at a time: the weighted sum of what each gives.

    Asked for a velocity at every step of a solver this is multi-diffusion, the paper's way to long sound.

    Args:
        piece: what a window gives; along ``dim`` it is as long as the slice.
        windows: slices and weights that sum to 1 at every entry.
        length: entries in all.
        dim: the axis that is cut, counted from the end: -1 the last, -3 time of a clip.

    Returns:
        As a piece, ``length`` along ``dim``.
    """
    whole = None
    for place, weight in windows:
        part = piece(place)
        if whole is None:
            whole = part.new_zeros(*part.shape[:dim], length, *part.shape[part.ndim + dim + 1 :])
        weights = weight.to(part).view(-1, *[1] * (-1 - dim))
        whole.narrow(dim, place.start, place.stop - place.start).add_(part * weights)
    assert whole is not None
    return whole


def multi_diffusion(
    velocity: Callable[[Tensor, Tensor, slice], Tensor],
    windows: Sequence[tuple[slice, Tensor]],
    length: int,
    dim: int = -1,
) -> Velocity:
    """The velocity of something long, blended of its windows' at every step of a solver.

    Args:
        velocity: (x in a window, t_B, the window) -> velocity there.
        windows: slices and weights that sum to 1 at every entry.
        length: entries in all.
        dim: the axis that is cut, counted from the end.

    Returns:
        What a solver integrates.

    Source: Movie Gen, spatial upsampler and audio extension (Bar-Tal et al., 2023).
    """

    def blended(x: Tensor, t_B: Tensor) -> Tensor:
        def piece(place: slice) -> Tensor:
            return velocity(x.narrow(dim, place.start, place.stop - place.start), t_B, place)

        return blend_windows(piece, windows, length, dim)

    return blended
