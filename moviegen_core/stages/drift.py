"""How far a long clip wanders from its own beginning: colour and contrast, part by part."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..media.pixels import from_bytes
from .colour import to_lab


@dataclass(frozen=True, slots=True)
class PartLook:
    """What a part of a clip looks like on the whole."""

    lab: tuple[float, float, float]
    """Mean lightness and colour."""
    contrast: float
    """Spread of lightness over the frame."""


@dataclass(slots=True)
class Drift:
    """Looks of the parts of a clip, told frame by frame."""

    part_frames: int
    """Frames of a part, such as a window's."""
    parts: list[PartLook] = field(default_factory=list)
    _seen: list[Tensor] = field(default_factory=list)

    def add(self, frames: Tensor) -> None:
        """Count the next frames, (T, H, W, 3) uint8."""
        for frame in frames:
            lab = to_lab(from_bytes(frame).permute(2, 0, 1)[:, None])
            self._seen.append(torch.cat([lab.mean(dim=(1, 2, 3)), lab[0].std(unbiased=False)[None]]))
            if len(self._seen) == self.part_frames:
                self._close()

    def _close(self) -> None:
        mean = torch.stack(self._seen).mean(dim=0).tolist()
        self.parts.append(PartLook((mean[0], mean[1], mean[2]), mean[3]))
        self._seen.clear()

    def facts(self) -> dict[str, float]:
        """The largest distance of a part from the first; nothing for a clip of one part.

        ``colour`` is a distance in Lab, 2 is just seen; ``contrast`` is how many times more, or less, as a
        factor of at least 1.
        """
        if self._seen and len(self._seen) >= self.part_frames // 2:
            self._close()
        if len(self.parts) < 2:
            return {}
        distances, factors = zip(*self._steps(), strict=True)
        return {"colour": round(max(distances), 3), "contrast": round(max(factors), 3)}

    def _steps(self) -> Iterator[tuple[float, float]]:
        first = self.parts[0]
        for part in self.parts[1:]:
            distance = sum((a - b) ** 2 for a, b in zip(part.lab, first.lab, strict=True)) ** 0.5
            ratio = max(part.contrast, 1e-3) / max(first.contrast, 1e-3)
            yield distance, max(ratio, 1 / ratio)
