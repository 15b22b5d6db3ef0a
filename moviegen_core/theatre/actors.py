"""The eleven actors, drawn one unit high on a canvas whose origin is the middle of their base."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from . import sdf
from .canvas import Canvas
from .looks import RGB, mix, scaled
from .motion import Pose
from .people import draw_person
from .scene import Actor
from .vocabulary import COLOURS

_INK: RGB = (0.11, 0.09, 0.12)
_WHITE: RGB = (0.98, 0.98, 0.97)

REACH = {
    "ball": (0.56, 0.56),
    "box": (0.60, 0.58),
    "star": (0.66, 0.60),
    "balloon": (0.50, 0.56),
    "car": (1.00, 0.58),
    "boat": (0.72, 0.60),
    "bird": (0.85, 0.75),
    "fish": (0.90, 0.60),
    "cat": (0.80, 0.58),
    "koala": (0.80, 0.62),
    "person": (0.56, 0.62),
}
"""Half width and half height that an upright actor needs around its middle, limbs included."""


def draw(canvas: Canvas, actor: Actor, pose: Pose) -> None:
    """Paint an actor.

    Args:
        canvas: in the actor's own upright units, x pointing forward for all but the person.
        actor: what to paint.
        pose: limbs at each frame, tensors (T, 1, 1).
    """
    _DRAWN[actor.kind](canvas, actor, pose)


def _eyes(canvas: Canvas, spots: tuple[tuple[float, float], ...], size: float, look: float = 0.15) -> None:
    for ex, ey in spots:
        x, y = canvas.x - ex, canvas.y - ey
        canvas.shape(sdf.circle(x, y, size), _WHITE, rim=0.5)
        canvas.shape(sdf.circle(x - look * size, y, 0.62 * size), _INK, rim=0)
        canvas.shape(sdf.circle(x - (look - 0.22) * size, y - 0.25 * size, 0.2 * size), _WHITE, rim=0)


def _smile(canvas: Canvas, x: float, y: float, size: float) -> None:
    arc = sdf.circle(canvas.x - x, canvas.y - y - 0.6 * size, size).abs() - 0.16 * size
    canvas.shape(torch.maximum(arc, canvas.y - y), _INK, rim=0)


def _gloss(canvas: Canvas, x: float, y: float, width: float, height: float, strength: float = 0.55) -> None:
    spot = ((canvas.x - x) / width) ** 2 + ((canvas.y - y) / height) ** 2
    canvas.shine(strength * canvas.ink.style.shading * torch.exp(-spot * 1.4), _WHITE)


def _contrast(colour: RGB) -> RGB:
    """A companion for stripes and trim that shows on the colour."""
    light = 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]
    return mix(colour, (1.0, 0.98, 0.92), 0.78) if light < 0.72 else mix(colour, (0.42, 0.46, 0.56), 0.55)


def _ball(canvas: Canvas, actor: Actor, pose: Pose) -> None:
    colour = COLOURS[actor.colour]
    x, y = canvas.x, canvas.y - 0.5
    body = sdf.circle(x, y, 0.5)
    canvas.shape(body, colour)
    band = (y + 0.55 * x * x - 0.07).abs() - 0.075
    canvas.shape(torch.maximum(band, body + 0.03), _contrast(colour), rim=0)
    canvas.shape(sdf.star(x, y - 0.31, 0.12, 0.055), _contrast(colour), rim=0)
    canvas.shape(sdf.circle(x, y + 0.34, 0.06), _contrast(colour), rim=0)
    _light_gloss(canvas, pose, 0.5, 0.22, 0.24)


def _light_gloss(canvas: Canvas, pose: Pose, middle: float, away: float, size: float) -> None:
    """A highlight that stays up left while the thing turns beneath it."""
    angle = pose.rotation * (1.0 if canvas.facing > 0 else -1.0)
    lx, ly = sdf.turn(torch.full_like(angle, -away * canvas.facing), torch.full_like(angle, away), angle)
    spot = ((canvas.x - lx) ** 2 + (canvas.y - middle - ly) ** 2) / (size * size)
    canvas.shine(0.55 * canvas.ink.style.shading * torch.exp(-spot * 2.2), _WHITE)


def _box(canvas: Canvas, actor: Actor, pose: Pose) -> None:
    colour = COLOURS[actor.colour]
    x, y = canvas.x, canvas.y - 0.5
    canvas.shape(sdf.box(x, y, 0.5, 0.5, 0.07), colour)
    trim = _contrast(colour)
    canvas.shape(sdf.box(x, y, 0.085, 0.475, 0.0), trim, rim=0.4)
    canvas.shape(sdf.box(x, y - 0.30, 0.475, 0.06, 0.0), trim, rim=0.4)
    for side in (-1, 1):
        loop = sdf.ellipse(*sdf.turn(x - 0.15 * side, y - 0.42, 0.5 * side), 0.15, 0.075)
        canvas.shape(loop, trim)
    canvas.shape(sdf.circle(x, y - 0.38, 0.075), trim)
    _light_gloss(canvas, pose, 0.5, 0.30, 0.20)


def _star(canvas: Canvas, actor: Actor, pose: Pose) -> None:
    colour = COLOURS[actor.colour]
    x, y = canvas.x, canvas.y - 0.48
    canvas.shape(sdf.star(x, y, 0.47, 0.25) - 0.055, colour)
    inner = sdf.star(x, y, 0.36, 0.19) - 0.03
    canvas.shape(inner, mix(colour, (1.0, 0.98, 0.88), 0.22), rim=0)
    _eyes(canvas, ((-0.10, 0.52), (0.12, 0.52)), 0.075, 0.2)
    _smile(canvas, 0.01, 0.39, 0.085)
    _light_gloss(canvas, pose, 0.48, 0.16, 0.16)


def _balloon(canvas: Canvas, actor: Actor, pose: Pose) -> None:
    colour = COLOURS[actor.colour]
    x, y = canvas.x, canvas.y
    curl = 0.05 * torch.sin(14 * y + 1.0 * pose.phase) * (0.36 - y).clamp(0, 0.4) / 0.4
    canvas.shape(sdf.capsule(x - curl, y, (0.0, 0.02), (0.0, 0.34), 0.012), (0.93, 0.92, 0.88), rim=0.7)
    body = sdf.union(sdf.ellipse(x, y - 0.68, 0.28, 0.31), sdf.circle(x, y - 0.43, 0.06), 0.16)
    canvas.shape(body, colour)
    canvas.shape(sdf.convex(x, y, ((-0.06, 0.31), (0.06, 0.31), (0.0, 0.385)), 0.008), scaled(colour, 0.85))
    _gloss(canvas, -0.11, 0.80, 0.075, 0.11, 0.75)
    canvas.shine(0.20 * torch.exp(-(((x - 0.16) / 0.06) ** 2) - ((y - 0.56) / 0.12) ** 2), _WHITE)


def _car(canvas: Canvas, actor: Actor, pose: Pose) -> None:
    colour = COLOURS[actor.colour]
    x, y = canvas.x, canvas.y
    cabin = sdf.convex(x, y, ((-0.50, 0.5), (0.42, 0.5), (0.20, 0.92), (-0.34, 0.92)), 0.06)
    body = sdf.union(sdf.box(x, y - 0.40, 0.88, 0.22, 0.15), cabin, 0.08)
    canvas.shape(body, colour)
    rear = sdf.convex(x, y, ((-0.40, 0.57), (-0.10, 0.57), (-0.10, 0.86), (-0.29, 0.86)), 0.02)
    front = sdf.convex(x, y, ((0.0, 0.57), (0.34, 0.57), (0.18, 0.86), (0.0, 0.86)), 0.02)
    canvas.shape(torch.minimum(rear, front), (0.72, 0.88, 0.95), rim=0.8)
    canvas.shine(
        0.5
        * sdf.coverage((x - 0.5 * y + 0.28).abs() - 0.03, 0.03)
        * sdf.coverage(torch.minimum(rear, front), canvas.pixel),
        _WHITE,
    )
    canvas.shape(sdf.box(x, y - 0.33, 0.86, 0.025, 0.02), _contrast(colour), rim=0)
    canvas.shape(sdf.circle(x - 0.80, y - 0.42, 0.075), (1.0, 0.93, 0.62))
    canvas.shape(sdf.box(x + 0.84, y - 0.44, 0.035, 0.07, 0.02), (0.85, 0.15, 0.15), rim=0.6)
    canvas.shape(sdf.capsule(x, y, (-0.14, 0.47), (-0.04, 0.47), 0.018), scaled(colour, 0.5), rim=0)
    for hub in (-0.48, 0.48):
        _wheel(canvas, x - hub, y - 0.19, pose.phase * canvas.facing)


def _wheel(canvas: Canvas, x: Tensor, y: Tensor, angle: Tensor) -> None:
    canvas.shape(sdf.circle(x, y, 0.19), (0.16, 0.16, 0.19))
    canvas.shape(sdf.circle(x, y, 0.115), (0.82, 0.83, 0.86), rim=0.4)
    wx, wy = sdf.turn(x, y, angle)
    canvas.shape(
        torch.minimum(sdf.box(wx, wy, 0.10, 0.020), sdf.box(wx, wy, 0.020, 0.10)), (0.36, 0.37, 0.42), rim=0
    )


def _boat(canvas: Canvas, actor: Actor, pose: Pose) -> None:
    colour = COLOURS[actor.colour]
    x, y = canvas.x, canvas.y
    canvas.shape(sdf.capsule(x, y, (0.02, 0.2), (0.02, 0.99), 0.020), (0.50, 0.34, 0.22))
    belly = 0.05 * torch.sin(math.pi * ((y - 0.36) / 0.6).clamp(0, 1))
    canvas.shape(
        sdf.convex(x - belly, y, ((0.07, 0.40), (0.50, 0.40), (0.07, 0.93)), 0.012), (0.99, 0.97, 0.91)
    )
    canvas.shape(
        sdf.convex(x - 0.5 * belly, y, ((-0.36, 0.40), (-0.04, 0.40), (-0.04, 0.82)), 0.012),
        mix(colour, _WHITE, 0.35),
    )
    canvas.shape(sdf.convex(x, y, ((0.03, 0.93), (0.03, 1.0), (-0.16, 0.965)), 0.004), colour, rim=0.6)
    hull = sdf.convex(x, y, ((-0.42, 0.06), (0.42, 0.06), (0.62, 0.34), (-0.58, 0.34)), 0.03)
    canvas.shape(hull, colour)
    canvas.shape(torch.maximum((y - 0.285).abs() - 0.03, hull + 0.025), _contrast(colour), rim=0)
    for porthole in (-0.24, 0.0, 0.24):
        canvas.shape(sdf.circle(x - porthole, y - 0.18, 0.038), (0.75, 0.90, 0.95), rim=0.8)
    _surf(canvas, x, y, pose.phase, 0.60, 0.07)


def _surf(canvas: Canvas, x: Tensor, y: Tensor, phase: Tensor, half: float, height: float) -> None:
    """The small wave that boat and surfboard bring along."""
    crest = height + 0.022 * torch.sin(13 * x + 2 * phase) + 0.010 * torch.sin(29 * x - phase)
    edge = torch.maximum(y - crest, x.abs() - half - 0.05 + 0.5 * (y - height).abs())
    wave = torch.maximum(edge, -(y + 0.015))
    canvas.shape(wave, (0.38, 0.70, 0.88), rim=0.3, opacity=0.92)
    canvas.shape(torch.maximum((y - crest + 0.012).abs() - 0.016, edge), _WHITE, rim=0, opacity=0.9)


def _bird(canvas: Canvas, actor: Actor, pose: Pose) -> None:
    colour = COLOURS[actor.colour]
    x, y = canvas.x, canvas.y
    beat = torch.sin(pose.phase) * pose.swing
    for leg in (-0.05, 0.10):
        canvas.shape(sdf.capsule(x, y, (leg, 0.16), (leg + 0.03, 0.02), 0.022), (0.93, 0.60, 0.20), rim=0.4)
    _wing(canvas, x - 0.06, y - 0.52, -0.75 * beat, 0.80, scaled(colour, 0.70))
    tail = sdf.convex(x, y, ((-0.36, 0.36), (-0.30, 0.52), (-0.70, 0.66), (-0.72, 0.50)), 0.03)
    canvas.shape(tail, scaled(colour, 0.82))
    body = sdf.union(sdf.ellipse(x, y - 0.42, 0.42, 0.28), sdf.circle(x - 0.30, y - 0.70, 0.215), 0.18)
    canvas.shape(body, colour)
    canvas.shape(
        torch.maximum(sdf.ellipse(x - 0.14, y - 0.32, 0.28, 0.16), body + 0.03),
        mix(colour, _WHITE, 0.55),
        rim=0,
    )
    beak = sdf.convex(x, y, ((0.48, 0.62), (0.69, 0.67), (0.48, 0.76)), 0.02)
    canvas.shape(beak, (0.98, 0.66, 0.18))
    _wing(canvas, x + 0.02, y - 0.48, -0.95 * beat, 0.92, scaled(colour, 0.86))
    _eyes(canvas, ((0.36, 0.75),), 0.075, 0.2)


def _wing(canvas: Canvas, x: Tensor, y: Tensor, lift: Tensor, length: float, colour: RGB) -> None:
    """A feathered oval hinged at its front end; ``lift`` turns it up or down."""
    wx, wy = sdf.turn(x, y, lift - 0.15)
    canvas.shape(sdf.ellipse(wx + 0.25 * length, wy, 0.36 * length, 0.16 * length + 0.02), colour)


def _fish(canvas: Canvas, actor: Actor, pose: Pose) -> None:
    colour = COLOURS[actor.colour]
    x = canvas.x
    y = canvas.y - 0.46 - 0.05 * torch.sin(pose.phase - 2.5 * x) * pose.swing * (0.3 - x).clamp(0, 1)
    flick = 1 - pose.swing.clamp(max=1) * (0.30 - 0.30 * torch.cos(pose.phase))
    for side in (-1, 1):
        lobe = sdf.ellipse(*sdf.turn((x + 0.44) / flick + 0.18, y - 0.15 * side, -0.75 * side), 0.25, 0.115)
        canvas.shape(lobe, scaled(colour, 0.80))
    fins = sdf.convex(x, y, ((-0.26, 0.24), (0.22, 0.26), (-0.20, 0.50)), 0.03)
    canvas.shape(
        sdf.union(fins, sdf.convex(x, y, ((-0.14, -0.28), (-0.22, -0.42), (0.12, -0.28)), 0.03)),
        scaled(colour, 0.80),
    )
    body = sdf.ellipse(x - 0.02, y, 0.56, 0.36)
    canvas.shape(body, colour)
    for stripe in (-0.24, 0.02):
        canvas.shape(
            torch.maximum((x - stripe + 0.5 * y * y).abs() - 0.05, body + 0.03), _contrast(colour), rim=0
        )
    canvas.shape(
        sdf.ellipse(*sdf.turn(x + 0.02, y + 0.10, 0.5 + 0.3 * torch.sin(pose.phase)), 0.14, 0.07),
        scaled(colour, 0.72),
    )
    _fish_face(canvas, x, y)
    _gloss(canvas, 0.02, 0.66, 0.26, 0.07, 0.4)


def _fish_face(canvas: Canvas, x: Tensor, y: Tensor) -> None:
    for radius, colour, dx, dy in (
        (0.105, _WHITE, 0.0, 0.0),
        (0.065, _INK, 0.02, 0.0),
        (0.02, _WHITE, 0.0, 0.03),
    ):
        canvas.shape(
            sdf.circle(x - 0.34 - dx, y - 0.09 - dy, radius),
            colour,
            rim=0.5 if colour is _WHITE and dx == dy else 0,
        )
    mouth = sdf.circle(x - 0.52, y - 0.0, 0.10).abs() - 0.018
    canvas.shape(torch.maximum(mouth, torch.maximum(y + 0.05, x - 0.54)), _INK, rim=0)


def _cat(canvas: Canvas, actor: Actor, pose: Pose) -> None:
    colour = COLOURS[actor.colour]
    x, y, stride = canvas.x, canvas.y, pose.swing * torch.sin(pose.phase)
    swish = 0.12 * torch.sin(pose.phase + 0.5)
    tail = sdf.union(
        sdf.capsule(x, y, (-0.40, 0.42), (-0.60 + 0.3 * swish, 0.60), 0.058),
        sdf.capsule(x, y, (-0.60 + 0.3 * swish, 0.60), (-0.54 + swish, 0.84), 0.052),
        0.05,
    )
    canvas.shape(tail, scaled(colour, 0.88))
    for hip, sign, shade in ((-0.24, -1, 0.78), (0.26, 1, 0.78), (-0.34, 1, 0.92), (0.16, -1, 0.92)):
        _paw(canvas, x, y, hip, sign * stride, scaled(colour, shade))
    canvas.shape(sdf.box(x + 0.04, y - 0.40, 0.44, 0.19, 0.18), colour)
    for stripe in (-0.28, -0.12, 0.04):
        canvas.shape(
            sdf.capsule(x, y, (stripe, 0.56), (stripe - 0.02, 0.44), 0.026), scaled(colour, 0.72), rim=0
        )
    _cat_head(canvas, colour)


def _paw(canvas: Canvas, x: Tensor, y: Tensor, hip: float, stride: Tensor, colour: RGB) -> None:
    foot = (hip + 0.13 * stride, 0.065 + 0.05 * stride.clamp(min=0))
    canvas.shape(sdf.capsule(x, y, (hip, 0.34), foot, 0.072), colour)


def _cat_head(canvas: Canvas, colour: RGB) -> None:
    x, y = canvas.x - 0.44, canvas.y - 0.66
    for side in (-1, 1):
        ear = sdf.convex(x * side, y, ((0.02, 0.14), (0.25, 0.08), (0.21, 0.33)), 0.025)
        canvas.shape(ear, colour)
        canvas.shape(
            sdf.convex(x * side, y, ((0.10, 0.15), (0.20, 0.13), (0.185, 0.25)), 0.012),
            (0.96, 0.66, 0.68),
            rim=0,
        )
    canvas.shape(sdf.ellipse(x, y, 0.29, 0.25), colour)
    canvas.shape(sdf.ellipse(x - 0.03, y + 0.10, 0.155, 0.105), mix(colour, _WHITE, 0.6), rim=0)
    _eyes(canvas, ((0.34, 0.71), (0.58, 0.71)), 0.066, 0.15)
    canvas.shape(
        sdf.convex(x - 0.03, y, ((0.0, -0.10), (0.04, -0.055), (-0.04, -0.055)), 0.012),
        (0.93, 0.48, 0.52),
        rim=0,
    )
    for side in (-1, 1):
        canvas.shape(
            sdf.capsule(x - 0.03, y, (0.10 * side, -0.09), (0.30 * side, -0.06), 0.010), _WHITE, rim=0
        )


def _koala(canvas: Canvas, actor: Actor, pose: Pose) -> None:
    """Board and swim shirt carry the actor's colour, and the koala stays a koala's grey."""
    colour, fur = COLOURS[actor.colour], (0.62, 0.64, 0.70)
    x, y = canvas.x, canvas.y
    _board(canvas, colour, x, y)
    wave = pose.swing * torch.sin(pose.phase)
    for foot in (-0.16, 0.16):
        canvas.shape(sdf.ellipse(x - foot, y - 0.235, 0.10, 0.065), scaled(fur, 0.82))
    for side in (-1, 1):
        hand = (0.36 * side, 0.42 + 0.14 * pose.arms + 0.06 * side * wave)
        canvas.shape(sdf.capsule(x, y, (0.15 * side, 0.44), hand, 0.062), scaled(fur, 0.90))
    canvas.shape(sdf.ellipse(x, y - 0.38, 0.235, 0.20), colour)
    canvas.shape(sdf.box(x, y - 0.40, 0.20, 0.028, 0.01), _contrast(colour), rim=0)
    _koala_head(canvas, fur)
    if actor.action.startswith("go"):
        _surf(canvas, x, y + 0.02, pose.phase, 0.74, 0.055)


def _board(canvas: Canvas, colour: RGB, x: Tensor, y: Tensor) -> None:
    by = y - 0.115 - 0.16 * (x * x)
    deck = sdf.ellipse(x, by, 0.76, 0.088)
    canvas.shape(sdf.convex(x, y, ((-0.56, 0.02), (-0.40, 0.12), (-0.58, 0.13)), 0.01), scaled(colour, 0.7))
    canvas.shape(deck, colour)
    canvas.shape(sdf.ellipse(x, by - 0.01, 0.56, 0.020), _contrast(colour), rim=0)


def _koala_head(canvas: Canvas, fur: RGB) -> None:
    x, y = canvas.x - 0.03, canvas.y - 0.72
    for side in (-1, 1):
        canvas.shape(sdf.circle(x - 0.28 * side, y - 0.12, 0.155), fur)
        canvas.shape(sdf.circle(x - 0.28 * side, y - 0.115, 0.095), (0.95, 0.78, 0.80), rim=0)
    canvas.shape(sdf.ellipse(x, y, 0.285, 0.255), fur)
    _eyes(canvas, ((-0.09, 0.755), (0.17, 0.755)), 0.056, 0.12)
    canvas.shape(sdf.ellipse(x - 0.015, y + 0.055, 0.068, 0.095), (0.20, 0.18, 0.22), rim=0)
    _gloss(canvas, 0.03, 0.70, 0.02, 0.03, 0.5)
    _smile(canvas, 0.045, 0.575, 0.06)


_DRAWN: dict[str, Callable[[Canvas, Actor, Pose], None]] = {
    "ball": _ball,
    "box": _box,
    "star": _star,
    "balloon": _balloon,
    "car": _car,
    "boat": _boat,
    "bird": _bird,
    "fish": _fish,
    "cat": _cat,
    "koala": _koala,
    "person": draw_person,
}
