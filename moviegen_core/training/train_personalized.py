"""What the personalized model learns, in three stages (Movie Gen, section 4).

Identity first: short clips, references from the same clip, the encoder frozen. Then length. Last references
that are not from the clip, against copying and pasting, with the encoder tuned along. The reader of prompts
is frozen throughout; prompts never tell the face, so that only the references can.
"""

# Shape letters: B clip, N reference, C channel, T latent frame, H row, W column.

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ..flow.path import interpolate, logit_normal_times, target_velocity
from ..media.pixels import from_bytes, to_bytes
from ..models.identity import IdentityEncoder
from ..models.prompt import format_prompt
from ..models.tae import TemporalAutoencoder
from ..models.text import ByteEncoder, tokenize
from ..models.video import VideoTransformer
from ..theatre import wording as say
from ..theatre.faces import face_places
from ..theatre.holdouts import is_held_out
from ..theatre.render import render
from ..theatre.scene import Scene
from .latents import Bucket, LatentConfig, fingerprint
from .loop import LoopConfig
from .train_identity import IdentityRecipe, a_person_on_stage, portrait, stage_face

CLIP_REFERENCES = 5
"""Faces kept of each clip (Movie Gen: 5)."""
MOST_REFERENCES = 3
"""Pictures of one person that a batch shows at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalizedStage:
    """A stretch of the run."""

    until: float
    """Fraction of all steps at which the stage ends."""
    bucket_weights: tuple[int, ...]
    cross: float
    """Share of samples whose references are portraits, not taken from the clip."""
    tune_encoder: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalizedRecipe:
    """A whole training of a personalized model."""

    loop: LoopConfig
    identity: IdentityRecipe
    """Lessons of the identity encoder, before all else."""
    latents: LatentConfig
    stages: tuple[PersonalizedStage, ...]
    tokens_per_step: int
    shards: int
    """Shards that are drawn from, of all buckets together."""
    drop_text: float = 0.1
    drop_both: float = 0.1
    """Share of samples without prompt and face, for guidance."""


def face_prompt(scene: Scene, rng: random.Random) -> str:
    """A caption of a person's clip that says nothing of the face."""
    actor, noun = scene.actors[0], rng.choice(say.NOUNS["person"])
    wears = f" in {say.shirt_phrase(rng, actor.colour)}" if rng.random() < 0.8 else ""
    deed = say.third_person(say.draw_deed(rng, actor))
    weather = "" if scene.weather == "clear" else f" {say.pick(rng, say.WEATHER_PHRASES[scene.weather])}"
    look = "" if scene.look == "plain" else f", {say.pick(rng, say.LOOK_PHRASES[scene.look])}"
    return f"a {noun}{wears} {deed} {say.pick(rng, say.PLACE_PHRASES[scene.place])}{weather}{look}"


@dataclass(frozen=True, slots=True)
class FaceShard:
    """Clips of one person each."""

    latents: Tensor
    """(N, 16, T, H, W) bfloat16."""
    faces: Tensor
    """(N, CLIP_REFERENCES, 3, S, S) uint8, from the same clips."""
    scenes: tuple[Scene, ...]
    fps: int


class FaceStore:
    """A folder of shards for one autoencoder; what is missing is made, what is there is never made again."""

    def __init__(self, folder: Path, tae: TemporalAutoencoder, config: LatentConfig, face_size: int) -> None:
        self.tae, self.config, self.face_size = tae, config, face_size
        self.folder = folder / f"{fingerprint(tae, config)}-{face_size}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._shards: dict[int, FaceShard] = {}

    def shard(self, index: int) -> FaceShard:
        """Shard ``index``, from memory, from disk, or made now."""
        if index not in self._shards:
            path = self.folder / f"{index:06d}.safetensors"
            if not path.exists():
                self._make(index, path)
            self._shards[index] = _read(path)
        return self._shards[index]

    def _make(self, index: int, path: Path) -> None:
        bucket = self.config.buckets[self.config.bucket_of(index)]
        rng = random.Random(f"faces {self.config.first_seed} {index}")
        fps = rng.choice(bucket.frame_rates)
        made = [self._film(bucket, fps, rng) for _ in range(self.config.shard_size)]
        latents, faces, scenes = zip(*made, strict=True)
        note = {"scenes": json.dumps([scene.to_json() for scene in scenes]), "fps": str(fps)}
        tensors = {"latents": torch.cat(latents).to(torch.bfloat16), "faces": torch.stack(faces)}
        partial = path.with_suffix(".partial")
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, partial, metadata=note)
        partial.replace(path)

    @torch.no_grad()
    def _film(self, bucket: Bucket, fps: int, rng: random.Random) -> tuple[Tensor, Tensor, Scene]:
        while is_held_out(scene := a_person_on_stage(rng, plain=rng.random() < 0.85)):
            pass
        device = next(self.tae.parameters()).device
        size = {"num_frames": bucket.num_frames, "height": bucket.height, "width": bucket.width}
        clip = render([scene], fps=Fraction(fps), device=str(device), **size)
        places = face_places(scene, fps=fps, **size).tolist()
        frames = [rng.randrange(bucket.num_frames) for _ in range(CLIP_REFERENCES)]
        faces = [stage_face(clip[0, :, frame], places[frame], rng, self.face_size) for frame in frames]
        with torch.autocast(device.type, torch.bfloat16):
            latent = self.tae.encode(clip).float().cpu()
        return latent, to_bytes(torch.stack(faces)).cpu(), scene


