"""What the temporal autoencoder keeps of held-out theatre clips and real footage."""

# Shape letters: B clip, C channel, T frame, H row, W column.

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..media.resize import fit
from ..media.write import clip_from_frames
from ..models.tae import TemporalAutoencoder
from ..stages.reconstruct import reconstruct
from ..theatre.render import render
from ..theatre.sampling import sample_scenes
from ..training.footage import Footage
from .metrics import psnr, ssim
from .work import Work

MAIN_SIZE, MAIN_FPS, NUM_FRAMES = (112, 192), 16, 32
OTHER_SHAPES = (((112, 192), 8), ((112, 192), 24), ((144, 144), 16), ((192, 112), 16))
"""((height, width), fps) of the further rows."""
FIRST_SEED = 500_000
"""Held-out scenes from here on measure the autoencoder; those from 0 on the prompts."""
LONGEST = 65
"""Every frame count from 1 to this is tried."""
COUNTED_SIZE = (64, 96)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How close reconstructions of one kind of clip come."""

    what: str
    num_clips: int
    psnr: float
    ssim: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameCounts:
    """Whether clips of every length come back with as many frames, in place."""

    longest: int
    wrong: tuple[int, ...]
    """Lengths that came back with another count."""
    lowest_psnr: float
    """Of all lengths; far below the others' it would betray frames out of place."""
    lowest_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaeMeasures:
    """Everything measured of a temporal autoencoder."""

    theatre: Quality
    others: tuple[Quality, ...]
    """Theatre clips of other rates and shapes."""
    footage: tuple[Quality, ...]
    """Each held-out shot, then all held-out pictures; empty when no footage was given."""
    frame_counts: FrameCounts
    latent_mean: float
    latent_std: float
    """Of normalized latents of held-out theatre clips; the transformer expects 0 and 1."""

    @property
    def footage_psnr(self) -> float | None:
        """Mean over the held-out shots, None when not measured."""
        shots = [row.psnr for row in self.footage if row.what != PICTURES]
        return sum(shots) / len(shots) if shots else None


PICTURES = "pictures"


def tae_work(count: int) -> int:
    """Units of work that ``measure_tae`` will report."""
    return count + len(OTHER_SHAPES) * _other_count(count) + LONGEST


def _other_count(count: int) -> int:
    return max(1, count // 3)


@torch.no_grad()
def measure_tae(tae: TemporalAutoencoder, count: int, footage: Path | None, work: Work) -> TaeMeasures:
    """Measure an autoencoder.

    Args:
        tae: the autoencoder, on its device.
        count: held-out theatre clips of the main shape; of the others a third.
        footage: file of real pictures and clips, None when there is none.
        work: told about every clip.

    Returns:
        The measures.
    """
    theatre, latents = _main_row(tae, count, work)
    others = tuple(_theatre_row(tae, size, fps, _other_count(count), work) for size, fps in OTHER_SHAPES)
    return TaeMeasures(
        theatre=theatre,
        others=others,
        footage=tuple(_footage_rows(tae, footage)) if footage is not None else (),
        frame_counts=_count_frames(tae, work),
        latent_mean=latents.mean().item(),
        latent_std=latents.std().item(),
    )


def _main_row(tae: TemporalAutoencoder, count: int, work: Work) -> tuple[Quality, Tensor]:
    pairs, latents = [], []
    for clip in _held_out(tae, MAIN_SIZE, MAIN_FPS, count):
        pairs.append(_compare(tae, clip))
        latents.append(tae.encode(clip[None]).flatten())
        work.advance()
    return _row(_shape_name(MAIN_SIZE, MAIN_FPS), pairs), torch.cat(latents)


def _shape_name(size: tuple[int, int], fps: int) -> str:
    return f"{size[1]}x{size[0]}, {NUM_FRAMES} frames, {fps} fps"


def _held_out(tae: TemporalAutoencoder, size: tuple[int, int], fps: int, count: int) -> Iterator[Tensor]:
    device = next(tae.parameters()).device
    for scene in sample_scenes(FIRST_SEED, count, "held-out"):
        yield render([scene], num_frames=NUM_FRAMES, fps=fps, height=size[0], width=size[1], device=device)[0]


def _theatre_row(
    tae: TemporalAutoencoder, size: tuple[int, int], fps: int, count: int, work: Work
) -> Quality:
    pairs = []
    for clip in _held_out(tae, size, fps, count):
        pairs.append(_compare(tae, clip))
        work.advance()
    return _row(_shape_name(size, fps), pairs)


def _compare(tae: TemporalAutoencoder, clip: Tensor) -> tuple[float, float]:
    output = reconstruct(tae, clip)
    return psnr(clip, output), ssim(clip, output)


def _row(what: str, pairs: list[tuple[float, float]]) -> Quality:
    decibels, similarities = zip(*pairs, strict=True)
    count = len(pairs)
    return Quality(what=what, num_clips=count, psnr=sum(decibels) / count, ssim=sum(similarities) / count)


def _footage_rows(tae: TemporalAutoencoder, path: Path) -> Iterator[Quality]:
    footage, device = Footage.load(path), next(tae.parameters()).device
    for name, (frames, fps) in footage.clips().items():
        clips = [_as_clip(part).to(device) for part in frames.split(NUM_FRAMES) if len(part) == NUM_FRAMES]
        yield _row(
            f"{name}, {float(fps):g} fps", [_compare(tae, clip) for clip in clips or [_as_clip(frames)]]
        )
    stills = [_as_clip(picture).to(device) for picture in footage.pictures().values()]
    if stills:
        yield _row(PICTURES, [_compare(tae, still) for still in stills])


def _as_clip(frames: Tensor) -> Tensor:
    """(T, H, W, 3) uint8 of any size -> (3, T, 112, 192) in -1..1."""
    return clip_from_frames(fit(frames, *MAIN_SIZE))[0]


def _count_frames(tae: TemporalAutoencoder, work: Work) -> FrameCounts:
    scene, (height, width) = sample_scenes(FIRST_SEED, 1, "held-out"), COUNTED_SIZE
    device = next(tae.parameters()).device
    clip = render(scene, num_frames=LONGEST, fps=MAIN_FPS, height=height, width=width, device=device)
    wrong, decibels = [], {}
    for length in range(1, LONGEST + 1):
        part = clip[:, :, :length]
        output = tae.decode(tae.encode(part), length)
        if output.shape == part.shape:
            decibels[length] = psnr(part, output.clamp(-1, 1))
        else:
            wrong.append(length)
        work.advance()
    lowest = min(decibels, key=decibels.__getitem__, default=0)
    return FrameCounts(
        longest=LONGEST, wrong=tuple(wrong), lowest_psnr=decibels.get(lowest, 0.0), lowest_at=lowest
    )
