"""English captions of scenes in many phrasings, from three keywords to four sentences. Our choice throughout.

A caption names every actor and colour (colours may go unsaid in black and white), the place and the action
nearly always, look and weather whenever they are not plain and clear: the text decides the clip. The rate and
the camera label in front of a training prompt are not part of a caption; ``camera_label`` draws the label.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from operator import itemgetter

from . import wording as say
from .scene import Actor, Scene

MAX_CAPTION = 280
"""Characters; a longer draw is made again with less detail."""

_DROPPED = 0.08
"""How often a short caption leaves out the place, and how often the action."""
_KEYWORD_STYLE = 0.12
_MEDIA = ("a video", "a clip", "an animation", "a short film", "footage", "a scene", "a shot")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """The phrases that a sentence frame puts in order; an empty one is left out."""

    subject: str
    deed: str
    place: str
    pronoun: str
    medium: str


def caption(scene: Scene, rng: random.Random, *, detail: float | None = None) -> str:
    """Describe a scene the way some artist might type it.

    Args:
        scene: what the clip shows.
        rng: decides the phrasing.
        detail: 0 says little, 1 says all; drawn when None.

    Returns:
        At most ``MAX_CAPTION`` characters.
    """
    return captioned(scene, rng, detail=detail, camera_words=0.08)


def canonical_caption(scene: Scene) -> str:
    """The one clean phrasing used in evaluations and examples; it says everything but the camera."""
    first, *others = scene.actors
    text = f"{_plain_noun_phrase(first)} {_plain_deed(first)} {say.PLACE_PHRASES[scene.place][0]}"
    text += "".join(f" while {_plain_noun_phrase(other)} {_plain_deed(other)}" for other in others)
    if scene.weather != "clear":
        text += f", {say.WEATHER_PHRASES[scene.weather][0]}"
    if scene.look != "plain":
        text += f", {say.LOOK_PHRASES[scene.look][0]}"
    return _capitalised(text) + "."


def camera_label(scene: Scene, rng: random.Random) -> str | None:
    """The label that stands before the prompt; none means static, and three static shots in four say none."""
    if scene.camera == "static shot" and rng.random() < 0.75:
        return None
    return scene.camera


def caption_and_label(scene: Scene, rng: random.Random) -> tuple[str, str | None]:
    """A caption and a camera label that together always tell a moving camera; what training draws.

    Args:
        scene: what the clip shows.
        rng: decides the phrasing.

    Returns:
        The caption and the label. One moving camera in five is told by the caption alone.
    """
    if scene.camera != "static shot" and rng.random() < 0.2:
        return captioned(scene, rng, camera_words=1.0), None
    return captioned(scene, rng, camera_words=0.15), camera_label(scene, rng)


def captioned(scene: Scene, rng: random.Random, *, camera_words: float, detail: float | None = None) -> str:
    """A caption that speaks of the camera with the given probability."""
    detail = rng.random() ** 1.5 if detail is None else detail
    camera_spoken = rng.random() < camera_words
    write = _keywords if rng.random() < _KEYWORD_STYLE else _sentences
    while len(text := write(scene, rng, detail, camera_spoken)) > MAX_CAPTION:
        detail *= 0.8
    return text


# Keyword style: "red ball, beach, bouncing"


def _keywords(scene: Scene, rng: random.Random, detail: float, camera_spoken: bool) -> str:
    place = "" if _drops(rng, detail) else say.pick(rng, say.PLACE_KEYWORDS[scene.place])
    words = [*_keyword_actors(scene, rng, detail), place]
    if scene.weather != "clear":
        words.append(say.pick(rng, say.WEATHER_KEYWORDS[scene.weather]))
    if scene.look != "plain":
        words.insert(rng.choice((0, len(words))), say.pick(rng, say.LOOK_KEYWORDS[scene.look]))
    if camera_spoken:
        words.append(scene.camera)
    separator = " " if len(scene.actors) == 1 and rng.random() < 0.15 else ", "
    return _cased(separator.join(filter(None, words)), rng)


def _keyword_actors(scene: Scene, rng: random.Random, detail: float) -> list[str]:
    """Noun and action of each actor; joined when there are two, so that nobody wonders who does what."""
    words = []
    for actor in scene.actors:
        noun = description(rng, actor, detail, _colour_spoken(scene, rng))
        deed = "" if _drops(rng, detail) else say.progressive(say.draw_deed(rng, actor))
        joined = len(scene.actors) == 2 or rng.random() < 0.4
        words += [f"{noun} {deed}".strip()] if joined else [noun, deed]
    return words


# Sentence style


def _sentences(scene: Scene, rng: random.Random, detail: float, camera_spoken: bool) -> str:
    parts = _draw_parts(scene, rng, detail)
    text = _tidy(_draw_frame(rng, parts)(parts))
    afterthoughts: list[str] = []
    if scene.weather != "clear":
        text = _add_weather(text, scene.weather, rng, afterthoughts)
    if len(scene.actors) == 2:
        text = _add_second_actor(text, scene, rng, detail, afterthoughts)
    if scene.look != "plain" and parts.medium not in say.LOOK_MEDIA[scene.look]:
        text = _add_look(text, scene.look, rng, afterthoughts)
    if camera_spoken:
        afterthoughts.append(say.pick(rng, say.CAMERA_SENTENCES[scene.camera]))
    return _punctuated([text, *afterthoughts], rng)


def _draw_parts(scene: Scene, rng: random.Random, detail: float) -> _Parts:
    first = scene.actors[0]
    return _Parts(
        subject=_noun_phrase(rng, first, detail, _colour_spoken(scene, rng)),
        deed="" if _drops(rng, detail) else say.draw_deed(rng, first),
        place="" if _drops(rng, detail) else _draw_place(rng, scene, detail),
        pronoun=_pronoun(first),
        medium=_draw_medium(rng, scene.look, detail),
    )


def _draw_place(rng: random.Random, scene: Scene, detail: float) -> str:
    place = say.draw_place_phrase(rng, scene.place, scene.actors[0])
    return f"{place} {rng.choice(say.SCENERY[scene.place])}" if rng.random() < 0.5 * detail**2 else place


def _draw_medium(rng: random.Random, look: str, detail: float) -> str:
    """What "of a red ball" may follow: often the look itself, sometimes a plain word, mostly nothing."""
    if look != "plain" and rng.random() < 0.35:
        return rng.choice(say.LOOK_MEDIA[look])
    return rng.choice(_MEDIA) if rng.random() < 0.08 + 0.12 * detail else ""


_Frame = Callable[[_Parts], str]


def _draw_frame(rng: random.Random, parts: _Parts) -> _Frame:
    if parts.medium:
        return rng.choice(_MEDIUM_FRAMES)
    if not parts.deed:
        return rng.choice(_STILL_FRAMES)
    frames = _FRAMES if parts.place else tuple(entry for entry in _FRAMES if not entry[2])
    return rng.choices([frame for _, frame, _ in frames], [weight for weight, _, _ in frames])[0]


def _pronoun_deed(parts: _Parts) -> str:
    return f"it {say.third_person(parts.deed)}" if parts.pronoun == "it" else f"they {parts.deed}"


_FRAMES: tuple[tuple[float, _Frame, bool], ...] = (
    (5.0, lambda p: f"{p.subject} {say.third_person(p.deed)} {p.place}", False),
    (3.0, lambda p: f"{p.subject} is {say.progressive(p.deed)} {p.place}", False),
    (3.0, lambda p: f"{p.subject} {say.progressive(p.deed)} {p.place}", False),
    (0.7, lambda p: f"there is {p.subject} {say.progressive(p.deed)} {p.place}", False),
    (0.4, lambda p: f"watch {p.subject} {p.deed} {p.place}", False),
    (0.4, lambda p: f"we see {p.subject} {say.progressive(p.deed)} {p.place}", False),
    (1.5, lambda p: f"{p.place}, {p.subject} {say.third_person(p.deed)}", True),
    (1.5, lambda p: f"{p.place}, {p.subject} is {say.progressive(p.deed)}", True),
    (0.5, lambda p: f"{p.place} there is {p.subject} {say.progressive(p.deed)}", True),
    (0.6, lambda p: f"{p.subject} {p.place}, {say.progressive(p.deed)}", True),
    (0.5, lambda p: f"{p.subject} is {say.progressive(p.deed)}, {p.place}", True),
    (0.8, lambda p: f"{p.subject} is {p.place}. {_pronoun_deed(p)}", True),
)
"""Weight, frame, whether it needs a place."""
_STILL_FRAMES: tuple[_Frame, ...] = (
    lambda p: f"{p.subject} {p.place}",
    lambda p: f"there is {p.subject} {p.place}",
)
_MEDIUM_FRAMES: tuple[_Frame, ...] = (
    lambda p: f"{p.medium} of {p.subject} {say.progressive(p.deed) if p.deed else ''} {p.place}",
    lambda p: f"{p.medium} of {p.subject} {p.place}{', ' + say.progressive(p.deed) if p.deed else ''}",
)


def _add_weather(text: str, weather: str, rng: random.Random, afterthoughts: list[str]) -> str:
    way = rng.random()
    if way < 0.6:
        return f"{text} {say.pick(rng, say.WEATHER_PHRASES[weather])}"
    if way < 0.75:
        return f"{say.pick(rng, say.WEATHER_PHRASES[weather])}, {text}"
    afterthoughts.append(say.pick(rng, say.WEATHER_SENTENCES[weather]))
    return text


def _add_look(text: str, look: str, rng: random.Random, afterthoughts: list[str]) -> str:
    way = rng.random()
    if way < 0.55:
        return f"{text}, {say.pick(rng, say.LOOK_PHRASES[look])}"
    if way < 0.75:
        return f"{say.pick(rng, say.LOOK_KEYWORDS[look])}: {text}"
    afterthoughts.append(say.pick(rng, say.LOOK_SENTENCES[look]))
    return text


def _add_second_actor(
    text: str, scene: Scene, rng: random.Random, detail: float, afterthoughts: list[str]
) -> str:
    first, second = scene.actors
    who = _noun_phrase(rng, second, detail, _colour_spoken(scene, rng))
    deed = say.draw_deed(rng, second)
    beside = rng.choice(
        ("", "", f" behind {_object(first)}", f" next to {_object(first)}", " in the background")
    )
    way = rng.random()
    if way < 0.4 and " while " not in text:
        return f"{text} while {who} {say.third_person(deed)}{beside}"
    if way < 0.65:
        return f"{text}, with {who} {say.progressive(deed)}{beside}"
    if way < 0.8:
        return f"{text}, and {who} {say.third_person(deed)}{beside}"
    afterthoughts.append(f"{who} is {say.progressive(deed)}{beside}")
    return text


# Noun phrases


def _noun_phrase(rng: random.Random, actor: Actor, detail: float, colour_spoken: bool) -> str:
    described = description(rng, actor, detail, colour_spoken)
    article = rng.random()
    if article < 0.05:
        return f"the {described}"
    return f"one {described}" if article < 0.07 else say.with_article(described)


def description(rng: random.Random, actor: Actor, detail: float, colour_spoken: bool) -> str:
    """The actor without an article: "small red ball", "man in a red shirt with glasses"."""
    size = _draw_size(rng, actor.size, detail)
    if actor.person is not None:
        return f"{size}{_draw_face(rng, actor, detail, colour_spoken)}"
    colour = say.colour_word(rng, actor.colour) + " " if colour_spoken else ""
    noun = say.pick(rng, say.NOUNS[actor.kind])
    if actor.kind != "koala":
        return f"{size}{colour}{noun}"
    if colour and rng.random() < 0.2:
        return f"{size}{noun} in {say.with_article(colour + 'shirt')} on a surfboard"
    return f"{size}{noun}{say.pick(rng, _ON_BOARD)} {say.with_article(colour + 'surfboard')}"


_ON_BOARD = (" on", " riding", " with", " standing on")
"""The koala's colour is that of its surfboard and its shirt."""


