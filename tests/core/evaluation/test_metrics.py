"""PSNR and SSIM against what is known about them."""

import math

import pytest
import torch

from moviegen_core.errors import GeometryError
from moviegen_core.evaluation.metrics import MAX_DB, psnr, ssim


@pytest.mark.parametrize("offset", [0.5, 0.1, 0.02])
def test_a_constant_offset_has_the_psnr_of_the_textbook(offset):
    clip = torch.rand(2, 3, 3, 16, 16) - 1
    assert psnr(clip, clip + offset) == pytest.approx(20 * math.log10(2 / offset), abs=1e-3)


def test_psnr_is_averaged_over_frames_in_decibels():
    a = torch.zeros(1, 3, 2, 8, 8)
    b = torch.stack([torch.full((1, 3, 8, 8), 0.2), torch.full((1, 3, 8, 8), 0.02)], dim=2)
    assert psnr(a, b) == pytest.approx((20 + 40) / 2, abs=1e-3)


def test_identical_clips_reach_the_top_of_both():
    clip = torch.rand(1, 3, 2, 16, 20) * 2 - 1
    assert psnr(clip, clip) == MAX_DB
    assert ssim(clip, clip) == pytest.approx(1, abs=1e-12)


def test_both_are_symmetric_and_fall_with_noise():
    clip, noise = torch.rand(1, 3, 2, 24, 24) - 0.5, torch.randn(1, 3, 2, 24, 24)
    noisy = [clip + strength * noise for strength in (0.05, 0.2, 0.8)]
    for metric in (psnr, ssim):
        scores = [metric(clip, worse) for worse in noisy]
        assert scores == sorted(scores, reverse=True)
        assert len(set(scores)) == 3
        assert metric(clip, noisy[1]) == pytest.approx(metric(noisy[1], clip), abs=1e-9)


def test_ssim_of_flat_greys_is_their_luminance_term():
    a, b = torch.full((1, 3, 1, 16, 16), -0.5), torch.full((1, 3, 1, 16, 16), 0.5)
    c1 = 0.01**2
    assert ssim(a, b) == pytest.approx((2 * 0.25 * 0.75 + c1) / (0.25**2 + 0.75**2 + c1), abs=1e-6)


def test_ssim_of_a_single_window_is_the_gaussian_weighted_formula():
    a, b = torch.rand(3, 1, 11, 11).double() * 2 - 1, torch.rand(3, 1, 11, 11).double() * 2 - 1
    bell = torch.tensor([math.exp(-((k - 5) ** 2) / (2 * 1.5**2)) for k in range(11)], dtype=torch.float64)
    weights = torch.outer(bell, bell) / bell.sum() ** 2
    x, y = (a + 1) / 2, (b + 1) / 2
    mean = lambda values: (values * weights).sum((-2, -1))  # noqa: E731
    shared, spread = mean(x * y) - mean(x) * mean(y), mean(x**2) - mean(x) ** 2 + mean(y**2) - mean(y) ** 2
    light = (2 * mean(x) * mean(y) + 1e-4) / (mean(x) ** 2 + mean(y) ** 2 + 1e-4)
    expected = (light * (2 * shared + 9e-4) / (spread + 9e-4)).mean().item()
    assert ssim(a, b) == pytest.approx(expected, abs=1e-5)


def test_ssim_minds_structure_more_than_brightness():
    clip = torch.rand(1, 3, 1, 32, 32) - 0.5
    shuffled = clip.flatten(3)[..., torch.randperm(32 * 32)].view_as(clip)
    assert ssim(clip, clip + 0.1) > 0.9 > 0.5 > ssim(clip, shuffled)


def test_a_single_clip_counts_as_a_batch_of_one():
    a, b = torch.rand(3, 2, 16, 16), torch.rand(3, 2, 16, 16)
    assert (psnr(a, b), ssim(a, b)) == (psnr(a[None], b[None]), ssim(a[None], b[None]))


def test_unequal_clips_and_frames_below_the_window_are_refused():
    with pytest.raises(GeometryError, match="cannot be compared"):
        psnr(torch.zeros(3, 2, 8, 8), torch.zeros(3, 3, 8, 8))
    with pytest.raises(GeometryError, match="11x11"):
        ssim(torch.zeros(3, 2, 8, 80), torch.zeros(3, 2, 8, 80))
