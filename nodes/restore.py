"""A sound with a new part: what a sampler must know of it, and how the rest comes back bit for bit."""

# Shape letters: B sound, C channel, F audio latent frame, S audio sample.

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..moviegen_core.geometry import SoundGrid, rescaled_samples
from ..moviegen_core.media.resample import resampled
from ..moviegen_core.media.sound import sound_from, waveform_of
from ..moviegen_core.stages.sound import fill
from .convert import audio_from

KEPT = "moviegen_kept"
"""Under this name a LATENT carries what Decode Sound puts back."""
FADE_SECONDS = 0.02
"""Over which the difference between old and new is mirrored into the new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a sound is besides the stretch around its new part that a sampler works on."""

    waveform_CS: Tensor
    """The sound as it was, at its own rate."""
    sample_rate: int
    start: int
    """First sample that is new, at that rate."""
    stop: int
    """One past the last."""
    first: int
    """Sample at which the sampler's stretch begins, at the codec's rate; below 0 in silence before it."""
    known_CF: Tensor
    """Latent of the stretch."""
    masked_F: Tensor
    """True where it is to be made."""

    def with_known(self, latent_BCF: Tensor) -> Tensor:
        """A sampled latent with the known frames as they were."""
        return torch.where(self.masked_F.to(latent_BCF.device), latent_BCF, self.known_CF.to(latent_BCF))


def restored(made_BCS: Tensor, sample_rate: int, kept: Kept) -> dict[str, Any]:
    """Put a new part into its sound, which stays bit for bit outside.

    Args:
        made_BCS: the sampler's stretch, mono.
        sample_rate: of it.
        kept: the sound.

    Returns:
        The host's AUDIO, at the sound's own rate and with its channels, one for each of the batch.
    """
    total = max(kept.waveform_CS.shape[-1], kept.stop)
    lead, first = max(0, -kept.first), max(0, kept.first)
    place = rescaled_samples(first, sample_rate, kept.sample_rate)
    channels, fade = kept.waveform_CS.shape[0], round(FADE_SECONDS * kept.sample_rate)

    def whole(made_CS: Tensor) -> Tensor:
        made = waveform_of(resampled(sound_from(made_CS[:, lead:], sample_rate), kept.sample_rate))
        placed = torch.zeros(channels, total)
        placed[:, place : place + made.shape[-1]] = made[:, : total - place]
        return fill(kept.waveform_CS, placed, kept.start, kept.stop, fade)

    return audio_from(torch.stack([whole(made_CS) for made_CS in made_BCS]), kept.sample_rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The part of a sound that a sampler works on, in samples at the codec's rate."""

    first: int
    """Its first sample; below 0 when silence stands in front of the sound."""
    stop: int
    """One past its last."""
    start: int
    """First new sample, counted from ``first``: the beginning of a latent frame."""
    end: int
    """One past the last new sample, counted from ``first``."""


def stretch_around(start: int, stop: int, length: int, hears: int, grid: SoundGrid) -> Stretch:
    """Cut out what a sampler needs: the new part and what is heard before and after it.

    Args:
        start: first new sample.
        stop: one past the last.
        length: of the whole sound, with its new part.
        hears: samples to hear on either side.
        grid: of the codec.

    Returns:
        The stretch; the new part begins with a latent frame, so that all before it is known.
    """
    first = start - grid.latent_frames(min(hears, start)) * grid.hop
    return Stretch(first=first, stop=min(length, stop + hears), start=start - first, end=stop - first)
