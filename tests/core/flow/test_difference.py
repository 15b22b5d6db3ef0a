from itertools import pairwise

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.errors import Interrupted, SettingsError
from moviegen_core.flow.difference import integrate_difference, times_from
from moviegen_core.flow.schedule import linear_quadratic_times, linear_times

TIMES = linear_times(7)


@pytest.fixture
def draw():
    generator = torch.Generator().manual_seed(3)
    return lambda: torch.randn(2, 3, 4, generator=generator)


@pytest.fixture
def data():
    return torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(1))


def toward(point):
    """The velocity of a flow whose data is one point."""
    return lambda x, t_B: (point - x) / (1 - t_B.view(-1, 1, 1)).clamp_min(1e-6)


@pytest.mark.parametrize("num_averages", [1, 3])
def test_equal_velocities_leave_the_data_bit_for_bit_as_it_was(data, draw, num_averages):
    velocity = lambda x, t_B: torch.sin(3 * x) + t_B.view(-1, 1, 1)  # noqa: E731
    edited = integrate_difference(velocity, velocity, data, TIMES, draw, num_averages=num_averages)
    assert torch.equal(edited, data)


@pytest.mark.parametrize("start", [0.0, 0.4, 0.9])
@pytest.mark.parametrize("times", [linear_times(1), TIMES, linear_quadratic_times(10, 5)])
def test_between_flows_to_two_points_the_edit_is_their_difference_exactly(data, draw, start, times):
    a, b = torch.randn(3, 4), torch.randn(3, 4)
    edited = integrate_difference(toward(a), toward(b), data, times_from(start, times), draw)
    assert_close(edited, data + b - a, atol=1e-4, rtol=1e-4)


def test_velocities_that_differ_by_a_constant_move_the_data_by_the_time_that_is_left(data, draw):
    source = lambda x, t_B: torch.zeros_like(x)  # noqa: E731
    target = lambda x, t_B: torch.full_like(x, 2.0)  # noqa: E731
    edited = integrate_difference(source, target, data, times_from(0.25, TIMES), draw)
    assert_close(edited, data + 2 * 0.75)


def test_the_edit_meets_the_same_noise_as_its_source(data, draw):
    seen = []

    def velocity(x, t_B):  # noqa: ARG001
        seen.append(x)
        return torch.ones_like(x) * (len(seen) % 2)

    integrate_difference(velocity, velocity, data, TIMES, draw)
    gaps = [(edited - source) for edited, source in zip(seen[::2], seen[1::2], strict=True)]
    for step, gap in enumerate(gaps):
        assert_close(gap, torch.full_like(gap, step / 7), atol=1e-5, rtol=1e-4)


def test_averaging_over_more_noise_scatters_less(data):
    generator = torch.Generator().manual_seed(0)
    noise = lambda: torch.randn(2, 3, 4, generator=generator)  # noqa: E731
    field = lambda x, t_B: x.square()  # noqa: E731
    still = lambda x, t_B: torch.zeros_like(x)  # noqa: E731

    def scatter(num_averages):
        runs = [
            integrate_difference(still, field, data, [0.5, 1.0], noise, num_averages=num_averages)
            for _ in range(30)
        ]
        return torch.stack(runs).std(0).mean()

    assert scatter(8) < 0.6 * scatter(1)


def test_steps_are_told_and_may_stop_the_work(data, draw):
    told = []

    def watch(step, estimate):
        told.append((step, estimate.shape))
        if step == 3:
            raise Interrupted("stop")

    with pytest.raises(Interrupted):
        integrate_difference(toward(0), toward(1), data, TIMES, draw, on_step=watch)
    assert told == [(1, data.shape), (2, data.shape), (3, data.shape)]


def test_squeezed_times_keep_their_order_and_their_end():
    times = times_from(0.3, linear_quadratic_times(20, 10))
    assert times[0] == pytest.approx(0.3)
    assert times[-1] == 1.0
    assert all(a < b for a, b in pairwise(times))


def test_no_way_to_go_and_no_averages_are_refused(data, draw):
    for start in (1.0, -0.1):
        with pytest.raises(SettingsError, match="leaves no way"):
            times_from(start, TIMES)
    with pytest.raises(SettingsError, match="0 averages see nothing"):
        integrate_difference(toward(0), toward(1), data, TIMES, draw, num_averages=0)
