"""How an actor moves: pure functions of the time in seconds, the one home of every contact with the ground.

Stage units: the picture is 1 high, x = 0 and y = 0 its centre, x to the right, y up.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .scene import Scene
from .vocabulary import SIZES

GROUND = -0.36
"""Where the first actor's feet stand."""
BACK_GROUND = -0.25
BACK_SCALE = 0.86
"""The second actor stands further up the stage and looks that much smaller."""

WRAP = 3.2
"""Who leaves a standing picture comes back in on its other side after that many heights."""

_HOVER = {"fish": 0.14, "bird": 0.16, "balloon": 0.08, "star": 0.05}
_HOVERS_ALWAYS = ("fish", "balloon")
_ROLLING_RADIUS = {"ball": 0.5, "car": 0.19}
_FOOTED = ("person", "cat")
_STRIDES_HZ = {"person": 1.1, "cat": 1.2, "bird": 1.5, "fish": 1.1, "koala": 0.6, "boat": 0.5}
_AIRBORNE = (0.12, 0.67)
"""Shares of a jump's cycle at which the feet leave and meet the ground."""


def stream(scene: Scene, topic: str) -> random.Random:
    """Random numbers of one topic of a scene, the same on every machine and whatever else the scene holds."""
    return random.Random(f"{scene.seed}:{topic}")


@dataclass(frozen=True, slots=True)
class Pose:
    """Where and how an actor is at each of the times asked for, tensors of their shape."""

    x: Tensor
    """Centre of the actor's base."""
    y: Tensor
    """Lowest point of the upright actor."""
    rotation: Tensor
    """Radians, counter-clockwise, around the actor's middle."""
    squash: Tensor
    """0 at rest, above 0 flattened, below 0 stretched, as a share of the height."""
    phase: Tensor
    """Radians of the limbs' cycle: legs, wings, tail."""
    swing: Tensor
    """0 limbs at rest, 1 fully swinging."""
    arms: Tensor
    """0 arms hang, 1 arms up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One actor's whole way over the stage."""

    kind: str
    action: str
    size: float
    """Height in picture heights, as seen on the stage."""
    ground: float
    """y of the ground it stands on."""
    facing: int
    """-1 left, 1 right."""
    start: float
    speed: float
    """Picture heights per second, for "go"."""
    rate: float
    """Cycles per second of bounce, jump, spin or dance."""
    offset: float
    """Share of the cycle already done at time 0."""
    hop: float
    """Height of a bounce or jump."""
    wraps: bool
    """Whether it comes back after leaving the picture; not when the camera follows it."""

    @property
    def scale(self) -> float:
        """The same as ``size``: an actor is drawn one unit high and scaled by this."""
        return self.size

    def pose(self, times: Tensor) -> Pose:
        """Everything at once, at times in seconds."""
        return _POSES[self.action](self, times)

    def x(self, times: Tensor) -> Tensor:
        """Centre of the actor's base, 0 in the middle of the picture."""
        return self.pose(times).x

    def y(self, times: Tensor) -> Tensor:
        """Lowest point of the upright actor, 0 in the middle of the picture, up is positive."""
        return self.pose(times).y

    def rotation(self, times: Tensor) -> Tensor:
        """Radians, counter-clockwise."""
        return self.pose(times).rotation

    def squash(self, times: Tensor) -> Tensor:
        """Share of the height lost to an impact; below 0 stretched."""
        return self.pose(times).squash

    def phase(self, times: Tensor) -> Tensor:
        """Radians of the limbs' cycle."""
        return self.pose(times).phase

    def velocity(self, times: Tensor) -> tuple[Tensor, Tensor]:
        """Speed to the right and up, in picture heights per second."""
        step = 1e-2
        before, after = self.pose(times - step), self.pose(times + step)
        across = torch.remainder(after.x - before.x + WRAP / 2, WRAP) - WRAP / 2
        return across / (2 * step), (after.y - before.y) / (2 * step)

    def impacts(self, seconds: float) -> list[float]:
        """Times within the first ``seconds`` at which the whole actor lands on the ground."""
        if self.action == "bounce" or (self.action == "dance" and self.kind not in _FOOTED):
            return _crossings(self.rate, self.offset, 0.0, seconds)
        if self.action == "jump":
            return _crossings(self.rate, self.offset, _AIRBORNE[1], seconds)
        return []

    def footsteps(self, seconds: float) -> list[float]:
        """Times within the first ``seconds`` at which a foot of a walking or dancing actor comes down."""
        if self.kind not in _FOOTED:
            return []
        if self.action.startswith("go"):
            return _crossings(2 * self._strides_hz, 2 * self.offset - 0.5, 0.0, seconds)
        return _crossings(self.rate, self.offset, 0.0, seconds) if self.action == "dance" else []

    @property
    def hover(self) -> float:
        """How far above the ground it stays when nothing holds it down."""
        return (
            _HOVER.get(self.kind, 0.0) if self.action.startswith("go") or self.kind in _HOVERS_ALWAYS else 0.0
        )

    @property
    def _strides_hz(self) -> float:
        return _STRIDES_HZ.get(self.kind, 0.8)


