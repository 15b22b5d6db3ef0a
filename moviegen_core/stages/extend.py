"""Sound that is there goes on, or a gap in it is filled; every other sample stays bit for bit."""

# Shape letters: C channel, F audio latent frame, S audio sample.

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, repeat

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import MediaError, SettingsError
from ..geometry import SoundGrid, rescaled_samples, sound_samples
from ..media.channels import remixed
from ..media.resample import resampled
from ..media.sound import BLOCK, SAMPLE_RATE, Sound, cut, delayed, exactly, sound_from, waveform_of
from ..models.audio_codec import AudioCodec
from ..models.prompt import check_sound_prompt, format_sound_prompt
from ..models.text import check_prompt
from .settings import SoundSettings
from .sound import Score, SoundModels, fill, known_latent, mask_of
from .soundtrack import CONTEXT, OnProgress, Steps, compose_stretches, stem_sound, stretches
from .units import Units

FADE_SECONDS = 0.02
"""Seconds over which the difference between old and new is mirrored and fades."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """The sound around what is to be made, at its own rate and with its own channels."""

    region_CS: Tensor
    sample_rate: int
    start: int
    """Within the region: the first sample to be made."""
    stop: int
    """One past the last; beyond the region's end when the sound is to go on."""


def extended(
    models: SoundModels,
    sound: Sound,
    seconds: float,
    settings: SoundSettings,
    *,
    units: Units | None = None,
    on_progress: OnProgress | None = None,
) -> Sound:
    """Let a sound go on.

    Args:
        models: loaded, on one device.
        sound: mono or stereo, of any rate and length; of it only the end is held in memory.
        seconds: how much longer it becomes.
        settings: what is to be heard; empty effects and no music leave that to what is heard already.
        units: keeps what is finished; None keeps nothing.
        on_progress: called with (steps done, steps in all); raising in it stops the work.

    Returns:
        The sound, then what follows; at the same rate and with the same channels. A length that is none is
        refused with a GeometryError, an empty sound or one of more than two channels with a MediaError.

    """
    region_CS = _end(sound, _context_samples(sound.sample_rate))
    start = region_CS.shape[1]
    stop = start + sound_samples(seconds, sound.sample_rate)
    place = _Place(region_CS=region_CS, sample_rate=sound.sample_rate, start=start, stop=stop)
    made = _made(models, place, settings, units, on_progress)

    def chunks() -> Iterator[Tensor]:
        yield from sound.chunks()
        fade = _fade(sound.sample_rate)
        rest = cut(made.chunks(), chain([start + fade], repeat(BLOCK)))
        seam_CS = next(rest)
        yield fill(region_CS, seam_CS, start, seam_CS.shape[1], fade)[:, start:]
        yield from rest

    return replace(sound, chunks=chunks)


def infilled(
    models: SoundModels,
    sound: Sound,
    gap: tuple[float, float],
    settings: SoundSettings,
    *,
    units: Units | None = None,
    on_progress: OnProgress | None = None,
) -> Sound:
    """Fill a gap, or replace a stretch of a sound.

    Args:
        models: loaded, on one device.
        sound: mono or stereo, of any rate and length; of it only what is around the gap is held in memory.
        gap: seconds from and to which sound is made.
        settings: what is to be heard; empty effects and no music leave that to what is heard around it.
        units: keeps what is finished; None keeps nothing.
        on_progress: called with (steps done, steps in all); raising in it stops the work.

    Returns:
        A sound as long as before.

    Raises:
        SettingsError: the gap is empty, or begins before the sound.
        MediaError: the gap does not lie within the sound, or the sound has more than two channels.
    """
    first, last = (round(one * sound.sample_rate) for one in gap)
    if not 0 <= first < last:
        raise SettingsError(f"a gap from {gap[0]:g} to {gap[1]:g} seconds holds nothing; give it like 2.5-4")
    before = min(first, _context_samples(sound.sample_rate))
    region_CS = _span(sound, first - before, last + _context_samples(sound.sample_rate))
    if region_CS.shape[1] < before + last - first:
        raise MediaError(f"the gap ends at {gap[1]:g} seconds, after the sound; let it end within the sound")
    place = _Place(
        region_CS=region_CS, sample_rate=sound.sample_rate, start=before, stop=before + last - first
    )
    made_CS = waveform_of(_made(models, place, settings, units, on_progress))
    filled_CS = fill(region_CS, made_CS, place.start, place.stop, _fade(sound.sample_rate))
    return _replaced(sound, first, filled_CS[:, place.start : place.stop])


