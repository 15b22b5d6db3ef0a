"""When something happens in a picture that one would hear: a bounce, a stop, a flash, told by frames alone.

Seen over two steps, steady motion changes the picture twice as much as over one. What comes back on its own
way changes it less, and what starts or stops changes the pace: both stand out, while a cut to another shot
does neither.
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
CUT = 2.0
"""A single step this much larger than those around it is a cut; a flash takes two, there and back."""
LEAST_CUT = 0.05
"""Change of brightness, of full scale, that a cut makes at least; less may be a small thing that moves."""
LEAST_SHARE = 0.25
"""Of the strongest event of a clip, below which another does not count."""


class EventMeter:
    """Looks at frames as they come and keeps two of them, however long the clip."""

    def __init__(self) -> None:
        self._last: list[Tensor] = []
        self._steps: list[float] = []
        """How much changes from one frame to the next."""
        self._returns: list[float] = []
        """How much of what changed in one step the next one takes back."""

    def see(self, chunk: Tensor) -> None:
        """Look at the next (3, T, H, W) frames, pixels in -1..1; any size, which may not change."""
        grey_THW = (chunk.float().cpu().mean(0) + 1) / 2
        for frame in F.interpolate(grey_THW[:, None], size=(SIDE, SIDE), mode="area")[:, 0]:
            self._last = [*self._last[-2:], frame]
            if len(self._last) > 1:
                self._steps.append(_change(*self._last[-2:]))
            if len(self._last) > 2:
                both = _change(self._last[0], self._last[2])
                self._returns.append(max(0.0, self._steps[-2] + self._steps[-1] - both))

    def curve(self, fps: Fraction) -> Tensor:
        """How much happened at each frame so far, beyond what is usual around it: (T,), not below 0."""
        if not self._returns:
            return torch.zeros(len(self._last))
        steps = torch.tensor(self._steps)
        pace = F.pad(steps[None], (1, 1), mode="replicate")[0].unfold(0, 3, 1).median(dim=1).values
        curve_T = F.pad(torch.tensor(self._returns) + pace.diff().abs(), (1, 1))
        curve_T = curve_T.masked_fill(_cuts(steps, pace), 0)
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


def _cuts(steps: Tensor, pace: Tensor) -> Tensor:
    """(T,), whether another shot begins within two frames: one step out of pace, which nothing takes back."""
    is_cut = (steps > CUT * pace) & (steps > LEAST_CUT)
    near = F.pad(is_cut[None].float(), (2, 3))
    return F.max_pool1d(near, 5, 1)[0] > 0


def _change(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().mean())
