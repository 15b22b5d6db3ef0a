"""People: the face that portraits and stage share, and the body that only the stage shows."""

import math
from dataclasses import replace

import torch
from torch import Tensor

from . import sdf
from .canvas import Canvas
from .looks import RGB, mix, scaled
from .motion import Pose
from .scene import Actor, Person
from .vocabulary import COLOURS, EYE_COLOURS, HAIR_COLOURS, SKINS

HEAD = 0.27
"""Radius of the head of a person one unit high."""

_INK: RGB = (0.12, 0.09, 0.12)
_WHITE: RGB = (0.98, 0.98, 0.97)


def face(canvas: Canvas, person: Person, x: Tensor, y: Tensor, turn: float) -> None:
    """Paint a head of radius one, without the hair behind it.

    Args:
        canvas: where to paint; its pixel size is in the units of x and y.
        person: whose head.
        x: coordinates from the middle of the head.
        y: coordinates from the middle of the head.
        turn: -1 looks to the left, 1 to the right.
    """
    hair = HAIR_COLOURS[person.hair_colour]
    skin = SKINS[person.skin]
    for side in (-1, 1):
        canvas.shape(sdf.circle(x - side * 0.93 + 0.10 * turn, y + 0.10, 0.20), scaled(skin, 0.94))
    canvas.shape(sdf.ellipse(x, y, 0.93, 0.96), skin)
    _cheeks(canvas, skin, x - 0.22 * turn, y)
    _front_hair(canvas, person.hair_style, hair, x, y)
    _features(canvas, person, x - 0.22 * turn, y)
    _hat(canvas, person.hat, x, y)


def _cheeks(canvas: Canvas, skin: RGB, x: Tensor, y: Tensor) -> None:
    for side in (-1, 1):
        blush = sdf.circle(x - side * 0.56, y + 0.34, 0.17)
        canvas.shine(0.42 * (0.5 - blush / 0.16).clamp(0, 1), mix(skin, (0.95, 0.36, 0.36), 0.55))


def back_hair(canvas: Canvas, person: Person, x: Tensor, y: Tensor) -> None:
    """Paint the hair behind a head of radius one, to be painted before neck and body."""
    style, hair = person.hair_style, HAIR_COLOURS[person.hair_colour]
    if style == "long":
        locks = sdf.union(sdf.circle(x, y - 0.08, 1.08), sdf.box(x, y + 0.60, 1.10, 0.72, 0.40), 0.3)
        canvas.shape(locks, scaled(hair, 0.86))
    if style == "curly":
        angle = torch.atan2(x, y)
        canvas.shape(sdf.circle(x, y - 0.16, 1.16 + 0.085 * torch.cos(9 * angle)), scaled(hair, 0.90))


def _front_hair(canvas: Canvas, style: str, hair: RGB, x: Tensor, y: Tensor) -> None:
    if style == "bald":
        gleam = torch.exp(-4 * ((x + 0.3) ** 2 + 3 * (y - 0.66) ** 2))
        canvas.shine(0.5 * gleam * sdf.coverage(sdf.ellipse(x, y, 0.9, 0.93), canvas.pixel), _WHITE)
        return
    cap = torch.maximum(sdf.ellipse(x, y - 0.05, 1.0, 1.04), -_hairline(style, x, y))
    canvas.shape(cap, hair)
    sheen = torch.exp(-14 * (y - 0.78 + 0.25 * x * x) ** 2 - 1.5 * (x + 0.25) ** 2)
    canvas.shine(0.22 * sheen * sdf.coverage(cap, canvas.pixel), _WHITE)


def _hairline(style: str, x: Tensor, y: Tensor) -> Tensor:
    """Below 0 where the forehead is free of hair: what lies below a fringe."""
    if style == "curly":
        return y - 0.42 - 0.07 * torch.cos(8 * x)
    if style == "long":
        return y - 0.62 + 0.75 * (x - 0.12).abs() ** 1.5
    return y - 0.50 - 0.06 * torch.cos(7.5 * x - 0.6) + 1.9 * (x.abs() - 0.64).clamp(min=0)


def _features(canvas: Canvas, person: Person, x: Tensor, y: Tensor) -> None:
    brow = _INK if person.hair_style == "bald" else scaled(HAIR_COLOURS[person.hair_colour], 0.7)
    for side in (-1, 1):
        ex, ey = x - side * 0.38, y
        _eye(canvas, EYE_COLOURS[person.eyes], ex, ey)
        canvas.shape(sdf.capsule(ex, ey, (-0.15, 0.33), (0.15, 0.33), 0.045), brow, rim=0)
    canvas.shape(sdf.ellipse(x, y + 0.26, 0.10, 0.075), scaled(SKINS[person.skin], 0.80), rim=0)
    smile = sdf.circle(x, y + 0.34, 0.30).abs() - 0.045
    canvas.shape(sdf.cut(smile, -(y + 0.48)), (0.62, 0.16, 0.18), rim=0)
    if person.glasses:
        _glasses(canvas, x, y)


