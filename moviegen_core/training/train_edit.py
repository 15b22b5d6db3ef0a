"""What the edit transformer and its reader of instructions learn, in three stages (Movie Gen, section 5).

First pictures, at random places in time; then clips: animated pictures, markings and, as the theatre can
film them, true pairs; last backtranslation, where the model's own edits are the sources and real clips the
targets.
Text to video runs along all the while, with black in the place of the source.
"""

# Shape letters: B clip, C channel, T latent frame, H row, W column, L byte.

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

import torch
from torch import Tensor, nn

from ..flow.guidance import EditGuidance
from ..flow.path import interpolate, logit_normal_times, target_velocity
from ..flow.schedule import linear_times
from ..flow.solver import integrate_euler
from ..layers.patches import token_grid
from ..layers.positions import Place
from ..models.edit import EditTransformer, task_indices
from ..models.prompt import format_prompt
from ..models.text import ByteEncoder, tokenize
from ..theatre.scene import Scene
from .edit_pairs import PairShard, PairStore, Request, undone
from .latents import LatentConfig
from .loop import LoopConfig
from .train_text import draw_prompt
from .weighing import weighted_mean

Lesson = Literal["edit", "text", "back"]
PROMPT_BYTES = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class EditStage:
    """A stretch of the run."""

    until: float
    """Fraction of all steps at which the stage ends."""
    bucket_weights: tuple[int, ...]
    """How often each bucket of pairs is drawn."""
    lessons: tuple[tuple[Lesson, float], ...]
    """How often each lesson is given. The paper gives edits of pictures five times as often as text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditRecipe:
    """A whole training of an edit model."""

    loop: LoopConfig
    pairs: LatentConfig
    stages: tuple[EditStage, ...]
    tokens_per_step: int
    shards: int
    """Shards that are drawn from, of all buckets together."""
    back_guidance: EditGuidance
    """Pulls of an edit made for backtranslation."""
    drop_text: float = 0.1
    """Share of samples without an instruction, for guidance."""
    drop_both: float = 0.05
    """Share of samples without instruction and source."""
    change_weight: float = 8.0
    """How much more an error counts where the target differs from the source."""
    back_steps: int = 8
    """Solver steps of an edit made for backtranslation."""
    back_noise: float = 0.3
    """Such an edit is noised by up to this share before it becomes a source; the paper's share is unknown."""
    back_pool: int = 64
    """Steps for which a batch of such edits is used."""
    least_change: float = 0.15
    most_change: float = 1.2
    """Root mean square change of latents that a backtranslated edit must lie between to be used."""


