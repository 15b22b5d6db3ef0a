"""The paper's solver for the host's samplers, and one run of an audio model from start to end."""

# Shape letters: B sound, C channel, F audio latent frame.

from collections.abc import Callable
from itertools import count
from typing import Any

import comfy.model_management
import comfy.sample
import comfy.samplers
import comfy.utils
import torch
from torch import Tensor

from ...moviegen_core.flow.schedule import linear_times
from ..convert import sigmas_from_times
from ..midpoint import sample_midpoint

OnStep = Callable[[int], None]
"""Called with the steps done."""


def midpoint_sampler() -> comfy.samplers.KSAMPLER:
    """The paper's solver as SAMPLER."""
    return comfy.samplers.KSAMPLER(sample_midpoint)


def progress(total: int) -> OnStep:
    """The bar of the node that is running; it is told how much is done, and stops where the user did."""
    bar = comfy.utils.ProgressBar(max(1, total))

    def done(value: int) -> None:
        comfy.model_management.throw_exception_if_processing_interrupted()
        bar.update_absolute(value, max(1, total))

    return done


def counter(total: int) -> Callable[[], None]:
    """``progress`` for work that tells of each unit it has done."""
    done, units = progress(total), count(1)
    return lambda: done(min(next(units), total))


def sample_sound(
    model: Any,  # noqa: ANN401 - the host's MODEL, CONDITIONING
    positive: Any,  # noqa: ANN401
    negative: Any,  # noqa: ANN401
    noise_BCF: Tensor,
    *,
    num_steps: int,
    guidance: float,
    seed: int,
    on_step: OnStep,
) -> Tensor:
    """Carry noise to the latents of sounds as the paper does: midpoint steps of equal size.

    Args:
        model: an audio model.
        positive: what the sound shall be.
        negative: told nothing.
        noise_BCF: where to start.
        num_steps: each asks the model twice.
        guidance: how hard words and picture pull.
        seed: for the host's own uses; the noise is there already.
        on_step: told how many steps are done.

    Returns:
        (B, C, F) float32.
    """
    return comfy.sample.sample_custom(
        model,
        noise_BCF,
        guidance,
        midpoint_sampler(),
        sigmas_from_times(linear_times(num_steps)),
        positive,
        negative,
        torch.zeros_like(noise_BCF),
        callback=lambda step, *_rest: on_step(step + 1),
        disable_pbar=True,
        seed=seed,
    ).float()
