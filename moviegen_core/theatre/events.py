"""What is heard in a scene: single events at exact times, beds that last, and music as a stem of its own.

Times come from ``motion`` and ``weather``, the same functions that draw the contacts and the lightning. Which
kind of sound belongs to what, how loud and how high it is, is our choice.
"""

import math
import random
from dataclasses import dataclass

import torch

from . import weather
from .camera import view
from .motion import Track, stream, track
from .scene import Scene
from .vocabulary import SIZES

ASPECT = 16 / 9
"""Shape of the picture whose sides are pan -1 and 1."""
EAR_REACH = 1.6
"""Distance from the picture's middle, in half widths, at which a sound has lost half its strength."""

SPLASHING = ("boat", "fish", "koala")
"""Actors of the water land with a splash wherever they are, except below its surface."""
_WEIGHTS = {
    "ball": 0.7,
    "box": 0.9,
    "star": 0.5,
    "balloon": 0.25,
    "car": 1.0,
    "bird": 0.3,
    "cat": 0.45,
    "person": 0.8,
}
_WEIGHTS |= {"boat": 0.9, "fish": 0.5, "koala": 0.8}
_PITCHES_HZ = {
    "ball": 180.0,
    "box": 130.0,
    "star": 660.0,
    "balloon": 330.0,
    "car": 90.0,
    "bird": 420.0,
    "cat": 240.0,
}
_PITCHES_HZ |= {"person": 150.0, "boat": 400.0, "fish": 900.0, "koala": 520.0}
_STEP_STRENGTHS = {"person": 0.45, "cat": 0.2}
_FULL_FALL = 0.20 * 0.95
"""The strongest landing of ``motion``: highest hop times fastest rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One short sound."""

    time: float
    """Seconds from the clip's start."""
    kind: str
    """"impact KIND" and "footstep KIND" with the actor's kind, "splash" or "thunder"."""
    strength: float
    """0 unheard, 1 as loud as the theatre gets; falls off outside the picture."""
    pitch: float
    """Hz of the sound's body: the smaller the actor, the higher."""
    pan: float
    """-1 left edge of the picture, 1 right edge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bed:
    """One sound that lasts as long as the clip."""

    kind: str
    """One of ``BEDS``."""
    level: float
    """0 unheard, 1 as loud as the theatre gets."""
    actor: int | None = None
    """Index of the actor it moves with (pan and Doppler), None if it is everywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Music:
    """What the orchestra would play, apart from all other sound."""

    mood: str
    """One of ``MOODS``."""
    tempo: float
    """Beats per minute; who dances keeps time with it."""
    instrument: str
    """One of ``INSTRUMENTS``."""
    first_beat: float
    """Seconds from the clip's start, less than one beat."""


BEDS = ("engine", "wind", "rain", "waves", "crickets", "birds", "underwater", "street", "hall")
MOODS = ("happy", "calm", "dreamy", "tense")
INSTRUMENTS = ("piano", "guitar", "strings", "marimba")
TEMPOS = {"happy": (108.0, 132.0), "calm": (66.0, 84.0), "dreamy": (72.0, 92.0), "tense": (126.0, 150.0)}
"""Mood: range of beats per minute."""


def events(scene: Scene, seconds: float) -> tuple[Event, ...]:
    """Every short sound of the first seconds; a longer clip only adds later ones.

    Args:
        scene: what is filmed.
        seconds: length of the clip.

    Returns:
        Events with 0 <= time < seconds, in order of time.
    """
    heard = _thunder(scene, seconds)
    for index in range(len(scene.actors)):
        heard += _contacts(scene, index, seconds)
    return tuple(
        sorted((event for event in heard if 0 <= event.time < seconds), key=lambda e: (e.time, e.kind))
    )


def beds(scene: Scene) -> tuple[Bed, ...]:
    """The lasting sounds of place, weather and engines, at most one of each kind and actor."""
    levels = dict(_PLACE_BEDS[scene.place]) if scene.weather == "clear" else _sheltering(scene.place)
    for kind, level in _WEATHER_BEDS[scene.weather].items():
        levels[kind] = max(level, levels.get(kind, 0.0))
    engines = [
        Bed(kind="engine", level=0.5 if actor.action.startswith("go") else 0.2, actor=index)
        for index, actor in enumerate(scene.actors)
        if actor.kind == "car"
    ]
    return (*(Bed(kind=kind, level=level) for kind, level in levels.items()), *engines)


