import math

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.flow.path import SIGMA_MIN, interpolate, target_velocity
from moviegen_core.flow.schedule import linear_quadratic_times, linear_times
from moviegen_core.flow.solver import SOLVERS, integrate_euler, integrate_midpoint

SCHEDULES = [linear_times(1), linear_times(7), linear_quadratic_times(50), linear_quadratic_times(9, 3, 1000)]


@pytest.mark.parametrize("solver", SOLVERS.values())
@pytest.mark.parametrize("times", SCHEDULES)
def test_a_straight_path_lands_on_the_data_whatever_the_schedule(solver, times):
    data, noise = torch.randn(2, 2, 3)
    landed = solver(lambda _x, _t: data - noise, noise, times)
    assert_close(landed, data)


@pytest.mark.parametrize("solver", SOLVERS.values())
def test_the_training_target_carries_noise_along_the_training_path(solver):
    data, noise = torch.randn(2, 2, 3)
    times = [0.0, 0.1, 0.7]
    reached = solver(lambda _x, _t: target_velocity(data, noise), noise, times)
    assert_close(reached, interpolate(data, noise, torch.full((2,), 0.7)))
    landed = solver(lambda _x, _t: target_velocity(data, noise), noise, [0.0, 1.0])
    assert (landed - data).abs().max() <= 2 * SIGMA_MIN * noise.abs().max()


@pytest.mark.parametrize(("solver", "order"), [(integrate_euler, 1), (integrate_midpoint, 2)])
def test_halving_the_steps_divides_the_error_by_two_to_the_order(solver, order):
    def error(num_steps):
        return abs(solver(lambda x, _t: x, torch.ones(1), linear_times(num_steps)).item() - math.e)

    assert error(8) / error(16) == pytest.approx(2**order, rel=0.1)


def test_midpoint_is_exact_for_a_velocity_linear_in_time_and_euler_is_not():
    def velocity(x, t):
        return t[:, None].expand_as(x)

    assert_close(integrate_midpoint(velocity, torch.zeros(3, 1), linear_times(3)), torch.full((3, 1), 0.5))
    assert (integrate_euler(velocity, torch.zeros(3, 1), linear_times(3)) < 0.4).all()


@pytest.mark.parametrize("solver", SOLVERS.values())
def test_every_step_is_reported_once_with_an_estimate_that_a_straight_path_makes_exact(solver):
    data, noise = torch.randn(2, 2, 3)
    seen = []
    solver(lambda _x, _t: data - noise, noise, linear_times(5), lambda step, x: seen.append((step, x)))
    assert [step for step, _ in seen] == [1, 2, 3, 4, 5]
    for _, estimate in seen:
        assert_close(estimate, data)


@pytest.mark.parametrize("solver", SOLVERS.values())
def test_raising_in_the_callback_stops_before_the_next_call_of_the_model(solver):
    calls = []

    def velocity(x, _t):
        calls.append(1)
        return x

    def stop(step, _x):
        if step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        solver(velocity, torch.ones(1), linear_times(9), stop)
    assert len(calls) in (2, 4)


@pytest.mark.parametrize("solver", SOLVERS.values())
def test_times_reach_the_model_one_for_each_clip_in_float32(solver):
    seen = []
    solver(lambda x, t: seen.append(t) or x, torch.ones(3, 2), [0.0, 0.5, 1.0])
    assert all(t.shape == (3,) and t.dtype == torch.float32 for t in seen)
    assert seen[0].eq(0).all()
