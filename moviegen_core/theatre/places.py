"""The eight places as stacks of flat layers, painted from far to near, and what lives in them by itself."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from . import scenery, sdf
from .camera import focus
from .canvas import Canvas, around, dots
from .looks import RGB, mix, scaled
from .motion import stream
from .scene import Scene

EDGE = -0.15
"""y at which the stage's own ground meets what lies behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A flat sheet of the stage."""

    nearness: float
    """0 at infinity, 1 where the actors stand."""
    top: float
    """Nothing of it lies above this y."""
    solid: float
    """Everything of it below this y is opaque; -inf if it has holes all the way."""
    paint: Callable[[Canvas], None]


def layers(scene: Scene) -> list[Layer]:
    """The place's sheets, far to near; the last carries the actors."""
    return _PLACES[scene.place](scene)


def _backdrop(paint: Callable[[Canvas], None]) -> Layer:
    return Layer(nearness=0.0, top=math.inf, solid=math.inf, paint=paint)


def _key(scene: Scene, part: str) -> str:
    return f"{scene.seed}:{scene.place}:{part}"


def _sunny(scene: Scene, low: RGB, high: RGB, sun: RGB, cloud: RGB | None) -> Layer:
    dice = stream(scene, f"{scene.place} sky")
    x, y = dice.choice((-1, 1)) * dice.uniform(0.3, 0.62), dice.uniform(0.26, 0.36)

    def paint(canvas: Canvas) -> None:
        scenery.sky(canvas, low, high)
        if scene.weather in ("clear", "snow"):
            scenery.sun(canvas, x, y, 0.068, sun)
        if scene.weather in ("rain", "storm"):
            _overcast(scene, canvas)
        elif cloud is not None:
            scenery.clouds(canvas, _key(scene, "clouds"), cloud)

    return _backdrop(paint)


def _overcast(scene: Scene, canvas: Canvas) -> None:
    """Two banks of heavy cloud with bulging undersides."""
    grey = (0.66, 0.69, 0.75) if scene.weather == "rain" else (0.36, 0.38, 0.46)
    phase = stream(scene, "overcast").uniform(0, math.tau)
    for row, level in enumerate((0.27, 0.37)):
        bulge = 0.045 * torch.sin(canvas.x * math.pi / (0.27 - 0.05 * row) + phase + row).abs()
        under = level - bulge - 0.022 * torch.sin(3.1 * canvas.x + 2 * phase)
        soft = ((canvas.y - under) / 0.022 + 0.5).clamp(0, 1)
        shade = scaled(grey, 1.0 - 0.16 * row)
        canvas.wash(soft, scaled(shade, 0.90), scaled(shade, 1.10), (canvas.y - under) / 0.12)


def _rolling(
    scene: Scene, part: str, level: float, height: float, length: float, low: RGB, high: RGB, nearness: float
) -> tuple[Layer, Callable[[Tensor], Tensor]]:
    phase = stream(scene, f"{scene.place} {part}").uniform(0, math.tau)

    def edge(x: Tensor) -> Tensor:
        return scenery.ridge(x, level, height, length, phase)

    def paint(canvas: Canvas) -> None:
        scenery.land(canvas, edge(canvas.x), low, high)

    return Layer(nearness=nearness, top=level + height + 0.02, solid=level - height, paint=paint), edge


def _at(edge: Callable[[Tensor], Tensor], x: float) -> float:
    return float(edge(torch.tensor(x)))


def _with(layer: Layer, props: Callable[[Canvas], None], top: float) -> Layer:
    def paint(canvas: Canvas) -> None:
        layer.paint(canvas)
        props(canvas)

    return Layer(nearness=layer.nearness, top=max(layer.top, top), solid=layer.solid, paint=paint)


