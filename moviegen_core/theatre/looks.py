"""Looks and weather as mappings of paint: every colour passes through one Ink before it reaches a canvas."""

from collections.abc import Callable
from dataclasses import dataclass

RGB = tuple[float, float, float]


def luminance(colour: RGB) -> float:
    """Brightness as the eye weighs it."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def mix(first: RGB, second: RGB, share: float) -> RGB:
    """``first`` with the given share of ``second``."""
    return tuple(a + (b - a) * share for a, b in zip(first, second, strict=True))  # type: ignore[return-value]


def scaled(colour: RGB, factor: float) -> RGB:
    """Darker or lighter, kept within 0..1."""
    return tuple(min(1.0, max(0.0, a * factor)) for a in colour)  # type: ignore[return-value]


def vivid(colour: RGB) -> RGB:
    """The colour as light: saturated and bright; black turns to violet grey."""
    grey = luminance(colour)
    if grey < 0.2 and max(colour) < 0.2:
        return (0.56, 0.50, 0.78)
    rich = tuple(max(0.0, grey + (a - grey) * 1.5) for a in colour)
    return scaled(rich, 1 / max(max(rich), 0.3))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How one look paints things (what acts) and ground (what does not)."""

    thing: Callable[[RGB], RGB]
    ground: Callable[[RGB], RGB]
    rim: Callable[[RGB], RGB]
    """Colour of the line along a shape's edge, from the shape's own colour."""
    rim_width: float = 0.022
    """Width of that line for things, in picture heights x 3 (an actor of medium size is one unit high)."""
    ground_rim: float = 0.0
    """Strength of the line around shapes of the ground."""
    shading: float = 1.0
    """Strength of light and shade sides and of highlights."""
    texture: str = "none"
    """"veins", "hatching" or "none", stuck to what it covers."""
    glow: float = 0.0
    """How far bright parts shine into their surroundings."""


def _same(colour: RGB) -> RGB:
    return colour


def _dark_rim(colour: RGB) -> RGB:
    return mix(scaled(colour, 0.42), (0.10, 0.07, 0.14), 0.35)


def _neon_thing(colour: RGB) -> RGB:
    return mix(scaled(vivid(colour), 0.54), (0.05, 0.03, 0.14), 0.10)


def _neon_ground(colour: RGB) -> RGB:
    return mix(scaled(colour, 0.44), (0.10, 0.06, 0.25), 0.60)


def _neon_rim(colour: RGB) -> RGB:
    return mix(vivid(colour), (1.0, 1.0, 1.0), 0.12)


def _marble_thing(colour: RGB) -> RGB:
    grey = luminance(colour)
    return mix(mix(colour, (grey, grey, grey), 0.15), (0.95, 0.93, 0.90), 0.22)


def _marble_ground(colour: RGB) -> RGB:
    grey = 0.50 + 0.45 * luminance(colour)
    return mix((grey, grey * 0.985, grey * 0.955), colour, 0.12)


def _gold(colour: RGB) -> RGB:
    grey = luminance(colour) ** 0.85
    stops = ((0.16, 0.03, 0.01), (0.62, 0.22, 0.03), (0.96, 0.62, 0.14), (1.0, 0.93, 0.62))
    place = min(grey, 0.999) * 3
    return mix(stops[int(place)], stops[int(place) + 1], place - int(place))


def _gold_thing(colour: RGB) -> RGB:
    return mix(_gold(colour), colour, 0.55)


def _gold_ground(colour: RGB) -> RGB:
    return mix(scaled(_gold(colour), 0.82), colour, 0.10)


_PAPER = (0.965, 0.945, 0.90)


def _pencil_thing(colour: RGB) -> RGB:
    return mix(_PAPER, colour, 0.62)


def _pencil_ground(colour: RGB) -> RGB:
    return mix(_PAPER, colour, 0.20)


def _graphite(colour: RGB) -> RGB:
    return mix((0.22, 0.22, 0.25), colour, 0.12)


def _grey(colour: RGB) -> RGB:
    grey = luminance(colour)
    return (grey, grey, grey)


STYLES = {
    "plain": Style(thing=_same, ground=_same, rim=_dark_rim),
    "neon": Style(
        thing=_neon_thing,
        ground=_neon_ground,
        rim=_neon_rim,
        rim_width=0.042,
        ground_rim=0.95,
        shading=0.4,
        glow=2.6,
    ),
    "marble": Style(
        thing=_marble_thing,
        ground=_marble_ground,
        rim=lambda c: scaled(_marble_thing(c), 0.55),
        texture="veins",
    ),
    "burning gold": Style(
        thing=_gold_thing,
        ground=_gold_ground,
        rim=lambda c: mix((0.30, 0.06, 0.01), c, 0.15),
        shading=1.5,
        glow=0.45,
    ),
    "pencil": Style(
        thing=_pencil_thing,
        ground=_pencil_ground,
        rim=_graphite,
        rim_width=0.026,
        ground_rim=0.5,
        shading=0.35,
        texture="hatching",
    ),
    "black-and-white": Style(thing=_grey, ground=_grey, rim=lambda c: _grey(_dark_rim(c))),
}

_WEATHER_TINT = {
    "clear": ((1.0, 1.0, 1.0), 0.0, 1.0),
    "rain": ((0.47, 0.53, 0.60), 0.34, 0.90),
    "snow": ((0.84, 0.87, 0.92), 0.34, 1.0),
    "storm": ((0.22, 0.24, 0.33), 0.55, 0.80),
}


@dataclass(frozen=True, slots=True)
class Ink:
    """One look in one weather: turns a named colour into the paint that is laid down."""

    look: str
    weather: str

    @property
    def style(self) -> Style:
        """The look's numbers."""
        return STYLES[self.look]

    def ground(self, colour: RGB) -> RGB:
        """Paint for places: weather tints them fully."""
        tint, share, light = _WEATHER_TINT[self.weather]
        return self.style.ground(scaled(mix(colour, tint, share), light))

    def thing(self, colour: RGB) -> RGB:
        """Paint for actors: weather only dims them a little, so that their colour stays readable."""
        return self.style.thing(scaled(colour, 1 - 0.45 * (1 - _WEATHER_TINT[self.weather][2])))

    def rim(self, colour: RGB) -> RGB:
        """Paint for the line along a shape's edge."""
        return self.style.rim(colour)
