"""How well a sound fits what happens in a picture: measured, so that the best of many can be kept."""

from fractions import Fraction

import torch
import torch.nn.functional as F
from torch import Tensor

from ..media.onsets import STEP_HZ, onset_curve
from ..media.sound import Sound, sound_from

# Shape letters: T frame, L step of both curves.

TOLERANCE = 0.03
"""Seconds: sound this much off its picture is still taken for one with it."""
FARTHEST = 0.5
"""Seconds by which the sound is moved away, to see how much better it fits where it is."""
LEAST_AWAY = 0.12
"""Seconds from which on a moved sound counts as out of step."""


def sync_score(sound: Sound, events_T: Tensor, fps: Fraction) -> float:
    """Correlation of what begins to sound with what happens, above that of the same sound out of step.

    Args:
        sound: of the clip.
        events_T: ``event_curve`` of its frames.
        fps: of the clip.

    Returns:
        -2 to 2, rarely beyond 1; 0 where nothing happens or nothing is heard.
    """
    heard_L = onset_curve(sound)
    if not len(heard_L):
        return 0.0
    seen_L = _on_steps(events_T, fps, len(heard_L))
    spread = max(1, round(max(TOLERANCE, 0.5 / float(fps)) * STEP_HZ))
    heard_L, seen_L = _blurred(heard_L, round(TOLERANCE * STEP_HZ)), _blurred(seen_L, spread)
    return _above_shifted(_centred(heard_L), _centred(seen_L))


def ranked(candidates_BCS: Tensor, sample_rate: int, events_T: Tensor, fps: Fraction) -> list[int]:
    """Numbers of the candidates, the one that fits best first; equal ones keep their order."""
    scores = [sync_score(sound_from(one, sample_rate), events_T, fps) for one in candidates_BCS]
    return sorted(range(len(scores)), key=lambda number: -scores[number])


def _on_steps(events_T: Tensor, fps: Fraction, num_steps: int) -> Tensor:
    """Every frame's value at the step in which the frame appears."""
    curve_L = torch.zeros(num_steps)
    for frame, value in enumerate(events_T.tolist()):
        step = round(frame / fps * STEP_HZ)
        if step < num_steps:
            curve_L[step] = value
    return curve_L


def _blurred(curve_L: Tensor, steps: int) -> Tensor:
    """Every value spread as a triangle over so many steps to either side."""
    ramp = torch.arange(1, steps + 2)
    kernel = torch.cat([ramp, ramp[:-1].flip(0)]).float()
    return F.conv1d(curve_L[None], (kernel / kernel.sum())[None, None], padding=steps)[0]


def _centred(curve_L: Tensor) -> Tensor:
    """Of mean 0 and length 1, or 0 where nothing stands out."""
    away = curve_L - curve_L.mean()
    return away / away.norm() if away.norm() > 1e-6 else torch.zeros_like(away)


def _above_shifted(heard_L: Tensor, seen_L: Tensor) -> float:
    most, least = round(FARTHEST * STEP_HZ), round(LEAST_AWAY * STEP_HZ)
    padded = F.pad(heard_L, (most, most))
    fits = F.conv1d(padded[None, None], seen_L[None, None])[0, 0]
    away = torch.arange(len(fits)).sub(most).abs() >= least
    return float(fits[most] - fits[away].mean())
