"""The paper's solver in the host's terms: the core's ``integrate_midpoint`` along falling noise levels."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from torch import Tensor

Model = Callable[..., Tensor]
"""The host's: (x, sigma of each, **extra) -> its estimate of the data."""


def sample_midpoint(
    model: Model,
    x: Tensor,
    sigmas: Tensor,
    extra_args: dict[str, Any] | None = None,
    callback: Callable[[dict[str, Any]], None] | None = None,
    disable: bool | None = None,  # noqa: ARG001 - the host's bar in the console
) -> Tensor:
    """Follow the flow with slopes taken half-way: two calls a step, second order.

    Args:
        model: the host's.
        x: the noise.
        sigmas: falling noise levels.
        extra_args: for the model.
        callback: told of every step.
        disable: the host's.

    Returns:
        The data, in x's shape.

    Source: Movie Gen, audio (64 midpoint steps).
    """
    ones = x.new_ones([x.shape[0]])

    def slope(x: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
        estimate = model(x, sigma * ones, **(extra_args or {}))
        return (x - estimate) / sigma, estimate

    for step, (sigma, following) in enumerate(pairwise(sigmas)):
        half = (following - sigma) / 2
        change, estimate = slope(x + half * slope(x, sigma)[0], sigma + half)
        if callback is not None:
            callback({"x": x, "i": step, "sigma": sigma, "sigma_hat": sigma, "denoised": estimate})
        x = x + (following - sigma) * change
    return x