def _draw_size(rng: random.Random, size: str, detail: float) -> str:
    chance = 0.1 if size == "medium" else 0.25 + 0.5 * detail
    return say.pick(rng, say.SIZE_WORDS[size]) + " " if rng.random() < chance else ""


def _draw_face(rng: random.Random, actor: Actor, detail: float, colour_spoken: bool) -> str:
    """Noun, shirt and as much of the face as the detail asks for."""
    assert actor.person is not None
    said = 0.15 + 0.75 * detail
    before = [word for word in say.face_adjectives(actor.person) if rng.random() < said]
    belongings = [
        item for item in say.face_belongings(actor.person, partial(say.pick, rng)) if rng.random() < said
    ]
    noun = " ".join([*before, rng.choice(say.NOUNS["person"])])
    shirt = rng.choice((" in ", " wearing ")) + say.shirt_phrase(rng, actor.colour) if colour_spoken else ""
    if not belongings:
        return noun + shirt
    face = " with " + say.listed(belongings)
    return f"{noun}{face}{shirt}" if rng.random() < 0.4 else f"{noun}{shirt}{face}"


def _plain_noun_phrase(actor: Actor) -> str:
    size = "" if actor.size == "medium" else f"{actor.size} "
    if actor.person is None:
        if actor.kind == "koala":
            return f"a {size}koala on {say.with_article(actor.colour)} surfboard"
        return say.with_article(f"{size}{actor.colour} {say.NOUNS[actor.kind][0]}")
    face = say.listed(say.face_belongings(actor.person, itemgetter(0)))
    adjectives = " ".join([*say.face_adjectives(actor.person), "person"])
    return say.with_article(f"{size}{adjectives} in {say.with_article(actor.colour)} shirt with {face}")


