"""Train the judge of faces on endless fresh theatre faces, some from frames that passed an autoencoder.

What passed through an autoencoder is still a render: the judge never sees a generated clip.
"""

# Shape letters: B face, C channel, T frame, H row, W column, Q question.

import random
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ..media.pixels import from_bytes, to_bytes
from ..models.face_judge import FaceJudge
from ..models.tae import TemporalAutoencoder
from ..stages.faces import Face, around_head, crop
from ..theatre.faces import face_places, is_in_picture
from ..theatre.portraits import render_portrait
from ..theatre.questions import SQUARE_QUESTIONS, square_classes
from ..theatre.render import render
from ..theatre.sampling import draw_person
from ..theatre.scene import Person
from ..theatre.vocabulary import COLOURS
from ..training.loop import LoopConfig
from ..training.optimizer import OptimizerConfig
from ..training.run import ONE_GO, Session
from ..training.train_identity import STAGE, a_person_on_stage, elsewhere
from ..weights.files import load_model
from .lessons import Groups, answer_losses, train_to_answer
from .train_judge import soften

WIDE, KEPT = 3.0, 2
"""Side of the squares that are kept, as a multiple of a face's own, and of their rows, of the judge's size:
each use cuts another part out."""
NEAR, FAR, ASIDE = 0.68, 1.45, 0.2
"""Of a cut that shows the face: its side and how far it lies from the middle, in sides of the face's own."""
MISSED, BESIDE = 0.3, (0.36, 0.8)
"""Share of cuts that miss the face, and how far off those are that lie beside it, most of them below: finders
take bodies for faces."""
TOO_WIDE, TOO_NEAR = (1.95, 2.6), (0.25, 0.42)
"""Sides of cuts that hold the face and much else, and of cuts within the face."""
PORTRAIT_PIXELS = (28, 72)
"""Portraits are painted as small as faces on the stage are."""
SOFT_FPS, SOFT_FRAMES = 16, 16
"""Of what passes through the autoencoder: it softens what moves, and a single latent frame more than two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceJudgeRecipe:
    """A whole training of a judge of faces."""

    preset: str = "nano"
    loop: LoopConfig
    batch: int = 64
    group_size: int = 8
    """Persons of a group."""
    num_views: int = 4
    """Pictures of a person, from one scene or from as many portraits."""
    first_groups: int = 24
    """Groups to start with."""
    most_groups: int = 120
    """Groups kept at most; the oldest go."""
    steps_per_group: int = 8
    """After so many steps a fresh group joins."""
    portrait_share: float = 0.15
    """Part of the groups that are portraits."""
    reconstructed_share: float = 0.3
    """Part of the groups that pass through the autoencoder, where one is given."""


FACE_JUDGE_NANO = FaceJudgeRecipe(
    loop=LoopConfig(
        optimizer=OptimizerConfig(learning_rate=3e-3), num_steps=1700, warmup_steps=30, ema_decay=0.99
    )
)
"""The shipped judge is this run, with a draft of the autoencoder: ten minutes of one thread.