class EditModel(nn.Module):
    """The two models that train as one."""

    def __init__(self, text: ByteEncoder, edit: EditTransformer) -> None:
        super().__init__()
        self.text = text
        self.edit = edit

    def forward(
        self, x_BCTHW: Tensor, t_B: Tensor, sources: Tensor, asked: "Asked", place: Place | None = None
    ) -> Tensor:
        """Velocity of noisy latents beside their sources, as asked."""
        ids_BL, mask_BL = (part.to(x_BCTHW.device) for part in tokenize(asked.prompts))
        task_B = task_indices(list(asked.tasks), x_BCTHW.device)
        context = self.edit.context([self.text(ids_BL, mask_BL)], [mask_BL])
        return self.edit(
            x_BCTHW,
            t_B,
            self.edit.told(context, task_B),
            extra_BCTHW=sources,
            task_BC=self.edit.task_vector(task_B),
            place=place,
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """What a batch is told."""

    prompts: Sequence[str]
    tasks: Sequence[str]


@dataclass(frozen=True, slots=True)
class EditBatch:
    """Pairs of one shape."""

    sources: Tensor
    """(B, 16, T, H, W)."""
    targets: Tensor
    asked: Asked


class EditObjective:
    """Flow-matching loss of one step; but for the edits of backtranslation drawn from its number alone."""

    def __init__(self, model: EditModel, recipe: EditRecipe, store: PairStore, device: str = "cpu") -> None:
        self.model, self.recipe, self.store, self.device = model, recipe, store, device
        self._black: dict[tuple[int, ...], Tensor] = {}
        self._pool: tuple[int, EditBatch] | None = None

    def __call__(self, step: int) -> dict[str, Tensor]:
        """Losses of step ``step``."""
        rng, generator = random.Random(f"edit step {step}"), torch.Generator().manual_seed(step)
        lesson = self.lesson(step, rng)
        batch = self.batch(step, lesson, rng)
        noise = torch.randn(batch.targets.shape, generator=generator).to(self.device)
        times = logit_normal_times(len(noise), generator, self.device)
        place = self._place(batch, rng)
        with torch.autocast(torch.device(self.device).type, torch.bfloat16):
            noisy = interpolate(batch.targets, noise, times)
            velocity = self.model(noisy, times, batch.sources, batch.asked, place)
        errors = (velocity.float() - target_velocity(batch.targets, noise)).square().mean(1, keepdim=True)
        weights = self._weights(batch) if lesson != "text" else torch.ones_like(errors)
        total = weighted_mean(errors, weights)
        return {lesson: total, "flow": errors.mean(), "total": total}

    def _weights(self, batch: EditBatch) -> Tensor:
        """More where source and target differ, (B, 1, T, H, W)."""
        differs = (batch.sources - batch.targets).square().mean(1, keepdim=True).sqrt() > 0.5
        return 1 + self.recipe.change_weight * differs.float()

    def _place(self, batch: EditBatch, rng: random.Random) -> Place | None:
        """Pictures stand anywhere in time: always at the first place they would teach nothing about clips."""
        config = self.model.edit.config
        frames, rows, columns = token_grid(tuple(batch.targets.shape[2:]), config.patch)  # type: ignore[arg-type]
        if frames > 1:
            return None
        first = rng.randrange(config.table_sizes[0])
        return Place((first + 1, rows, columns), torch.tensor([[first, 0, 0]]))

    def stage(self, step: int) -> EditStage:
        """The stage that a step belongs to."""
        done = step / self.recipe.loop.num_steps
        return next((stage for stage in self.recipe.stages if done < stage.until), self.recipe.stages[-1])

    def lesson(self, step: int, rng: random.Random) -> Lesson:
        """What a step teaches."""
        names, weights = zip(*self.stage(step).lessons, strict=True)
        return rng.choices(names, weights)[0]

    def batch(self, step: int, lesson: Lesson, rng: random.Random) -> EditBatch:
        """Samples of one bucket for a lesson, on the device."""
        weights = self.stage(step).bucket_weights
        bucket = rng.choices(range(len(weights)), weights)[0]
        if lesson == "back":
            return self._back(step, bucket)
        drawn = [self._draw(bucket, rng) for _ in range(self.batch_size(bucket))]
        if lesson == "text":
            return self._as_text(drawn, rng)
        return self._dropped(self._stacked(drawn), rng)

    def batch_size(self, bucket: int) -> int:
        """Samples of a bucket that fit in the token budget."""
        shape = self.store.config.buckets[bucket]
        cells = self.store.tae.grid.latent_shape(shape.num_frames, shape.height, shape.width)
        tokens = cells[0] * cells[1] * cells[2] // self.model.edit.config.patch_cells
        return max(1, self.recipe.tokens_per_step // tokens)

    def _draw(self, bucket: int, rng: random.Random) -> tuple[Tensor, Tensor, Request, int]:
        """A pair in either direction."""
        config = self.store.config
        there = [index for index in range(self.recipe.shards) if config.bucket_of(index) == bucket]
        shard: PairShard = self.store.shard(rng.choice(there or [config.shard_of(bucket, 0)]))
        row = rng.randrange(len(shard.requests))
        source, target, request = shard.sources[row], shard.targets[row], shard.requests[row]
        if request.inverse and rng.random() < 0.5:
            return target, source, undone(request), shard.fps
        return source, target, request, shard.fps

    def _stacked(self, drawn: Sequence[tuple[Tensor, Tensor, Request, int]]) -> EditBatch:
        sources, targets, requests, rates = zip(*drawn, strict=True)
        prompts = [
            format_prompt(one.instruction, Fraction(fps)) for one, fps in zip(requests, rates, strict=True)
        ]
        asked = Asked(prompts, [one.task for one in requests])
        return EditBatch(self._on_device(sources), self._on_device(targets), asked)

    def _on_device(self, latents: Sequence[Tensor]) -> Tensor:
        return torch.stack(list(latents)).float().to(self.device)

    def _dropped(self, batch: EditBatch, rng: random.Random) -> EditBatch:
        """Some samples without instruction, some without anything."""
        prompts, sources = list(batch.asked.prompts), batch.sources.clone()
        for row in range(len(prompts)):
            dice = rng.random()
            if dice < self.recipe.drop_text + self.recipe.drop_both:
                prompts[row] = ""
            if dice < self.recipe.drop_both:
                sources[row] = self.black(sources[row : row + 1])[0]
        return EditBatch(sources, batch.targets, Asked(prompts, batch.asked.tasks))

    def _as_text(self, drawn: Sequence[tuple[Tensor, Tensor, Request, int]], rng: random.Random) -> EditBatch:
        """The targets alone, told as text to video tells them."""
        targets = self._on_device([target for _, target, _, _ in drawn])
        prompts = [
            ""
            if rng.random() < self.recipe.drop_text or request.task == "segment"
            else draw_prompt(Scene.from_json(request.target), fps, rng, PROMPT_BYTES)
            for _, _, request, fps in drawn
        ]
        return EditBatch(self.black(targets), targets, Asked(prompts, ["generate"] * len(drawn)))

    @torch.no_grad()
    def black(self, like: Tensor) -> Tensor:
        """Latents of a black clip of the same shape."""
        shape = tuple(like.shape[2:])
        if shape not in self._black:
            grid = self.store.tae.grid
            sizes = shape[0] * grid.frames, shape[1] * grid.height, shape[2] * grid.width
            dark = torch.full((1, 3, *sizes), -1.0, device=self.device)
            self._black[shape] = self.store.tae.encode(dark).float()
        return self._black[shape].expand(len(like), -1, -1, -1, -1)

    def _back(self, step: int, bucket: int) -> EditBatch:
        """Edits that the model made itself, noised, as sources of the clips they were made of."""
        first = step - step % self.recipe.back_pool
        if self._pool is None or self._pool[0] != first:
            self._pool = first, self._make_back(first, bucket)
        made = self._pool[1]
        generator = torch.Generator().manual_seed(step)
        share = self.recipe.back_noise * torch.rand(len(made.sources), 1, 1, 1, 1, generator=generator)
        noise = torch.randn(made.sources.shape, generator=generator)
        share, noise = share.to(self.device), noise.to(self.device)
        return replace(made, sources=(1 - share) * made.sources + share * noise)

    def _make_back(self, step: int, bucket: int) -> EditBatch:
        rng, generator = random.Random(f"back {step}"), torch.Generator().manual_seed(step)
        drawn = [self._draw(bucket, rng) for _ in range(self.batch_size(bucket))]
        asked = self._stacked(drawn)
        noise = torch.randn(asked.sources.shape, generator=generator).to(self.device)
        made = self._edited(asked, noise)
        change = (made - asked.sources).square().flatten(1).mean(1).sqrt()
        kept = (change > self.recipe.least_change) & (change < self.recipe.most_change)
        kept &= torch.tensor([bool(request.inverse) for _, _, request, _ in drawn], device=kept.device)
        if not kept.any():  # nothing of use came out: the true pairs teach meanwhile
            return asked
        rows = kept.nonzero()[:, 0].tolist()
        backward = self._stacked(
            [(target, source, undone(request), fps) for source, target, request, fps in drawn]
        ).asked
        told = Asked([backward.prompts[row] for row in rows], [backward.tasks[row] for row in rows])
        return EditBatch(made[rows], asked.sources[rows], told)

    @torch.no_grad()
    def _edited(self, batch: EditBatch, noise: Tensor) -> Tensor:
        """What the model makes of a batch of sources now."""
        nothing, empty = self.black(batch.sources), Asked([""] * len(noise), batch.asked.tasks)
        rows = ((nothing, empty), (batch.sources, empty), (batch.sources, batch.asked))

        def velocity(x_BCTHW: Tensor, t_B: Tensor) -> Tensor:
            branches = (self.model(x_BCTHW, t_B, source, asked).float() for source, asked in rows)
            return self.recipe.back_guidance.combine(*branches)

        with torch.autocast(noise.device.type, torch.bfloat16):
            return integrate_euler(velocity, noise, linear_times(self.recipe.back_steps))
