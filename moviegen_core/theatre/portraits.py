"""Portraits: a person's face alone, in another pose, light and place: what personalization reads."""

import random

import torch
from torch import Tensor

from ..errors import SceneError
from . import sdf
from .canvas import Canvas
from .looks import RGB, Ink, scaled
from .people import back_hair, face
from .scene import Person
from .vocabulary import COLOURS, SKINS

_GROUNDS: tuple[RGB, ...] = (
    (0.93, 0.90, 0.84),
    (0.72, 0.84, 0.90),
    (0.82, 0.90, 0.76),
    (0.94, 0.80, 0.74),
    (0.80, 0.76, 0.90),
    (0.52, 0.58, 0.66),
    (0.36, 0.44, 0.44),
)


def render_portrait(
    person: Person, colour: str, seed: int, *, height: int, width: int, device: torch.device | str = "cpu"
) -> Tensor:
    """Paint one face as a picture of its own.

    Args:
        person: whose face.
        colour: of the shirt, a key of COLOURS.
        seed: decides pose, light, size and ground; the person stays the same.
        height: of the picture in pixels.
        width: of the picture in pixels.
        device: where to compute.

    Returns:
        (3, H, W), float32 in -1..1.

    Raises:
        SceneError: the colour is unknown.
    """
    if colour not in COLOURS:
        raise SceneError(f"colour {colour!r} is not in the theatre; use one of {', '.join(COLOURS)}")
    dice = _dice(seed)
    canvas = _prepared(dice, height, width, device)
    _sit(canvas, person, colour, dice)
    return canvas.rgba[:3, 0].clamp(0, 1).mul(2).sub(1)


def portrait_place(seed: int, *, height: int, width: int) -> tuple[float, float, float]:
    """Where ``render_portrait`` paints the face, whoever it is.

    Args:
        seed: of the portrait.
        height: of the picture in pixels.
        width: of the picture in pixels.

    Returns:
        Row and column of the middle of the head and its radius, in pixels, as ``face_places`` tells them.
    """
    return _place(_dice(seed), height, width)


def _dice(seed: int) -> random.Random:
    return random.Random(f"{seed}:portrait")


def _place(dice: random.Random, height: int, width: int) -> tuple[float, float, float]:
    """Thrown before anything else."""
    radius = dice.uniform(0.25, 0.31) * min(height, width)
    column = width / 2 - radius * dice.uniform(-0.25, 0.25)
    return height / 2 + radius * dice.uniform(0.0, 0.2), column, radius


def _prepared(dice: random.Random, height: int, width: int, device: torch.device | str) -> Canvas:
    """A canvas with its ground, in units of the head's radius, turned as the head is tilted."""
    row, column, radius = _place(dice, height, width)
    across = (torch.arange(width, device=device) + 0.5 - column) / radius
    down = (row - 0.5 - torch.arange(height, device=device)) / radius
    x, y = across[None, None], down[None, :, None]
    u, v = sdf.turn(x, y, dice.uniform(-0.22, 0.22))
    lamp = (dice.uniform(-0.22, 0.22), dice.uniform(0.02, 0.16))
    light = (dice.uniform(0.86, 1.04) + lamp[0] * x + lamp[1] * y).clamp(0.6, 1.2)
    ground = dice.choice(_GROUNDS)
    rgba = torch.zeros(4, 1, height, width, device=device)
    pixel = torch.tensor(1 / radius, device=device)
    canvas = Canvas(
        x=u, y=v, pixel=pixel, rgba=rgba, ink=Ink("plain", "clear"), acting=True, unit=0.36, light=light
    )
    canvas.wash(torch.ones_like(u), scaled(ground, 0.82), ground, (y + 1.5) / 3)
    return canvas


def _sit(canvas: Canvas, person: Person, colour: str, dice: random.Random) -> None:
    x, y, turn = canvas.x, canvas.y, dice.uniform(-0.9, 0.9)
    back_hair(canvas, person, x, y)
    canvas.shape(sdf.box(x, y + 1.05, 0.26, 0.40, 0.1), scaled(SKINS[person.skin], 0.86))
    canvas.shape(sdf.box(x, y + 2.30, 1.12, 1.05, 0.6), COLOURS[colour])
    canvas.shape(sdf.ellipse(x, y + 1.22, 0.36, 0.18), scaled(SKINS[person.skin], 0.86), rim=0)
    face(canvas, person, x, y, turn)
