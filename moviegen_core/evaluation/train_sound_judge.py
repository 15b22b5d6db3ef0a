"""Train the judge of sounds on endless fresh theatre sounds, some of which pass through a codec."""

# Shape letters: B clip, C channel, S audio sample, M mel band, T spectrum frame, Q question.

import random
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..models.audio_codec import AudioCodec
from ..models.sound_judge import SoundJudge, prepare
from ..theatre.sampling import sample_scenes
from ..theatre.sound.hearing import heard
from ..theatre.sound.questions import SOUND_QUESTIONS, sound_classes
from ..training.loop import LoopConfig
from ..training.optimizer import OptimizerConfig
from ..training.run import ONE_GO, Session
from ..training.sounds import FRAMES_A_SECOND, MIXES, mono
from ..weights.files import load_model
from .lessons import Groups, answer_losses, train_to_answer


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundJudgeRecipe:
    """A whole training of a judge of sounds."""

    preset: str = "nano"
    loop: LoopConfig
    batch: int = 24
    seconds: int = 6
    group_size: int = 8
    first_groups: int = 24
    """Groups of sounds to start with."""
    most_groups: int = 200
    """Groups kept at most; the oldest go."""
    steps_per_group: int = 4
    """After so many steps a fresh group joins."""
    decoded_share: float = 0.35
    """Part of the groups that pass through the codec, where one is given."""
    volumes: tuple[float, float] = (-8.0, 8.0)
    """Decibels between which sounds are made louder: how loud it is says nothing about what it is."""
    first_seed: int = 11_000_000


SOUND_JUDGE_NANO = SoundJudgeRecipe(
    loop=LoopConfig(
        optimizer=OptimizerConfig(learning_rate=3e-3), num_steps=600, warmup_steps=30, ema_decay=0.99
    )
)
"""The shipped judge is a run like this cut short at step 340, on a draft of the codec.

Of 20 sounds of 10 held-out scenes, half of them music, it was right about 10 of 10 ambiences, 20 of 20 times
about music or none, about 9 of 10 instruments and 18 of 20 impacts; after the codec about 10, 19, 9 and 17.
"""


class JudgedSounds:
    """Groups of heard sounds with labels."""

    def __init__(self, recipe: SoundJudgeRecipe, judge: SoundJudge, codec: AudioCodec | None = None) -> None:
        self.recipe, self.config, self.codec = recipe, judge.config, codec
        self.groups = Groups(recipe, self._made)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """(B, M, T) of what is heard, with labels (B, Q)."""
        rng = random.Random(f"sound judge {step}")
        window = self.groups.window(step)
        rows = [
            (rng.randrange(window.start, window.stop), rng.randrange(self.recipe.group_size))
            for _ in range(self.recipe.batch)
        ]
        pairs = [tuple(part[row] for part in self.groups[index]) for index, row in rows]
        sounds, labels = (torch.stack(parts) for parts in zip(*pairs, strict=True))
        return sounds.float(), labels

    def _made(self, index: int) -> tuple[Tensor, Tensor]:
        rng, recipe = random.Random(f"sound group {index}"), self.recipe
        scenes = sample_scenes(recipe.first_seed + index * recipe.group_size, recipe.group_size)
        mixes = [rng.choice(MIXES) for _ in scenes]
        count = recipe.seconds * FRAMES_A_SECOND
        waves = [
            mono(scene, stems, num_frames=count, fps=FRAMES_A_SECOND)
            * 10 ** (rng.uniform(*recipe.volumes) / 20)
            for scene, stems in zip(scenes, mixes, strict=True)
        ]
        sounds_BCS = torch.stack(waves).clamp(-1, 1)
        if self.codec is not None and rng.random() < recipe.decoded_share:
            sounds_BCS = through_codec(self.codec, sounds_BCS)
        told = [heard(scene, recipe.seconds, stems) for scene, stems in zip(scenes, mixes, strict=True)]
        return prepare(sounds_BCS, self.config).half().cpu(), sound_classes(told)


@torch.no_grad()
def through_codec(codec: AudioCodec, sounds_BCS: Tensor) -> Tensor:
    """Sounds as a codec brings them back, as many samples, on the CPU."""
    there = sounds_BCS.to(codec.latent_mean.device)
    return codec.decode(codec.encode(there), there.shape[-1]).float().cpu().clamp(-1, 1)


class SoundJudgeObjective:
    """Cross entropy of every question."""

    def __init__(self, judge: SoundJudge, recipe: SoundJudgeRecipe, codec: AudioCodec | None) -> None:
        self.judge, self.pool = judge, JudgedSounds(recipe, judge, codec)

    def __call__(self, step: int) -> dict[str, Tensor]:
        """Losses of step ``step``, one for each question that any of its sounds answers."""
        sounds, labels_BQ = self.pool.batch(step)
        device = next(self.judge.parameters()).device
        logits = self.judge.judged(_hidden(sounds, torch.Generator().manual_seed(step)).to(device))
        return answer_losses(logits, labels_BQ, SOUND_QUESTIONS)


def _hidden(heard_BMT: Tensor, rng: torch.Generator) -> Tensor:
    """A little noise, and a band and a stretch of time hidden: what is left must be enough."""
    _, bands, frames = heard_BMT.shape
    noisy = heard_BMT + 0.03 * torch.randn(heard_BMT.shape, generator=rng)
    for axis, size in ((1, bands), (2, frames)):
        length = int(torch.randint(size // 6 + 1, (), generator=rng))
        start = int(torch.randint(size - length + 1, (), generator=rng))
        noisy.narrow(axis, start, length).zero_()
    return noisy


def train_sound_judge(
    out: Path,
    session: Session = ONE_GO,
    *,
    recipe: SoundJudgeRecipe = SOUND_JUDGE_NANO,
    codec: Path | None = None,
) -> Path:
    """Train a judge of sounds and write ``sound_judge.safetensors`` from its averaged weights.

    A missing or broken codec or checkpoint is refused with a WeightsError.

    Args:
        out: folder for checkpoint, curve and weights; made when missing.
        session: how long this sitting lasts, and on what it goes on.
        recipe: what to train and how.
        codec: weights file of a codec, so that the judge knows its softness; without one all are plain.

    Returns:
        The weights file.
    """

    def losses(judge: SoundJudge, recipe: SoundJudgeRecipe) -> SoundJudgeObjective:
        decoder = load_model(codec, "audio_codec", device=session.device) if codec else None
        return SoundJudgeObjective(judge, recipe, decoder)  # type: ignore[arg-type]

    return train_to_answer("sound_judge", out, session, recipe, losses)
