"""When something happens in a picture that one would hear: a bounce, a stop, a flash, told by frames alone.

Seen over two steps, steady motion changes the picture twice as much as over one. What comes back on its own
way changes it less, and what stops changes it in one of the two steps only: both stand out.
"""

from collections.abc import Iterable
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


class EventMeter:
    """Looks at frames as they come and keeps two of them, however long the clip."""

    def __init__(self) -> None:
        self._last: list[Tensor] = []
        self._surprises: list[float] = []

    def see(self, chunk: Tensor) -> None:
        """Look at the next (3, T, H, W) frames, pixels in -1..1; any size, which may not change."""
        grey_THW = (chunk.float().cpu().mean(0) + 1) / 2
        for frame in F.interpolate(grey_THW[:, None], size=(SIDE, SIDE), mode="area")[:, 0]:
            self._last = [*self._last[-2:], frame]
            if len(self._last) == 3:
                self._surprises.append(_surprise(*self._last))

    def curve(self, fps: Fraction) -> Tensor:
        """How much happened at each frame so far, beyond what is usual around it: (T,), not below 0."""
        if not self._surprises:
            return torch.zeros(len(self._last))
        curve_T = torch.tensor([0.0, *self._surprises, 0.0])
        around = max(1, round(SURROUNDINGS * fps))
        padded = F.pad(curve_T[None], (around, around), mode="replicate")[0]
        return (curve_T - padded.unfold(0, 2 * around + 1, 1).median(dim=1).values).clamp(min=0)


def event_curve(chunks: Iterable[Tensor], fps: Fraction) -> Tensor:
    """How much happens at each frame of a clip that comes in pieces; hours need no more memory than seconds.

    Args:
        chunks: (3, T, H, W) each, pixels in -1..1; any size.
        fps: frames a second, exact.

    Returns:
        (T,) float32, not below 0; 0 where all moves on steadily or nothing moves.
    """
    meter = EventMeter()
    for chunk in chunks:
        meter.see(chunk)
    return meter.curve(fps)


def event_times(curve_T: Tensor, fps: Fraction) -> list[float]:
    """Seconds at which the clear events of a clip are seen, from its ``event_curve``."""
    least = LEAST_SHARE * float(curve_T.max()) if len(curve_T) else 0.0
    return peaks(curve_T, float(fps), least) if least > 0 else []


def _surprise(before: Tensor, frame: Tensor, after: Tensor) -> float:
    """How far what lies around a frame is from steady motion."""
    came, went, both = (
        float((one - other).abs().mean()) for one, other in ((frame, before), (after, frame), (after, before))
    )
    return max(0.0, came + went - both) + abs(went - came)
