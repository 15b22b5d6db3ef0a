import torch
from torch.testing import assert_close

from moviegen_core.flow.path import SIGMA_MIN, interpolate, logit_normal_times, target_velocity

DATA, NOISE = torch.randn(2, 3, 4, 2, 2, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_the_path_starts_at_the_noise_and_ends_at_the_data():
    assert_close(interpolate(DATA, NOISE, torch.zeros(3)), NOISE)
    assert_close(interpolate(DATA, NOISE, torch.ones(3)), DATA + SIGMA_MIN * NOISE)


def test_the_target_is_the_derivative_of_the_path_at_every_time():
    for t in (0.0, 0.3, 0.9):
        early, late = (interpolate(DATA, NOISE, torch.full((3,), time)) for time in (t, t + 0.1))
        gap = torch.full((), t + 0.1) - torch.full((), t)
        assert_close((late - early) / gap, target_velocity(DATA, NOISE), atol=1e-5, rtol=0)


def test_every_clip_of_a_batch_is_at_its_own_time():
    mixed = interpolate(DATA, NOISE, torch.tensor([0.0, 0.5, 1.0]))
    for row, t in enumerate((0.0, 0.5, 1.0)):
        assert_close(mixed[row], interpolate(DATA, NOISE, torch.full((3,), t))[row])


def test_training_times_lie_inside_0_and_1_even_about_the_middle_and_mostly_near_it():
    times = logit_normal_times(20_000, torch.Generator().manual_seed(0))
    assert ((times > 0) & (times < 1)).all()
    assert abs(times.median() - 0.5) < 0.01
    assert abs(times.mean() - 0.5) < 0.01
    middle = ((times > 0.25) & (times < 0.75)).float().mean()
    assert abs(middle - torch.erf(torch.tensor(3.0).log() / 2**0.5)) < 0.02


def test_training_times_come_from_the_generator_alone():
    draws = [logit_normal_times(8, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    assert draws[0].equal(draws[1])
    assert not draws[0].equal(draws[2])