def track(scene: Scene, actor_index: int) -> Track:
    """The way of one actor: it depends on seed, actors and actions, never on place, look or weather.

    Args:
        scene: the scene.
        actor_index: 0 for the first actor, 1 for the second.

    Returns:
        The track.
    """
    actor, back = scene.actors[actor_index], actor_index == 1
    dice = stream(scene, f"motion{actor_index}")
    side = _side(scene) * (-1 if back else 1)
    facing = {"go left": -1, "go right": 1}.get(actor.action, -side)
    going = actor.action.startswith("go")
    start = (
        -facing * dice.uniform(0.42, 0.52)
        if going
        else side * (dice.uniform(0.36, 0.44) if back else dice.uniform(0.08, 0.26))
    )
    low, high = _RATES.get(actor.action, (0.5, 0.5))
    return Track(
        kind=actor.kind,
        action=actor.action,
        size=SIZES[actor.size] * (BACK_SCALE if back else 1.0),
        ground=BACK_GROUND if back else GROUND,
        facing=facing,
        start=start,
        speed=dice.uniform(0.22, 0.30),
        rate=dice.uniform(low, high),
        offset=dice.uniform(0.0, 1.0) if actor.action != "jump" else dice.uniform(-0.1, 0.1),
        hop=dice.uniform(0.15, 0.20),
        wraps=not (scene.camera == "tracking shot" and actor_index == 0),
    )


def _side(scene: Scene) -> int:
    """Where the first actor acts, so that the second stands elsewhere; who goes comes from the far side."""
    facing = {"go left": 1, "go right": -1}.get(scene.actors[0].action)
    return facing or stream(scene, "sides").choice((-1, 1))


_RATES = {"bounce": (0.75, 0.95), "jump": (0.52, 0.62), "spin": (0.33, 0.48), "dance": (0.9, 1.1)}


def _crossings(rate: float, offset: float, share: float, seconds: float) -> list[float]:
    """Times in 0..seconds at which ``rate * t + offset`` is a whole number plus ``share``."""
    first = math.ceil(offset - share)
    last = math.floor(rate * seconds + offset - share)
    return [(k + share - offset) / rate for k in range(first, last + 1)]


def _pose(self: Track, times: Tensor, **given: Tensor) -> Pose:
    zero = torch.zeros_like(times)
    values = {"x": zero + self.start, "y": zero + self.ground + self.hover, "rotation": zero, "squash": zero}
    idle = {"phase": math.tau * (0.5 * times + self.offset), "swing": zero + 0.25, "arms": zero}
    return Pose(**{**values, **idle, **given})


def _dent(distance_seconds: Tensor, width: float) -> Tensor:
    return torch.exp(-((distance_seconds / width) ** 2))


def _bounce(self: Track, times: Tensor) -> Pose:
    share = torch.remainder(self.rate * times + self.offset, 1.0)
    height = 4 * share * (1 - share)
    near = torch.minimum(share, 1 - share) / self.rate
    squash = 0.24 * _dent(near, 0.085) - 0.05 * _dent(near - 0.22, 0.10)
    return _pose(
        self, times, y=self.ground + self.hop * height, squash=squash, swing=0.3 + height, arms=0.6 * height
    )


