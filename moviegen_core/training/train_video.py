"""What the video transformer and its text encoder learn together, step by step (Movie Gen, section 3)."""

# Shape letters: B clip, C channel, T latent frame, H row, W column, L byte.

import math
import random
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ..flow.path import interpolate, logit_normal_times, target_velocity
from ..layers.patches import token_grid
from ..layers.positions import Place
from ..models.text import ByteEncoder, tokenize
from ..models.video import VideoTransformer
from ..theatre.questions import QUESTIONS, classes
from ..theatre.scene import Scene
from .close_ups import Box, CloseUps, box_in, cut_out, draw_corners
from .latents import LatentConfig, LatentStore
from .loop import LoopConfig
from .recall import Recall
from .train_text import TextRecipe, draw_prompt
from .weighing import emphasis, weighted_mean

SHORT_PROMPT = 96
"""Bytes, prefix included: a little above the median."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoStage:
    """A stretch of the run: pictures first, then clips with pictures (Movie Gen, training stages)."""

    until: float
    """Fraction of all steps at which the stage ends."""
    bucket_weights: tuple[int, ...]
    """How often each bucket of the latent config is drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoRecipe:
    """A whole training of text encoder and video transformer."""

    preset: str
    loop: LoopConfig
    latents: LatentConfig
    stages: tuple[VideoStage, ...]
    tokens_per_step: int
    """Batches of every bucket hold about as many tokens."""
    text: TextRecipe | None = None
    """Reading lessons of the text encoder before all else; None lets it learn to read from clips alone."""
    first_shards: int
    """Shards that the first step draws from, of all buckets together."""
    views: tuple[int, ...]
    """How often a sample of each bucket is seen on average; when it was seen that often, new shards join."""
    drop_caption: float = 0.1
    """Share of samples that learn the empty prompt, for guidance."""
    actor_weight: float = 16.0
    """How much more an error counts where an actor is, times t: actors cover a twentieth of a picture."""
    recall: float = 0.03
    """Weight of the questions that hidden tokens answer."""
    short_batches: float = 0.8
    """Share of batches whose prompts all stay below SHORT_PROMPT; one long prompt pads a whole batch."""
    close_ups: CloseUps | None = None
    """Lessons in a part of a latent, in which the text encoder only reads; None: all are whole."""


class TextToVideoModel(nn.Module):
    """The two models that train as one, and what asks the second what it was told."""

    def __init__(self, text: ByteEncoder, video: VideoTransformer) -> None:
        super().__init__()
        self.text = text
        self.video = video
        self.recall = Recall(video.blocks, video.config.width, QUESTIONS)

    def forward(
        self, x_BCTHW: Tensor, t_B: Tensor, ids_BL: Tensor, mask_BL: Tensor, place: Place | None = None
    ) -> Tensor:
        """Velocity of noisy latents under prompts; what is cut out at a ``place`` teaches no reading."""
        with torch.set_grad_enabled(place is None and torch.is_grad_enabled()):
            features = self.text(ids_BL, mask_BL)
        return self.video(x_BCTHW, t_B, self.video.context([features], [mask_BL]), place=place)


@dataclass(frozen=True, slots=True)
class Batch:
    """Samples of one bucket."""

    latents: Tensor
    """(B, 16, T, H, W)."""
    mattes: Tensor
    """(B, 1, T, H, W), where actors are."""
    prompts: list[str]
    """Freshly worded; some are empty."""
    scenes: list[Scene]
    """What the latents show."""
    place: Place | None = None
    """Where they are cut out."""