def music(scene: Scene) -> Music:
    """Music that suits the place and the weather; seed and place choose among what suits."""
    dice = stream(scene, f"music {scene.place}")
    mood, instrument = dice.choice(_fitting_moods(scene)), dice.choice(INSTRUMENTS)
    tempo, first_beat = _beat(scene, mood, dice)
    return Music(mood=mood, tempo=tempo, instrument=instrument, first_beat=first_beat)


def _fitting_moods(scene: Scene) -> tuple[str, ...]:
    if any(actor.action == "dance" for actor in scene.actors):
        return ("happy",)
    return ("tense",) if scene.weather == "storm" else _PLACE_MOODS[scene.place]


_PLACE_BEDS = {
    "meadow": {"birds": 0.5, "wind": 0.12},
    "beach": {"waves": 0.6, "wind": 0.12},
    "desert": {"wind": 0.4},
    "city street": {"street": 0.45},
    "night sky": {"crickets": 0.5},
    "snowy mountains": {"wind": 0.5},
    "underwater": {"underwater": 0.6},
    "stage": {"hall": 0.3},
}
_HIDING = ("birds", "crickets")
"""Who falls silent in bad weather."""
_WEATHER_BEDS = {
    "clear": {},
    "rain": {"rain": 0.5},
    "snow": {"wind": 0.25},
    "storm": {"rain": 0.7, "wind": 0.6},
}
_PLACE_MOODS = {
    "meadow": ("happy", "calm"),
    "beach": ("happy", "calm"),
    "desert": ("tense", "calm"),
    "city street": ("happy", "tense"),
    "night sky": ("dreamy", "calm"),
    "snowy mountains": ("dreamy", "tense"),
    "underwater": ("dreamy",),
    "stage": ("happy", "dreamy"),
}


def _sheltering(place: str) -> dict[str, float]:
    return {kind: level for kind, level in _PLACE_BEDS[place].items() if kind not in _HIDING}


def _beat(scene: Scene, mood: str, dice: random.Random) -> tuple[float, float]:
    """Tempo and first beat: two beats a step of the first who dances, else free within the mood."""
    for index, actor in enumerate(scene.actors):
        if actor.action == "dance":
            way = track(scene, index)
            first_landing = math.fmod(1 - way.offset, 1.0) / way.rate
            beat = 0.5 / way.rate
            return 120 * way.rate, math.fmod(first_landing, beat)
    return dice.uniform(*TEMPOS[mood]), 0.0


def _thunder(scene: Scene, seconds: float) -> list[Event]:
    """A clap at every lightning, right with its light: the storm is overhead."""
    dice = stream(scene, "thunder")
    return [
        Event(
            time=moment,
            kind="thunder",
            strength=dice.uniform(0.7, 1.0),
            pitch=55.0,
            pan=dice.uniform(-0.5, 0.5),
        )
        for moment in weather.lightning(scene, seconds)
    ]


def _contacts(scene: Scene, index: int, seconds: float) -> list[Event]:
    """Landings and footsteps of one actor, each heard from where it is seen."""
    way = track(scene, index)
    landings, steps = way.impacts(seconds), way.footsteps(seconds)
    pitch = _PITCHES_HZ[way.kind] * SIZES["medium"] / SIZES[scene.actors[index].size]
    splashes = way.kind in SPLASHING and scene.place != "underwater"
    kind, strength = "splash" if splashes else f"impact {way.kind}", _landing_strength(way)
    heard = [(moment, kind, strength, pitch) for moment in landings]
    heard += [(moment, f"footstep {way.kind}", _STEP_STRENGTHS[way.kind], 2 * pitch) for moment in steps]
    return [_placed(scene, way, *sound) for sound in heard]


def _landing_strength(way: Track) -> float:
    """Heavier actors, larger ones and higher falls land louder; a dancer only taps."""
    fall = 0.3 if way.action == "dance" else way.hop * way.rate / _FULL_FALL
    return min(1.0, _WEIGHTS[way.kind] * (0.6 + 0.4 * way.size / SIZES["large"]) * fall)


def _placed(scene: Scene, way: Track, moment: float, kind: str, strength: float, pitch: float) -> Event:
    time = torch.tensor([moment])
    seen = view(scene, time, 1.0, ASPECT)
    across = float((way.x(time) - seen.x) * seen.zoom) / (ASPECT / 2)
    outside = max(0.0, abs(across) - 1.0)
    return Event(
        time=moment,
        kind=kind,
        strength=strength / (1 + (outside / (EAR_REACH - 1)) ** 2),
        pitch=pitch,
        pan=max(-1.0, min(1.0, across)),
    )
