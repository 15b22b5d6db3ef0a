"""What an upscaler wins over bicubic, on held-out theatre scenes and real footage, and how steady it is."""

# Shape letters: C channel, T frame, H row, W column.

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..geometry import fit_frame
from ..media.write import clip_from_frames, frames_from_clip
from ..stages.upscale import Upscaler, UpscaleSettings, resampler, upscale_stream
from ..theatre.render import render
from ..theatre.sampling import sample_scenes
from ..training.footage import Footage
from ..training.pairs import shrunk
from .bars import Bar
from .metrics import psnr
from .work import Work

SMALL_SIZE, FPS, NUM_FRAMES = (112, 192), 16, 28
"""Two windows of 14 frames: seams between windows are measured too."""
FIRST_SEED = 700_000
"""Held-out scenes from here on measure upscalers."""
FACTOR = 2
THEATRE_BAR, FOOTAGE_BAR = 1.5, 0.5
"""dB over bicubic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """How an upscaler and bicubic did on one kind of clip."""

    what: str
    num_clips: int
    psnr: float
    bicubic_psnr: float
    flicker: float
    """Over the source's own, mean of the clips."""

    @property
    def decibels(self) -> float:
        """Over bicubic."""
        return self.psnr - self.bicubic_psnr


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsamplerMeasures:
    """Everything measured of an upscaler."""

    theatre: Gain
    footage: Gain | None
    """None when no footage was given."""

    def bars(self) -> Iterator[Bar]:
        """What the design asks for."""
        real = None if self.footage is None else self.footage.decibels
        for what, wanted, measured in (
            ("theatre", THEATRE_BAR, self.theatre.decibels),
            ("real footage", FOOTAGE_BAR, real),
        ):
            yield Bar(what=f"upsampler x2 over bicubic, {what}", wanted=wanted, measured=measured, unit="dB")


def measure_upsampler(upscaler: Upscaler, count: int, footage: Path | None, work: Work) -> UpsamplerMeasures:
    """Upscale small clips whose large ones are known.

    Args:
        upscaler: of any kind.
        count: held-out theatre clips.
        footage: file of real pictures and clips, None when there is none.
        work: told about every clip.

    Returns:
        The measures.
    """
    real = None
    if footage is not None:
        real = _gain("real footage", upscaler, list(footage_pairs(Footage.load(footage))), work)
    return UpsamplerMeasures(
        theatre=_gain("theatre", upscaler, list(theatre_pairs(count)), work), footage=real
    )


Pair = tuple[Tensor, Tensor]
"""Small and large, (3, T, H, W) in -1..1 each."""


def theatre_pairs(count: int) -> Iterator[Pair]:
    """The same held-out scenes at both sizes."""
    for scene in sample_scenes(FIRST_SEED, count, "held-out"):
        small, large = (
            render(
                [scene],
                num_frames=NUM_FRAMES,
                fps=FPS,
                height=SMALL_SIZE[0] * scale,
                width=SMALL_SIZE[1] * scale,
            )[0]
            for scale in (1, FACTOR)
        )
        yield small, large


def footage_pairs(footage: Footage) -> Iterator[Pair]:
    """Held-out shots, cut to whole cells, and shrunk."""
    for frames, _ in footage.clips().values():
        clip = clip_from_frames(frames[:NUM_FRAMES])[0]
        height, width = (side // 16 * 16 for side in clip.shape[-2:])
        large = clip[..., :height, :width]
        yield shrunk(large, height // FACTOR, width // FACTOR), large


@torch.no_grad()
def _gain(what: str, upscaler: Upscaler, pairs: Sequence[Pair], work: Work) -> Gain:
    own, plain, flicker = [], [], []
    for small, large in pairs:
        made, steadiness = _upscaled(upscaler, small, large)
        own.append(psnr(made, large))
        plain.append(psnr(_upscaled(resampler("bicubic"), small, large)[0], large))
        flicker.append(steadiness["flicker"] or 1.0)
        work.advance()
    return Gain(
        what=what,
        num_clips=len(pairs),
        psnr=sum(own) / len(own),
        bicubic_psnr=sum(plain) / len(plain),
        flicker=sum(flicker) / len(flicker),
    )


def _upscaled(upscaler: Upscaler, small: Tensor, large: Tensor) -> tuple[Tensor, dict[str, float | None]]:
    fit = fit_frame((small.shape[-2], small.shape[-1]), large.shape[-2], large.shape[-1])
    colour = "none" if upscaler.factor is None else "wavelet"
    settings = UpscaleSettings(fit=fit, colour=colour)
    parts, places = zip(*upscale_stream(upscaler, frames_from_clip(small), settings), strict=True)
    return clip_from_frames(torch.cat(parts))[0], places[-1].steadiness.facts()