def _meadow(scene: Scene) -> list[Layer]:
    far, _ = _rolling(scene, "far", 0.02, 0.06, 1.3, (0.52, 0.72, 0.66), (0.60, 0.78, 0.74), 0.12)
    mid, edge = _rolling(scene, "mid", -0.07, 0.045, 1.0, (0.36, 0.62, 0.32), (0.55, 0.76, 0.40), 0.4)
    near, _ = _rolling(scene, "near", EDGE, 0.014, 1.4, (0.34, 0.60, 0.26), (0.56, 0.78, 0.34), 1.0)

    def trees(canvas: Canvas) -> None:
        for x, dice in scenery.along(_key(scene, "trees"), canvas, 0.34, 0.2):
            if dice.random() < 0.7:
                colour = mix(scenery.GREEN, scenery.DARK_GREEN, dice.random())
                scenery.tree(canvas, x, _at(edge, x) - 0.02, dice.uniform(0.14, 0.22), colour)

    def grass(canvas: Canvas) -> None:
        for x, dice in scenery.along(_key(scene, "grass"), canvas, 0.13, 0.1):
            scenery.tuft(canvas, x, dice.uniform(-0.48, EDGE - 0.02), 0.035, (0.27, 0.52, 0.22))
            scenery.tuft(canvas, x + 0.05, dice.uniform(-1.0, -0.5), 0.045, (0.25, 0.50, 0.21))
        for x, dice in scenery.along(_key(scene, "flowers"), canvas, 0.21, 0.1):
            colour = dice.choice(
                ((0.95, 0.45, 0.55), (0.98, 0.97, 0.92), (0.62, 0.48, 0.88), (0.98, 0.72, 0.28))
            )
            scenery.flower(
                canvas,
                x,
                dice.choice((dice.uniform(-0.49, -0.42), dice.uniform(-0.24, -0.19))),
                0.042,
                colour,
            )

    sky = _sunny(scene, (0.82, 0.93, 0.96), (0.36, 0.66, 0.92), (1.0, 0.90, 0.50), (1.0, 1.0, 1.0))
    return [sky, far, _with(mid, trees, 0.2), _with(near, grass, EDGE + 0.05)]


def _beach(scene: Scene) -> list[Layer]:
    dice = stream(scene, "beach palm")
    side, lean = dice.choice((-1, 1)), dice.uniform(0.6, 1.0)

    def sea(canvas: Canvas) -> None:
        scenery.land(canvas, 0.04, (0.36, 0.78, 0.80), (0.12, 0.47, 0.70), 0.24)

    near, _ = _rolling(scene, "sand", EDGE - 0.02, 0.016, 1.6, (0.88, 0.74, 0.50), (0.97, 0.88, 0.67), 1.0)

    def props(canvas: Canvas) -> None:
        for x, shell in scenery.along(_key(scene, "shells"), canvas, 0.30, 0.1):
            _shell(
                canvas,
                x,
                shell.choice((shell.uniform(-0.48, -0.43), shell.uniform(-0.25, -0.2))),
                shell.random(),
            )
            _shell(canvas, x + 0.1, shell.uniform(-1.0, -0.52), shell.random())
        for x, tree in scenery.along(_key(scene, "palms"), canvas, 1.5, 0.5):
            where = x if abs(x - 0.55 * side) > 0.75 else 0.68 * side
            scenery.palm(
                canvas, where, EDGE - 0.05, 0.48, -side * lean if tree.random() < 0.8 else side * lean
            )

    sky = _sunny(scene, (0.99, 0.93, 0.82), (0.42, 0.74, 0.93), (1.0, 0.88, 0.46), (1.0, 0.99, 0.97))
    water = Layer(nearness=0.25, top=0.06, solid=0.04, paint=sea)
    return [sky, water, _with(near, props, 0.38)]


def _shell(canvas: Canvas, x: float, y: float, kind: float) -> None:
    def paint(part: Canvas, px: Tensor, py: Tensor) -> None:
        if kind < 0.4:
            part.shape(sdf.star(px, py, 0.030, 0.014) - 0.004, (0.93, 0.50, 0.38))
        else:
            part.shape(
                sdf.ellipse(px, py, 0.020, 0.014), (0.98, 0.93, 0.88) if kind < 0.7 else (0.80, 0.66, 0.55)
            )

    scenery.within(canvas, x, y, 0.045, paint)


