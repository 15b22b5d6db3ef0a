"""Contact sheets: what the theatre can show, at a glance, for its documentation and whoever changes it."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ..media.spectrogram import spectrogram
from . import vocabulary as words
from .events import INSTRUMENTS, MOODS, events, music
from .portraits import render_portrait
from .render import render
from .sampling import sample_scenes
from .scene import Actor, Person, Scene
from .sound import mixed, render_sound

Cell = tuple[str, Tensor]
"""A caption and a picture (3, H, W) in -1..1."""

_CAPTION_PIXELS = 14
_SITTERS = (0, 3, 7, 8)
_SOUND_SECONDS = 4


def person(seed: int) -> Person:
    """Somebody, by seed."""
    dice = random.Random(f"{seed}:somebody")
    return Person(
        skin=dice.choice(tuple(words.SKINS)),
        hair_colour=dice.choice(tuple(words.HAIR_COLOURS)),
        hair_style=dice.choice(words.HAIR_STYLES),
        eyes=dice.choice(tuple(words.EYE_COLOURS)),
        glasses=dice.random() < 0.4,
        hat=dice.choice(words.HATS),
    )


def _actor(kind: str, number: int, action: str = "stand still", size: str = "large") -> Actor:
    colour = tuple(words.COLOURS)[number % len(words.COLOURS)]
    who = person(number) if kind == "person" else None
    return Actor(kind=kind, colour=colour, size=size, action=action, person=who)


def _scene(actor: Actor, number: int, **changes: str) -> Scene:
    settings = {
        "place": words.PLACES[number % 8],
        "weather": "clear",
        "camera": "static shot",
        "look": "plain",
    }
    return Scene(actors=(actor,), seed=number, **{**settings, **changes})


def _frames(scene: Scene, seconds: Sequence[float], height: int = 112, width: int = 192) -> list[Tensor]:
    clip = render([scene], num_frames=round(8 * max(seconds)) + 1, fps=8, height=height, width=width)[0]
    return [clip[:, round(8 * moment)] for moment in seconds]


def actors() -> list[Cell]:
    """Every actor, large, each in another colour and place."""
    scenes = [_scene(_actor(kind, 3 * i), 5 * i + 2) for i, kind in enumerate(words.ACTORS)]
    return [(f"{s.actors[0].colour} {s.actors[0].kind}", _frames(s, (0.3,), 168, 288)[0]) for s in scenes]


def places() -> list[Cell]:
    """Every place."""
    scenes = [_scene(_actor(words.ACTORS[3 * i % 11], i, size="medium"), i + 8) for i in range(8)]
    return [(s.place, _frames(s, (0.3,), 168, 288)[0]) for s in scenes]


def looks() -> list[Cell]:
    """Every look in three scenes."""
    kinds = (("car", "city street"), ("fish", "underwater"), ("cat", "snowy mountains"))
    rows = [
        [_scene(_actor(k, 4 + i), 3, place=p, look=look) for i, (k, p) in enumerate(kinds)]
        for look in words.LOOKS
    ]
    return [(s.look, _frames(s, (0.3,))[0]) for row in rows for s in row]


def weathers() -> list[Cell]:
    """Every weather in three places."""
    kinds = (("ball", "meadow"), ("boat", "beach"), ("koala", "desert"))
    rows = [
        [_scene(_actor(k, 3 * i), 3, place=p, weather=w) for i, (k, p) in enumerate(kinds)]
        for w in words.WEATHERS
    ]
    return [(s.weather, _frames(s, (0.75,))[0]) for row in rows for s in row]


def actions() -> list[Cell]:
    """Every action at four moments."""
    kinds = ("ball", "car", "bird", "person", "star", "balloon", "cat", "koala")
    scenes = [
        _scene(_actor(k, 7 * i, a, "medium"), i)
        for i, (k, a) in enumerate(zip(kinds, words.ACTIONS, strict=True))
    ]
    return [(f"{s.actors[0].action}, {m} s", f) for s in scenes for m, f in _timed(s, (0.0, 0.5, 1.0, 1.5))]


def cameras() -> list[Cell]:
    """Every camera move, at its start and two seconds later."""
    doing = {"tracking shot": "go right"}
    scenes = [
        _scene(_actor("cat", 1, doing.get(c, "stand still"), "medium"), i, camera=c)
        for i, c in enumerate(words.CAMERAS)
    ]
    return [(f"{s.camera}, {m} s", f) for s in scenes for m, f in _timed(s, (0.0, 2.0))]


def _timed(scene: Scene, seconds: Sequence[float]) -> list[tuple[float, Tensor]]:
    return list(zip(seconds, _frames(scene, seconds), strict=True))


def portraits() -> list[Cell]:
    """Four persons: on the stage, and as three portraits."""
    cells = []
    for number in _SITTERS:
        who = person(number)
        actor = Actor(kind="person", colour="green", size="large", action="stand still", person=who)
        stage = _frames(_scene(actor, number), (0.3,), 160, 160)[0]
        cells.append(("in a scene", stage))
        cells += [
            (f"portrait {s}", render_portrait(who, "green", s, height=160, width=160)) for s in range(1, 4)
        ]
    return cells


def sounds() -> list[Cell]:
    """Twelve scenes, every kind of event, every place's ambience, music of every mood; events are ticked."""
    return [*_scene_sounds(), *_event_sounds(), *_place_sounds(), *_music_sounds()]


