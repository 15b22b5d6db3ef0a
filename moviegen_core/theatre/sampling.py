"""Which scenes exist, and how often: the theatre's data distribution. Our choice throughout.

One actor in 85 of 100 scenes, plain look in 70, a camera that stands still in 45, clear weather in about 75;
the rest near even. Natural combinations are likelier (a fish under water), odd ones stay possible (a car
under water). Never drawn: weather that a place cannot have, a tracking shot of somebody who does not travel.
Only ``random.Random`` draws, so every machine draws the same scenes.
"""

import random
from collections.abc import Callable, Mapping, Sequence

from ..errors import SceneError
from . import vocabulary as words
from .holdouts import is_held_out
from .scene import Actor, Person, Scene

SPLITS = ("train", "held-out")

TWO_ACTORS = 0.15
PLAIN_LOOK = 0.70
STATIC_CAMERA = 0.45
CLEAR_SKY = 0.67
"""Chance of clear weather where there is a sky; with the two places that have none this makes 75 of 100."""

_PLACE_WEIGHTS = {
    "car": {"city street": 2.0, "desert": 1.5, "underwater": 0.5, "night sky": 0.7},
    "boat": {"beach": 2.0, "underwater": 0.7, "stage": 0.7},
    "bird": {"night sky": 1.3, "underwater": 0.5},
    "star": {"night sky": 2.5},
    "fish": {"underwater": 3.5, "beach": 1.3},
    "cat": {"city street": 1.4, "underwater": 0.6},
    "koala": {"beach": 2.5, "underwater": 0.7},
    "person": {"city street": 1.4, "stage": 1.4, "underwater": 0.7},
}
_ACTION_WEIGHTS = {
    "ball": {"bounce": 1.6, "float up": 1.2, "dance": 0.8},
    "box": {"float up": 0.7},
    "star": {"spin": 1.3, "float up": 1.5},
    "balloon": {"float up": 2.2},
    "car": {"go left": 1.5, "go right": 1.5, "float up": 0.5},
    "boat": {"go left": 1.5, "go right": 1.5, "float up": 0.5},
    "bird": {"go left": 1.3, "go right": 1.3, "float up": 1.5},
    "fish": {"go left": 1.4, "go right": 1.4},
    "cat": {"float up": 0.6},
    "koala": {"go left": 1.4, "go right": 1.4, "float up": 0.6},
    "person": {"float up": 0.6},
}
_WEATHER_WEIGHTS = {
    "meadow": {"rain": 1.0, "snow": 0.7, "storm": 1.0},
    "beach": {"rain": 1.0, "storm": 1.0},
    "desert": {"rain": 0.5, "storm": 1.0},
    "city street": {"rain": 1.0, "snow": 1.0, "storm": 0.7},
    "night sky": {"rain": 1.0, "snow": 1.0},
    "snowy mountains": {"snow": 1.0, "storm": 0.4},
    "underwater": {},
    "stage": {},
}
_TRACKING_WEIGHT = 3.0
"""A tracking shot fits only scenes whose first actor travels, so there it is three times as likely."""


def sample_scene(seed: int, split: str = "train") -> Scene:
    """Draw the scene that belongs to a seed; equal on every machine.

    Args:
        seed: any integer; the two splits draw different scenes from the same seed.
        split: "train" never yields a held-out combination, "held-out" always does.

    Returns:
        The scene; its own ``seed`` is drawn too.
    """
    wanted = held_out_wanted(split)
    rng = random.Random(f"scene {split} {seed}")
    num_actors = 2 if rng.random() < TWO_ACTORS else 1
    return redraw_until(lambda: draw_scene(rng, num_actors), lambda scene: is_held_out(scene) == wanted)


def sample_scenes(first_seed: int, count: int, split: str = "train") -> list[Scene]:
    """The scenes of ``count`` consecutive seeds."""
    return [sample_scene(first_seed + offset, split) for offset in range(count)]


def held_out_wanted(split: str) -> bool:
    """Whether scenes of this split are held out.

    Args:
        split: one of ``SPLITS``.

    Returns:
        True for "held-out".

    Raises:
        SceneError: an unknown split.
    """
    if split not in SPLITS:
        raise SceneError(f"split {split!r} does not exist; use one of {', '.join(SPLITS)}")
    return split == "held-out"


def redraw_until(draw: Callable[[], Scene], good: Callable[[Scene], bool]) -> Scene:
    """The first drawn scene that is good."""
    while not good(scene := draw()):
        pass
    return scene


def draw_scene(rng: random.Random, num_actors: int) -> Scene:
    """Draw from the whole distribution, held-out combinations included."""
    kind = draw_kind(rng)
    place = _weighted(rng, words.PLACES, _PLACE_WEIGHTS.get(kind, {}))
    actors = [draw_actor(rng, kind)]
    while len(actors) < num_actors:
        actors.append(draw_companion(rng, actors[0]))
    return Scene(
        actors=tuple(actors),
        place=place,
        weather=draw_weather(rng, place),
        camera=_draw_camera(rng, actors[0]),
        look="plain" if rng.random() < PLAIN_LOOK else rng.choice(words.LOOKS[1:]),
        seed=rng.getrandbits(31),
    )


def draw_kind(rng: random.Random) -> str:
    """Any actor, all equally likely."""
    return rng.choice(words.ACTORS)


def draw_actor(rng: random.Random, kind: str) -> Actor:
    """An actor of this kind with everything else drawn."""
    return Actor(
        kind=kind,
        colour=rng.choice(tuple(words.COLOURS)),
        size=rng.choice(tuple(words.SIZES)),
        action=_weighted(rng, words.ACTIONS, _ACTION_WEIGHTS.get(kind, {})),
        person=draw_person(rng) if kind == "person" else None,
    )


def draw_companion(rng: random.Random, first: Actor) -> Actor:
    """A second actor that words can tell from the first: another kind, or another colour."""
    while True:
        second = draw_actor(rng, draw_kind(rng))
        if (second.kind, second.colour) != (first.kind, first.colour):
            return second


def draw_person(rng: random.Random) -> Person:
    """A face; glasses on one in three, a hat on one in two."""
    return Person(
        skin=rng.choice(tuple(words.SKINS)),
        hair_colour=rng.choice(tuple(words.HAIR_COLOURS)),
        hair_style=_weighted(rng, words.HAIR_STYLES, {"bald": 0.5}),
        eyes=rng.choice(tuple(words.EYE_COLOURS)),
        glasses=rng.random() < 1 / 3,
        hat=_weighted(rng, words.HATS, {"none": 3.0}),
    )


def draw_weather(rng: random.Random, place: str) -> str:
    """Weather that the place can have, mostly clear."""
    wet = _WEATHER_WEIGHTS[place]
    if not wet or rng.random() < CLEAR_SKY:
        return "clear"
    return _weighted(rng, tuple(wet), wet)


def possible_weathers(place: str) -> tuple[str, ...]:
    """Weathers that scenes of this place may have, clear first."""
    return ("clear", *_WEATHER_WEIGHTS[place])


def _draw_camera(rng: random.Random, first: Actor) -> str:
    if rng.random() < STATIC_CAMERA:
        return "static shot"
    tracking = _TRACKING_WEIGHT if first.action in ("go left", "go right") else 0.0
    return _weighted(rng, words.CAMERAS[1:], {"tracking shot": tracking})


def _weighted(rng: random.Random, options: Sequence[str], weights: Mapping[str, float]) -> str:
    """One option; those without a weight weigh one."""
    return rng.choices(options, [weights.get(option, 1.0) for option in options])[0]
