"""How English names what the theatre shows: the words that captions and edit instructions share. Our choice.

In every tuple the first entry is the plain name, drawn six times in ten; a fixed phrasing uses no other.
Deeds are stored as base form plus rest ("roll to the left") and inflected when a sentence needs them.
"""

import random
from collections.abc import Callable, Sequence

from .scene import Actor, Person

PLAIN_NAME = 0.6
"""How often ``pick`` takes the first, plainest phrase."""

NOUNS = {
    "ball": ("ball", "rubber ball", "round ball"),
    "box": ("box", "gift box", "present", "parcel"),
    "star": ("star", "five-pointed star", "star shape"),
    "balloon": ("balloon", "party balloon", "toy balloon"),
    "car": ("car", "automobile", "toy car"),
    "boat": ("boat", "sailing boat", "sailboat"),
    "bird": ("bird", "songbird", "birdie"),
    "fish": ("fish",),
    "cat": ("cat", "kitty", "pussycat"),
    "koala": ("koala", "koala bear"),
    "person": ("person", "man", "woman"),
}
COLOUR_WORDS = {
    "purple": ("purple", "violet"),
    "red": ("red", "bright red"),
    "blue": ("blue", "bright blue"),
    "green": ("green", "bright green"),
    "pink": ("pink", "bright pink"),
    "black": ("black", "jet-black"),
    "white": ("white", "plain white"),
}
SIZE_WORDS = {
    "small": ("small", "little", "tiny"),
    "medium": ("medium-sized",),
    "large": ("large", "big", "huge"),
}

_TRAVEL = {
    "ball": ("roll",),
    "box": ("slide", "glide"),
    "star": ("drift", "glide", "float"),
    "balloon": ("drift", "glide", "float"),
    "car": ("drive", "roll"),
    "boat": ("sail", "cruise"),
    "bird": ("fly", "glide"),
    "fish": ("swim", "glide"),
    "cat": ("walk", "run", "trot"),
    "koala": ("surf", "glide", "ride the waves"),
    "person": ("walk", "stroll"),
}
_ANY_TRAVEL = ("move", "go")
_SIDES = {
    "go left": ("left", "to the left", "from right to left", "towards the left", "toward the left"),
    "go right": ("right", "to the right", "from left to right", "towards the right", "toward the right"),
}
_DEEDS = {
    "bounce": ("bounce", "bounce up and down", "bounce again and again"),
    "jump": ("jump", "jump up", "leap up", "hop"),
    "spin": ("spin", "spin around", "turn round and round", "twirl"),
    "float up": ("float up", "float upwards", "rise slowly", "float upward", "rise"),
    "stand still": ("stay still", "keep still", "stay in one place"),
    "dance": ("dance", "dance around", "dance to the music", "do a dance"),
}
_OWN_DEEDS = {
    ("stand still", "ball"): ("lie still",),
    ("stand still", "fish"): ("hover in place",),
    ("stand still", "balloon"): ("hover in place",),
    ("stand still", "box"): ("stand still",),
    ("stand still", "car"): ("stand still", "wait"),
    ("stand still", "bird"): ("sit still", "perch quietly"),
    ("stand still", "cat"): ("sit still", "stand still"),
    ("stand still", "koala"): ("stand still",),
    ("stand still", "person"): ("stand still", "wait"),
    ("float up", "balloon"): ("drift up", "drift upwards"),
    ("float up", "bird"): ("soar up", "fly up"),
    ("float up", "fish"): ("swim up",),
}
_IRREGULAR_ING = {"lie": "lying", "do": "doing"}
_DOUBLED = ("spin", "hop", "sit", "swim", "run", "trot")

