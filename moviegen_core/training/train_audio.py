"""What audio transformer, its text reader and the frame encoder learn together (Movie Gen, audio)."""

# Shape letters: B clip, C channel, F audio latent frame, T frame, H row, W column, L byte.

import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..flow.path import interpolate, logit_normal_times, target_velocity
from ..media.pixels import from_bytes
from ..models.audio import AudioTransformer
from ..models.prompt import seen_sound_prompt
from ..models.text import ByteEncoder, tokenize
from ..models.vision import FrameEncoder, frames_seen
from ..theatre.sampling import sample_scenes
from ..theatre.scene import Scene
from ..theatre.sound.captions import paper_caption, sound_text
from ..theatre.sound.hearing import Heard, heard
from ..theatre.sound.questions import SOUND_QUESTIONS, sound_classes
from .listen import Listener, onsets
from .loop import LoopConfig
from .recall import Recall
from .sound_latents import SoundLatentConfig, SoundLatentStore, SoundShard, Stems
from .train_text import TextRecipe
from .watch import Watcher
from .weighing import emphasis, weighted_mean

LASTING = {name: SOUND_QUESTIONS[name] for name in ("ambience", "music", "instrument", "engine")}
"""What is heard all the time, so that every piece of a sound has the same answers."""
RING = 5
"""Latent frames, a fifth of a second, for which an event is taken to sound."""