class VideoObjective:
    """Flow-matching loss of one step, drawn from the step's number alone."""

    def __init__(
        self, model: TextToVideoModel, recipe: VideoRecipe, store: LatentStore, device: str = "cpu"
    ) -> None:
        self.model, self.recipe, self.store, self.device = model, recipe, store, device

    def __call__(self, step: int) -> dict[str, Tensor]:
        """Losses of step ``step``."""
        rng = random.Random(step)
        generator = torch.Generator().manual_seed(step)
        batch = self.batch(step, rng)
        noise = torch.randn(batch.latents.shape, generator=generator).to(self.device)
        times = logit_normal_times(len(batch.prompts), generator, self.device)
        data = batch.latents.to(self.device)
        ids_BL, mask_BL = (part.to(self.device) for part in tokenize(batch.prompts))
        with torch.autocast(data.device.type, torch.bfloat16):
            noisy = interpolate(data, noise, times)
            velocity = self.model(noisy, times, ids_BL, mask_BL, batch.place)
            recall = self.model.recall(classes(batch.scenes).to(self.device))
        errors = (velocity.float() - target_velocity(data, noise)).square().mean(dim=1, keepdim=True)
        weights = emphasis(batch.mattes.to(self.device), times, self.recipe.actor_weight)
        flow = weighted_mean(errors, weights)
        return {
            "flow": errors.mean(),
            "weighted": flow,
            "recall": recall,
            "total": flow + self.recipe.recall * recall,
        }

    def batch(self, step: int, rng: random.Random) -> Batch:
        """Samples of one bucket, drawn from the shards there are at that step."""
        bucket = self._bucket(step, rng)
        shards = self.shards(bucket, step)
        close = self.recipe.close_ups if self._is_close_up(rng) else None
        limit = SHORT_PROMPT if rng.random() < self.recipe.short_batches else 0
        size = self.batch_size(bucket, close)
        samples = [self._sample(rng.choice(shards), rng, limit) for _ in range(size)]
        latents, mattes, prompts, scenes = zip(*samples, strict=True)
        batch = Batch(torch.stack(latents).float(), torch.stack(mattes), list(prompts), list(scenes))
        return self._cut_out(batch, close, rng) if close else batch

    def _is_close_up(self, rng: random.Random) -> bool:
        return self.recipe.close_ups is not None and rng.random() < self.recipe.close_ups.share

    def _cut_out(self, batch: Batch, close: CloseUps, rng: random.Random) -> Batch:
        patch, whole = self.model.video.config.patch, self._tokens(tuple(batch.latents.shape[2:]))
        box = box_in(whole, close.box)
        corners = draw_corners(batch.mattes, patch, box, rng)
        return replace(
            batch,
            latents=cut_out(batch.latents, corners, patch, box),
            mattes=cut_out(batch.mattes, corners, patch, box),
            place=Place(whole, corners),
        )

    def _whole(self, bucket: int) -> Box:
        """Tokens of a bucket's samples."""
        shape = self.store.config.buckets[bucket]
        return self._tokens(self.store.tae.grid.latent_shape(shape.num_frames, shape.height, shape.width))

    def _tokens(self, cells: Box) -> Box:
        return token_grid(cells, self.model.video.config.patch)

    def _sample(self, index: int, rng: random.Random, limit: int) -> tuple[Tensor, Tensor, str, Scene]:
        shard = self.store.shard(index)
        row = rng.randrange(len(shard.scenes))
        dropped = rng.random() < self.recipe.drop_caption
        prompt = "" if dropped else draw_prompt(shard.scenes[row], shard.fps, rng, limit)
        return shard.latents[row], shard.mattes[row], prompt, shard.scenes[row]

    def shards(self, bucket: int, step: int) -> list[int]:
        """Shards of a bucket that batches of a step draw from: the first ones, and more as those wear out."""
        config = self.store.config
        first = sum(config.bucket_of(index) == bucket for index in range(self.recipe.first_shards))
        worn = self._samples_until(bucket, step) / (config.shard_size * self.recipe.views[bucket])
        return [config.shard_of(bucket, number) for number in range(max(first, math.ceil(worn)))]

    def _samples_until(self, bucket: int, step: int) -> float:
        """Samples of a bucket that the steps before ``step`` draw, on average."""
        start = batches = 0.0
        for stage in self.recipe.stages:
            end = stage.until * self.recipe.loop.num_steps
            share = stage.bucket_weights[bucket] / sum(stage.bucket_weights)
            batches += share * max(0.0, min(end, step) - start)
            start = end
        return batches * self._mean_batch(bucket)

    def _mean_batch(self, bucket: int) -> float:
        """Whole samples of a bucket that its batches see on average; a close-up sees a part of one."""
        close, whole = self.recipe.close_ups, self._whole(bucket)
        if close is None:
            return self.batch_size(bucket)
        part = math.prod(box_in(whole, close.box)) / math.prod(whole)
        return (1 - close.share) * self.batch_size(bucket) + close.share * part * self.batch_size(
            bucket, close
        )

    def batch_size(self, bucket: int, close: CloseUps | None = None) -> int:
        """Samples of a bucket that fit in the token budget, as a whole or in close-ups."""
        whole = self._whole(bucket)
        box = box_in(whole, close.box) if close else whole
        budget = close.tokens_per_step if close else self.recipe.tokens_per_step
        return max(1, budget // math.prod(box))

    def _bucket(self, step: int, rng: random.Random) -> int:
        done = step / self.recipe.loop.num_steps
        stage = next((stage for stage in self.recipe.stages if done < stage.until), self.recipe.stages[-1])
        return rng.choices(range(len(stage.bucket_weights)), stage.bucket_weights)[0]