PLACE_PHRASES = {
    "meadow": ("in a meadow", "in a field", "in a grassy field", "in the meadow"),
    "beach": ("on the beach", "on a beach", "at the seaside", "on a sandy beach", "by the sea"),
    "desert": ("in the desert", "in a desert", "in a sandy desert", "among desert dunes"),
    "city street": (
        "on a city street",
        "in the city",
        "on a street in the city",
        "in the street",
        "downtown",
    ),
    "night sky": (
        "under the night sky",
        "in the night sky",
        "at night",
        "under the stars",
        "on a starry night",
    ),
    "snowy mountains": ("in the snowy mountains", "in the mountains", "in snow-covered mountains"),
    "underwater": ("underwater", "under water", "under the sea", "in the deep sea", "beneath the waves"),
    "stage": ("on a stage", "on stage", "on a theatre stage", "in a theater", "in the spotlight"),
}
_GROUND_PHRASES = {
    "meadow": ("on the grass", "in the grass"),
    "beach": ("on the sand",),
    "desert": ("on the desert sand",),
    "underwater": ("on the seabed", "at the bottom of the sea"),
}
_AIR_PHRASES = {
    "meadow": ("over a meadow", "above a field"),
    "beach": ("over the beach", "above the beach"),
    "desert": ("over the desert", "above the dunes"),
    "city street": ("over a city street", "above the street"),
    "snowy mountains": ("over snowy mountains", "high in the mountains"),
    "night sky": ("high in the night sky",),
}
SCENERY = {
    "meadow": ("with trees and flowers", "with trees behind it", "with flowers in the grass"),
    "beach": ("with palm trees", "with the sea behind", "with waves rolling in"),
    "desert": ("with cacti", "with rocks on the horizon", "with cacti behind"),
    "city street": ("with houses and street lamps", "with tall buildings", "between tall houses"),
    "night sky": ("with the moon shining", "with a crescent moon", "with twinkling stars"),
    "snowy mountains": ("with pine trees", "with peaks behind", "with snowy pines"),
    "underwater": ("with corals", "with bubbles rising", "with seaweed and corals"),
    "stage": ("between the curtains", "with curtains on both sides", "with a wooden floor"),
}
"""What belongs to a place and is always there; long captions mention it."""
PLACE_KEYWORDS = {
    "meadow": ("meadow", "field", "grassland"),
    "beach": ("beach", "seaside", "sandy beach"),
    "desert": ("desert", "sand dunes"),
    "city street": ("city street", "city", "street"),
    "night sky": ("night sky", "starry night", "night"),
    "snowy mountains": ("snowy mountains", "mountains", "snowy peaks"),
    "underwater": ("underwater", "under the sea", "deep sea"),
    "stage": ("stage", "theatre stage", "theater stage"),
}
WEATHER_PHRASES = {
    "rain": ("in the rain", "while it rains", "while rain is falling", "in rainy weather"),
    "snow": ("in falling snow", "while it snows", "while snow is falling", "in snowy weather"),
    "storm": ("in a storm", "during a thunderstorm", "in stormy weather", "while lightning flashes"),
}
WEATHER_SENTENCES = {
    "rain": ("it is raining", "rain is falling", "it rains"),
    "snow": ("it is snowing", "snow is falling", "it snows"),
    "storm": ("it is stormy", "a storm is raging", "there is thunder and lightning"),
}
WEATHER_KEYWORDS = {
    "rain": ("rain", "raining", "rainy"),
    "snow": ("snowfall", "snowing", "falling snow"),
    "storm": ("storm", "thunderstorm", "stormy", "lightning"),
}
LOOK_PHRASES = {
    "neon": ("in neon", "in neon style", "in glowing neon", "in a neon look"),
    "marble": ("in marble", "made of marble", "carved in marble", "in marble style"),
    "burning gold": ("in burning gold", "made of burning gold", "in a burning gold style"),
    "pencil": ("as a pencil drawing", "drawn in pencil", "in pencil", "as a pencil sketch"),
    "black-and-white": ("in black and white", "filmed in black and white", "in monochrome"),
}
LOOK_SENTENCES = {
    "neon": ("everything glows in neon", "it is all neon"),
    "marble": ("everything is made of marble", "it is all marble"),
    "burning gold": ("everything is made of burning gold", "it is all burning gold"),
    "pencil": ("it is drawn in pencil", "it looks like a pencil drawing"),
    "black-and-white": ("it is in black and white", "the picture is black and white"),
}
LOOK_MEDIA = {
    "neon": ("a neon animation", "a neon video"),
    "marble": ("a marble-style video", "a marble animation"),
    "burning gold": ("a burning-gold animation", "a video in burning gold"),
    "pencil": ("a pencil drawing", "a pencil sketch", "a pencil animation"),
    "black-and-white": ("a black-and-white video", "black-and-white footage", "an old black-and-white film"),
}
LOOK_KEYWORDS = {
    "neon": ("neon", "neon style", "glowing neon"),
    "marble": ("marble", "marble style", "carved marble"),
    "burning gold": ("burning gold", "burning gold style"),
    "pencil": ("pencil drawing", "pencil sketch", "pencil"),
    "black-and-white": ("black and white", "black-and-white", "monochrome", "b&w"),
}
CAMERA_SENTENCES = {
    "static shot": ("the camera stays still", "the camera does not move"),
    "zoom in": ("the camera zooms in", "the camera slowly zooms in"),
    "zoom out": ("the camera zooms out", "the camera slowly zooms out"),
    "push in": ("the camera pushes in", "the camera moves closer", "the camera dollies in"),
    "pull out": ("the camera pulls out", "the camera moves back", "the camera dollies out"),
    "pan left": ("the camera pans left", "the camera pans to the left"),
    "pan right": ("the camera pans right", "the camera pans to the right"),
    "truck left": ("the camera trucks left", "the camera moves to the left", "the camera slides left"),
    "truck right": ("the camera trucks right", "the camera moves to the right", "the camera slides right"),
    "tilt up": ("the camera tilts up", "the camera tilts upwards"),
    "tilt down": ("the camera tilts down", "the camera tilts downwards"),
    "pedestal up": ("the camera rises", "the camera moves up", "the camera goes up on a pedestal"),
    "pedestal down": ("the camera sinks", "the camera moves down", "the camera goes down on a pedestal"),
    "tracking shot": ("the camera follows along", "the camera moves along", "it is a tracking shot"),
    "handheld shot": ("the camera is handheld", "the handheld camera shakes a little"),
}

