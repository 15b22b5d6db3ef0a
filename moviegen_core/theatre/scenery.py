"""Things that stand in places: clouds, hills, trees, houses, each painted on a still canvas."""

import math
import random
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from . import sdf
from .canvas import Canvas
from .looks import RGB, mix, scaled

GREEN, DARK_GREEN, TRUNK = (0.33, 0.60, 0.28), (0.16, 0.40, 0.27), (0.42, 0.28, 0.18)


def along(key: str, canvas: Canvas, step: float, margin: float) -> Iterator[tuple[float, random.Random]]:
    """Places to put things, one in each ``step`` of the endless layer that the canvas and its margin touch.

    Args:
        key: names the row of things; equal keys give equal rows.
        canvas: what will be painted.
        step: distance of neighbours.
        margin: half the width of a thing.

    Yields:
        tuple[float, random.Random]: x and its own random numbers, equal whichever part is painted.
    """
    left, right = float(canvas.x.min()) - margin, float(canvas.x.max()) + margin
    for cell in range(math.floor(left / step), math.ceil(right / step)):
        dice = random.Random(f"{key}:{cell}")
        yield (cell + dice.uniform(0.2, 0.8)) * step, dice


def sky(canvas: Canvas, bottom: RGB, top: RGB) -> None:
    """Everything behind: a gradient from the horizon up."""
    canvas.wash(torch.ones_like(canvas.rgba[3]), bottom, top, (canvas.y + 0.15) / 0.75)


def ridge(x: Tensor, level: float, height: float, length: float, phase: float) -> Tensor:
    """Endless rolling skyline."""
    waves = torch.sin(x * math.tau / length + phase) + 0.5 * torch.sin(
        x * math.tau / (length * 0.43) + 2.3 * phase
    )
    return level + height * waves / 1.5


def land(
    canvas: Canvas, skyline: Tensor | float, low: RGB, high: RGB, depth: float = 0.35, rim: float = 0.5
) -> None:
    """Ground below a skyline, a gradient from its edge down.

    Args:
        canvas: where to paint.
        skyline: y of the edge for every x.
        low: colour at ``depth`` below the edge.
        high: colour at the edge.
        depth: length of the gradient.
        rim: strength of the line along the edge in looks that draw one.
    """
    distance = (canvas.y - skyline) * 0.94
    canvas.wash(sdf.coverage(distance, canvas.pixel), low, high, 1 + distance / depth)
    strength = rim * canvas.ink.style.ground_rim
    if strength:
        near = (1 + distance / 0.012).clamp(0, 1) * sdf.coverage(distance, canvas.pixel)
        _edge(canvas, near * strength, high)


def _edge(canvas: Canvas, alpha: Tensor, colour: RGB) -> None:
    paint = canvas.ink.rim(colour)
    canvas.rgba.mul_(1 - alpha)
    for channel in range(3):
        canvas.rgba[channel].add_(alpha, alpha=paint[channel])
    canvas.rgba[3].add_(alpha)


Paint = Callable[[Canvas, Tensor, Tensor], None]


def within(canvas: Canvas, x: float, y: float, reach: float, paint: Paint, lift: float = 0.0) -> None:
    """Paint something small in coordinates from its foot, within reach of a point ``lift`` above."""
    part = canvas.window(x - reach, x + reach, y + lift - reach, y + lift + reach)
    if part is not None:
        paint(part, part.x - x, part.y - y)


def sun(canvas: Canvas, x: float, y: float, radius: float, colour: RGB) -> None:
    """A disc with a wide soft halo."""
    distance = sdf.circle(canvas.x - x, canvas.y - y, radius)
    canvas.shine(0.55 * torch.exp(-(distance.clamp(min=0) / (1.6 * radius))), mix(colour, (1, 1, 1), 0.25))
    canvas.shape(distance, colour, rim=0.6)


