"""What an upscaler wins over bicubic, on held-out theatre scenes and real footage, and how steady it is."""

# Shape letters: C channel, T frame, H row, W column.

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ..geometry import fit_frame
from ..media.write import clip_from_frames, frames_from_clip
from ..stages.upscale import Piece, Upscaler, UpscaleSettings, resampler, upscale_stream
from ..theatre.render import render
from ..theatre.sampling import sample_scenes
from ..training.footage import Footage
from ..training.pairs import shrunk
from .metrics import psnr
from .work import Work

SMALL_SIZE, FPS, NUM_FRAMES = (112, 192), 16, 28
"""Two windows of 14 frames: seams between windows are measured too."""
FIRST_SEED = 700_000
"""Held-out scenes from here on measure upscalers."""
FACTOR = 2
Pair = tuple[Tensor, Tensor]
"""Small and large, (3, T, H, W) in -1..1 each."""
SHOWN_SIDE = 64
"""Rows and columns of the crop that a sample shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsamplerSample:
    """Where bicubic went most astray in a middle frame, what all made of it: (3, S, S) in -1..1 each."""

    what: str
    bicubic: Tensor
    made: Tensor
    true: Tensor
    psnr: float
    """Of the whole clip, as bicubic's."""
    bicubic_psnr: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """How an upscaler and bicubic did on one kind of clip."""

    what: str
    samples: tuple[UpsamplerSample, ...]
    flicker: float
    """Over the large clip's own, mean of the clips."""

    @property
    def num_clips(self) -> int:
        """How many were upscaled."""
        return len(self.samples)

    @property
    def psnr(self) -> float:
        """In dB, mean of the clips."""
        return sum(sample.psnr for sample in self.samples) / self.num_clips

    @property
    def bicubic_psnr(self) -> float:
        """The same of bicubic."""
        return sum(sample.bicubic_psnr for sample in self.samples) / self.num_clips

    @property
    def decibels(self) -> float:
        """Over bicubic."""
        return self.psnr - self.bicubic_psnr


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsamplerMeasures:
    """Everything measured of an upscaler."""

    upscaler: str
    """Its name and settings, in words."""
    theatre: Gain
    footage: Gain | None
    """None when no footage was given."""

    @property
    def gains(self) -> tuple[Gain, ...]:
        """Of every kind of clip that was measured."""
        return (self.theatre,) if self.footage is None else (self.theatre, self.footage)


def upsampler_work(count: int, footage: Path | None) -> int:
    """Units of work that ``measure_upsampler`` will report."""
    return count + (footage is not None)


def measure_upsampler(
    upscaler: Upscaler, count: int, footage: Path | None, work: Work, name: str | None = None
) -> UpsamplerMeasures:
    """Upscale small clips whose large ones are known.

    Args:
        upscaler: of any kind.
        count: held-out theatre clips.
        footage: file of real pictures and clips, None when there is none.
        work: told about every theatre clip, and when footage is done.
        name: how the report calls it; its own name when None.

    Returns:
        The measures.
    """
    real = None
    if footage is not None:
        real = _gain("real footage", upscaler, footage_pairs(Footage.load(footage)))
        work.advance()
    pairs = _counted(theatre_pairs(count), work)
    return UpsamplerMeasures(
        upscaler=name or upscaler.name, theatre=_gain("theatre", upscaler, pairs), footage=real
    )


def _counted(pairs: Iterable[tuple[str, Pair]], work: Work) -> Iterator[tuple[str, Pair]]:
    for pair in pairs:
        yield pair
        work.advance()


def theatre_pairs(count: int) -> Iterator[tuple[str, Pair]]:
    """The same held-out scenes at both sizes, and what is seen."""
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
        yield f"{scene.actors[0].kind}, {scene.place}", (small, large)


def footage_pairs(footage: Footage) -> Iterator[tuple[str, Pair]]:
    """Held-out shots, cut to whole cells, and shrunk."""
    for name, (frames, _) in footage.clips().items():
        clip = clip_from_frames(frames[:NUM_FRAMES])[0]
        height, width = (side // 16 * 16 for side in clip.shape[-2:])
        large = clip[..., :height, :width]
        yield name, (shrunk(large, height // FACTOR, width // FACTOR), large)


@torch.no_grad()
def _gain(what: str, upscaler: Upscaler, pairs: Iterable[tuple[str, Pair]]) -> Gain:
    samples, flicker = [], []
    for name, (small, large) in pairs:
        made, steadiness = _upscaled(upscaler, small, large)
        plain, _ = _upscaled(resampler("bicubic"), small, large)
        samples.append(_sample(name, plain, made, large))
        _, own = _upscaled(_truth(large), small, large)
        flicker.append((steadiness["flicker"] or 1.0) / (own["flicker"] or 1.0))
    return Gain(what=what, samples=tuple(samples), flicker=sum(flicker) / len(flicker))


def _sample(what: str, plain: Tensor, made: Tensor, large: Tensor) -> UpsamplerSample:
    middle, side = large.shape[1] // 2, min(SHOWN_SIDE, *large.shape[-2:])
    astray = (plain - large)[:, middle].square().sum(dim=0)
    blocks = F.avg_pool2d(astray[None], side, stride=max(1, side // 8))[0]
    top, left = (max(1, side // 8) * int(index) for index in divmod(int(blocks.argmax()), blocks.shape[1]))
    plain_crop, made_crop, true_crop = (
        clip[:, middle, top : top + side, left : left + side].clone() for clip in (plain, made, large)
    )
    return UpsamplerSample(
        what=what,
        bicubic=plain_crop,
        made=made_crop,
        true=true_crop,
        psnr=psnr(made, large),
        bicubic_psnr=psnr(plain, large),
    )


def _truth(large: Tensor) -> Upscaler:
    """Who knows the large clip: even its frames, shrunk, flicker more than what was enlarged plainly."""

    def enlarge(clip: Tensor, piece: Piece) -> Tensor:
        return large[:, piece.frame : piece.frame + clip.shape[1]]

    return Upscaler(name="truth", content="", factor=FACTOR, window=NUM_FRAMES, enlarge=enlarge)


def _upscaled(upscaler: Upscaler, small: Tensor, large: Tensor) -> tuple[Tensor, dict[str, float | None]]:
    fit = fit_frame((small.shape[-2], small.shape[-1]), large.shape[-2], large.shape[-1])
    colour = "none" if upscaler.factor is None else "wavelet"
    settings = UpscaleSettings(fit=fit, colour=colour)
    parts, places = zip(*upscale_stream(upscaler, frames_from_clip(small), settings), strict=True)
    return clip_from_frames(torch.cat(parts))[0], places[-1].steadiness.facts()
