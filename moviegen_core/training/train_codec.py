"""What the audio codec learns from, step by step (Movie Gen, audio: a DAC-VAE)."""

# Shape letters: B clip, C channel, S audio sample.

from dataclasses import dataclass

import torch
from torch import Tensor

from ..models.audio_codec import AudioCodec
from .discriminator import DiscriminatorTrainer
from .loop import LoopConfig
from .losses import hinge_generator_loss
from .sound_losses import SoundLossConfig, SpectrumDiscriminator, sound_losses
from .sounds import FULL_SCALE, SoundPool, SoundPoolConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class CodecPhase:
    """A stretch of the run with its own batches and losses."""

    until: float
    """Fraction of all steps at which the phase ends."""
    batch: int
    latent_frames: int
    """Of every piece of sound in a batch."""
    losses: SoundLossConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class CodecRecipe:
    """A whole training of an audio codec."""

    preset: str
    loop: LoopConfig
    pool: SoundPoolConfig
    phases: tuple[CodecPhase, ...]
    statistics_groups: int = 4
    """Groups of sounds from which the latent's mean and scale are measured at the end."""


class CodecObjective:
    """Losses of one step, drawn from the step's number alone.

    A linear path stays the transform that it begins as. Our choice, not compared with training it along.
    """

    def __init__(self, model: AudioCodec, recipe: CodecRecipe, device: str = "cpu") -> None:
        self.model, self.recipe, self.device = model, recipe, device
        self.pool = SoundPool(recipe.pool)
        for half in (model.encoder, model.decoder):
            if half.linear is not None:
                half.linear.requires_grad_(requires_grad=False)
        wants = any(phase.losses.adversarial for phase in recipe.phases)
        self.discriminator = DiscriminatorTrainer(device, model=SpectrumDiscriminator()) if wants else None

    def __call__(self, step: int) -> dict[str, Tensor]:
        """Losses of step ``step``."""
        rng = torch.Generator().manual_seed(step)
        phase = self._phase(step)
        sound = self.batch(step, phase, rng)
        with torch.autocast(sound.device.type, torch.bfloat16):
            mean, log_variance = self.model.encoder(sound)
            noise = torch.randn(mean.shape, generator=rng).to(mean)
            output = self.model.decoder(mean + torch.exp(log_variance / 2) * noise)
        losses = sound_losses(sound, output.float(), mean.float(), log_variance.float(), phase.losses)
        return self._with_adversary(losses, sound, output.float(), phase.losses.adversarial)

    def batch(self, step: int, phase: CodecPhase, rng: torch.Generator) -> Tensor:
        """(B, 1, S) of theatre sounds in -1..1."""
        num_samples = phase.latent_frames * self.model.grid.hop
        pieces = [self.pool.crop(rng, step, num_samples) for _ in range(phase.batch)]
        return torch.stack(pieces).to(self.device)

    def _phase(self, step: int) -> CodecPhase:
        done = step / self.recipe.loop.num_steps
        return next((phase for phase in self.recipe.phases if done < phase.until), self.recipe.phases[-1])

    def _with_adversary(
        self, losses: dict[str, Tensor], sound: Tensor, output: Tensor, weight: float
    ) -> dict[str, Tensor]:
        if weight > 0 and self.discriminator is not None:
            losses["discriminator"] = self.discriminator.step(sound, output.detach())
            losses["adversarial"] = hinge_generator_loss(self.discriminator.score(output))
            losses["total"] = losses["total"] + weight * losses["adversarial"]
        return losses


def statistics_sounds(recipe: CodecRecipe) -> list[Tensor]:
    """Sounds (B, 1, S) that training never draws."""
    pool = SoundPool(recipe.pool)
    groups = (pool.render_group(-1 - index) for index in range(recipe.statistics_groups))
    return [group.float() / FULL_SCALE for group in groups]
