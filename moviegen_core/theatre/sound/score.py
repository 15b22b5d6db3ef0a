"""What the orchestra plays: chords, bass and a tune by mood, in bars of four beats. Our choice throughout."""

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..events import Music, music
from ..motion import stream
from ..scene import Scene

BEATS = 4
"""In a bar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One tone of an instrument."""

    start: float
    """Seconds from the clip's start."""
    seconds: float
    """How long it is held."""
    pitch: int
    """In semitones; 60 is the middle C, 69 is 440 Hz."""
    strength: float
    """0 unheard, 1 the loudest."""
    pan: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How music of one mood is made."""

    scale: tuple[int, ...]
    """Semitones of the seven steps above the root."""
    progressions: tuple[tuple[int, ...], ...]
    """Steps on which the chords of four bars stand."""
    chord: tuple[int, ...]
    """Steps of a chord above its root."""
    rhythms: tuple[tuple[float, ...], ...]
    """Beats of a bar on which the tune has notes."""
    accompany: Callable[["Bar"], Iterator["Beat"]]
    tune_octave: int
    tune_strength: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar's chord as pitches, lowest first."""

    chord: tuple[int, ...]
    bass: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """A note as the bar counts it."""

    beat: float
    beats: float
    pitch: int
    strength: float
    pan: float = 0.0


def score(scene: Scene, seconds: float) -> list[Note]:
    """All notes that begin within the first seconds; a longer clip only adds later ones.

    Args:
        scene: decides mood, tempo and, by its seed, key, chords and tune.
        seconds: length of the clip.

    Returns:
        Notes, bar by bar; the first bar begins on the music's first beat.
    """
    heard, dice = music(scene), stream(scene, "score")
    style, root = STYLES[heard.mood], dice.randint(-6, 5)
    progression, tune = dice.choice(style.progressions), _tune(style, dice)
    notes = []
    for number in range(math.ceil(seconds * heard.tempo / 60 / BEATS) + 1):
        step = progression[number % len(progression)]
        beats = [
            *style.accompany(_bar(style, root, step)),
            *_sung(style, root, step, tune[number % len(tune)]),
        ]
        notes += [_timed(heard, number, beat) for beat in beats]
    return [note for note in notes if note.start < seconds]


def _timed(heard: Music, bar: int, beat: Beat) -> Note:
    seconds_per_beat = 60 / heard.tempo
    start = heard.first_beat + (bar * BEATS + beat.beat) * seconds_per_beat
    held = beat.beats * seconds_per_beat
    return Note(start=start, seconds=held, pitch=beat.pitch, strength=beat.strength, pan=beat.pan)


