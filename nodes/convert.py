"""The host's conventions and the core's, and the only crossing between them.

The host counts noise down (sigma from 1 to 0) and wants noise minus data; the core counts time up (t from 0
to 1) and predicts data minus noise. The host's pixels are 0..1 and channels last, the core's -1..1.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..moviegen_core.errors import GeometryError

TIMESTEPS = 1000.0
"""What the host multiplies sigma by on its way to a model; its own default, so that its shift nodes fit."""


def sigmas_from_times(times: Sequence[float]) -> Tensor:
    """Rising times of the core as the host's falling noise levels, float32."""
    return (1 - torch.tensor(times, dtype=torch.float64)).float()


def times_from_sigmas(sigmas: Tensor) -> Tensor:
    """The inverse of ``sigmas_from_times``."""
    return 1 - sigmas


def times_from_timesteps(timesteps: Tensor) -> Tensor:
    """What the host hands a model, sigma times ``TIMESTEPS``, as times of the core."""
    return times_from_sigmas(timesteps.float() / TIMESTEPS)


def prediction_from_velocity(velocity: Tensor) -> Tensor:
    """Data minus noise, the core's prediction, as the noise minus data that the host integrates."""
    return -velocity


def pixels_from_image(image: Tensor) -> Tensor:
    """0..1 to -1..1."""
    return image * 2 - 1


def image_from_pixels_(pixels: Tensor) -> Tensor:
    """-1..1 to 0..1, clamped, in place and returned: hosts of different age use one or the other."""
    return pixels.add_(1).div_(2).clamp_(0, 1)


def check_frames(latent: Tensor) -> None:
    """Refuse a latent without a single frame, which other nodes may leave when they cut.

    Args:
        latent: of any family.

    Raises:
        GeometryError: there is nothing in it.
    """
    if latent.numel() == 0:
        raise GeometryError(
            f"the latent holds no frames, its sizes are {'x'.join(map(str, latent.shape))}; give a clip of"
            " at least one frame"
        )