def _desert(scene: Scene) -> list[Layer]:
    far, _ = _rolling(scene, "far", 0.01, 0.03, 1.9, (0.86, 0.55, 0.40), (0.90, 0.62, 0.46), 0.12)
    mid, edge = _rolling(scene, "mid", -0.06, 0.05, 1.2, (0.86, 0.58, 0.32), (0.96, 0.74, 0.44), 0.4)
    near, _ = _rolling(scene, "near", EDGE, 0.02, 1.5, (0.87, 0.62, 0.34), (0.98, 0.80, 0.50), 1.0)

    def mesas(canvas: Canvas) -> None:
        for x, dice in scenery.along(_key(scene, "mesas"), canvas, 0.8, 0.3):
            _mesa(canvas, x, dice.uniform(0.10, 0.19), dice.uniform(0.12, 0.20))
        far.paint(canvas)

    def cacti(canvas: Canvas) -> None:
        for x, dice in scenery.along(_key(scene, "cacti"), canvas, 0.62, 0.3):
            scenery.cactus(canvas, x, _at(edge, x) - 0.03, dice.uniform(0.13, 0.21))

    def stones(canvas: Canvas) -> None:
        for x, dice in scenery.along(_key(scene, "stones"), canvas, 0.33, 0.1):
            place = dice.choice((dice.uniform(-0.47, -0.43), dice.uniform(-0.23, -0.19)))
            scenery.stone(canvas, x, place, dice.uniform(0.02, 0.04), (0.70, 0.48, 0.34))
            scenery.stone(
                canvas, x + 0.15, dice.uniform(-1.0, -0.54), dice.uniform(0.03, 0.05), (0.68, 0.46, 0.33)
            )

    sky = _sunny(scene, (1.0, 0.86, 0.66), (0.40, 0.66, 0.86), (1.0, 0.94, 0.66), None)
    back = Layer(nearness=0.12, top=0.26, solid=far.solid, paint=mesas)
    return [sky, back, _with(mid, cacti, 0.25), _with(near, stones, EDGE + 0.05)]


def _mesa(canvas: Canvas, x: float, half: float, height: float) -> None:
    def paint(part: Canvas, px: Tensor, py: Tensor) -> None:
        rock = sdf.convex(
            px, py, ((-half, -0.2), (half, -0.2), (0.72 * half, height), (-0.72 * half, height)), 0.006
        )
        part.shape(rock, (0.78, 0.42, 0.31))
        part.shape(sdf.cut(rock, -(px + 0.25 * half)), (0.88, 0.53, 0.38), rim=0)
        part.shape(sdf.cut(rock, py - 0.82 * height), (0.93, 0.62, 0.44), rim=0)

    scenery.within(canvas, x, 0.0, 0.3, paint)


_WALLS = ((0.80, 0.52, 0.42), (0.64, 0.60, 0.66), (0.86, 0.72, 0.52), (0.50, 0.58, 0.66), (0.72, 0.45, 0.48))


def _city(scene: Scene) -> list[Layer]:
    def skyline(canvas: Canvas) -> None:
        for x, dice in scenery.along(_key(scene, "towers"), canvas, 0.13, 0.15):
            part = canvas.window(x - 0.1, x + 0.1, -2.0, 0.4)
            if part is not None:
                half, height = dice.uniform(0.05, 0.09), dice.uniform(0.05, 0.26)
                part.shape(
                    sdf.box(part.x - x, part.y - height + 1.0, half, 1.0, 0.006), (0.62, 0.68, 0.78), rim=0.6
                )
        scenery.land(canvas, -0.05, (0.62, 0.68, 0.78), (0.62, 0.68, 0.78), rim=0)

    def houses(canvas: Canvas) -> None:
        scenery.land(canvas, EDGE, (0.45, 0.45, 0.48), (0.45, 0.45, 0.48))
        for x, dice in scenery.along(_key(scene, "houses"), canvas, 0.36, 0.3):
            half, height = dice.uniform(0.12, 0.165), dice.uniform(0.24, 0.46)
            scenery.house(canvas, x, EDGE - 0.03, half, height, dice.choice(_WALLS), dice)

    sky = _sunny(scene, (0.98, 0.88, 0.80), (0.48, 0.66, 0.88), (1.0, 0.88, 0.60), (1.0, 0.97, 0.94))
    far = Layer(nearness=0.12, top=0.30, solid=-0.05, paint=skyline)
    mid = Layer(nearness=0.55, top=0.36, solid=EDGE, paint=houses)
    return [
        sky,
        far,
        mid,
        Layer(nearness=1.0, top=0.24, solid=EDGE, paint=lambda canvas: _street(scene, canvas)),
    ]