_SKIN_ADJECTIVES = {"pale": "pale", "tan": "tanned", "brown": "brown-skinned", "dark": "dark-skinned"}
_HAT_NOUNS = {"cap": ("cap", "baseball cap"), "top hat": ("top hat",), "beanie": ("beanie", "knitted hat")}
_SHIRTS = ("shirt", "T-shirt", "top", "sweater")


def pick(rng: random.Random, options: Sequence[str]) -> str:
    """The first option six times in ten, else one of the others."""
    if len(options) == 1 or rng.random() < PLAIN_NAME:
        return options[0]
    return rng.choice(options[1:])


def colour_word(rng: random.Random, colour: str) -> str:
    """The colour's own name nine times in ten."""
    return rng.choice(COLOUR_WORDS.get(colour, (colour,))) if rng.random() < 0.2 else colour


def with_article(noun_phrase: str) -> str:
    """Put "a" or "an" in front."""
    return f"{'an' if noun_phrase[0] in 'aeio' else 'a'} {noun_phrase}"


def third_person(deed: str) -> str:
    """Turn "go to the left" into "goes to the left"."""
    head, _, rest = deed.partition(" ")
    if head.endswith("y") and head[-2] not in "aeiou":
        head = head[:-1] + "ies"
    else:
        head += "es" if head.endswith(("s", "sh", "ch", "o")) else "s"
    return f"{head} {rest}".strip()


def progressive(deed: str) -> str:
    """Turn "slide to the left" into "sliding to the left"."""
    head, _, rest = deed.partition(" ")
    if head in _IRREGULAR_ING:
        head = _IRREGULAR_ING[head]
    elif head in _DOUBLED:
        head += head[-1] + "ing"
    else:
        head = head.removesuffix("e") + "ing"
    return f"{head} {rest}".strip()


def deeds(kind: str, action: str) -> tuple[str, ...]:
    """All base-form phrases for what this actor does, the plainest first."""
    if action in _SIDES:
        verbs = _TRAVEL[kind] + _ANY_TRAVEL
        return tuple(f"{verb} {side}" for verb in verbs for side in _SIDES[action])
    own = _OWN_DEEDS.get((action, kind), ())
    return own + _DEEDS[action]


def draw_deed(rng: random.Random, actor: Actor) -> str:
    """One base-form phrase for what this actor does."""
    if actor.action not in _SIDES:
        return pick(rng, deeds(actor.kind, actor.action))
    verbs = _TRAVEL[actor.kind] if rng.random() < 0.8 else _ANY_TRAVEL
    return f"{pick(rng, verbs)} {pick(rng, _SIDES[actor.action])}"


def draw_place_phrase(rng: random.Random, place: str, actor: Actor) -> str:
    """Where it happens, said so that it suits somebody in the air or on the ground."""
    grounded = actor.kind not in ("fish", "balloon")
    special = _AIR_PHRASES.get(place, ()) if is_airborne(actor) else _GROUND_PHRASES.get(place, ()) * grounded
    if special and rng.random() < 0.25:
        return rng.choice(special)
    return pick(rng, PLACE_PHRASES[place])


def is_airborne(actor: Actor) -> bool:
    """True for an actor that leaves the ground for most of the clip."""
    return actor.action == "float up" or (
        actor.kind in ("bird", "fish", "star", "balloon") and actor.action in ("go left", "go right")
    )


def shirt_phrase(rng: random.Random, colour: str) -> str:
    """What a person of this colour wears, with an article."""
    return with_article(f"{colour_word(rng, colour)} {pick(rng, _SHIRTS)}")


def face_adjectives(person: Person) -> list[str]:
    """What of a face is said in front of the noun."""
    return [_SKIN_ADJECTIVES[person.skin], *(["bald"] if person.hair_style == "bald" else [])]


def face_belongings(person: Person, choose: Callable[[Sequence[str]], str]) -> list[str]:
    """What of a face is said after "with": hair, eyes, glasses and the hat whose name ``choose`` picks."""
    hair = [] if person.hair_style == "bald" else [f"{person.hair_style} {person.hair_colour} hair"]
    glasses = ["glasses"] if person.glasses else []
    hat = [] if person.hat == "none" else [with_article(choose(_HAT_NOUNS[person.hat]))]
    return [*hair, f"{person.eyes} eyes", *glasses, *hat]


def listed(items: Sequence[str]) -> str:
    """Join as "a, b and c"."""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))
