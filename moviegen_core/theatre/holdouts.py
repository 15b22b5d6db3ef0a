"""The combinations no model is ever trained on; every accuracy is measured on them. Our choice throughout.

Each actor has one colour it never wears, and two actions it never does in two places. Every word occurs in
several other combinations, so a model that knows the words can know these too. Pairs that people ask for
first (a red car, a fish underwater) are trained.
"""

from .scene import Actor, Scene

HELD_OUT_COLOURS = {
    "ball": "brown",
    "box": "pink",
    "star": "green",
    "balloon": "black",
    "car": "brown",
    "boat": "orange",
    "bird": "purple",
    "fish": "white",
    "cat": "blue",
    "koala": "red",
    "person": "yellow",
}
"""Actor: the colour it never has in training. Each colour once, brown twice."""

HELD_OUT_DEEDS = {
    "ball": (("desert", "stage"), ("go left", "dance")),
    "box": (("beach", "night sky"), ("jump", "spin")),
    "star": (("meadow", "underwater"), ("bounce", "go right")),
    "balloon": (("desert", "city street"), ("spin", "stand still")),
    "car": (("night sky", "stage"), ("jump", "stand still")),
    "boat": (("city street", "snowy mountains"), ("bounce", "float up")),
    "bird": (("snowy mountains", "underwater"), ("stand still", "dance")),
    "fish": (("meadow", "stage"), ("go right", "float up")),
    "cat": (("desert", "snowy mountains"), ("jump", "go left")),
    "koala": (("meadow", "night sky"), ("spin", "float up")),
    "person": (("beach", "underwater"), ("go right", "dance")),
}
"""Actor: (places, actions); in these places it never does these actions in training. Each word 2-3 times."""


def is_held_out(scene: Scene) -> bool:
    """True if any actor of the scene has its held-out colour or does a held-out deed there."""
    return any(_actor_is_held_out(actor, scene.place) for actor in scene.actors)


def _actor_is_held_out(actor: Actor, place: str) -> bool:
    places, actions = HELD_OUT_DEEDS[actor.kind]
    return actor.colour == HELD_OUT_COLOURS[actor.kind] or (place in places and actor.action in actions)
