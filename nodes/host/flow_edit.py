"""Editing without inversion under the host's own sampling: a guider of two prompts, and the solver for it."""

# Shape letters: B clip, C channel, T latent frame, H row, W column.

from collections.abc import Callable
from typing import Any

import comfy.model_sampling
import comfy.samplers
import torch
from torch import Tensor

from ...moviegen_core.errors import GeometryError, MovieGenError
from ...moviegen_core.flow.difference import integrate_difference
from ...moviegen_core.flow.solver import Velocity
from ...moviegen_core.flow.windows import blend_windows, crossfade_windows
from ...moviegen_core.stages.flow_edit import OVERLAP_CELLS, WINDOW_CELLS
from ..convert import sigmas_from_time, times_from_sigmas, velocity_from_estimate
from .model import MovieGenModel

SIDE = "moviegen_side"
"""Under this name a model's options say which prompt to follow."""
SOURCE, TARGET = "source", "positive"
"""The two prompts; the wanted one has the host's own name, so that control nets reach both."""
Apply = Callable[..., Tensor]


class FlowEditGuider(comfy.samplers.CFGGuider):
    """What a clip shows and what it shall show, each with a pull of its own; alone it follows the latter."""

    pulls: dict[str, float]

    def set_conds(self, source: Any, target: Any, negative: Any) -> None:  # noqa: ANN401 - CONDITIONING
        """All three, of one text encoder."""
        self.inner_set_conds({TARGET: target, SOURCE: source, "negative": negative})

    def set_cfg(self, source: float, target: float) -> None:
        """How hard each pulls."""
        self.pulls = {SOURCE: source, TARGET: target}

    def predict_noise(
        self,
        x: Tensor,
        timestep: Tensor,
        model_options: dict[str, Any] | None = None,
        seed: int | None = None,
    ) -> Tensor:
        """The host's guidance for the side that the solver asks for."""
        options = dict(model_options or {})
        side = options.pop(SIDE, TARGET)
        if type(self.inner_model) is MovieGenModel and x.shape[2] > WINDOW_CELLS:
            options["model_function_wrapper"] = in_windows(options.get("model_function_wrapper"))
        return comfy.samplers.sampling_function(
            self.inner_model,
            x,
            timestep,
            self.conds["negative"],
            self.conds[side],
            self.pulls[side],
            model_options=options,
            seed=seed,
        )


def in_windows(inner: Apply | None) -> Apply:
    """A forward of our model in windows of what it has learnt, as the core edits long clips.

    Args:
        inner: another wrapper, called within.

    Returns:
        The host's kind of wrapper.
    """
    call = inner or (lambda apply, given: apply(given["input"], given["timestep"], **given["c"]))

    def wrapper(apply: Apply, given: dict[str, Any]) -> Tensor:
        x_BCTHW = given["input"]
        length = x_BCTHW.shape[2]
        windows = crossfade_windows(length, WINDOW_CELLS, OVERLAP_CELLS)

        def piece(place: slice) -> Tensor:
            return call(apply, given | {"input": x_BCTHW[:, :, place]}).float()

        return blend_windows(piece, windows, length, dim=-3)

    return wrapper