def _read(path: Path) -> FaceShard:
    with safe_open(path, framework="pt") as file:
        note = file.metadata()
        scenes = tuple(Scene.from_json(text) for text in json.loads(note["scenes"]))
        return FaceShard(file.get_tensor("latents"), file.get_tensor("faces"), scenes, int(note["fps"]))


class PersonalizedModel(nn.Module):
    """The models that train as one; the reader of prompts is frozen."""

    def __init__(self, text: ByteEncoder, video: VideoTransformer, identity: IdentityEncoder) -> None:
        super().__init__()
        self.video = video
        self.identity = identity
        self._text = [text]  # in a list: not a part to be trained

    @property
    def text(self) -> ByteEncoder:
        """The frozen reader."""
        return self._text[0]

    def forward(self, x_BCTHW: Tensor, t_B: Tensor, told: "Told", *, tune_encoder: bool) -> Tensor:
        """Velocity of noisy latents under prompts and faces."""
        device = x_BCTHW.device
        ids_BL, mask_BL = (part.to(device) for part in tokenize(told.prompts))
        with torch.no_grad():
            features = self.text(ids_BL, mask_BL)
        with torch.set_grad_enabled(tune_encoder and torch.is_grad_enabled()):
            tokens = self.identity.tokens(told.faces.flatten(0, 1).to(device))
        tokens_BKC = tokens.unflatten(0, told.faces.shape[:2]).flatten(1, 2)
        counts_BK = told.has_face.to(device)[:, None].expand(tokens_BKC.shape[:2])
        context = self.video.context([features], [mask_BL]).joined(tokens_BKC, counts_BK)
        return self.video(x_BCTHW, t_B, context)


@dataclass(frozen=True, slots=True)
class Told:
    """What a batch is told."""

    prompts: Sequence[str]
    faces: Tensor
    """(B, N, 3, S, S) in -1..1."""
    has_face: Tensor
    """(B,), False where the face is withheld."""


class PersonalizedObjective:
    """Flow-matching loss of one step, drawn from its number alone."""

    def __init__(
        self, model: PersonalizedModel, recipe: PersonalizedRecipe, store: FaceStore, device: str = "cpu"
    ) -> None:
        self.model, self.recipe, self.store, self.device = model, recipe, store, device

    def __call__(self, step: int) -> dict[str, Tensor]:
        """Losses of step ``step``."""
        rng, generator = random.Random(f"face step {step}"), torch.Generator().manual_seed(step)
        stage = self.stage(step)
        data, told = self.batch(stage, rng)
        data = data.to(self.device)
        noise = torch.randn(data.shape, generator=generator).to(self.device)
        times = logit_normal_times(len(data), generator, self.device)
        with torch.autocast(data.device.type, torch.bfloat16):
            noisy = interpolate(data, noise, times)
            velocity = self.model(noisy, times, told, tune_encoder=stage.tune_encoder)
        flow = (velocity.float() - target_velocity(data, noise)).square().mean()
        return {"flow": flow, "total": flow}

    def stage(self, step: int) -> PersonalizedStage:
        """The stage that a step belongs to."""
        done = step / self.recipe.loop.num_steps
        return next((stage for stage in self.recipe.stages if done < stage.until), self.recipe.stages[-1])

    def batch(self, stage: PersonalizedStage, rng: random.Random) -> tuple[Tensor, Told]:
        """Latents of one bucket and what is told of them."""
        bucket = rng.choices(range(len(stage.bucket_weights)), stage.bucket_weights)[0]
        count = rng.randint(1, MOST_REFERENCES)
        rows = [self._row(bucket, stage, count, rng) for _ in range(self.batch_size(bucket))]
        latents, faces, prompts, has_face = zip(*rows, strict=True)
        return torch.stack(latents).float(), Told(list(prompts), torch.stack(faces), torch.tensor(has_face))

    def _row(
        self, bucket: int, stage: PersonalizedStage, count: int, rng: random.Random
    ) -> tuple[Tensor, Tensor, str, bool]:
        config = self.store.config
        there = [index for index in range(self.recipe.shards) if config.bucket_of(index) == bucket]
        shard = self.store.shard(rng.choice(there or [config.shard_of(bucket, 0)]))
        row = rng.randrange(len(shard.scenes))
        dice = rng.random()
        silent = dice < self.recipe.drop_text + self.recipe.drop_both
        prompt = "" if silent else format_prompt(face_prompt(shard.scenes[row], rng), Fraction(shard.fps))
        faces = self._faces(shard, row, stage, count, rng)
        return shard.latents[row], faces, prompt, dice >= self.recipe.drop_both

    def _faces(
        self, shard: FaceShard, row: int, stage: PersonalizedStage, count: int, rng: random.Random
    ) -> Tensor:
        if rng.random() < stage.cross:
            person = shard.scenes[row].actors[0].person
            assert person is not None
            return torch.stack([portrait(person, rng, self.store.face_size) for _ in range(count)])
        return from_bytes(shard.faces[row][rng.sample(range(CLIP_REFERENCES), count)])

    def batch_size(self, bucket: int) -> int:
        """Samples of a bucket that fit in the token budget."""
        shape = self.store.config.buckets[bucket]
        cells = self.store.tae.grid.latent_shape(shape.num_frames, shape.height, shape.width)
        tokens = cells[0] * cells[1] * cells[2] // self.model.video.config.patch_cells
        return max(1, self.recipe.tokens_per_step // tokens)
