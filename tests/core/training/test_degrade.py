import pytest
import torch
from torch.testing import assert_close

from moviegen_core.training.degrade import DegradeConfig, _cosines, compress, degrade


def smooth_clip(frames=3, height=32, width=40):
    generator = torch.Generator().manual_seed(0)
    small = torch.rand(frames, 3, 4, 5, generator=generator) * 1.6 - 0.8
    return torch.nn.functional.interpolate(small, (height, width), mode="bicubic").transpose(0, 1)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("size", [(16, 20), (17, 9), (1, 1), (40, 50)])
def test_whatever_is_drawn_the_size_is_kept_and_the_range(size):
    for seed in range(12):
        spoiled = degrade(smooth_clip(), size, seeded(seed), DegradeConfig())
        assert spoiled.shape == (3, 3, *size)
        assert spoiled.abs().max() <= 1


def test_the_same_state_spoils_alike_and_another_differently():
    first, again, other = (
        degrade(smooth_clip(), (16, 20), seeded(seed), DegradeConfig()) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_all_frames_are_spoilt_alike_but_for_noise():
    still = smooth_clip(1).expand(-1, 4, -1, -1)
    quiet = degrade(still, (16, 20), seeded(3), DegradeConfig(noise=(0.0, 0.0)))
    assert_close(quiet, quiet[:, :1].expand_as(quiet))
    noisy = degrade(still, (16, 20), seeded(3), DegradeConfig(noise=(0.1, 0.1), quality=(95, 95)))
    assert (noisy[:, 0] - noisy[:, 1]).abs().max() > 0.01


def test_two_rounds_take_more_than_one():
    clip = smooth_clip() + torch.randn(3, 3, 32, 40, generator=seeded(0)) * 0.1
    errors = []
    for share in (0.0, 1.0):
        config = DegradeConfig(second=share, noise=(0, 0))
        made = [degrade(clip, (32, 40), seeded(seed), config) for seed in range(8)]
        errors.append(torch.stack([(one - clip).square().mean() for one in made]).mean())
    assert errors[1] > errors[0]


def test_the_cosine_transform_is_orthonormal():
    assert_close(_cosines(8) @ _cosines(8).T, torch.eye(8), atol=1e-6, rtol=0)


@pytest.mark.parametrize("size", [(16, 24), (13, 21)])
def test_compression_takes_more_the_lower_the_quality_and_next_to_nothing_at_the_top(size):
    frames = smooth_clip(2, *size).transpose(0, 1)
    errors = [(compress(frames, quality) - frames).abs().mean() for quality in (100, 90, 50, 10)]
    assert errors == sorted(errors)
    assert errors[0] < 0.004
    assert errors[-1] > 0.01


def test_a_plain_grey_survives_compression():
    grey = torch.zeros(1, 3, 16, 16)
    assert_close(compress(grey, 50), grey, atol=1e-5, rtol=0)
