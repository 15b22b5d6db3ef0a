"""What can be heard in a clip's sound: what its captions tell and its judge is asked."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..events import Bed, Event, Music, beds, events, music
from ..scene import Scene

STEMS = ("effects", "ambience", "music")
"""What actors and lightning do; what the place sounds like anyway; what nobody in the picture plays."""
AUDIBLE_STRENGTH = 0.05
"""Events weaker than this nobody tells from the ambience."""
AUDIBLE_SECONDS = 0.1
"""What begins later than this before the clip's end is cut off before one knows what it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """The contents of a sound."""

    events: tuple[Event, ...]
    """Those that are clearly heard."""
    doubtful: tuple[Event, ...]
    """Those too weak or too late to be sure of."""
    engines: tuple[Bed, ...]
    beds: tuple[Bed, ...]
    """Of the place, the loudest first."""
    music: Music | None


def heard(scene: Scene, seconds: float, stems: Sequence[str] = STEMS) -> Heard:
    """List what the first seconds of a scene's sound hold.

    Args:
        scene: what is heard.
        seconds: length of the clip.
        stems: those that are in the mix, of ``STEMS``.

    Returns:
        Its contents.
    """
    found = events(scene, seconds) if "effects" in stems else ()
    lasting = sorted(beds(scene), key=lambda bed: -bed.level)
    return Heard(
        events=tuple(event for event in found if _is_clear(event, seconds)),
        doubtful=tuple(event for event in found if not _is_clear(event, seconds)),
        engines=tuple(bed for bed in lasting if bed.actor is not None and "effects" in stems),
        beds=tuple(bed for bed in lasting if bed.actor is None and "ambience" in stems),
        music=music(scene) if "music" in stems else None,
    )


def _is_clear(event: Event, seconds: float) -> bool:
    return event.strength >= AUDIBLE_STRENGTH and event.time <= seconds - AUDIBLE_SECONDS
