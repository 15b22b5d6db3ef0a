"""Camera moves over flat layers: zoom, pan and tilt move every layer alike, travel moves the near ones more.

A layer's ``nearness`` is 1 on the stage where the actors are, 0 at infinity, above 1 before the stage.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .motion import stream, track
from .scene import Scene

HORIZON = -0.04
"""y of the camera's eye: pushing in grows everything away from this height."""

FLAT_CAMERAS = (
    "static shot",
    "zoom in",
    "zoom out",
    "pan left",
    "pan right",
    "tilt up",
    "tilt down",
    "handheld shot",
)
"""Moves of the lens alone: all layers move as one picture."""


@dataclass(frozen=True, slots=True)
class View:
    """What a layer shows at each time: the stage point in the picture's middle, and how large it is."""

    x: Tensor
    y: Tensor
    zoom: Tensor
    """Picture heights per stage unit."""


def base_zoom(aspect: float) -> float:
    """1 for wide pictures; narrow ones stand further back so that the stage still fits."""
    return 1.0 if aspect >= 1.3 else max(0.66, 1 - 0.42 * (1.3 - aspect))


def focus(scene: Scene) -> float:
    """x around which the first actor acts in the first seconds."""
    times = torch.linspace(0, 2.5, 11)
    return float(track(scene, 0).x(times).mean())


def view(scene: Scene, times: Tensor, nearness: float, aspect: float) -> View:
    """Where the camera sees a layer of that nearness.

    Args:
        scene: its camera, first actor and seed decide.
        times: (T,) in seconds.
        nearness: of the layer.
        aspect: width / height of the picture.

    Returns:
        The layer's view, tensors (T,).
    """
    middle = focus(scene)
    narrow = min(1.0, max(0.0, (1.7 - aspect) / 0.7))
    gone = _progress(times)
    x, y, zoom = torch.zeros_like(times), torch.zeros_like(times), torch.ones_like(times)
    x, y, zoom = _moved(scene, times, gone, nearness, middle, (x, y, zoom))
    return View(
        x + (0.0 if scene.camera == "tracking shot" else narrow * middle), y, zoom * base_zoom(aspect)
    )


def _progress(times: Tensor) -> Tensor:
    """Seconds of travel done: the clock for four seconds, then an ease to a halt."""
    late = (times - 4).clamp(min=0)
    return times.clamp(max=4) + 1.2 * (1 - torch.exp(-late / 1.2))


Move = tuple[Tensor, Tensor, Tensor]


def _moved(scene: Scene, times: Tensor, gone: Tensor, nearness: float, middle: float, rest: Move) -> Move:
    x, y, zoom = rest
    camera = scene.camera
    if camera.startswith("zoom"):
        return _zoom(gone, middle, camera)
    if camera in ("push in", "pull out"):
        return _push(gone, nearness, middle, camera)
    if camera.startswith(("pan", "truck")):
        sign = 1 if camera.endswith("right") else -1
        depth = nearness if camera.startswith("truck") else 1.0
        return x + depth * (0.5 * middle + sign * (0.19 * gone - 0.28)), y, zoom
    if camera.startswith(("tilt", "pedestal")):
        sign = 1 if camera.endswith("up") else -1
        depth = nearness if camera.startswith("pedestal") else 1.0
        return x, y + depth * sign * (0.145 * gone - (0.30 if sign > 0 else 0.12)), zoom
    if camera == "tracking shot":
        return nearness * _followed(scene, times), y, zoom
    return _handheld(scene, times) if camera == "handheld shot" else rest


def _zoom(gone: Tensor, middle: float, camera: str) -> Move:
    rate = math.log(1.36) / 2
    zoom = 0.92 * torch.exp(rate * gone) if camera == "zoom in" else 1.45 * torch.exp(-rate * gone)
    return middle * (1 - 1 / zoom), -0.12 * (1 - 1 / zoom), zoom


def _push(gone: Tensor, nearness: float, middle: float, camera: str) -> Move:
    rate = math.log(1.36) / 2
    stage = 0.92 * torch.exp(rate * gone) if camera == "push in" else 1.45 * torch.exp(-rate * gone)
    zoom = 1 / (1 - (1 - 1 / stage) * nearness)
    return middle * (1 - 1 / zoom), HORIZON * (1 - 1 / zoom) * torch.ones_like(gone), zoom


def _followed(scene: Scene, times: Tensor) -> Tensor:
    led = track(scene, 0)
    return led.x(times) + 0.10 * led.facing if led.action.startswith("go") else 0.6 * led.x(times)


def _handheld(scene: Scene, times: Tensor) -> Move:
    dice = stream(scene, "camera")
    a, b, c, d = (dice.uniform(0, math.tau) for _ in range(4))
    x = 0.026 * torch.sin(2.6 * times + a) + 0.014 * torch.sin(5.1 * times + b)
    y = 0.018 * torch.sin(3.1 * times + c) + 0.010 * torch.sin(5.7 * times + d)
    return x, y, 1.06 + 0.012 * torch.sin(2.1 * times + b)