def _context_samples(sample_rate: int) -> int:
    """As much as a model hears of what is there, in whole latent frames."""
    return rescaled_samples(CONTEXT * SoundGrid().hop, SAMPLE_RATE, sample_rate)


def _fade(sample_rate: int) -> int:
    return max(1, round(FADE_SECONDS * sample_rate))


def _end(sound: Sound, num_samples: int) -> Tensor:
    """The last samples of a sound, by streaming it all."""
    held_CS = torch.zeros(len(sound.speakers), 0)
    for block in sound.blocks():
        held_CS = torch.cat([held_CS, block], dim=1)[:, -num_samples:]
    if not held_CS.shape[1]:
        raise MediaError("the sound is empty; give one with at least one sample")
    return held_CS


def _span(sound: Sound, start: int, stop: int) -> Tensor:
    """Samples ``start`` to ``stop`` of a sound, or fewer where it ends before."""
    pieces, place = [torch.zeros(len(sound.speakers), 0)], 0
    for block in sound.blocks():
        pieces.append(block[:, max(0, start - place) : max(0, stop - place)])
        place += block.shape[1]
        if place >= stop:
            break
    return torch.cat(pieces, dim=1)


def _replaced(sound: Sound, start: int, piece_CS: Tensor) -> Sound:
    """The sound with other samples from ``start`` on."""

    def change(blocks: Iterator[Tensor]) -> Iterator[Tensor]:
        place = 0
        for block in blocks:
            a, b = (max(0, min(block.shape[1], one - place)) for one in (start, start + piece_CS.shape[1]))
            block[:, a:b] = piece_CS[:, place + a - start : place + b - start]
            place += block.shape[1]
            yield block

    return sound.through(change)


def _made(
    models: SoundModels,
    place: _Place,
    settings: SoundSettings,
    units: Units | None,
    on_progress: OnProgress | None,
) -> Sound:
    """New sound for the whole region and what follows it, going on from the old as the codec hears it."""
    prompt, (lead, score) = sound_prompt(models, settings), _score(models.codec, place)
    steps = Steps(len(stretches(score.num_frames)) * settings.sampling.num_steps, on_progress)
    pieces = compose_stretches(models, prompt, score, settings, units=units, steps=steps)
    latent_CF = torch.cat(list(pieces), dim=1)
    whole = delayed(stem_sound(models.codec, latent_CF, score.num_frames * models.codec.grid.hop), -lead)
    fitted = remixed(resampled(whole, place.sample_rate), place.region_CS.shape[0])
    return exactly(fitted, max(place.stop, place.region_CS.shape[1]))


def sound_prompt(models: SoundModels, settings: SoundSettings) -> str:
    """One prompt for effects and music together, checked; empty where nothing is said."""
    prompt = format_sound_prompt(settings.effects or "", settings.music or "")
    check_sound_prompt(f"{settings.effects or ''}. {settings.music or ''}")
    if prompt:
        check_prompt(prompt, models.text.config.max_bytes)
    return prompt


def _score(codec: AudioCodec, place: _Place) -> tuple[int, Score]:
    """What is known around what is to be made, and the silence put in front so that this begins a frame."""
    hop, rate = codec.grid.hop, codec.config.sample_rate
    start, stop, end = (
        rescaled_samples(one, place.sample_rate, rate)
        for one in (place.start, place.stop, max(place.stop, place.region_CS.shape[1]))
    )
    lead = -start % hop
    num_frames = codec.grid.latent_frames(lead + end)
    heard = waveform_of(resampled(remixed(sound_from(place.region_CS, place.sample_rate), 1), rate))
    heard[:, start:stop] = 0
    known_CF = known_latent(codec, F.pad(heard, (lead, 0)).to(codec.latent_mean.device))
    return lead, Score(
        num_frames=num_frames,
        known_CF=F.pad(known_CF, (0, num_frames - known_CF.shape[1])),
        masked_F=mask_of(lead + start, lead + stop, num_frames, codec),
    )