def cloud(canvas: Canvas, x: float, y: float, size: float, colour: RGB) -> None:
    """A flat-bottomed heap of three puffs."""

    def paint(part: Canvas, px: Tensor, py: Tensor) -> None:
        puffs = sdf.union(
            sdf.circle(px + 0.42 * size, py, 0.26 * size),
            sdf.circle(px, py - 0.14 * size, 0.36 * size),
            0.1 * size,
        )
        puffs = sdf.union(puffs, sdf.circle(px - 0.44 * size, py + 0.02 * size, 0.24 * size), 0.1 * size)
        body = sdf.union(
            puffs, sdf.box(px, py + 0.16 * size, 0.66 * size, 0.12 * size, 0.11 * size), 0.1 * size
        )
        alpha = sdf.coverage(sdf.cut(body, py + 0.27 * size), part.pixel) * 0.92
        part.wash(alpha, scaled(colour, 0.88), colour, (py + 0.25 * size) / (0.5 * size))

    within(canvas, x, y, size, paint)


def clouds(canvas: Canvas, key: str, colour: RGB, low: float = 0.16, high: float = 0.42) -> None:
    """A loose row of clouds."""
    for x, dice in along(key, canvas, 0.62, 0.4):
        if dice.random() < 0.75:
            cloud(canvas, x, dice.uniform(low, high), dice.uniform(0.16, 0.30), colour)


def tree(canvas: Canvas, x: float, y: float, size: float, colour: RGB) -> None:
    """A trunk and a round crown with a light side."""

    def paint(part: Canvas, px: Tensor, py: Tensor) -> None:
        part.shape(sdf.capsule(px, py, (0.0, 0.0), (0.0, 0.45 * size), 0.05 * size), TRUNK)
        crown = sdf.union(
            sdf.circle(px, py - 0.72 * size, 0.28 * size),
            sdf.circle(px + 0.18 * size, py - 0.52 * size, 0.2 * size),
            0.1 * size,
        )
        crown = sdf.union(crown, sdf.circle(px - 0.18 * size, py - 0.52 * size, 0.2 * size), 0.1 * size)
        part.shape(crown, colour)
        part.shape(
            sdf.circle(px + 0.09 * size, py - 0.79 * size, 0.13 * size),
            mix(colour, (0.9, 0.95, 0.6), 0.35),
            rim=0,
            opacity=0.7,
        )

    within(canvas, x, y, 1.1 * size, paint)


def pine(canvas: Canvas, x: float, y: float, size: float, colour: RGB, snow: bool) -> None:
    """Three stacked skirts, white-tipped in the snow."""

    def paint(part: Canvas, px: Tensor, py: Tensor) -> None:
        part.shape(sdf.box(px, py - 0.06 * size, 0.045 * size, 0.08 * size), TRUNK)
        for step in range(3):
            base, half = (0.12 + 0.24 * step) * size, (0.30 - 0.07 * step) * size
            skirt = sdf.convex(px, py, ((-half, base), (half, base), (0.0, base + 0.40 * size)), 0.01 * size)
            part.shape(skirt, scaled(colour, 1 + 0.12 * step))
            if snow:
                part.shape(sdf.cut(skirt, py - base - 0.24 * size), (0.95, 0.97, 1.0), rim=0, opacity=0.9)

    within(canvas, x, y, 1.1 * size, paint)


def flower(canvas: Canvas, x: float, y: float, size: float, colour: RGB) -> None:
    """A stem, petals and a yellow heart."""

    def paint(part: Canvas, px: Tensor, py: Tensor) -> None:
        part.shape(sdf.capsule(px, py, (0.0, 0.0), (0.0, 0.8 * size), 0.07 * size), (0.22, 0.50, 0.20), rim=0)
        angle = torch.atan2(py - size, px)
        part.shape(sdf.circle(px, py - size, (0.36 + 0.08 * torch.cos(5 * angle)) * size), colour, rim=0.6)
        part.shape(sdf.circle(px, py - size, 0.15 * size), (0.98, 0.80, 0.25), rim=0)

    within(canvas, x, y, 1.2 * size, paint, lift=0.5 * size)