def draw_sound_prompt(
    scene: Scene, stems: Stems, seconds: float, rng: random.Random, wordless: float = 0.0
) -> str:
    """Freshly worded, in the training form, for the stems that are heard; some say nothing but of music."""
    text = sound_text(scene, seconds, rng, stems=stems)
    return seen_sound_prompt(text.music) if rng.random() < wordless else paper_caption(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioRecipe:
    """A whole training of audio transformer, text reader and frame encoder."""

    preset: str
    loop: LoopConfig
    latents: SoundLatentConfig
    lengths: tuple[int, ...]
    """Latent frames of a batch, one drawn for each; at most what is cached."""
    frames_per_step: int
    """Batches of every length hold about as many latent frames."""
    first_shards: int
    """Shards made before the first step."""
    steps_per_shard: int
    """After so many steps one more shard joins; earlier ones stay."""
    text: TextRecipe | None = None
    """Reading lessons of the text reader before all else; None lets it learn to read from sounds alone."""
    watching: LoopConfig | None = None
    """Then lessons in watching for the frame encoder; None lets it learn to see beside the sounds."""
    drop_all: float = 0.2
    """Share of samples without any condition (the paper's)."""
    drop_one: float = 0.1
    """Share of samples without text, and of samples without picture (the paper's)."""
    wordless: float = 0.15
    """Share of the texts that leave to the picture what is heard, and only tell of music. Our choice."""
    generate: float = 0.5
    """Share of samples in which no sound is known; the others know some (the paper's)."""
    listen: float = 0.5
    """Weight of the events that hidden tokens tell."""
    watch: float = 0.5
    """Weight of the events that the frame encoder's features tell."""
    recall: float = 0.03
    """Weight of the questions on what lasts that hidden tokens answer."""
    event_weight: float = 8.0
    """How much more an error counts where an event sounds, times t, as ``VideoRecipe.actor_weight`` does."""
    least_masked: float = 0.75
    """Of a sample that knows some sound, at least so much is masked (the paper's)."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What one sample is told."""

    text: bool
    video: bool
    masked: slice
    """Latent frames to be made; the rest is known."""


class SoundModel(nn.Module):
    """The three models that train as one, and what asks the last what it saw."""

    def __init__(self, text: ByteEncoder, vision: FrameEncoder, audio: AudioTransformer) -> None:
        super().__init__()
        self.text, self.vision, self.audio = text, vision, audio
        self.listener = Listener(audio)
        self.recall = Recall(audio.blocks, audio.config.width, LASTING)
        self.watcher = Watcher(vision.config.feature_width)

    def forward(
        self,
        x_BCF: Tensor,
        t_B: Tensor,
        prompts: Sequence[str],
        known_BCF: Tensor,
        video_BFC: Tensor,
    ) -> Tensor:
        """Velocity of noisy latents under prompts, known sound and features of what is seen."""
        ids_BL, mask_BL = (part.to(x_BCF.device) for part in tokenize(prompts))
        context = self.audio.context([self.text(ids_BL, mask_BL)], [mask_BL])
        return self.audio(x_BCF, t_B, context, known_BCF=known_BCF, video_BFC=video_BFC)


@dataclass(frozen=True, slots=True)
class SoundBatch:
    """Pieces of equal length and frame rate."""

    data_BCF: Tensor
    frames_BCTHW: Tensor
    """-1..1."""
    seen: list[int]
    """Frame of each latent frame."""
    prompts: list[str]
    conditions: list[Conditions]
    onsets_BFE: Tensor
    """1 where an event begins."""
    classes_BQ: Tensor
    """Right answers to ``LASTING``."""

    @property
    def shown_B(self) -> Tensor:  # noqa: N802 - a shape letter
        """Whether each sample is told what is seen."""
        return torch.tensor([one.video for one in self.conditions])


def draw_conditions(recipe: AudioRecipe, num_frames: int, rng: random.Random) -> Conditions:
    """The paper's dropout: all conditions, or text and picture each; known sound before, after or around."""
    everything = slice(0, num_frames)
    if rng.random() < recipe.drop_all:
        return Conditions(text=False, video=False, masked=everything)
    text, video = rng.random() >= recipe.drop_one, rng.random() >= recipe.drop_one
    if rng.random() < recipe.generate:
        return Conditions(text=text, video=video, masked=everything)
    length = round(rng.uniform(recipe.least_masked, 1) * num_frames)
    first = rng.choice((num_frames - length, rng.randint(0, num_frames - length)))
    return Conditions(text=text, video=video, masked=slice(first, first + length))


def ringing(onsets_BFE: Tensor) -> Tensor:
    """Where an event of any family sounds: (B, F, E) onsets to (B, 1, F), 1 from each on for ``RING``."""
    begun_B1F = onsets_BFE.amax(dim=2)[:, None]
    return F.max_pool1d(F.pad(begun_B1F, (RING - 1, 0)), RING, stride=1)


def read_sound_captions(recipe: AudioRecipe, step: int) -> tuple[list[str], Tensor]:
    """The lesson in captions of sounds, which answer ``SOUND_QUESTIONS``; only a recipe with ``text``."""
    assert recipe.text is not None
    size, rng, seconds = recipe.text.batch, random.Random(step), recipe.latents.seconds
    scenes = sample_scenes(recipe.text.first_seed + step * size, size)
    stems = rng.choices(recipe.latents.stems, k=size)
    prompts = [draw_sound_prompt(*pair, seconds, rng) for pair in zip(scenes, stems, strict=True)]
    told = [heard(scene, seconds, names) for scene, names in zip(scenes, stems, strict=True)]
    return prompts, sound_classes(told)


class AudioObjective:
    """Flow-matching loss of one step, drawn from the step's number alone."""

    def __init__(
        self, model: SoundModel, recipe: AudioRecipe, store: SoundLatentStore, device: str = "cpu"
    ) -> None:
        self.model, self.recipe, self.store, self.device = model, recipe, store, device

    def __call__(self, step: int) -> dict[str, Tensor]:
        """Losses of step ``step``."""
        batch = self.batch(step, random.Random(step))
        generator = torch.Generator().manual_seed(step)
        noise = torch.randn(batch.data_BCF.shape, generator=generator).to(self.device)
        times = logit_normal_times(len(batch.prompts), generator, self.device)
        data, masked_B1F = batch.data_BCF.to(self.device), self._masked(batch)
        with torch.autocast(data.device.type, torch.bfloat16):
            features, onsets_BFE = self.features(batch), batch.onsets_BFE.to(self.device)
            noisy = interpolate(data, noise, times)
            velocity = self.model(noisy, times, batch.prompts, data * ~masked_B1F, features)
            listen = self.model.listener(onsets_BFE, times)
            watch = self.model.watcher.loss(features, onsets_BFE, batch.shown_B.to(self.device))
            recall = self.model.recall(batch.classes_BQ.to(self.device))
        errors_B1F = (velocity.float() - target_velocity(data, noise)).square().mean(1, keepdim=True)
        weights_B1F = emphasis(ringing(onsets_BFE), times, self.recipe.event_weight)
        weighted = weighted_mean(errors_B1F, weights_B1F * masked_B1F)
        return {
            "flow": weighted_mean(errors_B1F, masked_B1F),
            "weighted": weighted,
            "listen": listen,
            "watch": watch,
            "recall": recall,
            "total": weighted
            + self.recipe.listen * listen
            + self.recipe.watch * watch
            + self.recipe.recall * recall,
        }

    def batch(self, step: int, rng: random.Random) -> SoundBatch:
        """Pieces of one length and one frame rate from as many sounds, freshly captioned."""
        length = rng.choice(self.recipe.lengths)
        fps = rng.choice(self.recipe.latents.frame_rates)
        indices = [index for index in range(self.num_shards(step)) if self.store.config.fps(index) == fps]
        shards = [self.store.shard(rng.choice(indices)) for _ in range(self.recipe.frames_per_step // length)]
        start = rng.randint(0, shards[0].latents_NCF.shape[-1] - length)
        conditions = [draw_conditions(self.recipe, length, rng) for _ in shards]
        rows = [(shard, rng.randrange(len(shard.scenes))) for shard in shards]
        seen = self._seen(fps, start, length)
        first, last = seen[0], seen[-1] + 1
        frames = torch.stack([shard.frames_NCTHW[row][:, first:last] for shard, row in rows])
        return SoundBatch(
            torch.stack([shard.latents_NCF[row][:, start : start + length] for shard, row in rows]).float(),
            from_bytes(frames),
            [index - first for index in seen],
            [
                self._prompt(shard, row, rng) if one.text else ""
                for (shard, row), one in zip(rows, conditions, strict=True)
            ],
            conditions,
            torch.stack([self._onsets(shard, row)[start : start + length] for shard, row in rows]),
            sound_classes([self._heard(shard, row) for shard, row in rows], LASTING),
        )

    def num_shards(self, step: int) -> int:
        """Shards that batches of a step draw from."""
        return self.recipe.first_shards + step // self.recipe.steps_per_shard

    def _prompt(self, shard: SoundShard, row: int, rng: random.Random) -> str:
        seconds, wordless = self.recipe.latents.seconds, self.recipe.wordless
        return draw_sound_prompt(shard.scenes[row], shard.stems[row], seconds, rng, wordless)

    def _heard(self, shard: SoundShard, row: int) -> Heard:
        return heard(shard.scenes[row], self.recipe.latents.seconds, shard.stems[row])

    def _onsets(self, shard: SoundShard, row: int) -> Tensor:
        seconds, grid = self.recipe.latents.seconds, self.store.codec.grid
        return onsets(shard.scenes[row], shard.stems[row], seconds, grid)

    def _seen(self, fps: int, start: int, length: int) -> list[int]:
        num_frames = self.recipe.latents.seconds * fps
        return frames_seen(num_frames, Fraction(fps), start + length, self.store.codec.grid)[start:]

    def _masked(self, batch: SoundBatch) -> Tensor:
        masked_B1F = torch.zeros(len(batch.conditions), 1, batch.data_BCF.shape[-1], dtype=torch.bool)
        for row, one in zip(masked_B1F, batch.conditions, strict=True):
            row[:, one.masked] = True
        return masked_B1F.to(self.device)

    def features(self, batch: SoundBatch) -> Tensor:
        """What is seen at each latent frame, (B, F, C); 0 for samples that are shown nothing."""
        shown = batch.shown_B.to(self.device)
        size = len(batch.conditions), len(batch.seen), self.model.vision.config.feature_width
        features = torch.zeros(size, device=self.device)
        if not shown.any():
            return features
        seen = self.model.vision(batch.frames_BCTHW.to(self.device)[shown])[:, batch.seen]
        return features.to(seen.dtype).index_put((shown,), seen)