def _street(scene: Scene, canvas: Canvas) -> None:
    scenery.land(canvas, EDGE, (0.64, 0.62, 0.60), (0.80, 0.78, 0.74), 0.08)
    scenery.land(canvas, EDGE - 0.065, (0.50, 0.49, 0.50), (0.55, 0.54, 0.54), 0.015)
    scenery.land(canvas, EDGE - 0.085, (0.30, 0.31, 0.36), (0.40, 0.41, 0.46), 0.3)
    for lane in (-0.44, -0.86):
        part = canvas.window(-1e9, 1e9, lane - 0.03, lane + 0.03)
        if part is not None:
            dash = torch.remainder(part.x, 0.30) - 0.15
            part.shape(sdf.box(dash, part.y - lane, 0.075, 0.010, 0.006), (0.93, 0.88, 0.70), rim=0)
    for x, _ in scenery.along(_key(scene, "lamps"), canvas, 0.85, 0.2):
        scenery.lamp(canvas, x, EDGE - 0.05, 0.36)


def _night(scene: Scene) -> list[Layer]:
    dice = stream(scene, "moon")
    x, y = dice.choice((-1, 1)) * dice.uniform(0.35, 0.6), dice.uniform(0.24, 0.34)

    def sky(canvas: Canvas) -> None:
        scenery.sky(canvas, (0.25, 0.25, 0.50), (0.06, 0.07, 0.22))
        distance = sdf.circle(canvas.x - x, canvas.y - y, 0.075)
        canvas.shine(0.35 * torch.exp(-(distance.clamp(min=0) / 0.11)), (0.72, 0.76, 0.95))
        canvas.shape(
            sdf.cut(distance, sdf.circle(canvas.x - x - 0.035, canvas.y - y - 0.022, 0.062)),
            (0.99, 0.95, 0.78),
            rim=0.6,
        )

    far, _ = _rolling(scene, "far", 0.0, 0.05, 1.2, (0.12, 0.14, 0.32), (0.19, 0.20, 0.42), 0.12)
    mid, edge = _rolling(scene, "mid", -0.08, 0.04, 0.9, (0.09, 0.13, 0.26), (0.14, 0.20, 0.36), 0.4)
    near, _ = _rolling(scene, "near", EDGE, 0.015, 1.4, (0.12, 0.19, 0.26), (0.22, 0.34, 0.40), 1.0)

    def pines(canvas: Canvas) -> None:
        for px, tree in scenery.along(_key(scene, "pines"), canvas, 0.30, 0.2):
            if tree.random() < 0.6:
                scenery.pine(
                    canvas, px, _at(edge, px) - 0.02, tree.uniform(0.10, 0.16), (0.08, 0.14, 0.24), False
                )

    def grass(canvas: Canvas) -> None:
        for px, blade in scenery.along(_key(scene, "grass"), canvas, 0.16, 0.1):
            scenery.tuft(canvas, px, blade.uniform(-0.48, EDGE - 0.02), 0.036, (0.13, 0.25, 0.29))
            scenery.tuft(canvas, px + 0.07, blade.uniform(-1.0, -0.5), 0.045, (0.11, 0.23, 0.27))

    return [_backdrop(sky), far, _with(mid, pines, 0.15), _with(near, grass, EDGE + 0.05)]


