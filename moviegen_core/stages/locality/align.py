"""How an edited clip is brought to its source: by rules, said in plain sentences, or refused."""

from dataclasses import dataclass
from fractions import Fraction

from ...errors import GeometryError
from ...geometry import ClipShape

SAME_ASPECT = Fraction(1, 100)
"""Width to height may differ by this share and counts as the same: sides are whole numbers."""
MAX_ASPECT = Fraction(5, 100)
"""Beyond this share the edit shows another part of the picture."""
SAME_SECONDS = Fraction(2, 100)
"""Lengths that differ by less than this share, or by less than two frames, are the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """What to do with the edited clip, and what to tell the user of it."""

    num_frames: int
    """Of the result."""
    resample: bool
    """Whether the edit is brought to the source's rate; else frame meets frame by number."""
    resize: bool
    """Whether the edit has another size."""
    may_crop: bool
    """Whether its aspect is so different that it may have been cropped rather than stretched."""
    notes: tuple[str, ...]
    """One sentence for each thing that was not as it should be."""


def align(source: ClipShape, edited: ClipShape) -> Alignment:
    """Find out how an edited clip meets its source.

    Sizes may differ if the aspect hardly does. Clips of equal frame counts meet frame by frame, whatever
    their rates say; else clips that last equally long meet by time; else they meet frame by frame if their
    rates are equal, and the result ends with the shorter one. All else is refused with a GeometryError.

    Args:
        source: what the source is.
        edited: what the edited clip is.

    Returns:
        What to do.
    """
    resize, may_crop, size_notes = _align_size(source, edited)
    num_frames, resample, time_notes = _align_time(source, edited)
    return Alignment(
        num_frames=num_frames,
        resample=resample,
        resize=resize,
        may_crop=may_crop,
        notes=(*size_notes, *time_notes),
    )


def _align_size(source: ClipShape, edited: ClipShape) -> tuple[bool, bool, tuple[str, ...]]:
    if (source.height, source.width) == (edited.height, edited.width):
        return False, False, ()
    off = abs(Fraction(edited.width * source.height, edited.height * source.width) - 1)
    sizes = f"the edit is {edited.width}x{edited.height}, the source {source.width}x{source.height}"
    if off > MAX_ASPECT:
        raise GeometryError(
            f"{sizes}: their shapes differ too much to lie on each other; crop one to the other"
        )
    return True, off > SAME_ASPECT, (f"{sizes}; the edit was resized",)


def _align_time(source: ClipShape, edited: ClipShape) -> tuple[int, bool, tuple[str, ...]]:
    if source.num_frames == edited.num_frames:
        return source.num_frames, False, _rate_notes(source, edited)
    counts = f"the edit has {edited.num_frames} frames, the source {source.num_frames}"
    if source.fps != edited.fps and _last_equally_long(source, edited):
        rates = f"at {float(edited.fps):g} and {float(source.fps):g} a second"
        return source.num_frames, True, (f"{counts}, {rates}; the edit was brought to the source's rate",)
    if source.fps != edited.fps:
        raise GeometryError(
            f"{counts}, at rates of {float(edited.fps):g} and {float(source.fps):g}: neither their frames nor"
            " their seconds match; export the edit at the source's rate and length"
        )
    shorter = min(source.num_frames, edited.num_frames)
    return shorter, False, (f"{counts}; the result has {shorter}",)


def _last_equally_long(source: ClipShape, edited: ClipShape) -> bool:
    slack = max(2 / min(source.fps, edited.fps), SAME_SECONDS * source.seconds)
    return abs(source.seconds - edited.seconds) <= slack


def _rate_notes(source: ClipShape, edited: ClipShape) -> tuple[str, ...]:
    if source.fps == edited.fps or source.num_frames == 1:
        return ()
    return (
        f"the edit says {float(edited.fps):g} frames a second, the source {float(source.fps):g};"
        " their counts are equal, so frame meets frame at the source's rate",
    )
