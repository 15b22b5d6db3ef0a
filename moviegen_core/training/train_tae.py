"""What the temporal autoencoder learns from, step by step (Movie Gen, temporal autoencoder, training)."""

# Shape letters: B clip, C channel, T frame, H row, W column.

from dataclasses import dataclass

import torch
from torch import Tensor

from ..media.pixels import from_bytes
from ..models.audio_codec import AudioCodec
from ..models.tae import TemporalAutoencoder
from .discriminator import DiscriminatorTrainer
from .footage import Footage
from .loop import LoopConfig
from .losses import TaeLossConfig, hinge_generator_loss, tae_losses
from .pool import ClipPool, PoolConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """Shape of a batch."""

    batch: int
    frames: int
    height: int
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaePhase:
    """A stretch of the run with its own batches and losses."""

    until: float
    """Fraction of all steps at which the phase ends."""
    clips: Crop
    losses: TaeLossConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class TaeRecipe:
    """A whole training of a temporal autoencoder."""

    preset: str
    loop: LoopConfig
    pool: PoolConfig
    phases: tuple[TaePhase, ...]
    images: Crop
    """Batch of single frames; one step in ``image_every`` uses it."""
    first: "TaeRecipe | None" = None
    """Training of the image autoencoder that this one is inflated from; None starts from noise."""
    flat: bool = False
    """An image autoencoder: every batch is single frames."""
    image_every: int = 4
    """Movie Gen mixes image and clip batches 1 : 3."""
    footage_share: float = 0.3
    """Part of every batch that is real pictures and clips, where there are any."""
    statistics_clips: int = 64
    """Clips from which the latent's mean and scale are measured at the end."""


class TaeObjective:
    """Losses of one step, drawn from the step's number alone."""

    def __init__(
        self, model: TemporalAutoencoder, recipe: TaeRecipe, footage: Footage | None, device: str = "cpu"
    ) -> None:
        self.model, self.recipe, self.footage, self.device = model, recipe, footage, device
        self.pool = ClipPool(recipe.pool, device)
        wants = any(phase.losses.adversarial for phase in recipe.phases)
        self.discriminator = DiscriminatorTrainer(device) if wants else None

    def __call__(self, step: int) -> dict[str, Tensor]:
        """Losses of step ``step``."""
        rng = torch.Generator().manual_seed(step)
        phase = self._phase(step)
        clip = self.batch(step, self._crop(step, phase), rng)
        with torch.autocast(clip.device.type, torch.bfloat16):
            mean, log_variance = self.model.encoder(clip)
            noise = torch.randn(mean.shape, generator=rng).to(mean)
            output = self.model.decoder(mean + torch.exp(log_variance / 2) * noise)
        output = output[:, :, : clip.shape[2]].float()
        losses = tae_losses(clip, output, mean.float(), log_variance.float(), phase.losses)
        return self._with_adversary(losses, clip, output, phase.losses.adversarial)

    def batch(self, step: int, crop: Crop, rng: torch.Generator) -> Tensor:
        """(B, 3, T, H, W) of theatre and footage pieces in -1..1."""
        num_real = round(crop.batch * self.recipe.footage_share) if self.footage else 0
        shape = (crop.frames, crop.height, crop.width)
        pieces = [self.pool.crop(rng, step, *shape) for _ in range(crop.batch - num_real)]
        if self.footage is not None:
            pieces += [self.footage.crop(rng, *shape).to(self.device) for _ in range(num_real)]
        return from_bytes(torch.stack(pieces))

    def _crop(self, step: int, phase: TaePhase) -> Crop:
        every = self.recipe.image_every
        is_image = self.recipe.flat or step % every == every - 1
        return self.recipe.images if is_image else phase.clips

    def _phase(self, step: int) -> TaePhase:
        done = step / self.recipe.loop.num_steps
        return next((phase for phase in self.recipe.phases if done < phase.until), self.recipe.phases[-1])

    def _with_adversary(
        self, losses: dict[str, Tensor], clip: Tensor, output: Tensor, weight: float
    ) -> dict[str, Tensor]:
        if weight > 0 and self.discriminator is not None:
            losses["discriminator"] = self.discriminator.step(clip, output.detach())
            losses["adversarial"] = hinge_generator_loss(self.discriminator.score(output))
            losses["total"] = losses["total"] + weight * losses["adversarial"]
        return losses


@torch.no_grad()
def measure_latents(model: TemporalAutoencoder | AudioCodec, clips: list[Tensor]) -> None:
    """Set the statistics of latents from clips (or sounds) in batches."""
    with torch.autocast(clips[0].device.type, torch.bfloat16):
        raw = [model.encoder(clip)[0].float().transpose(0, 1).flatten(1) for clip in clips]
    model.measure(torch.cat(raw, dim=1))