In 24 held-out scenes, the majority of five frames each, it was right about 98% of what it was asked of
renders, the face found by itself: hair colour 94%, hair style 92%, all else 100%. After the autoencoder,
which blurs whoever moves, about 80%: hats 100%, skin 96%, glasses 83%, hair colour 76%, eyes 75%, hair style
50%.
"""


class FacePool:
    """Groups of faces with labels."""

    def __init__(
        self, recipe: FaceJudgeRecipe, judge: FaceJudge, tae: TemporalAutoencoder | None = None
    ) -> None:
        self.recipe, self.size, self.tae = recipe, judge.config.size, tae
        self.groups = Groups(recipe, self._made)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Faces of (B, 3, S, S) in -1..1, each cut out in its own way, with their labels (B, Q)."""
        rng = random.Random(f"face judge {step}")
        window = self.groups.window(step)
        groups = [self.groups[rng.randrange(window.start, window.stop)] for _ in range(self.recipe.batch)]
        pairs = [(faces[row := rng.randrange(len(faces))], labels[row]) for faces, labels in groups]
        wide, labels = (torch.stack(parts) for parts in zip(*pairs, strict=True))
        places, hits_B = cuts(len(wide), torch.Generator().manual_seed(step))
        labels[~hits_B] = square_classes([None])
        return cut_out(from_bytes(wide), places, self.size), labels

    def _made(self, index: int) -> tuple[Tensor, Tensor]:
        views = [view for number in range(self.recipe.group_size) for view in self._views(index, number)]
        faces, people = zip(*views, strict=True)
        return to_bytes(torch.stack(faces)), square_classes(people)

    def _views(self, index: int, number: int) -> Iterator[tuple[Tensor, Person | None]]:
        """Wide squares around one person's face, and one elsewhere."""
        kind, rng = random.Random(f"face group {index}").random(), random.Random(f"face {index} {number}")
        size = self.size * KEPT
        if kind < self.recipe.portrait_share:
            person = draw_person(rng)
            yield from ((small_portrait(person, rng, size), person) for _ in range(self.recipe.num_views))
            return
        soft = self.tae is not None and kind > 1 - self.recipe.reconstructed_share
        yield from stage_views(rng, size, self.recipe.num_views, self.tae if soft else None)


def small_portrait(person: Person, rng: random.Random, size: int) -> Tensor:
    """A wide square around a portrait's face."""
    side = rng.randint(*PORTRAIT_PIXELS)
    colour, seed = rng.choice(tuple(COLOURS)), rng.getrandbits(31)
    picture = render_portrait(person, colour, seed, height=side, width=side)
    edge = -side * (WIDE - 1) / 2
    return crop(picture, Face(top=edge, left=edge, side=side * WIDE, sureness=0.0), size)


