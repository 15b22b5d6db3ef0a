"""From change to matte: what of the edited clip shall be seen, grown, feathered and steady in time.

A matte is exactly 0 where nothing changed nearby, and there the composite is the source, bit for bit.
"""

# Shape letters: T frame, H row, W column.

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import torch
import torch.nn.functional as F
from torch import Tensor

from ...errors import SettingsError
from .change import ChangeMaps

LEAST, MOST = 54, 76
"""Changes of 0..255 that the threshold keeps between, at a sensitivity of 1; our choice."""
WEAK = 0.6
"""A place counts if it changed so much of the threshold and touches one that changed all of it."""
REACH_STEPS = 12
"""How many cells a weak place may be away from the strong one that it hangs on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatteSettings:
    """How a change becomes a matte."""

    grow: float = 0.03
    """How far the matte reaches over what changed, as a share of the picture's height."""
    feather: float = 0.02
    """Width of its soft rim, as a share of the picture's height."""
    steady_frames: int = 2
    """A change is covered this many frames before and after it is seen, and fades in and out as long."""
    sensitivity: float = 1.0
    """Above 1 smaller changes count, below 1 only larger ones."""

    def __post_init__(self) -> None:
        for name, value in (("grow", self.grow), ("feather", self.feather)):
            if not 0 <= value <= 0.5:
                raise SettingsError(
                    f"{name} {value} is out of range; give a share of the height from 0 to 0.5"
                )
        if not 0 <= self.steady_frames <= 12:
            raise SettingsError(f"{self.steady_frames} steady frames are out of range; give 0 to 12")
        if not 0.1 <= self.sensitivity <= 10:
            raise SettingsError(f"sensitivity {self.sensitivity} is out of range; give 0.1 to 10, such as 1")


DEFAULTS = MatteSettings()


def threshold(histogram: Tensor, sensitivity: float = 1.0) -> float:
    """The value that best parts what changed from what did not, kept within what either can be.

    Args:
        histogram: (256,) counts of change.
        sensitivity: the bounds are divided by it.

    Returns:
        A change above which a place has changed.

    Source: Otsu, A threshold selection method from gray-level histograms (1979); the bounds are ours: where
    all or nothing changed there are no two groups to part.
    """
    counts, values = histogram.double(), torch.arange(256, dtype=torch.float64)
    below, total = counts.cumsum(0), counts.sum()
    mass, whole = (counts * values).cumsum(0), (counts * values).sum()
    spread = (whole * below - total * mass).square() / (below * (total - below)).clamp_min(1)
    best = float(spread.argmax()) + 0.5
    return min(max(best, LEAST / sensitivity), MOST / sensitivity)


def mattes(maps: ChangeMaps, settings: MatteSettings = DEFAULTS) -> Iterator[Tensor]:
    """Make the matte of each frame: of what changed within ``steady_frames`` of it, fading over as many more.

    Args:
        maps: of the whole clip.
        settings: see ``MatteSettings``.

    Yields:
        Tensor: (h, w) float32 in 0..1 at analysis size: exactly 0 where the source stays.
    """
    level, steady = threshold(maps.histogram(), settings.sensitivity), settings.steady_frames
    marks = (changed(maps.window(frame, frame + 1).float(), level)[0] for frame in range(maps.num_frames))
    for near, here in _neighbourhoods(marks, 2 * steady):
        away = (torch.arange(len(near)) - here).abs()
        weights = (1 - (away - steady).clamp_min(0) / (steady + 1)).view(-1, 1, 1)
        yield softened((torch.stack(near) * weights).amax(0), settings)


def _neighbourhoods(marks: Iterator[Tensor], reach: int) -> Iterator[tuple[list[Tensor], int]]:
    """Each mark with those up to ``reach`` before and after it, and its place among them."""
    held, here = deque(islice(marks, reach + 1)), 0
    while here < len(held):
        yield list(held), here
        held.extend(islice(marks, 1))
        if here == reach:
            held.popleft()
        else:
            here += 1


def changed(maps_THW: Tensor, level: float) -> Tensor:
    """Places that changed, 1 or 0: strong ones, and weak ones that hang together with them."""
    weak = (maps_THW > WEAK * level).float()
    found = (maps_THW > level).float()
    for _ in range(REACH_STEPS):
        found = torch.minimum(dilated(found, 1), weak)
    return found


def dilated(x_THW: Tensor, radius: int) -> Tensor:
    """The largest value within ``radius`` cells in each direction."""
    if radius == 0:
        return x_THW
    rows = F.max_pool2d(x_THW[:, None], (2 * radius + 1, 1), 1, (radius, 0))
    return F.max_pool2d(rows, (1, 2 * radius + 1), 1, (0, radius))[:, 0]


def softened(matte_HW: Tensor, settings: MatteSettings) -> Tensor:
    """Close small holes, grow, and add a soft rim outside of what was grown, so that inside stays whole.

    Args:
        matte_HW: (h, w) in 0..1.
        settings: grow and feather.

    Returns:
        (h, w) in 0..1, exactly 0 beyond the rim.
    """
    grow, rim = (round(share * matte_HW.shape[0]) for share in (settings.grow, settings.feather))
    closing = grow + max(1, round(0.02 * matte_HW.shape[0])) if settings.grow else 0
    grown = dilated(matte_HW[None], closing)
    grown = -dilated(-grown, closing - grow)
    half = -(-rim // 2)
    soft = _mean(_mean(dilated(grown, 2 * half), half), half)[0]
    return torch.where(soft < 1e-4, 0.0, soft.clamp(0, 1))


def _mean(x_THW: Tensor, radius: int) -> Tensor:
    """Mean within ``radius`` cells, the edge repeated."""
    if radius == 0:
        return x_THW
    padded = F.pad(x_THW[:, None], (radius,) * 4, mode="replicate")
    return F.avg_pool2d(padded, 2 * radius + 1, 1)[:, 0]