def _snowy(scene: Scene) -> list[Layer]:
    def peaks(canvas: Canvas) -> None:
        for x, dice in scenery.along(_key(scene, "peaks"), canvas, 0.36, 0.5):
            colour = mix((0.46, 0.54, 0.68), (0.58, 0.64, 0.76), dice.random())
            scenery.mountain(canvas, x, -0.08, dice.uniform(0.28, 0.40), dice.uniform(0.30, 0.48), colour)
        scenery.land(canvas, -0.10, (0.72, 0.79, 0.88), (0.78, 0.84, 0.92), rim=0)

    mid, edge = _rolling(scene, "mid", -0.09, 0.03, 1.1, (0.74, 0.82, 0.92), (0.88, 0.93, 0.98), 0.4)
    near, _ = _rolling(scene, "near", EDGE, 0.016, 1.5, (0.78, 0.85, 0.94), (0.97, 0.98, 1.0), 1.0)

    def pines(canvas: Canvas) -> None:
        for x, dice in scenery.along(_key(scene, "pines"), canvas, 0.22, 0.2):
            if dice.random() < 0.75:
                scenery.pine(
                    canvas, x, _at(edge, x) - 0.03, dice.uniform(0.14, 0.22), (0.20, 0.40, 0.38), True
                )

    def drifts(canvas: Canvas) -> None:
        for x, dice in scenery.along(_key(scene, "drifts"), canvas, 0.40, 0.3):
            scenery.stone(
                canvas,
                x,
                dice.choice((dice.uniform(-0.48, -0.44), -0.20)),
                dice.uniform(0.04, 0.07),
                (0.90, 0.94, 0.99),
            )
            scenery.stone(
                canvas, x + 0.2, dice.uniform(-1.0, -0.56), dice.uniform(0.05, 0.09), (0.86, 0.91, 0.98)
            )

    sky = _sunny(scene, (0.90, 0.94, 0.98), (0.46, 0.66, 0.88), (1.0, 0.95, 0.76), (1.0, 1.0, 1.0))
    far = Layer(nearness=0.12, top=0.42, solid=-0.12, paint=peaks)
    return [sky, far, _with(mid, pines, 0.2), _with(near, drifts, EDGE + 0.06)]


def _underwater(scene: Scene) -> list[Layer]:
    def water(canvas: Canvas) -> None:
        scenery.sky(canvas, (0.05, 0.34, 0.52), (0.36, 0.80, 0.86))

    far, _ = _rolling(scene, "far", -0.02, 0.07, 0.9, (0.06, 0.34, 0.50), (0.10, 0.42, 0.56), 0.15)
    mid, edge = _rolling(scene, "mid", -0.12, 0.04, 0.8, (0.10, 0.40, 0.50), (0.18, 0.52, 0.58), 0.4)
    near, _ = _rolling(scene, "near", EDGE, 0.02, 1.3, (0.66, 0.66, 0.50), (0.86, 0.84, 0.64), 1.0)

    def weeds(canvas: Canvas) -> None:
        for x, dice in scenery.along(_key(scene, "weeds"), canvas, 0.17, 0.2):
            colour = mix((0.10, 0.52, 0.42), (0.24, 0.62, 0.36), dice.random())
            scenery.weed(
                canvas, x, _at(edge, x) - 0.03, dice.uniform(0.14, 0.26), colour, dice.uniform(0, math.tau)
            )

    def corals(canvas: Canvas) -> None:
        for x, dice in scenery.along(_key(scene, "corals"), canvas, 0.42, 0.2):
            colour = dice.choice(
                ((0.93, 0.46, 0.44), (0.95, 0.66, 0.36), (0.74, 0.48, 0.78), (0.95, 0.62, 0.70))
            )
            scenery.coral(canvas, x, EDGE - 0.05, dice.uniform(0.10, 0.15), colour)
        for x, dice in scenery.along(_key(scene, "stones"), canvas, 0.36, 0.1):
            scenery.stone(
                canvas, x, dice.uniform(-0.48, -0.44), dice.uniform(0.025, 0.04), (0.58, 0.58, 0.52)
            )
            scenery.stone(
                canvas, x + 0.17, dice.uniform(-1.0, -0.55), dice.uniform(0.03, 0.05), (0.56, 0.56, 0.50)
            )

    return [_backdrop(water), far, _with(mid, weeds, 0.25), _with(near, corals, EDGE + 0.15)]


