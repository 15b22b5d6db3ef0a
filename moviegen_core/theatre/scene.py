"""A scene: all that decides what a theatre clip shows, but not how large, long or fast it is filmed."""

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from ..errors import SceneError
from . import vocabulary as words


def _check(what: str, value: str, known: object) -> None:
    if value not in known:  # type: ignore[operator]
        raise SceneError(f"{what} {value!r} is not in the theatre; use one of {', '.join(known)}")  # type: ignore[call-overload]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What makes one face differ from another."""

    skin: str
    hair_colour: str
    hair_style: str
    eyes: str
    glasses: bool
    hat: str

    def __post_init__(self) -> None:
        _check("skin", self.skin, words.SKINS)
        _check("hair colour", self.hair_colour, words.HAIR_COLOURS)
        _check("hair style", self.hair_style, words.HAIR_STYLES)
        _check("eye colour", self.eyes, words.EYE_COLOURS)
        _check("hat", self.hat, words.HATS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """One thing or being on the stage and what it does for the whole clip."""

    kind: str
    colour: str
    size: str
    action: str
    person: Person | None = None
    """Set when kind is "person", else None."""

    def __post_init__(self) -> None:
        _check("actor", self.kind, words.ACTORS)
        _check("colour", self.colour, words.COLOURS)
        _check("size", self.size, words.SIZES)
        _check("action", self.action, words.ACTIONS)
        if (self.kind == "person") != (self.person is not None):
            raise SceneError(f"actor {self.kind!r}: a person, and only a person, needs person attributes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One or two actors in a place, filmed with one camera move in one look."""

    actors: tuple[Actor, ...]
    """One or two, the first is the one the camera follows; the second stands behind or beside it."""
    place: str
    weather: str
    camera: str
    look: str
    seed: int
    """Decides what no word decides: start, phase and speed of motions, clouds, hills, windows."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.actors) <= 2:
            raise SceneError(f"a scene holds 1 or 2 actors, got {len(self.actors)}")
        _check("place", self.place, words.PLACES)
        _check("weather", self.weather, words.WEATHERS)
        _check("camera", self.camera, words.CAMERAS)
        _check("look", self.look, words.LOOKS)

    def to_json(self) -> str:
        """One line of JSON that ``from_json`` turns back into an equal scene."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Scene":
        """Rebuild a scene from its JSON.

        Args:
            text: what ``to_json`` wrote.

        Returns:
            The equal scene.

        Raises:
            SceneError: the text is not a scene's JSON or names something unknown.
        """
        try:
            return _scene_from_dict(json.loads(text))
        except (json.JSONDecodeError, TypeError, KeyError, AttributeError) as error:
            raise SceneError(f"not a scene: {error}; write one with Scene.to_json") from error


def _scene_from_dict(raw: dict[str, Any]) -> Scene:
    known = {field.name for field in fields(Scene)}
    if set(raw) != known:
        raise KeyError(f"fields {sorted(raw)} instead of {sorted(known)}")
    return Scene(**{**raw, "actors": tuple(_actor_from_dict(actor) for actor in raw["actors"])})


def _actor_from_dict(raw: dict[str, Any]) -> Actor:
    person = Person(**raw["person"]) if raw["person"] else None
    return Actor(**{**raw, "person": person})
