"""Rain, snow and storm: soft, sparse and slow enough to follow with the eye."""

import math
import random

import torch
from torch import Tensor

from .canvas import dots
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
    if scene.weather == "snow":
        return _sheet(scene, x, y, times, count=46, speed=(0.13, 0.22), size=(0.0085, 0.0085), sway=0.03, weight=0.9), (0.99, 0.99, 1.0)
    storm = scene.weather == "storm"
    weight, count = (0.42, 52) if storm else (0.40, 34)
    return _sheet(scene, x, y, times, count=count, speed=(0.75, 0.95), size=(0.0042, 0.045), sway=0.0, weight=weight), (0.82, 0.88, 0.96)


def _sheet(scene: Scene, x: Tensor, y: Tensor, times: Tensor, *, count: int, speed: tuple[float, float], size: tuple[float, float], sway: float, weight: float) -> Tensor:
    dice = stream(scene, f"falling {scene.weather}")
    rows = torch.tensor([_drop(dice, speed) for _ in range(count)], dtype=x.dtype, device=x.device)
    across, start, fall, scale = rows.unbind(1)
    high, wide = 2.0, 2.6
    down = high / 2 - torch.remainder(start * high + fall * times[:, None], high)
    drift = across * wide - wide / 2 + sway * torch.sin(1.7 * times[:, None] + math.tau * start)
    sizes = ((size[0] * scale)[None], (size[1] * scale)[None])
    return dots(x, y, (drift.expand(len(times), -1), down), sizes, (weight * scale.clamp(max=1))[None]).clamp(0, 0.9)


def _drop(dice: random.Random, speed: tuple[float, float]) -> tuple[float, float, float, float]:
    return dice.random(), dice.random(), dice.uniform(*speed), dice.uniform(0.75, 1.3)
