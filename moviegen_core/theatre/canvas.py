"""A canvas: coordinates and premultiplied paint, onto which shapes are laid one over the other.

Shape letters: T frame, H row, W column. Coordinates broadcast to (T, H, W), y points up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .looks import RGB, Ink
from .sdf import Number, coverage


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """What has been painted so far, and where each pixel lies."""

    x: Tensor
    y: Tensor
    pixel: Tensor
    """Size of a pixel in the units of x and y, broadcastable."""
    rgba: Tensor
    """(4, T, H, W), premultiplied by its alpha."""
    ink: Ink
    acting: bool
    """Whether things or ground are painted: looks treat them differently."""
    facing: int = 1
    """Where an actor looks: -1 left, 1 right."""
    unit: float = 1.0
    """Size of the coordinates' unit against the first one, so that lines keep their width."""
    light: Tensor | None = None
    """Brightness of the light side and shade side, about 1, broadcastable to (T, H, W)."""

    def shape(self, distance: Tensor, colour: RGB, *, rim: float = 1.0, opacity: Number = 1.0) -> None:
        """Lay a shape over what is there.

        Args:
            distance: signed distance of every pixel, negative inside.
            colour: its colour before look and weather.
            rim: strength of the line along the inside of its edge; 0 for none.
            opacity: of the whole shape.
        """
        alpha = coverage(distance, self.pixel) * opacity
        paint = self.ink.thing(colour) if self.acting else self.ink.ground(colour)
        rim = rim if self.acting else rim * self.ink.style.ground_rim
        self._lay(alpha, paint, self.ink.rim(colour), self._line(distance) * rim if rim else None)

    def wash(self, alpha: Tensor, bottom: RGB, top: RGB, height: Tensor) -> None:
        """Lay a vertical gradient where ``alpha`` says; ``height`` is 0 at the bottom, 1 at the top."""
        low, high = (self.ink.ground(c) if not self.acting else self.ink.thing(c) for c in (bottom, top))
        self.rgba.mul_(1 - alpha)
        share = height.clamp(0, 1)
        for channel in range(3):
            self.rgba[channel].add_(alpha * (low[channel] + (high[channel] - low[channel]) * share))
        self.rgba[3].add_(alpha)

    def shine(self, alpha: Tensor, colour: RGB) -> None:
        """Lighten what is painted, without growing it: highlights and glints."""
        paint = self.ink.thing(colour) if self.acting else self.ink.ground(colour)
        covered = alpha * self.rgba[3]
        for channel in range(3):
            self.rgba[channel].mul_(1 - alpha).add_(covered * paint[channel])

    def window(self, left: float, right: float, bottom: float, top: float) -> Canvas | None:
        """The part of a still canvas within these bounds, sharing its paint; None where that is empty."""
        xs, ys = self.x.flatten(), self.y.flatten()
        columns = slice(int((xs < left).sum()), int((xs <= right).sum()))
        rows = slice(int((ys > top).sum()), int((ys >= bottom).sum()))
        if columns.start >= columns.stop or rows.start >= rows.stop:
            return None
        return replace(
            self, x=self.x[..., columns], y=self.y[:, rows], rgba=self.rgba[:, :, rows, columns], light=None
        )

    def _line(self, distance: Tensor) -> Tensor:
        width = self.ink.style.rim_width * (1.0 if self.acting else 0.25) / self.unit
        return (1 + distance / width).clamp(0, 1)

    def _lay(self, alpha: Tensor, paint: RGB, rim: RGB, line: Tensor | None) -> None:
        self.rgba.mul_(1 - alpha)
        body = alpha if self.light is None else alpha * self.light
        if line is not None:
            body, edge = body * (1 - line), alpha * line
        for channel in range(3):
            self.rgba[channel].add_(body, alpha=paint[channel])
            if line is not None:
                self.rgba[channel].add_(edge, alpha=rim[channel])
        self.rgba[3].add_(alpha)


def texture(style_texture: str, x: Tensor, y: Tensor, seed_phase: float) -> Tensor | None:
    """Brightness of stone veins or pencil strokes, stuck to the coordinates; None for a plain look."""
    if style_texture == "veins":
        return _veins(x, y, seed_phase)
    if style_texture == "hatching":
        return 1 - 0.06 * (0.5 + 0.5 * torch.sin(92 * (x + 0.8 * y) + 1.2 * torch.sin(5 * y + seed_phase)))
    return None


def _veins(x: Tensor, y: Tensor, phase: float) -> Tensor:
    bend = 0.10 * torch.sin(4.3 * x - 3.1 * y + phase) + 0.05 * torch.sin(9.7 * y + 5.3 * x + 2 * phase)
    cloudy = torch.sin(3.3 * x + 4.1 * y + 2 * torch.sin(2.7 * y - 1.9 * x + phase))
    wide = torch.sin(math.tau * (0.75 * x + 1.05 * y + bend) + phase)
    fine = torch.sin(math.tau * (1.3 * x - 0.7 * y - 1.3 * bend) + 2 * phase)
    lines = torch.exp(-45 * wide * wide) + 0.5 * torch.exp(-60 * fine * fine)
    return 1.01 + 0.02 * cloudy - 0.13 * lines * (0.65 + 0.35 * cloudy)


def around(values: Tensor, middles: Tensor, period: float) -> Tensor:
    """The copy of each periodic value that lies nearest to the middle, (T, N) and (T,)."""
    half = period / 2
    return middles[:, None] + torch.remainder(values - middles[:, None] + half, period) - half


def dots(
    x: Tensor, y: Tensor, centres: tuple[Tensor, Tensor], sizes: tuple[Tensor, Tensor], weights: Tensor
) -> Tensor:
    """Sum of soft dots, cheap however many: each is a product of one curve across and one down.

    Args:
        x: (T, 1, W) coordinates.
        y: (T, H, 1) coordinates.
        centres: x and y of the dots, each (T, N).
        sizes: half widths and half heights, each broadcastable to (T, N).
        weights: brightness at the middle, broadcastable to (T, N).

    Returns:
        (T, H, W).
    """
    across = torch.exp(-(((x - centres[0][:, :, None]) / sizes[0][..., None]) ** 2))
    down = torch.exp(-(((y.transpose(1, 2) - centres[1][:, :, None]) / sizes[1][..., None]) ** 2))
    return torch.bmm((down * weights[..., None]).transpose(1, 2), across)
