"""What a scene sounds like: three stems that add up to the mix, as long as the picture to the sample."""

from collections.abc import Sequence
from fractions import Fraction

import torch
from torch import Tensor

from ...geometry import samples_for
from ..scene import Scene
from .ambience import ambience
from .effects import effects
from .hearing import STEMS
from .orchestra import orchestra
from .signal import SAMPLE_RATE, bounded, faded

# Shape letters: S audio sample.

BOUNDS = {"effects": 0.52, "ambience": 0.2, "music": 0.27}
"""Loudest sample that each stem may have: together below 1, so that no mix of them clips."""
_MAKERS = {"effects": effects, "ambience": ambience, "music": orchestra}


def render_sound(
    scene: Scene, *, num_frames: int, fps: int | Fraction, stems: Sequence[str] = STEMS
) -> dict[str, Tensor]:
    """Make a scene's sound, each stem by itself.

    Nothing depends on the length but where it ends: a longer clip begins with the shorter one's sound.

    Args:
        scene: what is heard.
        num_frames: of the picture.
        fps: of the picture.
        stems: those wanted, of ``STEMS``.

    Returns:
        Stem to waveform (2, samples_for(num_frames, fps)) in -1..1 at 48 kHz, left channel first.
    """
    num_samples = samples_for(num_frames, Fraction(fps), SAMPLE_RATE)
    return {name: faded(bounded(_MAKERS[name](scene, num_samples), BOUNDS[name])) for name in stems}


def mixed(stems: dict[str, Tensor], *names: str) -> Tensor:
    """The sum of the stems of these names, or of all."""
    return torch.stack([stems[name] for name in names or stems]).sum(0)