def _jump(self: Track, times: Tensor) -> Pose:
    leave, land = _AIRBORNE
    share = torch.remainder(self.rate * times + self.offset, 1.0)
    flight = ((share - leave) / (land - leave)).clamp(0, 1)
    height = 4 * flight * (1 - flight)
    seconds = torch.remainder(share - leave + 0.5, 1.0) - 0.5
    crouch = 0.20 * _dent(seconds / self.rate + 0.10, 0.10)
    landing = 0.22 * _dent((share - land) / self.rate - 0.04, 0.09)
    stretch = 0.07 * torch.sin(math.pi * flight) ** 2
    return _pose(
        self,
        times,
        y=self.ground + 1.1 * self.hop * height,
        squash=crouch + landing - stretch,
        swing=0.25 + height,
        arms=height,
    )


def _spin(self: Track, times: Tensor) -> Pose:
    turn = -self.facing * math.tau * (self.rate * times + self.offset)
    y = self.ground + 0.06 + 0.008 * torch.sin(math.tau * 0.5 * times) + torch.zeros_like(turn)
    return _pose(
        self, times, rotation=turn, y=y, swing=torch.full_like(times, 0.5), arms=torch.full_like(times, 0.8)
    )


def _float(self: Track, times: Tensor) -> Pose:
    reach = max(0.34, 0.74 - self.size)
    rise = reach * (1 - torch.exp(-0.17 / reach * times.clamp(min=0))) + 0.17 * times.clamp(max=0)
    sway = torch.sin(math.tau * (0.35 * times + self.offset))
    return _pose(
        self,
        times,
        x=self.start + 0.025 * sway,
        y=self.ground + 0.02 + rise,
        rotation=0.09 * torch.cos(math.tau * (0.35 * times + self.offset)),
        swing=torch.full_like(times, 0.7),
        arms=torch.full_like(times, 0.7),
    )


def _still(self: Track, times: Tensor) -> Pose:
    breath = torch.sin(math.tau * (0.35 * times + self.offset))
    lift = 0.006 * (1 + breath) if self.hover else torch.zeros_like(times)
    return _pose(self, times, y=self.ground + self.hover + lift, squash=0.010 * breath)


def _dance(self: Track, times: Tensor) -> Pose:
    beat = self.rate * times + self.offset
    share = torch.remainder(beat, 1.0)
    sway = torch.sin(math.pi * beat)
    hop = 0.040 * 4 * share * (1 - share)
    near = torch.minimum(share, 1 - share) / self.rate
    return _pose(
        self,
        times,
        x=self.start + 0.055 * sway,
        y=self.ground + hop,
        rotation=-0.24 * sway,
        squash=0.12 * _dent(near, 0.10),
        phase=math.pi * beat,
        swing=torch.full_like(times, 0.8),
        arms=0.5 + 0.5 * torch.sin(math.pi * beat),
    )


def _go(self: Track, times: Tensor) -> Pose:
    way = self.start + self.facing * self.speed * times
    x = torch.remainder(way + WRAP / 2, WRAP) - WRAP / 2 if self.wraps else way
    phase = math.tau * (self._strides_hz * times + self.offset)
    radius = _ROLLING_RADIUS.get(self.kind)
    if radius is not None:
        phase = (self.start - way) / (radius * self.size)
    rotation = phase if self.kind == "ball" else self.facing * _LEAN.get(self.kind, 0.0) * torch.sin(phase)
    lift = _BOB.get(self.kind, 0.0) * (
        1 + torch.cos(2 * phase) if self.kind in _FOOTED else 1 + torch.sin(phase)
    )
    return _pose(
        self,
        times,
        x=x,
        y=self.ground + self.hover + lift,
        rotation=rotation,
        phase=phase,
        swing=torch.ones_like(times),
    )


_LEAN = {"boat": 0.06, "koala": 0.08, "fish": 0.04, "bird": 0.03, "star": 0.18, "balloon": 0.10}
_BOB = {
    "boat": 0.006,
    "koala": 0.012,
    "fish": 0.012,
    "bird": 0.016,
    "star": 0.014,
    "balloon": 0.012,
    "person": 0.006,
    "cat": 0.004,
}

_POSES: dict[str, Callable[[Track, Tensor], Pose]] = {
    "bounce": _bounce,
    "go left": _go,
    "go right": _go,
    "jump": _jump,
    "spin": _spin,
    "float up": _float,
    "stand still": _still,
    "dance": _dance,
}
