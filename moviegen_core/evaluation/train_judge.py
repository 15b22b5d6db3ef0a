"""Train the judge on endless fresh renders, made soft at random, some by passing through an autoencoder.

What passed through an autoencoder is still a render: the judge never sees a generated clip.
"""

# Shape letters: B clip, C channel, T frame, H row, W column, Q question.

import random
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ..media.pixels import from_bytes, to_bytes
from ..models.judge import Judge, prepare
from ..models.tae import TemporalAutoencoder
from ..theatre import vocabulary as words
from ..theatre.questions import QUESTIONS, classes
from ..theatre.render import render
from ..theatre.sampling import draw_scene
from ..theatre.scene import Scene
from ..training.loop import LoopConfig
from ..training.optimizer import OptimizerConfig
from ..training.run import ONE_GO, Session
from ..weights.files import load_model
from .lessons import Groups, answer_losses, train_to_answer

FRAME_SIZES = ((112, 192), (112, 192), (112, 192), (112, 192), (144, 144), (192, 112))
"""(height, width): mostly the shape that evaluations use."""
TWO_ACTORS = 0.12
MOVING_CAMERA = 0.75
"""Chance that a scene's camera is drawn anew from the moving ones: a judge must know each of them well."""
MIRRORED = {
    "action": {"go left": "go right"},
    "camera": {"pan left": "pan right", "truck left": "truck right"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeRecipe:
    """A whole training of a judge."""

    preset: str = "nano"
    loop: LoopConfig
    batch: int = 32
    group_size: int = 8
    first_groups: int = 64
    """Groups of renders to start with."""
    most_groups: int = 400
    """Groups kept at most; the oldest go."""
    steps_per_group: int = 2
    """After so many steps a fresh group joins."""
    reconstructed_share: float = 0.25
    """Part of the groups that pass through the autoencoder, where one is given."""


JUDGE_NANO = JudgeRecipe(
    loop=LoopConfig(
        optimizer=OptimizerConfig(learning_rate=4e-3), num_steps=1800, warmup_steps=50, ema_decay=0.995
    )
)
"""The shipped judge is a run like this cut short at step 1,344, some 220 steps after an autoencoder joined.

Of 100 held-out renders it was right about 84% of actors, 96% of colours, 98% of actions, 100% of places and
94% of cameras; after the autoencoder of that time about 76%, 92%, 84%, 99% and 89%.
"""


class RenderPool:
    """Groups of clips with labels."""

    def __init__(self, recipe: JudgeRecipe, judge: Judge, tae: TemporalAutoencoder | None = None) -> None:
        self.recipe, self.config, self.tae = recipe, judge.config, tae
        self.groups = Groups(recipe, self._made)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Clips of one shape, (B, 3, T, H, W) in -1..1, with their labels (B, Q)."""
        rng = random.Random(f"judge batch {step}")
        size = rng.choice(FRAME_SIZES)
        alike = [index for index in self.groups.window(step) if _size(index) == size]
        drawn = [(rng.choice(alike), rng.randrange(self.recipe.group_size)) for _ in range(self.recipe.batch)]
        pairs = [tuple(part[row] for part in self.groups[index]) for index, row in drawn]
        clips, labels = (torch.stack(parts) for parts in zip(*pairs, strict=True))
        return from_bytes(clips), labels

    def _made(self, index: int) -> tuple[Tensor, Tensor]:
        first = index * self.recipe.group_size
        scenes = [judged_scene(seed) for seed in range(first, first + self.recipe.group_size)]
        softened = self.tae is not None and random.Random(index).random() < self.recipe.reconstructed_share
        clips = self._reconstructed(scenes, index) if softened else film(scenes, _size(index), 8)
        return to_bytes(prepare(clips, self.config)), classes(scenes)

    @torch.no_grad()
    def _reconstructed(self, scenes: list[Scene], index: int) -> Tensor:
        """One clip at a time: the autoencoder needs memory."""
        assert self.tae is not None
        clips = [film([scene], _size(index), 16) for scene in scenes]
        with torch.autocast(clips[0].device.type, torch.bfloat16):
            soft = [self.tae.decode(self.tae.encode(clip), clip.shape[2]) for clip in clips]
        return torch.cat(soft).float().clamp(-1, 1)


def _size(index: int) -> tuple[int, int]:
    return random.Random(f"judge group {index}").choice(FRAME_SIZES)


def film(scenes: list[Scene], size: tuple[int, int], fps: int) -> Tensor:
    """Two seconds of each scene."""
    return render(scenes, num_frames=2 * fps, fps=fps, height=size[0], width=size[1])


def judged_scene(seed: int) -> Scene:
    """A scene to learn judging from: held-out combinations too, cameras near even, mostly one actor.

    Its random numbers are its own, so it is never a scene that an evaluation draws.
    """
    rng = random.Random(f"judged scene {seed}")
    scene = draw_scene(rng, 2 if rng.random() < TWO_ACTORS else 1)
    if rng.random() > MOVING_CAMERA:
        return scene
    travels = scene.actors[0].action.startswith("go")
    return replace(
        scene, camera=rng.choice([c for c in words.CAMERAS[1:] if travels or c != "tracking shot"])
    )


class JudgeObjective:
    """Cross entropies of one step, drawn from the step's number alone."""

    def __init__(self, judge: Judge, recipe: JudgeRecipe, tae: TemporalAutoencoder | None = None) -> None:
        self.judge, self.pool = judge, RenderPool(recipe, judge, tae)
        self.device = next(judge.parameters()).device

    def __call__(self, step: int) -> dict[str, Tensor]:
        """Losses of step ``step``, one for each question that any of its clips answers."""
        rng = torch.Generator().manual_seed(step)
        clips, labels_BQ = self.pool.batch(step)
        clips, labels_BQ = mirror(clips, labels_BQ) if step % 2 else (clips, labels_BQ)
        with torch.autocast(self.device.type, torch.bfloat16):
            logits = self.judge(soften(clips, rng).to(self.device))
        return answer_losses(logits, labels_BQ, QUESTIONS)


def mirror(clips: Tensor, labels_BQ: Tensor) -> tuple[Tensor, Tensor]:
    """Swap left and right, in the answers too."""
    swapped = labels_BQ.clone()
    for column, (name, options) in enumerate(QUESTIONS.items()):
        for left, right in MIRRORED.get(name, {}).items():
            a, b = options.index(left), options.index(right)
            swapped[labels_BQ[:, column] == a, column] = b
            swapped[labels_BQ[:, column] == b, column] = a
    return clips.flip(-1), swapped


def soften(clips: Tensor, rng: torch.Generator) -> Tensor:
    """What an autoencoder may do to a clip, and some: blur, ghosts, low pass, shift, light, noise.

    Args:
        clips: (B, 3, T, H, W), pixels in -1..1.
        rng: a CPU generator.

    Returns:
        The same shape, within -1..1.
    """
    clips = _shift(clips, rng, most=4)
    clips = clips + _some(clips, rng, 0.5) * (_blurred(clips) - clips)
    clips = clips + 0.6 * _some(clips, rng, 0.4) * (_ghosted(clips) - clips)
    if _uniform(rng) < 0.3:
        clips = _low_pass(clips, 0.5 + 0.4 * _uniform(rng))
    gain, offset = 1 + 0.12 * _signed(clips, rng), 0.08 * _signed(clips, rng)
    noise = torch.randn(clips.shape, generator=rng) * 0.06 * _some(clips, rng, 0.4)
    return (clips * gain + offset + noise).clamp(-1, 1)


def _some(clips: Tensor, rng: torch.Generator, chance: float) -> Tensor:
    """Strength 0..1 for each clip, zero for those that chance spares."""
    drawn = torch.rand(2, len(clips), 1, 1, 1, 1, generator=rng)
    return drawn[0] * (drawn[1] < chance)


def _signed(clips: Tensor, rng: torch.Generator) -> Tensor:
    return 2 * torch.rand(len(clips), 1, 1, 1, 1, generator=rng) - 1


def _uniform(rng: torch.Generator) -> float:
    return torch.rand((), generator=rng).item()


def _shift(clips: Tensor, rng: torch.Generator, most: int) -> Tensor:
    """Move the whole batch by a few pixels, repeating its edges."""
    H, W = clips.shape[-2:]
    top, left = torch.randint(2 * most + 1, (2,), generator=rng).tolist()
    padded = F.pad(clips.flatten(1, 2), (most, most, most, most), mode="replicate")
    return padded[..., top : top + H, left : left + W].view(clips.shape)


def _blurred(clips: Tensor) -> Tensor:
    """Two passes of a 3x3 mean: a Gaussian of about 1.2 pixels."""
    frames = clips.flatten(1, 2)
    for _ in range(2):
        frames = F.avg_pool2d(F.pad(frames, (1, 1, 1, 1), mode="replicate"), 3, 1)
    return frames.view(clips.shape)


def _ghosted(clips: Tensor) -> Tensor:
    """Each frame becomes the mean of its neighbours in time."""
    padded = torch.cat([clips[:, :, :1], clips, clips[:, :, -1:]], dim=2)
    return (padded[:, :, :-2] + padded[:, :, 2:]) / 2


def _low_pass(clips: Tensor, factor: float) -> Tensor:
    size = clips.shape[-2:]
    small = F.interpolate(clips.flatten(1, 2), size=[round(side * factor) for side in size], mode="area")
    return F.interpolate(small, size=size, mode="bilinear", align_corners=False).view(clips.shape)


def train_judge(
    out: Path,
    session: Session = ONE_GO,
    *,
    recipe: JudgeRecipe = JUDGE_NANO,
    tae: Path | None = None,
) -> Path:
    """Train a judge and write ``judge.safetensors`` from its averaged weights.

    A missing or broken autoencoder or checkpoint is refused with a WeightsError.

    Args:
        out: folder for checkpoint, curve and weights; made when missing.
        session: how long this sitting lasts, and on what it goes on.
        recipe: what to train and how.
        tae: weights file of an autoencoder; a part of the renders passes through it, so that the judge knows
            its softness. Without one all are plain.

    Returns:
        The weights file.
    """

    def losses(judge: Judge, recipe: JudgeRecipe) -> JudgeObjective:
        softener = load_model(tae, "tae", device=session.device) if tae else None
        return JudgeObjective(judge, recipe, softener)  # type: ignore[arg-type]

    return train_to_answer("judge", out, session, recipe, losses)
