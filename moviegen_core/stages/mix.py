"""Stems become a soundtrack: faded, ducked under what is said, summed, brought to a loudness, limited."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import SettingsError
from ..geometry import samples_in
from ..media.channels import remixed
from ..media.dynamics import Ducking, ducked, limited
from ..media.fades import faded
from ..media.loudness import measure
from ..media.resample import resampled
from ..media.sound import SAMPLE_RATE, Sound, amplified, exactly, summed
from ..media.write_sound import write_wav

MAX_FADE = 3600
LIFT = 30.0
"""Decibels that a mix is raised by at most to reach its loudness: more would bring up mere noise."""
NEAR = 0.1
"""Loudness units off the target that nobody corrects."""
PASSES = 3
"""How often the loudness behind the limiter is measured and corrected at most."""
MAX_LIMITING = 12.0
"""Decibels that a mix is raised into the limiter by at most: more would crush it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stem:
    """One part of a soundtrack."""

    sound: Sound
    gain_db: float = 0.0
    leads: bool = False
    """The others duck under a stem that leads, such as the original with its dialogue."""

    def __post_init__(self) -> None:
        if not -60 <= self.gain_db <= 60:
            raise SettingsError(f"gain {self.gain_db} dB is too much; give -60 to 60")


@dataclass(frozen=True, slots=True, kw_only=True)
class MixSettings:
    """How stems are put together."""

    num_channels: int = 2
    sample_rate: int = SAMPLE_RATE
    fade_in_seconds: float = 0.0
    fade_out_seconds: float = 0.0
    """Of all stems but those that lead."""
    ducking: Ducking | None = field(default_factory=Ducking)
    """None: the stems that lead are not made room for."""
    loudness_lufs: float | None = None
    """Integrated loudness to reach (EBU R 128: -23; streaming: -14 to -16); None keeps the level."""
    ceiling_dbtp: float = -1.0
    """The true peak that nothing passes."""
    limiting: bool = True
    """Whether peaks over the ceiling are turned down one by one; else the whole mix is."""

    def __post_init__(self) -> None:
        if self.num_channels not in (1, 2):
            raise SettingsError(f"{self.num_channels} channels cannot be mixed; give 1 (mono) or 2 (stereo)")
        for seconds in (self.fade_in_seconds, self.fade_out_seconds):
            if not 0 <= seconds <= MAX_FADE:
                raise SettingsError(f"a fade of {seconds} seconds is out of range; give 0 to {MAX_FADE}")
        if self.loudness_lufs is not None and not -70 <= self.loudness_lufs <= -5:
            raise SettingsError(f"loudness {self.loudness_lufs} LUFS is out of range; give -70 to -5")
        if not -60 <= self.ceiling_dbtp <= 0:
            raise SettingsError(f"ceiling {self.ceiling_dbtp} dBTP is out of range; give -60 to 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """A soundtrack, streamed; nothing of it is kept in memory."""

    sound: Sound
    stems: Mapping[str, Sound]
    """As they stand in the mix: their sum is the soundtrack, but for what the limiter takes away."""
    gain_db: float
    """Applied to all of them to reach the loudness."""


def mix(stems: Mapping[str, Stem], num_samples: int, settings: MixSettings) -> Mix:
    """Mix stems of any rate and channels into a soundtrack of an exact length.

    A loudness takes passes over all stems before this returns: one to measure, and up to three more for
    what the limiter takes away. Silence, what would have to be raised by more than 30 dB, and mere clicks,
    whose peaks would be limited by more than 12 dB, stay below it.

    Args:
        stems: their names, such as "effects", "ambience", "music" and "original"; at least one.
        num_samples: per channel, at the rate of the settings; shorter stems are followed by silence.
        settings: see ``MixSettings``.

    Returns:
        The soundtrack and its stems.

    Raises:
        SettingsError: no stem, or no length.
    """
    if not stems or num_samples < 1:
        raise SettingsError("there is nothing to mix; give at least one stem and one sample of length")
    placed = {name: _placed(stem, num_samples, settings) for name, stem in stems.items()}
    ready = _ducked(stems, placed, settings)
    together = summed(list(ready.values()))
    gain = _gain(together, settings)
    loud = amplified(together, gain)
    return Mix(
        sound=limited(loud, settings.ceiling_dbtp) if settings.limiting else loud,
        stems={name: amplified(sound, gain) for name, sound in ready.items()},
        gain_db=gain,
    )


def write_stems(folder: str | Path, stems: Mapping[str, Sound], kind: str = "24") -> list[Path]:
    """Write every stem as ``NAME.wav``, each whole or not at all.

    Args:
        folder: must exist.
        stems: names that can be file names, and mono or stereo sounds, such as ``Mix.stems``.
        kind: "16", "24" or "float"; whole numbers clip what passes full scale.

    Returns:
        The files written.

    Raises:
        SettingsError: a name that would leave the folder.
    """
    paths = [Path(folder) / f"{name}.wav" for name in stems]
    for name, path in zip(stems, paths, strict=True):
        if path.name != f"{name}.wav" or path.parent != Path(folder):
            raise SettingsError(f"stem {name!r} cannot be the name of a file; use letters and digits")
    for path, sound in zip(paths, stems.values(), strict=True):
        write_wav(path, sound, kind)
    return paths


def _placed(stem: Stem, num_samples: int, settings: MixSettings) -> Sound:
    """A stem with the mix's rate, channels and length, at its own gain."""
    sound = resampled(remixed(stem.sound, settings.num_channels), settings.sample_rate)
    sound = amplified(exactly(sound, num_samples), stem.gain_db)
    if stem.leads:
        return sound
    seconds = settings.fade_in_seconds, settings.fade_out_seconds
    return faded(
        sound, num_samples, *(min(num_samples, samples_in(s, settings.sample_rate)) for s in seconds)
    )


def _ducked(
    stems: Mapping[str, Stem], placed: Mapping[str, Sound], settings: MixSettings
) -> dict[str, Sound]:
    """Let every stem step back under those that lead."""
    leads = [sound for name, sound in placed.items() if stems[name].leads]
    if not leads or settings.ducking is None:
        return dict(placed)
    key, ducking = summed(leads), settings.ducking
    return {
        name: sound if stems[name].leads else ducked(sound, key, ducking) for name, sound in placed.items()
    }


def _gain(together: Sound, settings: MixSettings) -> float:
    """Decibels that bring a mix to its loudness, as far as the ceiling lets them."""
    target = settings.loudness_lufs
    if target is None and settings.limiting:
        return 0.0
    before = measure(together)
    room = settings.ceiling_dbtp - before.true_peak_dbtp
    heard = target is not None and math.isfinite(before.integrated_lufs)
    wanted = min(target - before.integrated_lufs, LIFT) if heard else 0.0
    if not settings.limiting:
        return min(wanted, room)
    if not heard or wanted <= room:
        return wanted
    return _corrected(together, wanted, min(LIFT, room + MAX_LIMITING), settings)


def _corrected(together: Sound, gain: float, most: float, settings: MixSettings) -> float:
    """Raise a gain by what the limiter takes away of the loudness again."""
    gain = min(gain, most)
    for _ in range(PASSES):
        after = measure(limited(amplified(together, gain), settings.ceiling_dbtp))
        missing = settings.loudness_lufs - after.integrated_lufs
        if abs(missing) < NEAR or gain == most:
            break
        gain = min(gain + missing, most)
    return gain