class FlowEditSampler(comfy.samplers.Sampler):
    """Carries a latent along the difference of the guider's two flows; with equal prompts it stays."""

    def __init__(self, num_averages: int) -> None:
        self.num_averages = num_averages

    def sample(
        self,
        model_wrap: Any,  # noqa: ANN401 - the host's guider
        sigmas: Tensor,
        extra_args: dict[str, Any],
        callback: Any,  # noqa: ANN401
        noise: Tensor,
        latent_image: Tensor | None = None,
        denoise_mask: Tensor | None = None,
        disable_pbar: bool = False,  # noqa: ARG002 - the host's bar in the console
    ) -> Tensor:
        """The edited latent.

        Args:
            model_wrap: a ``FlowEditGuider``.
            sigmas: falling noise levels; the first says how far the edit may go.
            extra_args: options of the model, and the seed.
            callback: told of every step.
            noise: the first of the noises; the others follow from the seed.
            latent_image: the source.
            denoise_mask: 1 where the edit may happen.
            disable_pbar: the host's.

        Returns:
            As large as the source.
        """
        source = checked_source(model_wrap, latent_image, sigmas)
        total = len(sigmas) - 1
        flows = Flows(model_wrap, sigmas, extra_args, source, denoise_mask)

        def on_step(step: int, edit: Tensor) -> None:
            if callback is not None:
                callback(step - 1, edit, edit, total)

        return integrate_difference(
            flows.of(SOURCE),
            flows.of(TARGET),
            source,
            times_from_sigmas(sigmas.double()).tolist(),
            flows.noises(noise),
            num_averages=self.num_averages,
            on_step=on_step,
        )


class Flows:
    """The guider's two flows as the core's velocities; where a mask forbids the edit both are the same."""

    def __init__(
        self,
        guider: FlowEditGuider,
        sigmas: Tensor,
        extra: dict[str, Any],
        source: Tensor,
        mask: Tensor | None,
    ) -> None:
        self.options, self.seed, self.mask = extra["model_options"], extra.get("seed"), mask
        self.sampling = guider.inner_model.model_sampling
        self.masked = comfy.samplers.KSamplerX0Inpaint(guider, sigmas)
        self.masked.latent_image = source

    def of(self, side: str) -> Velocity:
        """The velocity under one of the prompts."""
        options = self.options | {SIDE: side}

        def found(x: Tensor, t_B: Tensor) -> Tensor:
            sigma_B = sigmas_from_time(t_B)
            estimate = self.masked(x, sigma_B, self.mask, model_options=options, seed=self.seed)
            return velocity_from_estimate(x, estimate, sigma_B)

        return found

    def noises(self, first: Tensor) -> Callable[[], Tensor]:
        """The noise that the host drew, and then more of its seed, in the strength that the model wants."""
        generator = torch.Generator().manual_seed(self.seed or 0)
        ahead = [first]
        torch.randn(first.shape, generator=generator)  # the host's own, drawn again

        def draw() -> Tensor:
            drawn = ahead.pop() if ahead else torch.randn(first.shape, generator=generator).to(first)
            self.masked.noise = drawn
            return self.sampling.noise_scaling(drawn.new_ones(1), drawn, torch.zeros_like(drawn))

        return draw


def checked_source(guider: Any, latent: Tensor | None, sigmas: Tensor) -> Tensor:  # noqa: ANN401
    """The latent to edit.

    Args:
        guider: of the run.
        latent: what it starts from.
        sigmas: its noise levels.

    Returns:
        The latent.

    Raises:
        MovieGenError: another guider, or a model that is no rectified flow.
        GeometryError: there is nothing to edit, or no noise to edit under.
    """
    if not isinstance(guider, FlowEditGuider):
        raise MovieGenError("the FlowEdit sampler needs two prompts; connect a FlowEdit Guider beside it")
    if not isinstance(guider.inner_model.model_sampling, comfy.model_sampling.CONST):
        kind = type(guider.inner_model).__name__
        raise MovieGenError(
            f"{kind} is no rectified flow, and FlowEdit follows those alone; take Wan, LTX, Hunyuan Video,"
            " Flux, Stable Diffusion 3 or Movie Gen"
        )
    if latent is None or not bool(torch.count_nonzero(latent)):
        raise GeometryError(
            "the latent is empty and there is nothing to edit; connect VAE Encode of the clip"
        )
    if float(sigmas[0]) > 1:
        raise GeometryError(
            f"the noise levels begin at {float(sigmas[0]):.3g} and a flow's end at 1; take them from Movie"
            " Gen Schedule or Basic Scheduler with the same model"
        )
    return latent
