"""Film scenes: layers, actors, weather and look become a clip.

Shape letters: B scene, A actor, T frame, H row, W column.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import GeometryError, SceneError
from . import places, weather
from .actors import REACH, draw
from .camera import FLAT_CAMERAS, View, view
from .canvas import Canvas, dots, texture
from .looks import Ink
from .motion import Pose, Track, stream, track
from .places import Layer, Life
from .scene import Actor, Scene

SHARPNESS = 1.5
"""Pixels of a moving layer per pixel of the picture."""


@dataclass(frozen=True, slots=True)
class Film:
    """One scene's frames: which instants, how large, where."""

    scene: Scene
    times: Tensor
    height: int
    width: int

    @property
    def ink(self) -> Ink:
        """The scene's paint."""
        return Ink(self.scene.look, self.scene.weather)

    def see(self, nearness: float) -> View:
        """What a layer of that nearness shows in each frame."""
        return view(self.scene, self.times, nearness, self.width / self.height)

    def grid(self, nearness: float) -> tuple[Tensor, Tensor]:
        """Stage coordinates of every pixel at a layer: x (T, 1, W) and y (T, H, 1)."""
        seen = self.see(nearness)
        across, down = self.screen()
        zoom = seen.zoom[:, None, None]
        return across / zoom + seen.x[:, None, None], down / zoom + seen.y[:, None, None]

    def screen(self) -> tuple[Tensor, Tensor]:
        """Picture coordinates: x (1, 1, W) and y (1, H, 1), the height is 1, y up."""
        device = self.times.device
        x = (torch.arange(self.width, device=device) + 0.5 - self.width / 2) / self.height
        y = (self.height / 2 - 0.5 - torch.arange(self.height, device=device)) / self.height
        return x[None, None], y[None, :, None]