def stage_views(
    rng: random.Random, size: int, num_views: int, tae: TemporalAutoencoder | None
) -> Iterator[tuple[Tensor, Person | None]]:
    """Wide squares around the face of a person on the stage, ``num_views`` at most, and one elsewhere.

    Args:
        rng: draws scene and times.
        size: rows and columns of a square.
        num_views: frames taken.
        tae: the film passes through it when given, a short stretch of full rate; else frames lie far apart.

    Yields:
        tuple[Tensor, Person | None]: (3, size, size) in -1..1, and whose face is in the middle.
    """
    frames = range(1, SOFT_FRAMES, SOFT_FRAMES // num_views) if tae else range(num_views)
    fps = Fraction(SOFT_FPS) if tae else 1 / Fraction(rng.uniform(0.1, 0.7)).limit_denominator(100)
    count, seen = SOFT_FRAMES if tae else num_views, []
    while not seen:
        scene = a_person_on_stage(rng)
        places = face_places(scene, num_frames=count, fps=fps, **STAGE).tolist()
        seen = [frame for frame in frames if is_in_picture(places[frame], **STAGE)]
    clip = render([scene], num_frames=count, fps=fps, **STAGE)
    clip = clip if tae is None else _softened(clip, tae)
    person = scene.actors[0].person
    assert person is not None
    for frame in seen:
        yield crop(clip[0, :, frame], around_head(*places[frame], WIDE), size), person
    yield elsewhere(clip[0, :, seen[0]], places[seen[0]], rng, size), None


@torch.no_grad()
def _softened(clip: Tensor, tae: TemporalAutoencoder) -> Tensor:
    there = clip.to(next(tae.parameters()).device)
    with torch.autocast(there.device.type, torch.bfloat16):
        soft = tae.decode(tae.encode(there), clip.shape[2])
    return soft.float().cpu().clamp(-1, 1)


def cuts(count: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw where faces are cut out, as roughly as a finder does, and where faces are missed.

    Args:
        count: how many.
        rng: a CPU generator.

    Returns:
        (B, 3): how far down and across from the middle of the face, and the side, in sides of the face's own;
        and (B,), False for those that miss.
    """
    u = torch.rand(6, count, generator=rng)
    side, near_B2 = NEAR * (FAR / NEAR) ** u[0], (2 * u[1:3].T - 1) * ASIDE
    far = BESIDE[0] + (BESIDE[1] - BESIDE[0]) * u[1]
    below_B2 = torch.stack([far, u[2] - 0.5], dim=1)
    ways_4B2 = torch.stack(
        [below_B2, below_B2 * torch.tensor([-1.0, 1.0]), below_B2.flip(1), -below_B2.flip(1)]
    )
    beside_B2 = ways_4B2[(4 * (2 * u[3] - 1).clamp(min=0)).long().clamp(max=3), torch.arange(count)]
    kinds = torch.stack([side, _between(TOO_WIDE, u[0]), _between(TOO_NEAR, u[0])])
    kind = torch.bucketize(u[4], torch.tensor([0.6, 0.8]))
    hits = u[5] >= MISSED
    sides = torch.where(hits, side, kinds[kind, torch.arange(count)])
    away_B2 = torch.where((hits | (kind > 0))[:, None], near_B2, beside_B2)
    return torch.cat([away_B2, sides[:, None]], dim=1), hits


def _between(ends: tuple[float, float], share_B: Tensor) -> Tensor:
    return ends[0] + (ends[1] - ends[0]) * share_B


def cut_out(wide_BCHW: Tensor, places_B3: Tensor, size: int) -> Tensor:
    """Cut a square out of each wide square; every other one is mirrored.

    Args:
        wide_BCHW: (B, 3, W, W), faces in the middle.
        places_B3: as ``cuts`` draws them.
        size: rows and columns wanted.

    Returns:
        (B, 3, size, size).
    """
    down, across, half = (places_B3 * torch.tensor([2.0, 2.0, 1.0]) / WIDE).unbind(1)
    turned, none = half.clone(), torch.zeros_like(half)
    turned[::2] *= -1
    theta = torch.stack([torch.stack([turned, none, across], 1), torch.stack([none, half, down], 1)], 1)
    grid = F.affine_grid(theta, [len(wide_BCHW), 3, size, size], align_corners=False)
    return F.grid_sample(wide_BCHW, grid, padding_mode="border", align_corners=False)


class FaceJudgeObjective:
    """Cross entropy of every question, drawn from the step's number alone."""

    def __init__(
        self, judge: FaceJudge, recipe: FaceJudgeRecipe, tae: TemporalAutoencoder | None = None
    ) -> None:
        self.judge, self.pool = judge, FacePool(recipe, judge, tae)
        self.device = next(judge.parameters()).device

    def __call__(self, step: int) -> dict[str, Tensor]:
        """Losses of step ``step``, one for each question that any of its faces answers."""
        faces, labels_BQ = self.pool.batch(step)
        soft = soften(faces[:, :, None], torch.Generator().manual_seed(step))[:, :, 0]
        return answer_losses(self.judge(soft.to(self.device)), labels_BQ, SQUARE_QUESTIONS)


def train_face_judge(
    out: Path,
    session: Session = ONE_GO,
    *,
    recipe: FaceJudgeRecipe = FACE_JUDGE_NANO,
    tae: Path | None = None,
) -> Path:
    """Train a judge of faces and write ``face_judge.safetensors`` from its averaged weights.

    A missing or broken autoencoder or checkpoint is refused with a WeightsError.

    Args:
        out: folder for checkpoint, curve and weights; made when missing.
        session: how long this sitting lasts, and on what it goes on.
        recipe: what to train and how.
        tae: weights file of an autoencoder; a part of the frames passes through it, so that the judge knows
            its softness. Without one all are plain.

    Returns:
        The weights file.
    """

    def losses(judge: FaceJudge, recipe: FaceJudgeRecipe) -> FaceJudgeObjective:
        softener = load_model(tae, "tae", device=session.device) if tae else None
        return FaceJudgeObjective(judge, recipe, softener)  # type: ignore[arg-type]

    return train_to_answer("face_judge", out, session, recipe, losses)
