"""The music stem: the score on one instrument, each note a sum of damped partial waves."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..events import music
from ..scene import Scene
from .score import Note, score
from .signal import SAMPLE_RATE, damped_waves, place, ramp, sample_at, sides

# Shape letters: N note, M partial wave, S audio sample.

LONGEST_SECONDS = 2.4
"""No note rings longer."""
_BATCH = 16
"""Notes made at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """How its strings or bars vibrate."""

    ratios: tuple[float, ...]
    """Partial frequencies over the note's."""
    gains: tuple[float, ...]
    seconds: float
    """Time in which the lowest partial of the middle C falls to 1/e."""
    damping: float
    """How much faster each next partial dies."""
    shortening: float
    """Power by which higher notes die faster."""
    attack: float
    """Seconds of rise."""
    release: float
    """Seconds in which a note dies once it is no longer held."""
    transpose: int
    """Semitones from the score to where the instrument sounds well."""
    gain: float
    """Brings the stem to the same loudness as with other instruments."""


def _stiff(count: int, stiffness: float) -> tuple[float, ...]:
    """Partials of a stiff string, a little wider apart than the whole numbers."""
    return tuple(n * math.sqrt(1 + stiffness * n * n) for n in range(1, count + 1))


def _plucked(count: int, spot: float, slope: float) -> tuple[float, ...]:
    """How strongly a string touched at a share of its length takes up each partial."""
    return tuple(abs(math.sin(math.pi * n * spot)) / n**slope for n in range(1, count + 1))


def _section(count: int, slope: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Three players a hair apart: ratios and gains of their partials."""
    tunings = (0.9975, 1.0, 1.003)
    ratios = tuple(n * tuning for n in range(1, count + 1) for tuning in tunings)
    return ratios, tuple(0.35 / n**slope for n in range(1, count + 1) for _ in tunings)


_STRINGS = _section(12, 1.15)
INSTRUMENTS = {
    "piano": Instrument(
        ratios=_stiff(14, 0.0004),
        gains=_plucked(14, 0.12, 0.9),
        seconds=1.3,
        damping=0.22,
        shortening=0.5,
        attack=0.003,
        release=0.10,
        transpose=0,
        gain=0.106,
    ),
    "guitar": Instrument(
        ratios=_stiff(18, 0.00006),
        gains=_plucked(18, 0.27, 1.0),
        seconds=0.8,
        damping=0.35,
        shortening=0.4,
        attack=0.0015,
        release=0.16,
        transpose=0,
        gain=0.098,
    ),
    "strings": Instrument(
        ratios=_STRINGS[0],
        gains=_STRINGS[1],
        seconds=9.0,
        damping=0.02,
        shortening=0.0,
        attack=0.07,
        release=0.12,
        transpose=0,
        gain=0.081,
    ),
    "marimba": Instrument(
        ratios=(1.0, 3.93, 9.2),
        gains=(1.0, 0.3, 0.1),
        seconds=0.38,
        damping=1.1,
        shortening=0.6,
        attack=0.001,
        release=0.3,
        transpose=12,
        gain=0.138,
    ),
}
LOUDNESS = 0.04
"""Ear-weighted RMS, left and right together, that the gains of instruments and moods were measured for."""
MOOD_GAINS = {"happy": 0.774, "calm": 1.235, "dreamy": 1.451, "tense": 0.721}
"""Busy moods play each note softer."""


def orchestra(scene: Scene, num_samples: int) -> Tensor:
    """The scene's music, (2, S); silent before its first beat."""
    heard = music(scene)
    instrument, notes = INSTRUMENTS[heard.instrument], score(scene, num_samples / SAMPLE_RATE)
    stem = torch.zeros(2, num_samples)
    for first in range(0, len(notes), _BATCH):
        batch = notes[first : first + _BATCH]
        for note, wave in zip(batch, tones(instrument, batch), strict=True):
            gain = instrument.gain * MOOD_GAINS[heard.mood] * note.strength
            left, right = sides(note.pan)
            place(stem, sample_at(note.start), wave, (gain * left, gain * right))
    return stem


def tones(instrument: Instrument, notes: list[Note]) -> list[Tensor]:
    """The waves of some notes, each as long as it rings."""
    pitches = torch.tensor([note.pitch + instrument.transpose for note in notes])
    hz = 440 * 2 ** ((pitches - 69) / 12)
    partials = torch.arange(len(instrument.ratios))
    lowest = instrument.seconds * (262 / hz) ** instrument.shortening
    seconds = lowest[:, None] / (1 + instrument.damping * partials)
    lengths = [sample_at(_ringing_seconds(instrument, note)) for note in notes]
    gains = torch.tensor(instrument.gains).expand(len(notes), -1)
    waves = damped_waves(hz[:, None] * torch.tensor(instrument.ratios), seconds, gains, max(lengths))
    return [_shaped(instrument, wave[:length]) for wave, length in zip(waves, lengths, strict=True)]


def _ringing_seconds(instrument: Instrument, note: Note) -> float:
    return min(note.seconds + instrument.release, LONGEST_SECONDS)


def _shaped(instrument: Instrument, wave: Tensor) -> Tensor:
    """The attack, and the damper that stops the note."""
    rise, fall = sample_at(instrument.attack), min(sample_at(instrument.release), len(wave) // 2)
    wave[:rise] *= ramp(rise)
    wave[len(wave) - fall :] *= ramp(fall).flip(0)
    return wave
