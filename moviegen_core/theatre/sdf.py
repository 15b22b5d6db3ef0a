"""Signed distances to simple shapes, negative inside, in the units of the coordinates given.

Every function takes broadcastable coordinate tensors ``x`` and ``y`` (y up) and returns a distance tensor.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

Number = float | Tensor


def circle(x: Tensor, y: Tensor, radius: Number) -> Tensor:
    """Disc around the origin."""
    return (x * x + y * y).sqrt() - radius


def ellipse(x: Tensor, y: Tensor, a: float, b: float) -> Tensor:
    """Ellipse with half axes a and b; exact at the edge, close to it near by."""
    u, v = x / a, y / b
    reach = (u * u + v * v).sqrt()
    slope = ((u / a) ** 2 + (v / b) ** 2).sqrt()
    return reach * (reach - 1) / (slope + 1e-6)


def box(x: Tensor, y: Tensor, half_width: Number, half_height: Number, corner: float = 0.0) -> Tensor:
    """Rectangle around the origin with corners of the given radius, which lie within its half sizes."""
    dx, dy = x.abs() - (half_width - corner), y.abs() - (half_height - corner)
    outside = (dx.clamp(min=0) ** 2 + dy.clamp(min=0) ** 2).sqrt()
    return outside + torch.maximum(dx, dy).clamp(max=0) - corner


def capsule(
    x: Tensor, y: Tensor, start: tuple[Number, Number], end: tuple[Number, Number], radius: Number
) -> Tensor:
    """Line with round ends."""
    px, py = x - start[0], y - start[1]
    dx, dy = end[0] - start[0], end[1] - start[1]
    along = ((px * dx + py * dy) / (dx * dx + dy * dy + 1e-9)).clamp(0, 1)
    return ((px - dx * along) ** 2 + (py - dy * along) ** 2).sqrt() - radius


def convex(x: Tensor, y: Tensor, corners: Sequence[tuple[float, float]], rounding: float = 0.0) -> Tensor:
    """Convex polygon, corners in counter-clockwise order, grown by ``rounding``."""
    inside = None
    for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]], strict=True):
        length = math.hypot(bx - ax, by - ay)
        nx, ny = (by - ay) / length, (ax - bx) / length
        edge = nx * x + ny * y - (nx * ax + ny * ay + rounding)
        inside = edge if inside is None else torch.maximum(inside, edge)
    assert inside is not None, "a polygon has corners"
    return inside


def star(x: Tensor, y: Tensor, radius: float, waist: float, points: int = 5) -> Tensor:
    """Star with its tip up; ``waist`` is the radius of the inner corners."""
    sector = math.pi / points
    angle = torch.atan2(x, y).abs()
    angle = (torch.remainder(angle + sector, 2 * sector) - sector).abs()
    reach = (x * x + y * y).sqrt()
    px, py = reach * torch.sin(angle), reach * torch.cos(angle)
    ex, ey = waist * math.sin(sector), waist * math.cos(sector) - radius
    along = ((px * ex + (py - radius) * ey) / (ex * ex + ey * ey)).clamp(0, 1)
    away = ((px - ex * along) ** 2 + (py - radius - ey * along) ** 2).sqrt()
    return away * torch.sign(ex * (py - radius) - ey * px) * math.copysign(1, ex)


def union(first: Tensor, second: Tensor, blend: float = 0.0) -> Tensor:
    """Either shape; ``blend`` melts the joint over about that distance."""
    if blend == 0:
        return torch.minimum(first, second)
    mix = (blend - (first - second).abs()).clamp(min=0) / blend
    return torch.minimum(first, second) - mix * mix * (blend / 4)


def cut(shape: Tensor, hole: Tensor) -> Tensor:
    """The shape without the hole."""
    return torch.maximum(shape, -hole)


def turn(x: Tensor, y: Tensor, angle: Number) -> tuple[Tensor, Tensor]:
    """Coordinates as seen by something turned counter-clockwise by ``angle``."""
    cos, sin = (
        (math.cos(angle), math.sin(angle)) if isinstance(angle, (int, float)) else (angle.cos(), angle.sin())
    )
    return x * cos + y * sin, y * cos - x * sin


def coverage(distance: Tensor, pixel: Number) -> Tensor:
    """How much of a pixel of that size the shape covers, 0..1: anti-aliasing."""
    return (0.5 - distance / pixel).clamp(0, 1)