def tuft(canvas: Canvas, x: float, y: float, size: float, colour: RGB) -> None:
    """Three blades of grass."""

    def paint(part: Canvas, px: Tensor, py: Tensor) -> None:
        for lean in (-0.5, 0.0, 0.5):
            part.shape(
                sdf.capsule(
                    px,
                    py,
                    (0.15 * lean * size, 0.0),
                    (lean * size, (1 - 0.3 * abs(lean)) * size),
                    0.09 * size,
                ),
                colour,
                rim=0,
            )

    within(canvas, x, y, 1.2 * size, paint, lift=0.5 * size)


def cactus(canvas: Canvas, x: float, y: float, size: float) -> None:
    """A column with two bent arms."""
    colour = (0.33, 0.56, 0.34)

    def paint(part: Canvas, px: Tensor, py: Tensor) -> None:
        body = sdf.capsule(px, py, (0.0, 0.0), (0.0, 0.85 * size), 0.11 * size)
        for side, low in ((-1, 0.42), (1, 0.3)):
            elbow = (0.28 * side * size, low * size)
            arm = sdf.capsule(px, py, (0.0, low * size), elbow, 0.075 * size)
            arm = sdf.union(
                arm, sdf.capsule(px, py, elbow, (elbow[0], elbow[1] + 0.24 * size), 0.075 * size), 0.04 * size
            )
            body = sdf.union(body, arm, 0.04 * size)
        part.shape(body, colour)
        part.shape(
            sdf.capsule(px, py, (-0.04 * size, 0.1 * size), (-0.04 * size, 0.84 * size), 0.025 * size),
            (0.52, 0.72, 0.46),
            rim=0,
            opacity=0.7,
        )

    within(canvas, x, y, 1.1 * size, paint, lift=0.4 * size)


def palm(canvas: Canvas, x: float, y: float, size: float, lean: float) -> None:
    """A leaning trunk with a crown of five fronds."""

    def paint(part: Canvas, px: Tensor, py: Tensor) -> None:
        top = (0.22 * lean * size, 0.78 * size)
        part.shape(
            sdf.capsule(
                px - 0.06 * lean * size * torch.sin(py * math.pi / size), py, (0.0, 0.0), top, 0.035 * size
            ),
            (0.58, 0.42, 0.26),
        )
        for angle in (-2.7, -2.0, 0.45, -0.4, 2.6, 1.5):
            fx, fy = sdf.turn(px - top[0], py - top[1], angle + 0.25)
            frond = sdf.ellipse(
                fx - 0.2 * size, fy + 0.8 * (fx - 0.1 * size) ** 2 / size, 0.22 * size, 0.055 * size
            )
            part.shape(frond, (0.20, 0.55, 0.30) if angle > -1 else (0.15, 0.46, 0.27))
        for side in (-1, 1):
            part.shape(
                sdf.circle(px - top[0] - 0.035 * side * size, py - top[1] + 0.05 * size, 0.035 * size),
                (0.45, 0.29, 0.16),
            )

    within(canvas, x, y, 0.95 * size, paint, lift=0.5 * size)


def house(
    canvas: Canvas, x: float, y: float, half: float, height: float, colour: RGB, dice: random.Random
) -> None:
    """A city building with a roof line and some lit windows."""

    def paint(part: Canvas, px: Tensor, py: Tensor) -> None:
        part.shape(sdf.box(px, py - 0.5 * height, half, 0.5 * height, 0.008), colour)
        part.shape(sdf.box(px, py - height, half + 0.012, 0.014, 0.006), scaled(colour, 0.72))
        columns, rows = max(2, round(half * 2 / 0.075)), max(2, round(height / 0.10))
        for column in range(columns):
            for row in range(1, rows):
                _pane(
                    part,
                    px - (column + 0.5 - columns / 2) * 2 * half / columns,
                    py - row * height / rows,
                    dice.random() < 0.45,
                )

    part = canvas.window(x - half - 0.03, x + half + 0.03, y - 0.02, y + height + 0.04)
    if part is not None:
        paint(part, part.x - x, part.y - y)


