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
    middle, narrow = focus(scene), min(1.0, max(0.0, (1.7 - aspect) / 0.7))
    travel = Travel(
        scene=scene, gone=_progress(times), nearness=nearness, middle=middle, reach=1 - 0.4 * narrow
    )
    x, y, zoom = _moved(travel, times)
    aside = 0.0 if scene.camera == "tracking shot" else narrow * middle
    return View(x + aside, y, zoom * base_zoom(aspect))


def _progress(times: Tensor) -> Tensor:
    """Seconds of travel done: the clock for four seconds, then an ease to a halt."""
    late = (times - 4).clamp(min=0)
    return times.clamp(max=4) + 1.2 * (1 - torch.exp(-late / 1.2))


Move = tuple[Tensor, Tensor, Tensor]
"""Stage point in the picture's middle, x and y, and the zoom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Travel:
    """What the moves work from."""

    scene: Scene
    gone: Tensor
    """Seconds of travel done, (T,)."""
    nearness: float
    middle: float
    """x around which the first actor acts."""
    reach: float
    """1, or less where the picture is narrow and long sideways moves would lose the actor."""


def _moved(travel: Travel, times: Tensor) -> Move:
    camera, rest = travel.scene.camera, torch.zeros_like(times)
    if camera in ("zoom in", "zoom out"):
        return _zoom(travel)
    if camera in ("push in", "pull out"):
        return _push(travel)
    if camera.startswith(("pan", "truck")):
        return _sideways(travel), rest, rest + 1
    if camera.startswith(("tilt", "pedestal")):
        return rest, _upwards(travel), rest + 1
    if camera == "tracking shot":
        return travel.nearness * _followed(travel.scene, times), rest, rest + 1
    return _handheld(travel.scene, times) if camera == "handheld shot" else (rest, rest, rest + 1)


def _sideways(travel: Travel) -> Tensor:
    sign = 1 if travel.scene.camera.endswith("right") else -1
    depth = travel.nearness if travel.scene.camera.startswith("truck") else 1.0
    return depth * (0.5 * travel.reach * travel.middle + sign * travel.reach * (0.19 * travel.gone - 0.28))


def _upwards(travel: Travel) -> Tensor:
    up = travel.scene.camera.endswith("up")
    depth = travel.nearness if travel.scene.camera.startswith("pedestal") else 1.0
    return depth * (0.145 * travel.gone - 0.30 if up else 0.12 - 0.145 * travel.gone)


def _scale(travel: Travel) -> Tensor:
    """1.36 times as large after every two seconds, or as small."""
    rate = math.log(1.36) / 2
    inwards = travel.scene.camera.endswith("in")
    return 0.92 * torch.exp(rate * travel.gone) if inwards else 1.45 * torch.exp(-rate * travel.gone)


def _zoom(travel: Travel) -> Move:
    zoom = _scale(travel)
    return travel.middle * (1 - 1 / zoom), -0.12 * (1 - 1 / zoom), zoom


def _push(travel: Travel) -> Move:
    zoom = 1 / (1 - (1 - 1 / _scale(travel)) * travel.nearness)
    return travel.middle * (1 - 1 / zoom), HORIZON * (1 - 1 / zoom), zoom


def _followed(scene: Scene, times: Tensor) -> Tensor:
    led = track(scene, 0)
    x = led.x(times)
    return x + 0.10 * led.facing if led.action.startswith("go") else 0.6 * x


def _handheld(scene: Scene, times: Tensor) -> Move:
    dice = stream(scene, "camera")
    a, b, c, d = (dice.uniform(0, math.tau) for _ in range(4))
    x = 0.026 * torch.sin(2.6 * times + a) + 0.014 * torch.sin(5.1 * times + b)
    y = 0.018 * torch.sin(3.1 * times + c) + 0.010 * torch.sin(5.7 * times + d)
    return x, y, 1.06 + 0.012 * torch.sin(2.1 * times + b)