def _eye(canvas: Canvas, colour: RGB, x: Tensor, y: Tensor) -> None:
    canvas.shape(sdf.circle(x, y, 0.26), _WHITE, rim=0.5)
    canvas.shape(sdf.circle(x, y, 0.195), colour, rim=0)
    canvas.shape(sdf.circle(x, y, 0.095), _INK, rim=0)
    canvas.shape(sdf.circle(x + 0.07, y - 0.08, 0.055), _WHITE, rim=0)


def _glasses(canvas: Canvas, x: Tensor, y: Tensor) -> None:
    for side in (-1, 1):
        canvas.shape(sdf.circle(x - side * 0.39, y, 0.335).abs() - 0.050, _INK, rim=0)
    bridge = sdf.capsule(x, y, (-0.08, 0.06), (0.08, 0.06), 0.045)
    temples = torch.minimum(
        sdf.capsule(x, y, (0.70, 0.06), (0.92, 0.12), 0.04),
        sdf.capsule(x, y, (-0.92, 0.12), (-0.70, 0.06), 0.04),
    )
    canvas.shape(torch.minimum(bridge, temples), _INK, rim=0)


def _hat(canvas: Canvas, hat: str, x: Tensor, y: Tensor) -> None:
    if hat == "cap":
        dome = torch.maximum(sdf.ellipse(x, y - 0.36, 1.02, 0.78), 0.44 - y)
        canvas.shape(dome, (0.20, 0.52, 0.62))
        canvas.shape(sdf.ellipse(x - 0.42, y - 0.45, 0.86, 0.13), (0.14, 0.40, 0.50))
        canvas.shape(sdf.circle(x, y - 1.12, 0.09), (0.14, 0.40, 0.50))
    if hat == "top hat":
        canvas.shape(sdf.box(x, y - 1.14, 0.66, 0.58, 0.07), (0.20, 0.19, 0.26))
        canvas.shape(sdf.box(x, y - 0.76, 0.67, 0.11, 0.02), (0.74, 0.22, 0.30), rim=0)
        canvas.shape(sdf.box(x, y - 0.60, 1.10, 0.09, 0.08), (0.20, 0.19, 0.26))
    if hat == "beanie":
        dome = torch.maximum(sdf.ellipse(x, y - 0.40, 1.02, 0.86), 0.48 - y)
        canvas.shape(dome, (0.93, 0.62, 0.22))
        canvas.shape(sdf.box(x, y - 0.52, 1.04, 0.16, 0.13), (0.97, 0.80, 0.52))
        canvas.shape(sdf.circle(x, y - 1.34, 0.24), (0.97, 0.93, 0.86))


def draw_person(canvas: Canvas, actor: Actor, pose: Pose) -> None:
    """A big head on a small body: shirt in the actor's colour, dark trousers, arms and legs that swing."""
    assert actor.person is not None
    x, y, skin = canvas.x, canvas.y, SKINS[actor.person.skin]
    facing, shirt, sway = canvas.facing, COLOURS[actor.colour], torch.sin(pose.phase) * pose.swing
    head = replace(canvas, pixel=canvas.pixel / HEAD, unit=canvas.unit * HEAD)
    back_hair(head, actor.person, x / HEAD, (y - 0.66) / HEAD)
    for side in (-1, 1):
        _leg(canvas, x, y, side, facing, sway * side)
    for side in (-1, 1):
        _arm(canvas, (x, y), side, _reach(pose, side, sway), shirt, skin)
    canvas.shape(sdf.box(x, y - 0.335, 0.135, 0.135, 0.09), shirt)
    turn = 0.75 * facing if actor.action.startswith("go") else 0.25 * facing
    face(head, actor.person, x / HEAD, (y - 0.66) / HEAD, turn)


def _leg(canvas: Canvas, x: Tensor, y: Tensor, side: int, facing: int, sway: Tensor) -> None:
    hip, foot = (0.065 * side, 0.22), (0.075 * side + 0.11 * sway, 0.035 + 0.04 * sway.clamp(min=0))
    canvas.shape(sdf.capsule(x, y, hip, foot, 0.052), (0.22, 0.26, 0.42))
    canvas.shape(
        sdf.ellipse(x - foot[0] - 0.02 * facing, y - foot[1] + 0.005, 0.075, 0.042), (0.32, 0.19, 0.15)
    )


def _reach(pose: Pose, side: int, sway: Tensor) -> tuple[Tensor, Tensor]:
    """Where a hand is: hanging and swinging, or up beside the head."""
    lift = (
        pose.arms
        if side > 0
        else (1 - pose.arms) * (pose.arms > 0.02) * (pose.swing > 0.75) + pose.arms * (pose.swing <= 0.75)
    )
    across = side * (0.20 + 0.16 * torch.sin(math.pi * lift * 0.9)) - 0.10 * sway * side
    return across, 0.24 + 0.30 * lift + 0.03 * sway.abs()


def _arm(
    canvas: Canvas, at: tuple[Tensor, Tensor], side: int, hand: tuple[Tensor, Tensor], shirt: RGB, skin: RGB
) -> None:
    canvas.shape(sdf.capsule(*at, (0.11 * side, 0.40), hand, 0.044), scaled(shirt, 0.88))
    canvas.shape(sdf.circle(at[0] - hand[0], at[1] - hand[1], 0.048), skin)
