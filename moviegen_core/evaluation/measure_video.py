"""Whether generated clips show what their prompts asked for, in the judge's eyes."""

# Shape letters: B clip, C channel, T frame, H row, W column.

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import count as count_up
from itertools import islice

import torch
from torch import Tensor

from ..geometry import ClipShape
from ..models.judge import Judge
from ..models.tae import TemporalAutoencoder
from ..stages.generate import TextToVideo, decode, denoise, draw_noise, encode_prompts, full_prompt
from ..stages.reconstruct import reconstruct
from ..stages.settings import SamplingSettings
from ..theatre.captions import canonical_caption
from ..theatre.questions import QUESTIONS, Answers
from ..theatre.render import render
from ..theatre.sampling import sample_scene
from ..theatre.scene import Scene
from .agreement import Agreement, tally
from .judge import ask, verdicts
from .work import Work

SHAPE = ClipShape(num_frames=32, fps=Fraction(16), height=112, width=192)
BATCH = 4
"""Clips generated at once."""
STILLS = 4
"""Frames of each clip that are kept for the contact sheet."""

GENERATED, RENDERED, RECONSTRUCTED = "generated", "renders", "renders through the autoencoder"
SOURCES = (GENERATED, RENDERED, RECONSTRUCTED)
"""Where judged clips come from; on the last two the judge itself is measured."""
ALL, PLAIN, MOVING = "all", "plain look", "moving camera"
GROUPS: dict[str, Callable[[Scene], bool]] = {
    ALL: lambda _: True,
    PLAIN: lambda scene: scene.look == "plain",
    MOVING: lambda scene: scene.camera != "static shot",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One generated clip as the contact sheet shows it."""

    prompt: str
    camera: str
    seen: Answers
    right: dict[str, bool]
    stills: Tensor
    """(STILLS, 3, H, W), pixels in -1..1."""
    seconds: float
    """Its share of the time that its batch took: text, denoising, decoding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoMeasures:
    """Everything measured of prompt -> clip."""

    num_clips: int
    settings: SamplingSettings
    seconds_per_clip: float
    """Text, denoising and decoding, BATCH clips at once; loading is not in it."""
    agreement: dict[str, dict[str, dict[str, Agreement]]]
    """Source, group of scenes, question -> how often the judge saw what the scene holds."""
    samples: tuple[Sample, ...]


def held_out_scenes(count: int, first_seed: int = 0) -> list[Scene]:
    """The first scenes of one actor among the held-out ones from a seed on."""
    scenes = (sample_scene(seed, "held-out") for seed in count_up(first_seed))
    return list(islice((scene for scene in scenes if len(scene.actors) == 1), count))


def video_work(count: int) -> int:
    """Units of work that ``measure_video`` will report."""
    return 2 * count


def measure_video(
    models: TextToVideo,
    judge: Judge,
    count: int,
    settings: SamplingSettings,
    work: Work,
    *,
    num_samples: int = 24,
) -> VideoMeasures:
    """Generate a clip of each of the first held-out scenes with one actor and have it judged.

    Args:
        models: loaded.
        judge: on any device.
        count: how many scenes.
        settings: steps and guidance; the seeds are 0, 1, 2, ... from its own on.
        work: told about every clip, generated and rendered.
        num_samples: generated clips kept for the contact sheet.

    Returns:
        The measures.
    """
    scenes = held_out_scenes(count)
    samples = list(_judged(models, judge, scenes, settings, work))
    known = dict(zip((RENDERED, RECONSTRUCTED), _control(models.tae, judge, scenes, work), strict=True))
    right = {GENERATED: [sample.right for sample in samples]} | known
    return VideoMeasures(
        num_clips=count,
        settings=settings,
        seconds_per_clip=sum(sample.seconds for sample in samples) / count,
        agreement={source: grouped(right[source], scenes) for source in SOURCES},
        samples=tuple(samples[:num_samples]),
    )


def grouped(right: Sequence[dict[str, bool]], scenes: Sequence[Scene]) -> dict[str, dict[str, Agreement]]:
    """Count right answers in every group of scenes."""
    return {
        group: tally(
            (row for row, scene in zip(right, scenes, strict=True) if belongs(scene)), tuple(QUESTIONS)
        )
        for group, belongs in GROUPS.items()
    }


def _judged(
    models: TextToVideo, judge: Judge, scenes: Sequence[Scene], settings: SamplingSettings, work: Work
) -> Iterator[Sample]:
    for first in range(0, len(scenes), BATCH):
        part, started = scenes[first : first + BATCH], time.perf_counter()
        clips = generate_scenes(models, part, settings, first)
        seconds = (time.perf_counter() - started) / len(part)
        seen = ask(judge, clips)
        for scene, clip, answers, right in zip(part, clips, seen, verdicts(seen, part), strict=True):
            yield Sample(
                prompt=canonical_caption(scene),
                camera=scene.camera,
                seen=answers,
                right=right,
                stills=stills(clip),
                seconds=seconds,
            )
            work.advance()


def stills(clip: Tensor) -> Tensor:
    """(3, T, H, W) -> (STILLS, 3, H, W), evenly spread from the first frame to the last."""
    picked = torch.linspace(0, clip.shape[1] - 1, STILLS).round().long()
    return clip[:, picked].movedim(1, 0).cpu()


@torch.no_grad()
def generate_scenes(
    models: TextToVideo, scenes: Sequence[Scene], settings: SamplingSettings, offset: int = 0
) -> Tensor:
    """Make a clip from the canonical caption of each scene, each with its own camera label and seed.

    Args:
        models: loaded.
        scenes: asked for.
        settings: steps and guidance.
        offset: added to the seed, so that no two batches share their noise.

    Returns:
        (B, 3, T, H, W), pixels in -1..1.
    """
    texts = [full_prompt(models, canonical_caption(scene), SHAPE, scene.camera) for scene in scenes]
    noise = draw_noise(models, SHAPE, [settings.seed + offset + row for row in range(len(scenes))])
    context = encode_prompts(models, texts, guided=settings.guidance != 1)
    return decode(models, denoise(models, context, noise, settings), SHAPE.num_frames)


def _control(
    tae: TemporalAutoencoder, judge: Judge, scenes: Sequence[Scene], work: Work
) -> tuple[list[dict[str, bool]], list[dict[str, bool]]]:
    """The judge's own rightness on renders of the same scenes, and on their reconstructions."""
    device, on_renders, on_soft = next(tae.parameters()).device, [], []
    for scene in scenes:
        clip = film([scene], device)
        on_renders += verdicts(ask(judge, clip), [scene])
        on_soft += verdicts(ask(judge, reconstruct(tae, clip[0])[None]), [scene])
        work.advance()
    return on_renders, on_soft


def film(scenes: Sequence[Scene], device: torch.device | str = "cpu") -> Tensor:
    """What clips of these scenes should look like."""
    return render(
        scenes,
        num_frames=SHAPE.num_frames,
        fps=SHAPE.fps,
        height=SHAPE.height,
        width=SHAPE.width,
        device=device,
    )
