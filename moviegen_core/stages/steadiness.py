"""How an enlarged clip compares with its source while it streams by: colour, flicker, seams."""

# Shape letters: T frame, H row, W column.

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from ..media.pixels import from_bytes
from .colour import to_lab

KEPT = 2
"""Frames of each side that the next ones are compared with."""


@dataclass(slots=True)
class Mean:
    """A running mean."""

    total: float = 0.0
    count: float = 0.0

    def add(self, value: float, count: float = 1.0) -> None:
        """Count a mean over ``count`` entries."""
        self.total += value * count
        self.count += count

    @property
    def value(self) -> float | None:
        """None while nothing was counted."""
        return self.total / self.count if self.count else None


@dataclass(slots=True)
class Steadiness:
    """Sums over the frames so far; it can be put away with ``state`` and gone on with later."""

    sums: dict[str, Mean] = field(default_factory=dict)
    made: Tensor | None = None
    """The last frames, at the source's size: (T, H, W, 3) uint8."""
    source: Tensor | None = None

    def add(
        self,
        made: Tensor,
        source: Tensor,
        *,
        borders: Collection[int] = (),
        edges: tuple[Sequence[int], Sequence[int]] = ((), ()),
    ) -> None:
        """Count the next frames.

        Args:
            made: enlarged frames brought back to the source's size, (T, H, W, 3) uint8.
            source: the frames they come from, same shape.
            borders: which of them are the first of a new window.
            edges: rows and columns with which a tile begins, or after which one ends.
        """
        self._add_colour(made, source)
        self._add_edges(made, source, edges)
        old = 0 if self.made is None else len(self.made)
        made = made if self.made is None else torch.cat([self.made, made])
        source = source if self.source is None else torch.cat([self.source, source])
        for index in range(max(2, old), len(made)):
            is_border = index - old in borders
            for name, frames in (("made", made), ("source", source)):
                jump = _bend(frames[index - 2 : index + 1])
                self._mean(f"flicker {name}").add(jump)
                self._mean(f"{'border' if is_border else 'inside'} {name}").add(jump)
        self.made, self.source = made[-KEPT:].clone(), source[-KEPT:].clone()

    def _add_edges(self, made: Tensor, source: Tensor, edges: tuple[Sequence[int], Sequence[int]]) -> None:
        """How much the change against the source jumps from a row or column to the next."""
        change = made.float() - source.float()
        for dim, places in ((1, edges[0]), (2, edges[1])):
            kept = [place - 1 for place in places if 0 < place < change.shape[dim]]
            if kept:
                other = [axis for axis in range(4) if axis != dim]
                jumps = change.diff(dim=dim).abs().mean(dim=other)
                at = torch.zeros(len(jumps), dtype=torch.bool)
                at[kept] = True
                self._mean("edge").add(jumps[at].mean().item(), len(made))
                if not at.all():
                    self._mean("no edge").add(jumps[~at].mean().item(), len(made))

    def _add_colour(self, made: Tensor, source: Tensor) -> None:
        lab = [to_lab(_small(frames)) for frames in (made, source)]
        self._mean("colour").add((lab[0] - lab[1]).square().sum(dim=0).sqrt().mean().item(), len(made))

    def _mean(self, name: str) -> Mean:
        return self.sums.setdefault(name, Mean())

    def facts(self) -> dict[str, float | None]:
        """The comparison in numbers: what is not known yet, or has no meaning in a still clip, is None.

        ``colour`` is the mean distance in Lab of what is coarser than an eighth of the source; below 1
        nobody sees it. ``flicker`` is how much frames deviate from the middle between their neighbours,
        over the same of the source: 1 is as steady as the source. ``seam`` is the flicker where a new
        window begins, over the same elsewhere, each relative to the source's own: 1 is no seam. ``tiles`` is
        how much what was changed jumps at edges of tiles, over elsewhere: 1 is no seam.
        """
        seam = _ratio(self._ratio("border"), self._ratio("inside"))
        tiles = _ratio(self._mean("edge").value, self._mean("no edge").value)
        colour = _rounded(self._mean("colour").value)
        return {"colour": colour, "flicker": self._ratio("flicker"), "seam": seam, "tiles": tiles}

    def _ratio(self, name: str) -> float | None:
        return _ratio(self._mean(f"{name} made").value, self._mean(f"{name} source").value)

    def state(self) -> dict[str, tuple[float, float]]:
        """The sums as plain values."""
        return {name: (mean.total, mean.count) for name, mean in self.sums.items()}

    @classmethod
    def resumed(
        cls, state: Mapping[str, tuple[float, float]], made: Tensor | None, source: Tensor | None
    ) -> "Steadiness":
        """Go on from ``state`` and the last frames."""
        return cls({name: Mean(*sums) for name, sums in state.items()}, made, source)


def _small(frames: Tensor) -> Tensor:
    """(T, H, W, 3) uint8 to (3, T, H / 8, W / 8) in -1..1, averaged."""
    pixels = from_bytes(frames).permute(3, 0, 1, 2)
    return F.adaptive_avg_pool2d(pixels, [max(1, side // 8) for side in pixels.shape[-2:]])


def _bend(frames: Tensor) -> float:
    """Of three frames how far the middle one lies from the mean of the others, in grey levels."""
    before, middle, after = frames.float()
    return (middle - (before + after) / 2).abs().mean().item()


def _ratio(above: float | None, below: float | None) -> float | None:
    return None if above is None or not below else _rounded(above / below)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
