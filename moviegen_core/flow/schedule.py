"""Times a sampler visits, from 0 (noise) to 1 (data)."""

from ..errors import SettingsError


def linear_times(num_steps: int) -> list[float]:
    """``num_steps + 1`` evenly spaced times from 0 to 1.

    Args:
        num_steps: at least 1.

    Returns:
        The times, rising.

    Raises:
        SettingsError: no steps.
    """
    if num_steps < 1:
        raise SettingsError(f"{num_steps} steps cannot carry noise to data; use at least 1")
    return [step / num_steps for step in range(num_steps + 1)]


def linear_quadratic_times(num_steps: int, num_linear: int | None = None, grid: int = 250) -> list[float]:
    """Times that open like a ``grid``-step linear schedule and finish quadratically, with no kink between.

    Layout and motion are decided in the first steps, which this schedule keeps as fine as the long one's.

    Args:
        num_steps: 1 to ``grid``.
        num_linear: steps of the linear opening, fewer than ``num_steps``; half of them when None.
        grid: N, the linear schedule that the opening copies; the paper uses 250 and shows 1000.

    Returns:
        ``num_steps + 1`` rising times from 0 to 1.

    Raises:
        SettingsError: the three counts do not fit together.

    Source: Movie Gen, inference; the quadratic's formula is ours, fixed by equal slope at the joint and the
    end at 1.
    """
    num_linear = num_steps // 2 if num_linear is None else num_linear
    if not 0 <= num_linear < num_steps <= grid:
        raise SettingsError(
            f"{num_steps} steps with {num_linear} linear ones on a grid of {grid} do not fit;"
            " it must hold that 0 <= linear < steps <= grid"
        )
    num_quadratic = num_steps - num_linear
    bend = (1 - num_steps / grid) / num_quadratic**2
    head = [step / grid for step in range(num_linear)]
    tail = [(num_linear + step) / grid + bend * step * step for step in range(num_quadratic)]
    return [*head, *tail, 1.0]
