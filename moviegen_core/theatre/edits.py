"""Edits of scenes: what was, what shall be, the sentence that asks for it and the one that takes it back.

Nothing but the asked property changes: both scenes share seed, camera and everything else, so that the
pictures differ only where the edit is. The second actor alone comes and goes, since the camera follows the
first. Tasks, their equal shares and all phrasings are our choice.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from . import vocabulary as words
from . import wording as say
from .captions import description
from .holdouts import is_held_out
from .sampling import TWO_ACTORS, draw_companion, draw_person, draw_scene, held_out_wanted, possible_weathers
from .scene import Actor, Scene

TASKS = ("recolour", "swap", "add", "remove", "background", "weather", "style")

KEPT_COLOUR = 0.7
"""How often a swapped actor keeps the colour of the one it replaces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A change of one thing, in both directions."""

    source: Scene
    target: Scene
    instruction: str
    """Asks for the target, given the source."""
    inverse: str
    """Asks for the source, given the target."""
    task: str


def sample_edit(seed: int, split: str = "train") -> Edit:
    """Draw the edit that belongs to a seed; equal on every machine.

    Args:
        seed: any integer.
        split: "train" has held-out combinations neither before nor after; "held-out" always has one after.

    Returns:
        The edit.
    """
    wanted = held_out_wanted(split)
    rng = random.Random(f"edit {split} {seed}")
    task = rng.choice(TASKS)
    while True:
        source = draw_scene(rng, _num_actors_before(task, rng))
        target = _CHANGES[task](source, rng)
        if target is not None and _fits(source, target, wanted):
            return _worded(source, target, task, rng)


def _num_actors_before(task: str, rng: random.Random) -> int:
    if task in ("add", "remove"):
        return 2 if task == "remove" else 1
    return 2 if rng.random() < TWO_ACTORS else 1


def _fits(source: Scene, target: Scene, wanted: bool) -> bool:
    """Whether the pair belongs to the split and words can tell its actors apart."""
    belongs = is_held_out(target) if wanted else not (is_held_out(source) or is_held_out(target))
    return belongs and _tells_apart(source) and _tells_apart(target)


def _tells_apart(scene: Scene) -> bool:
    looks = [(actor.kind, "" if scene.look == "black-and-white" else actor.colour) for actor in scene.actors]
    return len(set(looks)) == len(looks)


def _worded(source: Scene, target: Scene, task: str, rng: random.Random) -> Edit:
    there, back = _REQUESTS[task], _REQUESTS[_UNDONE_BY.get(task, task)]
    return Edit(
        source=source,
        target=target,
        instruction=_typed(there(source, target, rng), rng),
        inverse=_typed(back(target, source, rng), rng),
        task=task,
    )


_UNDONE_BY = {"add": "remove", "remove": "add"}


_ASKING_VERBS = (
    "make",
    "turn",
    "change",
    "give",
    "put",
    "add",
    "remove",
    "replace",
    "swap",
    "show",
    "let",
    "take",
)


def _typed(request: str, rng: random.Random) -> str:
    """As an artist types: mostly bare, sometimes with a capital, a full stop or a please."""
    if rng.random() < 0.05 and request.split()[0] in _ASKING_VERBS:
        request = f"please {request}"
    if rng.random() < 0.35:
        request = request[0].upper() + request[1:]
    return request + ("." if rng.random() < 0.25 else "")


# Changes: a scene becomes another one, or None where the task does not apply


def _with_actor(scene: Scene, index: int, actor: Actor) -> Scene:
    return replace(scene, actors=(*scene.actors[:index], actor, *scene.actors[index + 1 :]))


def _other(rng: random.Random, options: tuple[str, ...], current: str) -> str:
    return rng.choice([option for option in options if option != current])


def _recolour(scene: Scene, rng: random.Random) -> Scene | None:
    if scene.look == "black-and-white":
        return None
    index = rng.randrange(len(scene.actors))
    actor = scene.actors[index]
    return _with_actor(scene, index, replace(actor, colour=_other(rng, tuple(words.COLOURS), actor.colour)))


def _swap(scene: Scene, rng: random.Random) -> Scene:
    index = rng.randrange(len(scene.actors))
    actor = scene.actors[index]
    kind = _other(rng, words.ACTORS, actor.kind)
    colour = actor.colour if rng.random() < KEPT_COLOUR else rng.choice(tuple(words.COLOURS))
    person = draw_person(rng) if kind == "person" else None
    return _with_actor(scene, index, replace(actor, kind=kind, colour=colour, person=person))


def _add(scene: Scene, rng: random.Random) -> Scene:
    return replace(scene, actors=(*scene.actors, draw_companion(rng, scene.actors[0])))


def _remove(scene: Scene, _: random.Random) -> Scene:
    return replace(scene, actors=scene.actors[:1])


def _move(scene: Scene, rng: random.Random) -> Scene | None:
    places = [
        place for place in words.PLACES if place != scene.place and scene.weather in possible_weathers(place)
    ]
    return replace(scene, place=rng.choice(places)) if places else None


def _change_weather(scene: Scene, rng: random.Random) -> Scene | None:
    weathers = possible_weathers(scene.place)
    return replace(scene, weather=_other(rng, weathers, scene.weather)) if len(weathers) > 1 else None


def _change_look(scene: Scene, rng: random.Random) -> Scene:
    return replace(scene, look=_other(rng, words.LOOKS, scene.look))


_CHANGES: dict[str, Callable[[Scene, random.Random], Scene | None]] = {
    "recolour": _recolour,
    "swap": _swap,
    "add": _add,
    "remove": _remove,
    "background": _move,
    "weather": _change_weather,
    "style": _change_look,
}


# Requests: the sentence that leads from one scene to the other


def _changed_index(before: Scene, after: Scene) -> int:
    return 0 if before.actors[0] != after.actors[0] else 1


def _reference(scene: Scene, index: int, rng: random.Random) -> str:
    """What to call an actor that is there: "the ball", or "the red ball" where there is another ball."""
    actor = scene.actors[index]
    twins = sum(other.kind == actor.kind for other in scene.actors) > 1
    noun = say.pick(rng, say.NOUNS[actor.kind])
    if not twins and (scene.look == "black-and-white" or rng.random() < 0.5):
        return f"the {noun}"
    if actor.person is not None:
        return f"the {noun} in the {actor.colour} shirt"
    if actor.kind == "koala":
        return f"the {noun} on the {actor.colour} surfboard"
    return f"the {actor.colour} {noun}"


def _ask_recolour(before: Scene, after: Scene, rng: random.Random) -> str:
    index = _changed_index(before, after)
    what = _reference(before, index, rng)
    old, new = before.actors[index].colour, say.colour_word(rng, after.actors[index].colour)
    if before.actors[index].kind in _CARRIED:
        return _ask_carried(what, _CARRIED[before.actors[index].kind], new, len(before.actors) == 1, rng)
    colour = rng.choice(("colour", "color"))
    return rng.choice(
        (
            f"make {what} {new}",
            f"turn {what} {new}",
            f"change {what}'s {colour} to {new}",
            f"change the {colour} of {what} to {new}",
            f"paint {what} {new}",
            f"{colour} {what} {new}",
            f"re{colour} {what} to {new}",
            f"{what} should be {new}",
            f"I want {what} to be {new}",
            f"make {what} {new} instead of {old}",
        )
    )


_CARRIED = {"person": "shirt", "koala": "surfboard and shirt"}
"""What carries the colour of an actor that has its own."""


def _ask_carried(who: str, thing: str, new: str, alone: bool, rng: random.Random) -> str:
    new_thing = f"{say.with_article(new)} {thing}"
    requests = [
        f"give {who} {new_thing}",
        f"{who} should have {new_thing}",
        f"let {who} have {new_thing}",
    ]
    if len(who.split()) == 2:
        whose = f"{who}'s {thing}"
        requests += [f"make {whose} {new}", f"turn {whose} {new}", f"change the colour of {whose} to {new}"]
    if alone:
        requests += [f"make the {thing} {new}", f"change the {thing} to {new}", f"paint the {thing} {new}"]
    return rng.choice(requests)


def _ask_swap(before: Scene, after: Scene, rng: random.Random) -> str:
    index = _changed_index(before, after)
    old, new = _reference(before, index, rng), after.actors[index]
    same = new.colour == before.actors[index].colour and new.person is None
    whom = say.with_article(description(rng, new, _said_in_edits(new), not same or rng.random() < 0.4))
    return rng.choice(
        (
            f"replace {old} with {whom}",
            f"replace {old} by {whom}",
            f"swap {old} for {whom}",
            f"turn {old} into {whom}",
            f"change {old} into {whom}",
            f"make {old} {whom}",
            f"put {whom} in place of {old}",
            f"show {whom} instead of {old}",
            f"{whom} instead of {old}",
        )
    )


def _said_in_edits(actor: Actor) -> float:
    """How much detail names a new actor: a face needs words, a ball does not."""
    return 0.9 if actor.person is not None else 0.2


def _ask_add(before: Scene, after: Scene, rng: random.Random) -> str:
    second = after.actors[1]
    whom = say.with_article(description(rng, second, 0.7, True))
    deed, near = say.draw_deed(rng, second), f"behind {_reference(before, 0, rng)}"
    doing = say.progressive(deed)
    return rng.choice(
        (
            f"add {whom} {doing}",
            f"add {whom} {doing} {near}",
            f"add {whom} {doing} in the background",
            f"put {whom} {doing} {near}",
            f"insert {whom} {doing}",
            f"let {whom} {deed} {near}",
            f"have {whom} {deed} in the background",
            f"also show {whom} {doing}",
            f"there should also be {whom} {doing}",
            f"add {whom}",
            f"add {whom} {near}",
        )
    )


def _ask_remove(before: Scene, _: Scene, rng: random.Random) -> str:
    what = _reference(before, 1, rng)
    return rng.choice(
        (
            f"remove {what}",
            f"delete {what}",
            f"erase {what}",
            f"take {what} away",
            f"take out {what}",
            f"get rid of {what}",
            f"make {what} disappear",
            f"without {what}",
            f"leave out {what}",
            f"remove {what} from the scene",
        )
    )


def _ask_background(before: Scene, after: Scene, rng: random.Random) -> str:
    new = _PLACE_NOUNS[after.place]
    where = say.pick(rng, say.PLACE_PHRASES[after.place])
    what = _reference(before, 0, rng) if len(before.actors) == 1 else "them"
    return rng.choice(
        (
            f"put {what} {where}",
            f"change the background to {new}",
            f"replace the background with {new}",
            f"make the background {new}",
            f"move the scene to {new}",
            f"set the scene {where}",
            f"let it happen {where}",
            f"replace the {say.PLACE_KEYWORDS[before.place][0]} background with {new}",
            f"it should be {where}",
            f"show {what} {where}",
        )
    )


_PLACE_NOUNS = {
    "meadow": "a meadow",
    "beach": "a beach",
    "desert": "a desert",
    "city street": "a city street",
    "night sky": "a night sky",
    "snowy mountains": "snowy mountains",
    "underwater": "an underwater world",
    "stage": "a stage",
}


def _ask_weather(before: Scene, after: Scene, rng: random.Random) -> str:
    if after.weather == "clear":
        return rng.choice(_clearing_requests(before.weather))
    new = rng.choice(_WEATHER_REQUESTS[after.weather])
    if before.weather == "clear":
        return new
    return rng.choice((new, f"turn the {before.weather} into {_WEATHER_NOUNS[after.weather]}"))


_WEATHER_NOUNS = {"rain": "rain", "snow": "snow", "storm": "a storm"}
_WEATHER_REQUESTS = {
    "rain": (
        "make it rain",
        "let it rain",
        "add rain",
        "change the weather to rain",
        "it should be raining",
        "make the weather rainy",
        "add falling rain",
        "have it rain",
    ),
    "snow": (
        "make it snow",
        "let it snow",
        "add falling snow",
        "change the weather to snow",
        "it should be snowing",
        "add snowfall",
        "add snowflakes",
        "have it snow",
    ),
    "storm": (
        "make it stormy",
        "add a storm",
        "change the weather to a storm",
        "let there be a thunderstorm",
        "add thunder and lightning",
        "turn the weather stormy",
        "have a storm rage",
        "add lightning and rain",
    ),
}


def _clearing_requests(old: str) -> tuple[str, ...]:
    return (
        f"stop the {old}",
        f"remove the {old}",
        f"no more {old}",
        f"take the {old} away",
        f"make it clear instead of {_ADJECTIVES[old]}",
        "make the weather clear",
        "change the weather to clear",
        "clear weather",
    )


_ADJECTIVES = {"rain": "rainy", "snow": "snowy", "storm": "stormy"}


def _ask_style(before: Scene, after: Scene, rng: random.Random) -> str:
    request = rng.choice(
        _plain_requests(before.look) if after.look == "plain" else _look_requests(after.look)
    )
    if before.look != "black-and-white":
        return request
    return (
        f"{request}, with {say.listed([_coloured(after, index, rng) for index in range(len(after.actors))])}"
    )


def _coloured(scene: Scene, index: int, rng: random.Random) -> str:
    """Names the colour that a grey picture does not show: "a red ball"."""
    return say.with_article(description(rng, scene.actors[index], 0.0, True))


def _plain_requests(old: str) -> tuple[str, ...]:
    if old == "black-and-white":
        return (
            "bring the colours back",
            "make it colourful",
            "colourise it",
            "show it in colour",
            "add color",
        )
    name = say.LOOK_KEYWORDS[old][0]
    return (
        f"remove the {name} style",
        f"undo the {name} look",
        f"make it look normal instead of {name}",
        f"take away the {name} look",
        "make it look normal",
        "give it a plain look",
        "turn it back into a plain picture",
        "remove the style",
    )


def _look_requests(new: str) -> tuple[str, ...]:
    name = say.LOOK_KEYWORDS[new][0]
    return (
        *_OWN_LOOK_REQUESTS[new],
        f"apply a {name} style",
        f"change the style to {name}",
        f"give it a {name} look",
        f"make it look like {_LOOK_NOUNS[new]}",
        f"turn it into {_LOOK_NOUNS[new]}",
        f"show it {say.LOOK_PHRASES[new][0]}",
    )


_LOOK_NOUNS = {
    "neon": "a neon picture",
    "marble": "marble",
    "burning gold": "burning gold",
    "pencil": "a pencil drawing",
    "black-and-white": "a black-and-white film",
}
_OWN_LOOK_REQUESTS = {
    "neon": ("make it neon", "let everything glow in neon", "make it glow like neon"),
    "marble": ("make everything of marble", "carve it all in marble", "turn everything to marble"),
    "burning gold": ("make everything of burning gold", "turn everything to burning gold"),
    "pencil": ("draw it in pencil", "make it a pencil sketch", "sketch it with a pencil"),
    "black-and-white": ("make it black and white", "remove the colours", "turn it black and white"),
}

_REQUESTS: dict[str, Callable[[Scene, Scene, random.Random], str]] = {
    "recolour": _ask_recolour,
    "swap": _ask_swap,
    "add": _ask_add,
    "remove": _ask_remove,
    "background": _ask_background,
    "weather": _ask_weather,
    "style": _ask_style,
}
