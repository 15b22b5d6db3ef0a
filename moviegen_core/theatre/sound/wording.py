"""How English names what is heard: the first phrase of every tuple is the plain one. Our choice."""

EVENTS = {
    "impact ball": (
        "a ball hitting {ground}",
        "the thumps of a ball",
        "a rubber ball landing on {ground}",
        "a ball thudding down",
    ),
    "impact box": (
        "a box hitting {ground}",
        "the hollow knocks of a box",
        "a cardboard box landing on {ground}",
        "a parcel thudding down",
    ),
    "impact star": (
        "a star ringing as it hits {ground}",
        "bell-like chimes",
        "a metallic chime",
        "a star landing with a ring",
    ),
    "impact balloon": (
        "a balloon tapping {ground}",
        "the soft taps of a balloon",
        "a balloon bumping down",
    ),
    "impact car": (
        "a car crashing down on {ground}",
        "the heavy clank of a car landing",
        "a car thumping down with rattling metal",
    ),
    "impact bird": (
        "a bird landing on {ground}",
        "the soft pats of a bird landing",
        "a bird touching down",
    ),
    "impact cat": (
        "a cat landing on {ground}",
        "the soft thumps of a cat",
        "a cat dropping onto its paws",
    ),
    "impact person": (
        "a person landing on {ground}",
        "the thuds of somebody landing on both feet",
        "somebody jumping on {ground}",
    ),
    "impact boat": ("a boat bumping on {ground}", "the dull knocks of a boat", "a hull hitting {ground}"),
    "impact fish": ("a fish bumping on {ground}", "the dull taps of a fish", "a fish hitting {ground}"),
    "impact koala": (
        "a surfboard hitting {ground}",
        "the dull knocks of a surfboard",
        "a koala's board landing on {ground}",
    ),
    "footstep person": (
        "footsteps on {ground}",
        "somebody walking on {ground}",
        "steps on {ground}",
        "a person's shoes on {ground}",
    ),
    "footstep cat": (
        "soft cat steps on {ground}",
        "paws padding on {ground}",
        "the light steps of a cat",
    ),
    "splash": ("splashing water", "water splashes", "a splash of water", "something splashing into water"),
    "thunder": ("thunder", "a clap of thunder", "rumbling thunder", "a thunderclap"),
}
GROUNDS = {
    "meadow": ("grass", "the grass"),
    "beach": ("sand", "wet sand"),
    "desert": ("sand", "dry sand"),
    "city street": ("pavement", "the street", "asphalt"),
    "night sky": ("the ground", "earth"),
    "snowy mountains": ("snow", "crunching snow"),
    "underwater": ("the seabed", "the sea floor"),
    "stage": ("wooden boards", "a wooden floor", "the stage"),
}
ENGINES = {
    True: ("a car driving by", "the engine of a driving car", "a passing car", "a car motor running"),
    False: ("an idling car engine", "the hum of a car engine", "a car motor idling"),
}
"""Whether it drives."""
BEDS = {
    "wind": ("wind", "blowing wind", "gusts of wind", "the rush of the wind"),
    "rain": ("rain", "falling rain", "pattering rain", "raindrops"),
    "waves": ("ocean waves", "waves breaking on the shore", "the surf", "waves washing ashore"),
    "crickets": ("chirping crickets", "crickets", "crickets at night"),
    "birds": ("birdsong", "singing birds", "chirping birds", "twittering birds"),
    "underwater": (
        "an underwater rumble with bubbles",
        "bubbles under water",
        "a deep underwater rumble",
        "bubbling in the deep sea",
    ),
    "street": ("city traffic", "street noise", "distant traffic and car horns", "the noise of a city street"),
    "hall": ("the hum of a hall", "the hum of stage lights", "the quiet of a large hall", "a humming room"),
}
FAINT_LEVEL = 0.2
"""Beds below it are said to be faint, if they are told at all."""
FAINT = {"wind": ("a light breeze", "faint wind", "a soft breeze"), "hall": BEDS["hall"]}
STRONG = {"wind": ("strong wind", "howling wind"), "rain": ("heavy rain", "pouring rain")}
STRONG_LEVELS = {"wind": 0.55, "rain": 0.65}
AGAIN = ("again and again", "over and over", "repeatedly")
WITH_MUSIC = (
    "and music plays in the background",
    "with music in the background",
    "accompanied by music",
    "while music plays",
)
SILENCE = ("silence", "nothing but silence", "no sound")

MOODS = {
    "happy": ("happy", "cheerful", "upbeat", "joyful"),
    "calm": ("calm", "peaceful", "gentle", "relaxing"),
    "dreamy": ("dreamy", "floating", "ethereal", "wistful"),
    "tense": ("tense", "suspenseful", "dramatic", "driving"),
}
INSTRUMENTS = {
    "piano": ("piano", "solo piano"),
    "guitar": ("guitar", "acoustic guitar", "plucked guitar"),
    "strings": ("strings", "orchestral strings", "a string section"),
    "marimba": ("marimba", "wooden mallets"),
}
TEMPOS = ((80.0, ("slow", "unhurried")), (110.0, ("medium-paced", "steady")), (999.0, ("fast", "lively")))
"""Up to so many beats per minute, said so."""