def _theatre(scene: Scene) -> list[Layer]:
    dice = stream(scene, "stage cloth")
    cloth = dice.choice(((0.30, 0.34, 0.62), (0.36, 0.28, 0.52), (0.20, 0.42, 0.50)))
    spot = focus(scene)

    def wall(canvas: Canvas) -> None:
        scenery.sky(canvas, cloth, scaled(cloth, 0.62))
        for x, mark in scenery.along(_key(scene, "stars"), canvas, 0.30, 0.1):
            scenery.within(
                canvas,
                x,
                mark.uniform(0.0, 0.36),
                0.05,
                lambda part, px, py: part.shape(
                    sdf.star(px, py, 0.03, 0.014), mix(cloth, (1.0, 0.9, 0.6), 0.5)
                ),
            )
        beam = (canvas.x - spot).abs() - (0.20 + 0.18 * (0.5 - canvas.y))
        canvas.shine(0.24 * (0.5 - beam / 0.10).clamp(0, 1), (1.0, 0.95, 0.78))

    def boards(canvas: Canvas) -> None:
        scenery.land(canvas, EDGE, (0.56, 0.35, 0.20), (0.74, 0.50, 0.30), 0.4)
        for plank in range(10):
            part = canvas.window(-1e9, 1e9, EDGE - 0.075 * plank - 0.09, EDGE - 0.075 * plank - 0.06)
            if part is not None:
                part.shape(
                    (part.y - EDGE + 0.075 * plank + 0.075).abs() - 0.003 + 0 * part.x,
                    (0.47, 0.29, 0.17),
                    rim=0,
                )
        pool = sdf.ellipse(canvas.x - spot, canvas.y + 0.34, 0.44, 0.115)
        canvas.shine(
            0.34 * (0.5 - pool / 0.05).clamp(0, 1) * sdf.coverage(canvas.y - EDGE, canvas.pixel),
            (1.0, 0.93, 0.72),
        )

    back = Layer(nearness=0.45, top=math.inf, solid=math.inf, paint=wall)
    floor = Layer(nearness=1.0, top=EDGE + 0.01, solid=EDGE, paint=boards)
    drapes = Layer(nearness=0.9, top=math.inf, solid=-math.inf, paint=_curtains)
    return [back, drapes, floor]


def _curtains(canvas: Canvas) -> None:
    """A drape on either side, again and again along the stage, and a valance above."""
    fold = 0.5 + 0.5 * torch.sin(canvas.x * math.tau / 0.085)
    place = torch.remainder(canvas.x + 1.15, 2.3) - 1.15
    side = sdf.coverage(0.74 - place.abs() + 0.05 * (canvas.y - 0.1).clamp(-0.4, 0.4) ** 2, canvas.pixel)
    drape = side * torch.ones_like(canvas.y)
    canvas.wash(drape, (0.50, 0.07, 0.12), (0.76, 0.14, 0.17), fold + 0 * canvas.y)
    hem = 0.40 - 0.035 * torch.sin(canvas.x * math.tau / 0.24).abs()
    above = sdf.coverage(hem - canvas.y, canvas.pixel)
    canvas.wash(
        above,
        (0.55, 0.08, 0.13),
        (0.80, 0.16, 0.19),
        0.5 + 0.5 * torch.sin(canvas.x * math.tau / 0.12) + 0 * canvas.y,
    )
    trim = sdf.coverage((canvas.y - hem).abs() - 0.008, canvas.pixel)
    canvas.wash(trim, (0.93, 0.72, 0.28), (0.93, 0.72, 0.28), 0 * trim)


_PLACES: dict[str, Callable[[Scene], list[Layer]]] = {
    "meadow": _meadow,
    "beach": _beach,
    "desert": _desert,
    "city street": _city,
    "night sky": _night,
    "snowy mountains": _snowy,
    "underwater": _underwater,
    "stage": _theatre,
}


@dataclass(frozen=True, slots=True)
class Life:
    """Something of a place that moves by itself: soft light laid over the background."""

    nearness: float
    """Of the layer that it belongs to and lies upon."""
    colour: RGB
    alpha: Callable[[Tensor, Tensor, Tensor], Tensor]
    """From x (T, 1, W), y (T, H, 1) and times (T,): coverage (T, H, W)."""