def _scene_sounds() -> list[Cell]:
    """Effects and ambience of sampled scenes that have events: one of each actor, and a storm."""
    busy = [scene for scene in sample_scenes(0, 300) if events(scene, _SOUND_SECONDS)]
    chosen = {scene.actors[0].kind: scene for scene in reversed(busy) if scene.weather != "storm"}
    storm = next(scene for scene in busy if scene.weather == "storm")
    return [(f"{s.actors[0].kind}, {s.place}, {s.weather}", _heard(s)) for s in (*chosen.values(), storm)]


def _event_sounds() -> list[Cell]:
    """Every impact, footsteps, splash, thunder and engine, without anything else."""
    wet = ("boat", "fish", "koala")
    cells = [
        (
            f"impact {kind}",
            _scene(_actor(kind, 1, "bounce"), 3, place="underwater" if kind in wet else "stage"),
        )
        for kind in words.ACTORS
    ]
    cells += [
        (f"steps, {place}", _scene(_actor("person", 1, "go left"), 3, place=place))
        for place in ("snowy mountains", "city street")
    ]
    cells += [
        ("steps of a cat", _scene(_actor("cat", 1, "go left"), 3, place="stage")),
        ("splash", _scene(_actor("koala", 1, "jump"), 3, place="beach")),
        ("splash, small fish", _scene(_actor("fish", 1, "bounce", "small"), 3, place="beach")),
        ("thunder", _scene(_actor("balloon", 1), 3, place="meadow", weather="storm")),
        ("engine, driving left", _scene(_actor("car", 1, "go left"), 3, place="desert")),
    ]
    return [(name, _heard(scene, "effects")) for name, scene in cells]


def _place_sounds() -> list[Cell]:
    """The ambience of every place, and rain and storm."""
    cells = [(place, _scene(_actor("balloon", 1), 3, place=place)) for place in words.PLACES]
    cells += [
        (f"{place}, {weather}", _scene(_actor("balloon", 1), 3, place=place, weather=weather))
        for place, weather in (("meadow", "rain"), ("beach", "storm"))
    ]
    return [(name, _heard(scene, "ambience")) for name, scene in cells]


def _music_sounds() -> list[Cell]:
    """Every mood on two instruments."""
    scenes = sample_scenes(0, 300)
    pairs = [(mood, INSTRUMENTS[(i + j) % 4]) for i, mood in enumerate(MOODS) for j in range(2)]
    found = {(music(s).mood, music(s).instrument): s for s in scenes}
    return [(f"{mood}, {name}", _heard(found[mood, name], "music")) for mood, name in pairs]


def _heard(scene: Scene, *stems: str) -> Tensor:
    sound = render_sound(scene, num_frames=8 * _SOUND_SECONDS, fps=8, stems=stems or ("effects", "ambience"))
    marks = [event.time for event in events(scene, _SOUND_SECONDS)]
    return spectrogram(mixed(sound), height=60, width=140, marks=marks)


SHEETS: dict[str, tuple[Callable[[], list[Cell]], int]] = {
    "actors": (actors, 4),
    "actions": (actions, 4),
    "places": (places, 4),
    "weathers": (weathers, 3),
    "looks": (looks, 3),
    "cameras": (cameras, 6),
    "portraits": (portraits, 4),
    "sounds": (sounds, 8),
}
"""Name of each sheet: what fills it, and how many columns it has."""


def sheet(cells: Sequence[Cell], columns: int) -> Image.Image:
    """Lay captioned pictures of equal size out in rows."""
    height, width = cells[0][1].shape[-2:]
    step = height + _CAPTION_PIXELS
    page = Image.new("RGB", (columns * (width + 4), -(-len(cells) // columns) * (step + 4)), "white")
    pen = ImageDraw.Draw(page)
    for number, (caption, picture) in enumerate(cells):
        left, top = number % columns * (width + 4) + 2, number // columns * (step + 4) + 2
        page.paste(_image(picture), (left, top))
        pen.text((left + 2, top + height + 1), caption, fill=(60, 60, 70))
    return page


def _image(picture: Tensor) -> Image.Image:
    pixels = ((picture.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())


def write_sheets(folder: Path) -> list[Path]:
    """Write every contact sheet as a JPEG.

    Args:
        folder: an existing folder; files of the same names are replaced.

    Returns:
        The files written.
    """
    paths = []
    for name, (cells, columns) in SHEETS.items():
        paths.append(folder / f"{name}.jpg")
        sheet(cells(), columns).save(paths[-1], quality=80, optimize=True)
    return paths
