"""Rain, snow and storm: soft, sparse and slow enough to follow with the eye."""

import math
import random
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from . import sdf
from .canvas import around, dots
from .looks import RGB
from .motion import stream
from .scene import Scene

FLASH_SECONDS = 0.22
"""Width of a lightning's light."""


def lightning(scene: Scene, seconds: float) -> list[float]:
    """Times within the first ``seconds`` at which lightning is brightest; none but in a storm."""
    if scene.weather != "storm":
        return []
    dice, times = stream(scene, "lightning"), []
    moment = dice.uniform(0.5, 1.3)
    while moment < seconds:
        times.append(moment)
        moment += dice.uniform(2.2, 4.0)
    return times


def flash(scene: Scene, times: Tensor) -> Tensor:
    """Brightness of lightning, 0..1, at each of the times."""
    light = torch.zeros_like(times)
    for moment in lightning(scene, float(times.max()) + 1):
        light = light + torch.exp(-(((times - moment) / FLASH_SECONDS) ** 2))
    return light.clamp(max=1)


def bolts(scene: Scene, x: Tensor, y: Tensor, times: Tensor) -> Tensor:
    """Coverage (T, H, W) of the crooked lines that lightning draws on the sky, gone with its light."""
    alpha = torch.zeros(len(times), y.shape[1], x.shape[2], device=x.device)
    for number, moment in enumerate(lightning(scene, float(times.max()) + 1)):
        light = torch.exp(-(((times - moment) / (0.7 * FLASH_SECONDS)) ** 2))
        lit = light > 0.02
        if bool(lit.any()):
            alpha[lit] += light[lit, None, None] * _crooked(stream(scene, f"bolt{number}"), x[lit], y[lit])
    return alpha.clamp(0, 0.95)


def _crooked(dice: random.Random, x: Tensor, y: Tensor) -> Tensor:
    place = (dice.choice((-1, 1)) * dice.uniform(0.15, 0.6), 0.45)
    line = None
    for step in range(4):
        following = (place[0] + (-1) ** step * dice.uniform(0.03, 0.10), place[1] - dice.uniform(0.07, 0.11))
        part = sdf.capsule(x, y, place, following, 0.009 - 0.0015 * step)
        line = part if line is None else torch.minimum(line, part)
        place = following
    assert line is not None
    return torch.exp(-((line.clamp(min=0) / 0.006) ** 2)) + 0.25 * torch.exp(
        -((line.clamp(min=0) / 0.035) ** 2)
    )


def falling(scene: Scene, x: Tensor, y: Tensor, times: Tensor) -> tuple[Tensor, RGB] | None:
    """What falls between the stage and the camera.

    Args:
        scene: its weather and seed decide.
        x: (T, 1, W) coordinates.
        y: (T, H, 1) coordinates.
        times: (T,) in seconds.

    Returns:
        Coverage (T, H, W) and colour before look, or None on a clear day.
    """
    if scene.weather == "clear":
        return None
    colour = (0.99, 0.99, 1.0) if scene.weather == "snow" else (0.82, 0.88, 0.96)
    return _sheet(scene, _FALLS[scene.weather], x, y, times), colour


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fall:
    """One kind of falling thing, lengths in picture heights."""

    count: int
    speed: tuple[float, float]
    half_width: float
    half_height: float
    sway: float
    weight: float


_RAIN = _Fall(count=46, speed=(0.75, 0.95), half_width=0.0046, half_height=0.045, sway=0.0, weight=0.58)
_FALLS = {
    "rain": _RAIN,
    "storm": replace(_RAIN, count=70, weight=0.55),
    "snow": _Fall(count=60, speed=(0.13, 0.22), half_width=0.0105, half_height=0.0105, sway=0.03, weight=0.9),
}


def _sheet(scene: Scene, fall: _Fall, x: Tensor, y: Tensor, times: Tensor) -> Tensor:
    """All drops, each on its endless way down a sheet of 2.6 x 2 heights that repeats wherever one looks."""
    dice = stream(scene, f"falling {scene.weather}")
    rows = torch.tensor([_drop(dice, fall.speed) for _ in range(fall.count)], dtype=x.dtype, device=x.device)
    across, start, speed, scale = rows.unbind(1)
    down = -2 * start - speed * times[:, None]
    drift = 2.6 * across + fall.sway * torch.sin(1.7 * times[:, None] + math.tau * start)
    drift, down = around(drift, x.mean((1, 2)), 2.6), around(down, y.mean((1, 2)), 2.0)
    sizes = ((fall.half_width * scale)[None], (fall.half_height * scale)[None])
    weights = (fall.weight * scale.clamp(max=1))[None]
    return dots(x, y, (drift, down), sizes, weights).clamp(0, 0.9)


def _drop(dice: random.Random, speed: tuple[float, float]) -> tuple[float, float, float, float]:
    return dice.random(), dice.random(), dice.uniform(*speed), dice.uniform(0.75, 1.3)