def life(scene: Scene) -> list[Life]:
    """What moves in the place: twinkling stars, waves, bubbles and rays of light."""
    return [
        Life(n, c, lambda x, y, t, make=make: make(scene, x, y, t))
        for n, c, make in _LIVES.get(scene.place, ())
    ]


def _twinkle(scene: Scene, x: Tensor, y: Tensor, times: Tensor) -> Tensor:
    dice = stream(scene, "twinkle")
    stars = [
        (
            dice.uniform(-1.6, 1.6),
            dice.uniform(0.08, 0.9),
            dice.uniform(0.007, 0.012),
            dice.uniform(0, math.tau),
        )
        for _ in range(46)
    ]
    px, py, size, phase = torch.tensor(stars, dtype=x.dtype, device=x.device).unbind(1)
    weight = 0.62 + 0.30 * torch.sin(1.9 * times[:, None] + phase)
    centres = (px.expand(len(times), -1), py.expand(len(times), -1))
    sheet = dots(x, y, centres, (size[None], size[None]), weight)
    return (sheet * (y + 0.02).clamp(0, 0.08) / 0.08).clamp(0, 1)


def _waves(scene: Scene, x: Tensor, y: Tensor, times: Tensor) -> Tensor:
    phase = stream(scene, "waves").uniform(0, math.tau)
    t = times[:, None, None]
    sheet = torch.zeros(1, dtype=x.dtype, device=x.device)
    for row, (level, width) in enumerate(((-0.005, 0.0045), (-0.06, 0.006), (-0.125, 0.009))):
        line = level + 0.008 * torch.sin(9 * x + phase + row + 1.3 * t) + 0.010 * torch.sin(1.6 * t + 2 * row)
        breaks = (0.5 + 0.7 * torch.sin((5 - row) * x + 2.1 * row + phase + 0.5 * t)).clamp(0, 1)
        sheet = sheet + 0.75 * breaks * torch.exp(-(((y - line) / width) ** 2))
    return sheet.clamp(0, 0.85)


def _bubbles(scene: Scene, x: Tensor, y: Tensor, times: Tensor) -> Tensor:
    dice = stream(scene, "bubbles")
    rows = [
        (dice.uniform(-1.2, 1.2), dice.uniform(0, 1.1), dice.uniform(0.010, 0.020), dice.uniform(0.07, 0.11))
        for _ in range(16)
    ]
    px, start, size, speed = torch.tensor(rows, dtype=x.dtype, device=x.device).unbind(1)
    height = torch.remainder(start + speed * times[:, None], 1.1) - 0.42
    across = around(px + 0.012 * torch.sin(2.2 * times[:, None] + 9 * start), x.mean((1, 2)), 2.4)
    ring = dots(x, y, (across, height), (size[None], size[None]), torch.full_like(size[None], 0.85))
    core = dots(
        x, y, (across, height), (0.6 * size[None], 0.6 * size[None]), torch.full_like(size[None], 0.70)
    )
    return (ring - core).clamp(0, 1)


def _rays(scene: Scene, x: Tensor, y: Tensor, times: Tensor) -> Tensor:
    phase = stream(scene, "rays").uniform(0, math.tau)
    slant = x + 0.35 * y
    beams = torch.sin(5.5 * slant + phase + 0.35 * times[:, None, None]) + 0.6 * torch.sin(
        11 * slant - 0.5 * times[:, None, None]
    )
    return 0.16 * (0.4 + 0.6 * beams).clamp(0, 1) * (y + 0.3).clamp(0, 0.6) / 0.6


_LIVES: dict[str, tuple[tuple[float, RGB, Callable[[Scene, Tensor, Tensor, Tensor], Tensor]], ...]] = {
    "night sky": ((0.0, (1.0, 0.98, 0.90), _twinkle),),
    "beach": ((0.25, (0.97, 1.0, 1.0), _waves),),
    "underwater": ((1.0, (0.85, 1.0, 1.0), _rays), (1.0, (0.90, 1.0, 1.0), _bubbles)),
}
