"""Every word the theatre knows: what can stand on the stage, where, and how it is filmed. Our choice.

Captions, rendering, edits and judges all read these; their order is the judges' class order, so append only.
"""

ACTORS = ("ball", "box", "star", "balloon", "car", "boat", "bird", "fish", "cat", "koala", "person")
"""The koala always rides a surfboard."""

COLOURS = {
    "red": (0.86, 0.16, 0.16),
    "orange": (0.95, 0.54, 0.12),
    "yellow": (0.97, 0.84, 0.20),
    "green": (0.22, 0.66, 0.27),
    "blue": (0.16, 0.38, 0.85),
    "purple": (0.53, 0.25, 0.71),
    "pink": (0.96, 0.52, 0.70),
    "white": (0.95, 0.95, 0.93),
    "black": (0.12, 0.12, 0.14),
    "brown": (0.50, 0.31, 0.17),
}
"""Main colour of an actor as sRGB in 0..1; a person's colour is the colour of the shirt."""

SIZES = {"small": 0.24, "medium": 0.32, "large": 0.42}
"""Actor height as a fraction of the picture's height at the actor's depth."""

ACTIONS = ("bounce", "go left", "go right", "jump", "spin", "float up", "stand still", "dance")
"""What an actor does. "go" is spoken as rolls, slides, drives, sails, flies, swims or walks."""

PLACES = ("meadow", "beach", "desert", "city street", "night sky", "snowy mountains", "underwater", "stage")

WEATHERS = ("clear", "rain", "snow", "storm")

CAMERAS = (
    "static shot",
    "zoom in",
    "zoom out",
    "push in",
    "pull out",
    "pan left",
    "pan right",
    "truck left",
    "truck right",
    "tilt up",
    "tilt down",
    "pedestal up",
    "pedestal down",
    "tracking shot",
    "handheld shot",
)
"""The paper's labels that a stage of flat layers can show truly: all but "arc shot"."""

LOOKS = ("plain", "neon", "marble", "burning gold", "pencil", "black-and-white")

SKINS = {
    "pale": (0.97, 0.83, 0.74),
    "tan": (0.83, 0.62, 0.46),
    "brown": (0.58, 0.39, 0.27),
    "dark": (0.36, 0.24, 0.18),
}
HAIR_COLOURS = {
    "black": (0.12, 0.10, 0.10),
    "brown": (0.38, 0.24, 0.14),
    "blond": (0.90, 0.76, 0.42),
    "red": (0.74, 0.31, 0.14),
    "grey": (0.66, 0.66, 0.68),
}
HAIR_STYLES = ("short", "long", "curly", "bald")
EYE_COLOURS = {"brown": (0.36, 0.22, 0.12), "blue": (0.28, 0.52, 0.82), "green": (0.30, 0.58, 0.36)}
HATS = ("none", "cap", "top hat", "beanie")