def render(
    scenes: Sequence[Scene],
    *,
    num_frames: int,
    fps: Fraction | float,
    height: int,
    width: int,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Film scenes.

    Args:
        scenes: what to film, at least one.
        num_frames: per clip; frame k shows the instant k / fps.
        fps: frames per second.
        height: of the picture in pixels; the same scene at another size is the same picture, sharper.
        width: of the picture in pixels; another aspect sees the same stage wider or narrower.
        device: where to compute.

    Returns:
        (B, 3, T, H, W), float32 in -1..1.
    """
    _check(scenes, num_frames, fps, height, width)
    times = _times(num_frames, fps, device)
    return torch.stack([_film(Film(scene, times, height, width)) for scene in scenes])


def render_mattes(
    scenes: Sequence[Scene],
    *,
    num_frames: int,
    fps: Fraction | float,
    height: int,
    width: int,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Where the actors of the same clips are seen.

    Args:
        scenes: what to film, at least one.
        num_frames: per clip.
        fps: frames per second.
        height: of the picture in pixels.
        width: of the picture in pixels.
        device: where to compute.

    Returns:
        (B, 2, T, H, W), coverage 0..1, the first actor hiding the second; zeros for a missing actor.
    """
    _check(scenes, num_frames, fps, height, width)
    times = _times(num_frames, fps, device)
    return torch.stack([_mattes(Film(scene, times, height, width)) for scene in scenes])


def _check(scenes: Sequence[Scene], num_frames: int, fps: Fraction | float, height: int, width: int) -> None:
    """Refuse what cannot be filmed: no scene, or a count, size or rate that is not above 0."""
    if not scenes:
        raise SceneError("there is no scene to film; give at least one")
    if min(num_frames, height, width) < 1 or not fps > 0:
        raise GeometryError(
            f"cannot film {num_frames} frames of {width}x{height} at {fps} a second; each must be above 0"
        )


def _times(num_frames: int, fps: Fraction | float, device: torch.device | str) -> Tensor:
    exact = [float(k / fps) for k in range(num_frames)]
    return torch.tensor(exact, dtype=torch.float32, device=device)


def _film(film: Film) -> Tensor:
    frames = _background(film)
    _strike(film, frames)
    _shadows(film, frames)
    for index in reversed(range(len(film.scene.actors))):
        _act(film, index, frames)
    _weather(film, frames)
    return _finish(film, frames).clamp_(0, 1).mul_(2).sub_(1)


def _background(film: Film) -> Tensor:
    stack, alive = places.layers(film.scene), places.life(film.scene)
    frames = torch.zeros(3, len(film.times), film.height, film.width, device=film.times.device)
    if film.scene.camera in FLAT_CAMERAS:
        frames = _filmed_sheet(film, stack, 0.0, frames)
        _live(film, alive, frames)
        return frames
    for layer, nearer in zip(stack, [*(layer.nearness for layer in stack[1:]), math.inf], strict=True):
        frames = _filmed_sheet(film, [layer], layer.nearness, frames)
        _live(film, [piece for piece in alive if layer.nearness <= piece.nearness < nearer], frames)
    return frames


def _filmed_sheet(film: Film, stack: list[Layer], nearness: float, behind: Tensor) -> Tensor:
    """Paint a sheet of layers once and lay what the camera sees of it over the frames."""
    x, y = film.grid(nearness)
    if film.scene.camera == "static shot":
        sheet = _painted(film, stack, x[:1], y[:1], 1 / (film.height * film.see(nearness).zoom[0]))
        return behind.mul_(1 - sheet[3]).add_(sheet[:3])
    top = min(max(layer.top for layer in stack), float(y.max()))
    rows = y.amin(0).flatten() <= top + 2 / film.height
    if not bool(rows.any()):
        return behind
    first = int(rows.nonzero()[0])
    sheet, grid = _panorama(film, stack, x, y[:, first:])
    seen = F.grid_sample(
        sheet.expand(len(film.times), -1, -1, -1), grid, align_corners=False, padding_mode="border"
    )
    part = behind[:, :, first:]
    part.mul_(1 - seen[:, 3]).add_(seen[:, :3].transpose(0, 1))
    return behind


def _panorama(film: Film, stack: list[Layer], x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """A sheet that holds all that any frame sees, and where each frame's pixels lie on it."""
    step = 1 / (SHARPNESS * film.height)
    left, right = _snapped(x, step)
    bottom, top = _snapped(y, step)
    device = x.device
    across = (torch.arange(left, right, device=device) + 0.5) * step
    down = (torch.arange(top - 1, bottom - 1, -1, device=device) + 0.5) * step
    sheet = _painted(film, stack, across[None, None], down[None, :, None], torch.tensor(step, device=device))
    u = 2 * (x / step - left) / (right - left) - 1
    v = 2 * (top - y / step) / (top - bottom) - 1
    shape = (x.shape[0], y.shape[1], x.shape[2])
    return sheet.transpose(0, 1), torch.stack([u.expand(shape), v.expand(shape)], dim=-1)


def _snapped(values: Tensor, step: float) -> tuple[int, int]:
    return math.floor(float(values.min()) / step) - 1, math.ceil(float(values.max()) / step) + 1


def _painted(film: Film, stack: list[Layer], x: Tensor, y: Tensor, pixel: Tensor) -> Tensor:
    rgba = torch.zeros(4, 1, y.shape[1], x.shape[2], device=x.device)
    canvas = Canvas(x=x, y=y, pixel=pixel, rgba=rgba, ink=film.ink, acting=False)
    for layer in stack:
        layer.paint(canvas)
    grain = texture(film.ink.style.texture, 0.8 * x, 0.8 * y, _grain_phase(film.scene))
    if grain is not None:
        rgba[:3].mul_(grain)
    return rgba


def _grain_phase(scene: Scene) -> float:
    return stream(scene, "grain").uniform(0, math.tau)


def _live(film: Film, alive: list[Life], frames: Tensor) -> None:
    for piece in alive:
        x, y = film.grid(piece.nearness)
        _tint(frames, piece.alpha(x, y, film.times), film.ink.ground(piece.colour))


def _strike(film: Film, frames: Tensor) -> None:
    if film.scene.weather == "storm":
        x, y = film.grid(0.05)
        _tint(frames, weather.bolts(film.scene, x, y, film.times), film.ink.ground((1.0, 1.0, 1.0)))


def _tint(frames: Tensor, alpha: Tensor, colour: tuple[float, float, float]) -> None:
    for channel in range(3):
        frames[channel].lerp_(torch.tensor(colour[channel], device=frames.device), alpha)


def _shadows(film: Film, frames: Tensor) -> None:
    x, y = film.grid(1.0)
    for index in range(len(film.scene.actors)):
        led = track(film.scene, index)
        pose = led.pose(film.times)
        lift = (pose.y - led.ground).clamp(min=0)
        half = REACH[led.kind][0] * led.size * _SHADOW * (1 + 0.6 * lift)
        weight = 0.5 * torch.exp(-3.2 * lift)
        shade = dots(
            x,
            y,
            (pose.x[:, None], torch.full_like(pose.x, led.ground + 0.006)[:, None]),
            (half[:, None], 0.03 * torch.ones_like(half[:, None])),
            weight[:, None],
        )
        frames.mul_(1 - shade)


_SHADOW = 0.72


def _act(film: Film, index: int, frames: Tensor) -> None:
    (rows, columns), canvas = _acted(film, index)
    clear, paint = 1 - canvas.rgba[3], canvas.rgba[:3]
    for frame, (row, column) in enumerate(zip(rows[:, 0].tolist(), columns[:, 0].tolist(), strict=True)):
        part = frames[:, frame, row : row + rows.shape[1], column : column + columns.shape[1]]
        part.mul_(clear[frame]).add_(paint[:, frame])


def _acted(film: Film, index: int) -> tuple[tuple[Tensor, Tensor], Canvas]:
    """Paint one actor in a small window that goes along; also say which rows and columns that covers."""
    actor, led = film.scene.actors[index], track(film.scene, index)
    pose, seen = led.pose(film.times), film.see(1.0)
    rows, columns = _window(film, led, pose, seen, actor)
    x, y = film.screen()
    zoom = seen.zoom[:, None, None]
    px = x[0, 0][columns][:, None, :] / zoom + seen.x[:, None, None]
    py = y[0, :, 0][rows][:, :, None] / zoom + seen.y[:, None, None]
    u, v = _own_units(px, py, led, pose)
    pixel = 1 / (film.height * zoom * led.size)
    canvas = _blank(film, actor, led, u, v, pixel)
    light = _light(px, py, led, pose, film.ink.style.shading)
    _draw_on(replace(canvas, light=light), actor, pose, film)
    return (rows, columns), canvas


def _draw_on(canvas: Canvas, actor: Actor, pose: Pose, film: Film) -> None:
    fields = {name: getattr(pose, name)[:, None, None] for name in Pose.__slots__}
    draw(canvas, actor, Pose(**fields))
    grain = texture(film.ink.style.texture, 0.32 * canvas.x, 0.32 * canvas.y, _grain_phase(film.scene) + 1)
    if grain is not None:
        canvas.rgba[:3].mul_(grain)


def _blank(film: Film, actor: Actor, led: Track, u: Tensor, v: Tensor, pixel: Tensor) -> Canvas:
    mirror = 1 if actor.kind == "person" else led.facing
    return Canvas(
        x=u * mirror,
        y=v,
        pixel=pixel,
        rgba=torch.zeros(4, *u.shape, device=u.device),
        ink=film.ink,
        acting=True,
        facing=led.facing,
    )


def _window(film: Film, led: Track, pose: Pose, seen: View, actor: Actor) -> tuple[Tensor, Tensor]:
    """Rows (T, h) and columns (T, w) of a window that holds the actor in every frame, within the picture."""
    wide, high = REACH[actor.kind]
    if bool((pose.rotation.abs() > 0.02).any()):
        turned = math.hypot(wide, high) if led.action == "spin" else max(wide, high) * 1.08
        wide, high = min(turned, wide + 0.35 * high) if led.action != "spin" else turned, turned
    reach = led.size * float(seen.zoom.max()) * film.height
    half_w, half_h = math.ceil(wide * 1.12 * reach) + 2, math.ceil(high * 1.12 * reach) + 2
    columns = _span((pose.x - seen.x) * seen.zoom * film.height + film.width / 2, half_w, film.width)
    middle = pose.y + 0.5 * led.size
    rows = _span(film.height / 2 - (middle - seen.y) * seen.zoom * film.height, half_h, film.height)
    return rows, columns


def _span(centres: Tensor, half: int, limit: int) -> Tensor:
    size = min(2 * half, limit)
    first = (centres.round().long() - half).clamp(0, limit - size)
    return first[:, None] + torch.arange(size, device=centres.device)


def _own_units(px: Tensor, py: Tensor, led: Track, pose: Pose) -> tuple[Tensor, Tensor]:
    """From the stage to the actor's own upright, unsquashed units: one unit high, origin at its base."""
    squash = pose.squash[:, None, None]
    u = (px - pose.x[:, None, None]) / led.size / (1 + 0.6 * squash)
    v = (py - pose.y[:, None, None]) / led.size / (1 - squash)
    angle = pose.rotation[:, None, None]
    cos, sin = angle.cos(), angle.sin()
    rise = v - 0.5
    return u * cos + rise * sin, rise * cos - u * sin + 0.5


def _light(px: Tensor, py: Tensor, led: Track, pose: Pose, strength: float) -> Tensor:
    """Light from the upper left, whichever way the actor is turned."""
    dx = (px - pose.x[:, None, None]) / led.size
    dy = (py - pose.y[:, None, None]) / led.size - 0.5
    return 1 + strength * 0.20 * (dy - 0.6 * dx).clamp(-0.8, 0.45)


def _weather(film: Film, frames: Tensor) -> None:
    x, y = film.grid(1.0)
    fallen = weather.falling(film.scene, x, y, film.times)
    if fallen is not None:
        _tint(frames, fallen[0], film.ink.ground(fallen[1]))
    if film.scene.weather == "storm":
        flash = weather.flash(film.scene, film.times)[:, None, None] * (0.12 + 0.24 * (y + 0.5).clamp(0, 1))
        frames.add_((1 - frames) * flash)


def _finish(film: Film, frames: Tensor) -> Tensor:
    """Let bright parts shine where the look asks for it."""
    glow = film.ink.style.glow
    if glow:
        frames.add_(glow * _halo(frames, film.height) * (1 - frames))
    return frames


def _halo(frames: Tensor, height: int) -> Tensor:
    small = F.avg_pool2d(
        (frames - 0.30).clamp(min=0), max(1, height // 28), ceil_mode=True, count_include_pad=False
    )
    for _ in range(2):
        small = F.avg_pool2d(small, 3, 1, 1, count_include_pad=False)
    return F.interpolate(small, size=frames.shape[-2:], mode="bilinear", align_corners=False)


def _mattes(film: Film) -> Tensor:
    mattes = torch.zeros(2, len(film.times), film.height, film.width, device=film.times.device)
    for index in range(len(film.scene.actors)):
        (rows, columns), canvas = _acted(film, index)
        frame = torch.arange(len(film.times), device=film.times.device)
        mattes[index][frame[:, None, None], rows[:, :, None], columns[:, None]] = canvas.rgba[3].clamp(0, 1)
    mattes[1].mul_(1 - mattes[0])
    return mattes
