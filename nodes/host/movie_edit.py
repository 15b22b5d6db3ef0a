"""Our models, held by the host, in the place where the core edits a file with models of its own."""

# Shape letters: B clip, C channel, T frame or latent frame, H row, W column.

from dataclasses import dataclass
from typing import Any

import comfy.samplers
import torch
from torch import Tensor

from ...moviegen_core.errors import MovieGenError
from ...moviegen_core.flow.guidance import EditGuidance
from ...moviegen_core.flow.schedule import linear_quadratic_times, linear_times
from ...moviegen_core.geometry import ClipShape
from ...moviegen_core.stages.decode import decode_clip
from ...moviegen_core.stages.encode import encode_clip
from ...moviegen_core.stages.flow_edit import FlowEditSettings
from ...moviegen_core.stages.generate import TextToVideo
from ...moviegen_core.stages.settings import SamplingSettings
from ..convert import sigmas_from_times
from .clip import encoder_of
from .edit import EditGuider, MovieGenEditModel
from .flow_edit import FlowEditGuider, FlowEditSampler
from .model import MovieGenModel
from .sampling import OnStep
from .vae import on_device


@dataclass(frozen=True, slots=True, kw_only=True)
class HostModels(TextToVideo):
    """The core's own view of models that the host moves about."""

    @property
    def device(self) -> torch.device:
        """Where pixels are worked on: the transformer may be put away."""
        return next(self.tae.parameters()).device


@dataclass(frozen=True, slots=True, kw_only=True)
class Editors:
    """The host's MODEL, CLIP and VAE of one of our casts."""

    model: Any
    clip: Any
    vae: Any

    def __post_init__(self) -> None:
        if not isinstance(self.model.model, MovieGenModel):
            raise MovieGenError(
                f"this model is {type(self.model.model).__name__}, and Movie Gen Edit drives those of Load"
                " Movie Gen; with others take FlowEdit Guider and Sampler, then Keep What Was Not Asked"
            )

    @property
    def is_taught(self) -> bool:
        """Whether the model follows instructions; else captions must do."""
        return isinstance(self.model.model, MovieGenEditModel)

    def models(self) -> HostModels:
        """All three for the core, which works with the autoencoder and asks the others for sizes."""
        tae, text = on_device(self.vae), encoder_of(self.clip)
        return HostModels(tae=tae, text=text, video=self.model.model.diffusion_model)

    def encoded(self, clip_CTHW: Tensor) -> Tensor:
        """A clip in -1..1 as a latent of one, on the CPU."""
        return encode_clip(on_device(self.vae), clip_CTHW[None].to(self.vae.device)).cpu()

    def decoded(self, latent: Tensor, num_frames: int) -> Tensor:
        """The inverse: (3, T, H, W)."""
        return decode_clip(on_device(self.vae), latent.to(self.vae.device), num_frames)[0].cpu()

    def flow_edited(
        self,
        clip_CTHW: Tensor,
        shape: ClipShape,
        conditionings: tuple[Any, Any, Any],
        settings: FlowEditSettings,
        on_step: OnStep,
    ) -> Tensor:
        """Edit a clip with two captions.

        Args:
            clip_CTHW: in -1..1.
            shape: the clip's.
            conditionings: of the source, of the wanted clip, of no words.
            settings: strength, steps, pulls, seed.
            on_step: told how many steps are done.

        Returns:
            (3, T, H, W).
        """
        guider = FlowEditGuider(self.model)
        guider.set_conds(*conditionings)
        guider.set_cfg(settings.source_guidance, settings.target_guidance)
        times = linear_times(settings.num_steps)
        sigmas = sigmas_from_times(times) * settings.strength
        sampler = FlowEditSampler(settings.num_averages)
        latent = sampled(guider, sampler, sigmas, self.encoded(clip_CTHW), settings.seed, on_step)
        return self.decoded(latent, shape.num_frames)

    def instructed(
        self,
        latent: Tensor,
        shape: ClipShape,
        conditionings: tuple[Any, Any, Any],
        settings: SamplingSettings,
        guidance: EditGuidance,
        on_step: OnStep,
    ) -> Tensor:
        """Edit a clip with a model that follows instructions.

        Args:
            latent: of the source; the conditionings hold it too.
            shape: the clip's.
            conditionings: source and instruction, the source, nothing.
            settings: steps and seed.
            guidance: pulls to source and instruction.
            on_step: told how many steps are done.

        Returns:
            (3, T, H, W).
        """
        guider = EditGuider(self.model)
        guider.set_conds(*conditionings)
        guider.set_cfg(guidance)
        sigmas = sigmas_from_times(linear_quadratic_times(settings.num_steps, grid=settings.grid))
        sampler = comfy.samplers.sampler_object("euler")
        made = sampled(guider, sampler, sigmas, torch.zeros_like(latent), settings.seed, on_step)
        return self.decoded(made, shape.num_frames)


def sampled(
    guider: comfy.samplers.CFGGuider,
    sampler: comfy.samplers.Sampler,
    sigmas: Tensor,
    latent: Tensor,
    seed: int,
    on_step: OnStep,
) -> Tensor:
    """One run of the host's sampling, from the noise of a seed."""
    noise = torch.randn(latent.shape, generator=torch.Generator().manual_seed(seed))
    return guider.sample(
        noise,
        latent,
        sampler,
        sigmas,
        callback=lambda step, *_rest: on_step(step + 1),
        disable_pbar=True,
        seed=seed,
    ).float()
