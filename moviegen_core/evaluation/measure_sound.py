"""How good sound is: what the codec loses, when what is made begins to sound, what a judge hears in it."""

# Shape letters: B clip, C channel, T frame, H row, W column, S audio sample.

import math
import time
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from statistics import median

import torch
from torch import Tensor

from ..geometry import samples_for
from ..media.onsets import onsets
from ..media.sound import sound_from, waveform_of
from ..models.audio_codec import AudioCodec
from ..models.sound_judge import SoundJudge
from ..stages.settings import SamplingSettings, SoundSettings
from ..stages.sound import SoundModels
from ..stages.soundtrack import EFFECTS, MUSIC, Seen, see_clip, soundtrack
from ..theatre.render import render
from ..theatre.scene import Scene
from ..theatre.sound.captions import canonical_sound_text
from ..theatre.sound.hearing import STEMS, heard
from ..theatre.sound.questions import SOUND_QUESTIONS
from ..training.sound_losses import spectral_losses
from ..training.sounds import mono
from .agreement import Agreement, tally
from .measure_video import held_out_scenes
from .sound_judge import ask_sound, sound_verdicts
from .train_sound_judge import through_codec
from .work import Work

SECONDS, FPS = 6, Fraction(16)
NUM_FRAMES = int(SECONDS * FPS)
HEIGHT, WIDTH = 112, 192
NEAR = 0.04
"""Seconds within which a sound counts as one with its impact."""
MEL_DECIBELS = 20.0
"""The mel loss counts in steps of ten in amplitude."""
MEL_WINDOWS = (2048, 512, 128)

AMBIENT, PLAYED = ("effects", "ambience"), ("music",)
"""Stems of the two sounds that are judged: what the picture sounds like, and music alone."""
MADE, OWN, DECODED = "generated", "theatre's own", "theatre's own through the codec"
UNASKED = "no music unasked"
"""What the answers about music tell of sounds that hold none; apart, as there it is right to hear nothing."""
ASKED = (*SOUND_QUESTIONS, UNASKED)
SOUND_SOURCES = (MADE, OWN, DECODED)
"""Where judged sounds come from; on the last two the judge itself is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fidelity:
    """What a codec leaves of sounds of one kind."""

    what: str
    num_sounds: int
    si_sdr: float
    """dB, the median: scale-invariant signal to distortion; noise of the right colour is distortion, too."""
    mel: float
    """dB, the mean: how far mel bands are off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How far what begins to sound is from what is seen to hit; seconds."""

    to_impact: float | None
    """Median distance of an onset to the nearest impact; None without onsets."""
    to_onset: float | None
    """Median distance of an impact to the nearest onset."""
    caught: Agreement
    """Impacts that have an onset within 40 ms."""
    num_onsets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundMeasures:
    """Everything measured of sound."""

    num_scenes: int
    settings: SamplingSettings
    seconds_per_sound: float
    """Of wall-clock time for SECONDS of one stem, decoding included."""
    codec: tuple[Fidelity, ...]
    timing: dict[str, Timing]
    """"generated", "theatre's own", and "by chance": the generated onsets against another clip's impacts."""
    agreement: dict[str, dict[str, Agreement]]
    """Source -> question -> how often the judge heard what the scene holds."""


def si_sdr(output: Tensor, target: Tensor) -> float:
    """Scale-invariant signal to distortion ratio in dB, of whole tensors; 100 at most, -100 at least.

    Source: Le Roux, Wisdom, Erdogan and Hershey, SDR: half-baked or well done? (2019).
    """
    output, target = (one.double().flatten() - one.double().mean() for one in (output, target))
    wanted = (output @ target) / (target @ target).clamp(min=1e-12) * target
    ratio = wanted.square().sum() / (output - wanted).square().sum().clamp(min=1e-12)
    return min(100.0, max(-100.0, 10 * math.log10(max(float(ratio), 1e-12))))


def distances(moments: Sequence[float], others: Sequence[float]) -> list[float]:
    """How far each moment is from the nearest of some others; those must rise, and not be empty."""
    places = ((one, bisect_left(others, one)) for one in moments)
    return [min(abs(one - near) for near in others[max(0, at - 1) : at + 1]) for one, at in places]


def timing(pairs: Iterable[tuple[Sequence[float], Sequence[float]]]) -> Timing:
    """Compare the onsets of sounds with the impacts of their clips, which each have at least one."""
    rows = list(pairs)
    to_impact = [away for begun, hit in rows for away in distances(begun, hit)]
    to_onset = [
        away for begun, hit in rows for away in (distances(hit, begun) if begun else [math.inf] * len(hit))
    ]
    return Timing(
        to_impact=median(to_impact) if to_impact else None,
        to_onset=median(to_onset) if to_onset and median(to_onset) < math.inf else None,
        caught=Agreement(sum(away <= NEAR for away in to_onset), len(to_onset)),
        num_onsets=len(to_impact),
    )


def sound_work(count: int) -> int:
    """Units of work that ``measure_sound`` will report."""
    return 2 * count


