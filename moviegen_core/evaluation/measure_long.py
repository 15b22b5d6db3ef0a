"""How far clips longer than the model's span wander: colour, contrast, what the judge sees part by part."""

# Shape letters: C channel, T frame, H row, W column.

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..geometry import ClipShape
from ..media.write import clip_from_frames, frames_from_clip
from ..models.judge import Judge
from ..stages.drift import Drift
from ..stages.generate import TextToVideo, decode_parts, generate_latents
from ..stages.settings import SamplingSettings
from ..theatre.captions import canonical_caption
from ..theatre.questions import Answers
from ..theatre.render import render
from ..theatre.scene import Scene
from .agreement import Agreement, tally
from .judge import ask, verdicts
from .measure_video import GENERATED, RENDERED, SHAPE, held_out_scenes
from .work import Work

LONG = replace(SHAPE, num_frames=256)
"""Sixteen seconds, the paper's longest."""
PART_FRAMES = SHAPE.num_frames
"""Frames of a part, a clip of the length that nano was trained on."""
ASKED = ("actor", "colour", "place")
"""What must not change from part to part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LongSample:
    """One long clip, part by part."""

    prompt: str
    drift: dict[str, float]
    """Largest distance in Lab and factor of contrast of a part from the first."""
    seen: tuple[Answers, ...]
    """What the judge sees in each part."""
    right: tuple[dict[str, bool], ...]
    """Whether that is what was asked for."""

    @property
    def kept(self) -> list[dict[str, bool]]:
        """For each part but the first, question to whether the judge sees what it saw in the first."""
        first, asked = self.seen[0], [name for name in ASKED if name in self.right[0]]
        return [{name: part[name] == first[name] for name in asked} for part in self.seen[1:]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LongMeasures:
    """Everything measured of long clips."""

    settings: SamplingSettings
    shape: ClipShape
    samples: dict[str, tuple[LongSample, ...]]
    """Source -> clips; renders of the same scenes tell how steady the judge itself is."""

    def drift(self, source: str, what: str) -> float:
        """Mean over clips of "colour" or "contrast"."""
        rows = self.samples[source]
        return sum(row.drift[what] for row in rows) / len(rows)

    def kept(self, source: str) -> dict[str, Agreement]:
        """Question -> parts in which the judge sees what it saw in the first."""
        return tally((part for row in self.samples[source] for part in row.kept), ASKED)

    def right(self, source: str, part: int) -> dict[str, Agreement]:
        """Question -> clips whose part of that number shows what was asked for."""
        return tally((row.right[part] for row in self.samples[source]), ASKED)


def long_work(count: int) -> int:
    """Units of work that ``measure_long`` will report."""
    return 2 * count


def measure_long(
    models: TextToVideo, judge: Judge, count: int, settings: SamplingSettings, work: Work
) -> LongMeasures:
    """Generate long clips of the first held-out scenes and look at them part by part.

    Args:
        models: loaded.
        judge: on any device.
        count: how many scenes.
        settings: steps and guidance; the seeds are 0, 1, 2, ... from its own on.
        work: told about every clip, generated and rendered.

    Returns:
        The measures.
    """
    scenes = held_out_scenes(count)
    made = [_generated(models, scene, settings, row) for row, scene in enumerate(_told(scenes, work))]
    filmed = [_rendered(scene, models.device) for scene in _told(scenes, work)]
    return LongMeasures(
        settings=settings,
        shape=LONG,
        samples={
            source: tuple(look(judge, scene, clip) for scene, clip in zip(scenes, clips, strict=True))
            for source, clips in ((GENERATED, made), (RENDERED, filmed))
        },
    )


def _told(scenes: Sequence[Scene], work: Work) -> Iterator[Scene]:
    for scene in scenes:
        yield scene
        work.advance()


@torch.no_grad()
def _generated(models: TextToVideo, scene: Scene, settings: SamplingSettings, row: int) -> Tensor:
    seeded = replace(settings, seed=settings.seed + row)
    prompt = canonical_caption(scene)
    latent = generate_latents(models, [prompt], LONG, seeded, camera=scene.camera)
    parts = decode_parts(models, latent, LONG.num_frames)
    return torch.cat([frames_from_clip(clip[0]) for clip in parts])


def _rendered(scene: Scene, device: torch.device | str) -> Tensor:
    clip = render(
        [scene],
        num_frames=LONG.num_frames,
        fps=LONG.fps,
        height=LONG.height,
        width=LONG.width,
        device=device,
    )
    return frames_from_clip(clip[0])


def look(judge: Judge, scene: Scene, frames: Tensor) -> LongSample:
    """Follow a long clip, (T, H, W, 3) uint8, part by part."""
    drift = Drift(PART_FRAMES)
    drift.add(frames)
    parts = frames[: len(frames) // PART_FRAMES * PART_FRAMES].unflatten(0, (-1, PART_FRAMES))
    seen = [ask(judge, clip_from_frames(part))[0] for part in parts]
    return LongSample(
        prompt=canonical_caption(scene),
        drift=drift.facts(),
        seen=tuple(seen),
        right=tuple(verdicts(seen, [scene] * len(seen))),
    )
