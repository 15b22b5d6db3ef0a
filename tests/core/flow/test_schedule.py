from itertools import pairwise

import pytest

from moviegen_core.errors import SettingsError
from moviegen_core.flow.schedule import linear_quadratic_times, linear_times


@pytest.mark.parametrize("times", [linear_times, linear_quadratic_times])
@pytest.mark.parametrize("num_steps", [1, 2, 3, 5, 20, 50, 249, 250])
def test_times_rise_from_exactly_0_to_exactly_1_in_the_asked_number_of_steps(times, num_steps):
    ts = times(num_steps)
    assert len(ts) == num_steps + 1
    assert (ts[0], ts[-1]) == (0.0, 1.0)
    assert all(early < late for early, late in pairwise(ts))


@pytest.mark.parametrize("grid", [250, 1000])
@pytest.mark.parametrize("num_steps", [4, 7, 50, 101])
def test_the_opening_copies_the_long_linear_schedule(grid, num_steps):
    opening = linear_quadratic_times(num_steps, grid=grid)[: num_steps // 2 + 1]
    assert opening == pytest.approx([step / grid for step in range(len(opening))])


@pytest.mark.parametrize("grid", [250, 1000])
@pytest.mark.parametrize("num_steps", [5, 20, 50, 101])
def test_there_is_no_kink_where_the_linear_part_meets_the_quadratic(grid, num_steps):
    tail = linear_quadratic_times(num_steps, grid=grid)[num_steps // 2 :]
    gaps = [late - early for early, late in pairwise(tail)]
    bends = [late - early for early, late in pairwise(gaps)]
    assert bends == pytest.approx([bends[0]] * len(bends), abs=1e-12)  # one parabola ...
    assert gaps[0] - bends[0] / 2 == pytest.approx(1 / grid)  # ... that leaves the joint at the line's slope


def test_the_papers_fifty_steps_lie_where_two_sources_put_them():
    ts = linear_quadratic_times(50, 25, grid=1000)
    assert ts[25:27] == pytest.approx([0.025, 0.02752])
    assert linear_quadratic_times(50, grid=250)[25:27] == pytest.approx([0.1, 0.10528])


def test_as_many_steps_as_the_grid_has_are_the_linear_schedule():
    assert linear_quadratic_times(250, grid=250) == pytest.approx(linear_times(250))


@pytest.mark.parametrize(
    ("num_steps", "num_linear", "grid"),
    [(0, None, 250), (-3, None, 250), (251, None, 250), (5, 5, 250), (5, -1, 250)],
)
def test_counts_that_do_not_fit_are_refused_with_all_of_them(num_steps, num_linear, grid):
    with pytest.raises(SettingsError, match=f"{num_steps} steps .* {grid}"):
        linear_quadratic_times(num_steps, num_linear, grid)


def test_no_steps_are_refused():
    with pytest.raises(SettingsError, match="at least 1"):
        linear_times(0)