def _plain_deed(actor: Actor) -> str:
    return say.third_person(say.deeds(actor.kind, actor.action)[0])


# Small choices


def _drops(rng: random.Random, detail: float) -> bool:
    return detail < 0.5 and rng.random() < _DROPPED


def _colour_spoken(scene: Scene, rng: random.Random) -> bool:
    return scene.look != "black-and-white" or rng.random() < 0.5


def _pronoun(actor: Actor) -> str:
    return "it" if actor.person is None else "they"


def _object(actor: Actor) -> str:
    return "it" if actor.person is None else "them"


def _tidy(text: str) -> str:
    return " ".join(text.split()).replace(" ,", ",")


def _capitalised(text: str) -> str:
    return text[0].upper() + text[1:]


def _cased(text: str, rng: random.Random) -> str:
    way = rng.random()
    if way < 0.02:
        return text.upper()
    return _capitalised(text) if way < 0.25 else text


def _punctuated(clauses: list[str], rng: random.Random) -> str:
    """Join clauses as tidy sentences, as one sentence, or as somebody in a hurry would."""
    clauses = [_tidy(clause) for clause in ". ".join(clauses).split(". ")]
    if rng.random() < 0.6:
        text = ". ".join(map(_capitalised, clauses))
        return text + ("." if rng.random() < 0.75 else "")
    return _cased(", ".join(clauses), rng)