def _pane(part: Canvas, px: Tensor, py: Tensor, lit: bool) -> None:
    part.shape(
        sdf.box(px, py, 0.018, 0.026, 0.005), (1.0, 0.86, 0.48) if lit else (0.30, 0.38, 0.50), rim=0.5
    )


def lamp(canvas: Canvas, x: float, y: float, size: float) -> None:
    """A street lamp with a warm halo."""

    def paint(part: Canvas, px: Tensor, py: Tensor) -> None:
        part.shape(sdf.capsule(px, py, (0.0, 0.0), (0.0, 0.86 * size), 0.018 * size), (0.20, 0.24, 0.28))
        part.shape(sdf.box(px, py - 0.02 * size, 0.05 * size, 0.03 * size, 0.01 * size), (0.20, 0.24, 0.28))
        part.shape(sdf.circle(px, py - 0.93 * size, 0.085 * size), (1.0, 0.90, 0.58))
        part.shape(sdf.box(px, py - 1.02 * size, 0.06 * size, 0.018 * size, 0.01 * size), (0.20, 0.24, 0.28))

    within(canvas, x, y, 0.8 * size, paint, lift=0.5 * size)


def mountain(canvas: Canvas, x: float, y: float, half: float, height: float, colour: RGB) -> None:
    """A peak with a shaded flank and a ragged cap of snow."""

    def paint(part: Canvas, px: Tensor, py: Tensor) -> None:
        peak = sdf.convex(
            px, py, ((-half, -0.3), (half, -0.3), (half, 0.0), (0.0, height), (-half, 0.0)), 0.004
        )
        part.shape(peak, colour)
        shade = px - 0.02 * torch.sin(22 * py)
        part.shape(sdf.cut(peak, shade), scaled(colour, 0.84), rim=0)
        cap = sdf.cut(peak, py - 0.60 * height - 0.022 * torch.sin(38 * px) - 0.012 * torch.sin(71 * px))
        part.shape(cap, (0.97, 0.98, 1.0), rim=0)
        part.shape(sdf.cut(cap, shade), (0.82, 0.88, 0.96), rim=0)

    within(canvas, x, y, max(half, height) * 1.15, paint)


def weed(canvas: Canvas, x: float, y: float, size: float, colour: RGB, bend: float) -> None:
    """A wavy blade of sea grass."""

    def paint(part: Canvas, px: Tensor, py: Tensor) -> None:
        sway = 0.10 * size * torch.sin(py * 7 / size + bend)
        part.shape(sdf.capsule(px - sway, py, (0.0, 0.0), (0.0, size), 0.055 * size), colour)

    within(canvas, x, y, 0.75 * size, paint, lift=0.5 * size)


def coral(canvas: Canvas, x: float, y: float, size: float, colour: RGB) -> None:
    """A fan of five round fingers."""

    def paint(part: Canvas, px: Tensor, py: Tensor) -> None:
        body = sdf.circle(px, py, 0.16 * size)
        for angle in (-0.9, -0.42, 0.0, 0.45, 0.95):
            tip = (0.7 * size * math.sin(angle), 0.7 * size * math.cos(angle))
            body = sdf.union(body, sdf.capsule(px, py, (0.0, 0.0), tip, 0.085 * size), 0.06 * size)
        part.shape(body, colour)

    within(canvas, x, y, 0.9 * size, paint, lift=0.3 * size)


def stone(canvas: Canvas, x: float, y: float, size: float, colour: RGB) -> None:
    """A boulder with a light top."""

    def paint(part: Canvas, px: Tensor, py: Tensor) -> None:
        part.shape(sdf.ellipse(px, py, size, 0.62 * size), colour)
        part.shape(
            sdf.ellipse(px + 0.2 * size, py - 0.22 * size, 0.5 * size, 0.22 * size),
            mix(colour, (1, 1, 1), 0.22),
            rim=0,
            opacity=0.7,
        )

    within(canvas, x, y, 1.1 * size, paint)
