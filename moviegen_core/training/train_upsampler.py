"""What the upsampler learns, in two stages: single frames to latents and back, then detail (Movie Gen, 5)."""

# Shape letters: B clip, C channel, T frame, H row, W column.

from dataclasses import dataclass

import torch
from torch import Tensor

from ..flow.path import interpolate, logit_normal_times, target_velocity
from ..models.upsampler import Upsampler
from .footage import random_below
from .loop import LoopConfig
from .losses import TaeLossConfig, tae_losses
from .pairs import PairConfig, PairPool
from .train_tae import measure_latents


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsamplerRecipe:
    """A whole training of an upsampler."""

    preset: str
    frames_loop: LoopConfig
    """Of the autoencoder of single frames."""
    loop: LoopConfig
    """Of the transformer."""
    pairs: PairConfig
    frames_losses: TaeLossConfig
    frames_batch: int = 16
    """Frames of a step of the autoencoder."""
    first_step_share: float = 0.5
    """How often time 0 is trained, where a solver begins: with few steps it weighs most. Our choice."""
    statistics_batches: int = 8
    """From which the latents' mean and scale, and how far truth lies from plain, are measured."""


MISSING_FLOOR = 0.05
"""Added to how much detail a clip lacks, relative to the mean clip, before its error is measured by it."""


class FramesObjective:
    """Losses of the autoencoder of single frames in one step."""

    def __init__(self, model: Upsampler, recipe: UpsamplerRecipe, pool: PairPool) -> None:
        self.model, self.recipe, self.pool = model, recipe, pool

    def __call__(self, step: int) -> dict[str, Tensor]:
        """Losses of step ``step``, on large frames and on plainly enlarged ones: it sees both at work."""
        rng = torch.Generator().manual_seed(step)
        frames = self.frames(step, rng)
        tae = self.model.frames
        with torch.autocast(frames.device.type, torch.bfloat16):
            mean, log_variance = tae.encoder(frames)
            noise = torch.randn(mean.shape, generator=rng).to(mean)
            output = tae.decoder(mean + torch.exp(log_variance / 2) * noise).float()
        return tae_losses(frames, output, mean.float(), log_variance.float(), self.recipe.frames_losses)

    def frames(self, step: int, rng: torch.Generator) -> Tensor:
        """(B, 3, 1, H, W) in -1..1, three quarters of them large frames as they are."""
        small, large = self.pool.batch(rng, step)
        enlarged = self.model.enlarged(small)
        count = max(1, self.recipe.frames_batch // len(large))
        picked = []
        for plain, true in zip(enlarged, large, strict=True):
            for _ in range(count):
                clip = plain if random_below(rng, 4) == 0 else true
                frame = random_below(rng, clip.shape[1])
                picked.append(clip[:, frame : frame + 1])
        return torch.stack(picked)


class UpsamplerObjective:
    """Flow-matching loss of the transformer in one step; the autoencoder stays as it is.

    Each clip counts by the share of its own missing detail that is got wrong: what noise and compression
    took from one is a hundred times what shrinking took from another, and would be all that is learnt.
    """

    def __init__(self, model: Upsampler, recipe: UpsamplerRecipe, pool: PairPool) -> None:
        self.model, self.recipe, self.pool = model, recipe, pool
        self.shares = visible_shares(model, self.latents(*pool.batch(torch.Generator().manual_seed(0), 0))[1])

    def __call__(self, step: int) -> dict[str, Tensor]:
        """Losses of step ``step``."""
        rng = torch.Generator().manual_seed(step)
        small, large = self.pool.batch(rng, step)
        low, data = self.latents(small, large)
        noise = torch.randn(data.shape, generator=rng).to(data)
        times = logit_normal_times(len(data), rng)
        starts = torch.rand(len(data), generator=rng) < self.recipe.first_step_share
        times = torch.where(starts, torch.zeros(()), times).to(data.device)
        noisy = interpolate(data, noise, times)
        with torch.autocast(data.device.type, torch.bfloat16):
            velocity = self.model(noisy, times, low)
        error = velocity.float() - target_velocity(data, noise)
        missing_B = self.seen((low - data) / self.model.residual_scale)
        wrong_B = self.seen(error / self.unknown(times))
        relative = (wrong_B / (self.expected(missing_B, times) + MISSING_FLOOR)).mean()
        return {"flow": error.square().mean(), "plain": missing_B.mean(), "total": relative}

    def expected(self, missing_B: Tensor, t_B: Tensor) -> Tensor:
        """What a fresh model gets wrong of clips that lack so much detail, in the units of the loss: (B,).

        Its guess ``low + a(t) (x - t low)`` is off by what is missing as far as it trusts ``low``, and by the
        noise as far as it trusts x.
        """
        t, s = t_B.view(-1, 1, 1, 1, 1), self.model.residual_scale
        trust_B = (t.square() * s.square() / self.model.spread(t_B)).flatten(1).mean(1)
        return (1 - trust_B) * missing_B + trust_B

    def seen(self, error_BCTHW: Tensor) -> Tensor:
        """(B,): mean square of each clip's error, channels by how much of the picture hangs on them."""
        return (self.shares * error_BCTHW.square()).mean(dim=(1, 2, 3, 4))

    def unknown(self, t_B: Tensor) -> Tensor:
        """The size of what the network is asked for at time t, by which its errors are measured."""
        return self.model.residual_scale * self.model.spread(t_B).rsqrt()

    @torch.no_grad()
    def latents(self, small: Tensor, large: Tensor) -> tuple[Tensor, Tensor]:
        """Of the enlarged frames and of the true ones."""
        with torch.autocast(small.device.type, torch.bfloat16):
            return (
                self.model.frames.encode(self.model.enlarged(small)).float(),
                self.model.frames.encode(large).float(),
            )


@torch.no_grad()
def visible_shares(model: Upsampler, latent_BCTHW: Tensor) -> Tensor:
    """How much of the picture hangs on what each channel has to learn: (C, 1, 1, 1), 1 in the mean.

    The pixels' mean squared change when a channel alone moves by its residual scale. As weights of the loss
    they change nothing of what is learnt best, but spend a small model where it is seen. Our choice.
    """
    plain = model.frames.decode(latent_BCTHW, latent_BCTHW.shape[2])
    shares = []
    for channel, scale in enumerate(model.residual_scale.flatten()):
        moved = latent_BCTHW.clone()
        moved[:, channel] += scale
        shares.append((model.frames.decode(moved, moved.shape[2]) - plain).square().mean())
    return (torch.stack(shares) / torch.stack(shares).mean()).view_as(model.residual_scale)


@torch.no_grad()
def measure_frames(model: Upsampler, recipe: UpsamplerRecipe, pool: PairPool) -> None:
    """Set the statistics of latents, then how far true latents lie from those of enlarged frames."""
    rng = torch.Generator().manual_seed(-1 % 2**63)
    pairs = [pool.batch(rng, 0) for _ in range(recipe.statistics_batches)]
    measure_latents(model.frames, [large for _, large in pairs])
    objective = UpsamplerObjective(model, recipe, pool)
    latents = [objective.latents(*pair) for pair in pairs]
    residual = torch.cat([data - low for low, data in latents])
    scale = residual.square().mean(dim=(0, 2, 3, 4)).sqrt()
    model.residual_scale.copy_(scale.clamp_min(1e-3).view_as(model.residual_scale))