def measure_sound(
    models: SoundModels, judge: SoundJudge, count: int, settings: SamplingSettings, work: Work
) -> SoundMeasures:
    """Film the first held-out scenes of one actor, make their sound and their music, and listen.

    Args:
        models: loaded.
        judge: on any device.
        count: how many scenes.
        settings: of the sampling; the seeds are 0, 1, 2, ... from its own on.
        work: told about every scene, twice.

    Returns:
        The measures.
    """
    scenes = held_out_scenes(count)
    codec = (_fidelity(models.codec, scenes, stems) for stems in (("effects",), ("ambience",), PLAYED, STEMS))
    verdicts: dict[str, list[dict[str, bool]]] = {source: [] for source in SOUND_SOURCES}
    begun, hit, taken = [], [], []
    for number, scene in enumerate(scenes):
        started = time.perf_counter()
        made, strikes = _made(models, scene, replace(settings, seed=settings.seed + number))
        taken.append(time.perf_counter() - started)
        for stems, wave in made.items():
            for source, verdict in _judged(models.codec, judge, scene, stems, wave).items():
                verdicts[source].append(verdict)
        if strikes is not None:
            begun.append((strikes, _own_onsets(scene)))
            hit.append(_impacts(scene))
        work.advance()
    fidelity = tuple(codec)
    work.advance(count)
    generated, own = ([row[column] for row in begun] for column in (0, 1))
    return SoundMeasures(
        num_scenes=count,
        settings=settings,
        seconds_per_sound=sum(taken) / (3 * count),
        codec=fidelity,
        timing={
            MADE: timing(zip(generated, hit, strict=True)),
            OWN: timing(zip(own, hit, strict=True)),
            "by chance": timing(zip(generated, [*hit[1:], *hit[:1]], strict=True)),
        },
        agreement={source: _asked(rows) for source, rows in verdicts.items()},
    )


def _judged(
    codec: AudioCodec, judge: SoundJudge, scene: Scene, stems: tuple[str, ...], wave_CS: Tensor
) -> dict[str, dict[str, bool]]:
    """Source -> question -> whether the judge is right about some stems of a scene."""
    own_CS = mono(scene, stems, num_frames=NUM_FRAMES, fps=int(FPS))
    three_BCS = torch.stack([wave_CS, own_CS, through_codec(codec, own_CS[None])[0]])
    told = [heard(scene, SECONDS, stems)] * len(three_BCS)
    rows = sound_verdicts(ask_sound(judge, three_BCS), told)
    return {source: _sorted(row, stems) for source, row in zip(SOUND_SOURCES, rows, strict=True)}


def _asked(rows: Sequence[dict[str, bool]]) -> dict[str, Agreement]:
    return tally(rows, ASKED)


def _sorted(verdict: dict[str, bool], stems: tuple[str, ...]) -> dict[str, bool]:
    """Music is asked of music alone, and of other sounds whether they are free of it."""
    if stems == PLAYED:
        return {name: verdict[name] for name in ("music", "instrument") if name in verdict}
    return {UNASKED if name == "music" else name: right for name, right in verdict.items()}


def _impacts(scene: Scene) -> list[float]:
    return [event.time for event in heard(scene, SECONDS, ("effects",)).events]


def _own_onsets(scene: Scene) -> list[float]:
    return onsets(sound_from(mono(scene, ("effects",), num_frames=NUM_FRAMES, fps=int(FPS))))


def _made(
    models: SoundModels, scene: Scene, sampling: SamplingSettings
) -> tuple[dict[tuple[str, ...], Tensor], list[float] | None]:
    """Sound and music of a filmed scene, and when its effects alone begin to sound where there are any."""
    film = render([scene], num_frames=NUM_FRAMES, fps=FPS, height=HEIGHT, width=WIDTH)[0]
    seen = see_clip(models, [film], FPS)
    whole = _stem(models, scene, AMBIENT, EFFECTS, seen, sampling)
    music = _stem(models, scene, PLAYED, MUSIC, seen, sampling)
    alone = _stem(models, scene, ("effects",), EFFECTS, seen, sampling) if _impacts(scene) else None
    made = {AMBIENT: whole, PLAYED: music}
    return made, None if alone is None else onsets(sound_from(alone))


def _stem(
    models: SoundModels,
    scene: Scene,
    stems: tuple[str, ...],
    name: str,
    seen: Seen,
    sampling: SamplingSettings,
) -> Tensor:
    """One stem made of the scene's canonical words and its picture, (1, S)."""
    text = canonical_sound_text(scene, SECONDS, stems)
    settings = SoundSettings(
        effects=text.description if name == EFFECTS else None,
        music=text.music if name == MUSIC else None,
        sampling=sampling,
    )
    return waveform_of(soundtrack(models, settings, samples_for(NUM_FRAMES, FPS), seen)[name]).clamp(-1, 1)


def _fidelity(codec: AudioCodec, scenes: Sequence[Scene], stems: tuple[str, ...]) -> Fidelity:
    """What the codec leaves of the theatre's own sounds; scenes that are silent are left out."""
    waves = (mono(scene, stems, num_frames=NUM_FRAMES, fps=int(FPS)) for scene in scenes)
    pairs = [(wave[None], through_codec(codec, wave[None])) for wave in waves if wave.abs().max() > 0]
    ratios = [si_sdr(output, wave) for wave, output in pairs]
    mel = [float(spectral_losses(output, wave, MEL_WINDOWS)["mel"]) for wave, output in pairs]
    return Fidelity(
        what=" + ".join(stems),
        num_sounds=len(pairs),
        si_sdr=median(ratios) if ratios else math.nan,
        mel=MEL_DECIBELS * sum(mel) / len(mel) if mel else math.nan,
    )
