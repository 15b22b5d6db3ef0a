"""Errors that count more in some places: means of squared errors of a velocity."""

# Shape letters: B clip.

from torch import Tensor


def weighted_mean(errors: Tensor, weights: Tensor) -> Tensor:
    """Mean of errors, each as often as its weight; both of one shape."""
    return (errors * weights).sum() / weights.sum()


def emphasis(where: Tensor, t_B: Tensor, weight: float) -> Tensor:
    """Weights ``1 + weight * t`` where something is that matters, 1 elsewhere.

    Less at noisy times: weighing a thing before it shows where it is would put it everywhere.

    Args:
        where: (B, ...), 0 to 1.
        t_B: times of the clips.
        weight: how much more an error counts at the end.

    Returns:
        The shape of ``where``.
    """
    return 1 + weight * t_B.view(-1, *[1] * (where.ndim - 1)) * where