def _pitch(style: Style, root: int, step: int, octave: int) -> int:
    """The pitch of a step of the scale, counted on through the octaves; octave 4 holds the middle C."""
    return 12 * (octave + 1 + step // 7) + root + style.scale[step % 7]


def _bar(style: Style, root: int, step: int) -> Bar:
    """The chord close to the middle C, whatever step it stands on."""
    pitches = (_pitch(style, root, step + above, 4) for above in style.chord)
    near = sorted(pitch - 12 * round((pitch - 60 - root / 2) / 12) for pitch in pitches)
    return Bar(chord=tuple(near), bass=_pitch(style, root, step, 2))


Phrase = tuple[tuple[float, int], ...]
"""Beats with the steps above the bar's chord that the tune takes there."""


def _tune(style: Style, dice: random.Random) -> tuple[Phrase, Phrase, Phrase, Phrase]:
    """Four bars of which the first, the third and half of the fourth are one phrase."""
    first, second = _phrase(style, dice), _phrase(style, dice)
    head = tuple(note for note in first if note[0] < 2)
    return first, second, first, (*head, (2.0, dice.choice((0, 2, 4))))


def _phrase(style: Style, dice: random.Random) -> Phrase:
    """Chord tones on whole beats, neighbours between them."""
    steps, step = [], dice.choice((2, 4))
    for beat in dice.choice(style.rhythms):
        near = [tone for tone in (-3, 0, 2, 4, 7) if abs(tone - step) <= 3]
        step = dice.choice(near) if beat == int(beat) else step + dice.choice((-1, 1))
        steps.append((beat, step))
    return tuple(steps)


def _sung(style: Style, root: int, step: int, phrase: Phrase) -> Iterator[Beat]:
    """A phrase over a chord, each note held until the next."""
    folded = step if step < 4 else step - 7
    ends = [beat for beat, _ in phrase[1:]] + [float(BEATS)]
    for (beat, above), end in zip(phrase, ends, strict=True):
        strength = style.tune_strength * (1.0 if beat in (0, 2) else 0.8)
        pitch = _pitch(style, root, folded + above, style.tune_octave)
        yield Beat(beat=beat, beats=min(end - beat, 2.0), pitch=pitch, strength=strength, pan=0.15)


def _bouncing(bar: Bar) -> Iterator[Beat]:
    """Bass on one and three, chords between: music to dance to."""
    for beat in (0, 2):
        yield Beat(beat=beat, beats=0.9, pitch=bar.bass + (7 if beat else 0), strength=0.8, pan=-0.1)
        for pitch in bar.chord:
            yield Beat(beat=beat + 1, beats=0.5, pitch=pitch, strength=0.34, pan=-0.25)
    for pitch in bar.chord:
        yield Beat(beat=3.5, beats=0.4, pitch=pitch, strength=0.26, pan=-0.25)


def _rocking(bar: Bar) -> Iterator[Beat]:
    """A long bass and the chord's tones one after the other, up and down."""
    yield Beat(beat=0, beats=4, pitch=bar.bass, strength=0.55, pan=-0.1)
    for number, tone in enumerate((0, 1, 2, 1, 0, 1, 2, 1)):
        yield Beat(beat=number / 2, beats=1.0, pitch=bar.chord[tone], strength=0.3, pan=-0.3)


def _floating(bar: Bar) -> Iterator[Beat]:
    """The wide chord climbs over two octaves and rings on."""
    yield Beat(beat=0, beats=4, pitch=bar.bass, strength=0.45, pan=0.0)
    climb = (*bar.chord, *(pitch + 12 for pitch in bar.chord[:-1]))
    for number, pitch in enumerate(climb):
        beat = number / 2
        yield Beat(beat=beat, beats=4 - beat, pitch=pitch, strength=0.3, pan=-0.7 + 1.4 * number / len(climb))


def _driving(bar: Bar) -> Iterator[Beat]:
    """The same low note in eighths, a half tone's bite at the end, the chord as a blow on one."""
    for number in range(8):
        bite = 1 if number == 7 else 0
        strength = 0.6 if number % 4 == 0 else 0.4
        yield Beat(beat=number / 2, beats=0.4, pitch=bar.bass + 12 + bite, strength=strength, pan=-0.1)
    yield Beat(beat=0, beats=2, pitch=bar.bass, strength=0.7)
    for pitch in bar.chord:
        yield Beat(beat=0, beats=1.5, pitch=pitch - 12, strength=0.34, pan=0.25)


_MAJOR, _LYDIAN, _MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 4, 6, 7, 9, 11), (0, 2, 3, 5, 7, 8, 11)
STYLES = {
    "happy": Style(
        scale=_MAJOR,
        progressions=((0, 4, 5, 3), (0, 3, 4, 0), (0, 5, 3, 4)),
        chord=(0, 2, 4),
        rhythms=((0, 0.5, 1, 2, 2.5, 3), (0, 1, 1.5, 2, 3), (0, 0.5, 1, 1.5, 2, 3)),
        accompany=_bouncing,
        tune_octave=5,
        tune_strength=0.75,
    ),
    "calm": Style(
        scale=_MAJOR,
        progressions=((0, 3, 0, 4), (0, 2, 3, 0), (0, 5, 3, 0)),
        chord=(0, 2, 4),
        rhythms=((0, 2), (0, 3), (0, 2, 3)),
        accompany=_rocking,
        tune_octave=4,
        tune_strength=0.6,
    ),
    "dreamy": Style(
        scale=_LYDIAN,
        progressions=((0, 1, 0, 1), (0, 2, 1, 0), (0, 4, 1, 0)),
        chord=(0, 2, 4, 6),
        rhythms=((0, 3), (1, 3), (0, 2.5)),
        accompany=_floating,
        tune_octave=5,
        tune_strength=0.45,
    ),
    "tense": Style(
        scale=_MINOR,
        progressions=((0, 0, 5, 4), (0, 3, 0, 4), (0, 5, 0, 6)),
        chord=(0, 2, 4),
        rhythms=((0, 1.5, 3), (0, 0.5, 2), (1, 1.5, 2, 3.5)),
        accompany=_driving,
        tune_octave=4,
        tune_strength=0.6,
    ),
}
