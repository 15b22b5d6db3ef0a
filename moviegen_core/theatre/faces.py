"""Where a person's face is on the stage, for whoever learns to find and to know faces."""

from collections.abc import Sequence
from fractions import Fraction

import torch
from torch import Tensor

from .motion import track
from .people import HEAD
from .render import Film
from .scene import Scene

HEAD_PLACE = 0.66
"""Middle of the head of a person one unit high."""


def face_places(scene: Scene, *, num_frames: int, fps: Fraction | float, height: int, width: int) -> Tensor:
    """Follow the face of the first person of a scene.

    Args:
        scene: has a person among its actors.
        num_frames: of the clip.
        fps: its rate.
        height: of the picture in pixels.
        width: of the picture in pixels.

    Returns:
        (T, 3): row and column of the middle of the head and its radius, in pixels; it may lie outside.
    """
    index = next(place for place, actor in enumerate(scene.actors) if actor.kind == "person")
    times = torch.tensor([float(frame / fps) for frame in range(num_frames)])
    film, led = Film(scene, times, height, width), track(scene, index)
    pose, seen = led.pose(times), film.see(1.0)
    rise = HEAD_PLACE - 0.5
    across = -rise * pose.rotation.sin() * led.size * (1 + 0.6 * pose.squash)
    up = (0.5 + rise * pose.rotation.cos()) * led.size * (1 - pose.squash)
    scale = seen.zoom * height
    columns = (pose.x + across - seen.x) * scale + width / 2
    rows = height / 2 - (pose.y + up - seen.y) * scale
    return torch.stack([rows, columns, HEAD * led.size * scale], dim=1)


def is_in_picture(place: Sequence[float], *, height: int, width: int) -> bool:
    """Whether enough of a head at (row, column, radius) is in a picture of this size to be known."""
    row, column, radius = place
    return all(
        0.5 * radius < at < side - 0.5 * radius
        for at, side in zip((row, column), (height, width), strict=True)
    )
