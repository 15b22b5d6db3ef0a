"""When something happens in a picture that one would hear: a bounce, a stop, a flash, told by frames alone.

Seen over two steps, steady motion changes the picture twice as much as over one. What comes back on its own
way changes it less, and what stops changes it in one of the two steps only: both stand out.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction

import torch
import torch.nn.functional as F
from torch import Tensor

from .onsets import peaks

# Shape letters: T frame, H row, W column.

SIDE = 64
"""Rows and columns that frames are brought to, as much as it takes to see what moves."""
SURROUNDINGS = 0.5
"""Seconds to either side that a moment is compared with."""
LEAST_SHARE = 0.25
"""Of the strongest event of a clip, below which another does not count."""


def event_curve(chunks: Iterable[Tensor], fps: Fraction) -> Tensor:
    """How much happens at each frame of a clip that comes in pieces; hours need no more memory than seconds.

    Args:
        chunks: (3, T, H, W) each, pixels in -1..1; any size.
        fps: frames a second, exact.

    Returns:
        (T,) float32, not below 0; 0 where all moves on steadily or nothing moves.
    """
    curve_T = torch.tensor(list(_surprises(_small(chunks))))
    around = max(1, round(SURROUNDINGS * fps))
    if len(curve_T) < 3:
        return torch.zeros(len(curve_T))
    padded = F.pad(curve_T[None], (around, around), mode="replicate" if len(curve_T) > 1 else "constant")[0]
    usual_T = padded.unfold(0, 2 * around + 1, 1).median(dim=1).values
    return (curve_T - usual_T).clamp(min=0)


def event_times(curve_T: Tensor, fps: Fraction) -> list[float]:
    """Seconds at which the clear events of a clip are seen, from its ``event_curve``."""
    least = LEAST_SHARE * float(curve_T.max()) if len(curve_T) else 0.0
    return peaks(curve_T, float(fps), least) if least > 0 else []


def _small(chunks: Iterable[Tensor]) -> Iterator[Tensor]:
    """Frames as brightness, (H, W) in 0..1."""
    for chunk in chunks:
        grey_THW = (chunk.float().cpu().mean(0) + 1) / 2
        yield from F.interpolate(grey_THW[:, None], size=(SIDE, SIDE), mode="area")[:, 0]


def _surprises(frames: Iterator[Tensor]) -> Iterator[float]:
    """For each frame, how far what lies around it is from steady motion; the ends have none."""
    last: list[Tensor] = []
    for count, frame in enumerate(frames):
        last = [*last[-2:], frame]
        if count == 0:
            yield 0.0
        if len(last) == 3:
            came, went, both = (float((last[a] - last[b]).abs().mean()) for a, b in ((1, 0), (2, 1), (2, 0)))
            yield max(0.0, came + went - both) + abs(went - came)
    if len(last) > 1:
        yield 0.0
