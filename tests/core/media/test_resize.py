"""Bringing frames to a size."""

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.media.resize import crop_back, fit, lanczos, pad_to_multiple, place, resize


@pytest.mark.parametrize("size", [(16, 16), (33, 47), (64, 20), (8, 100), (1, 1)])
@pytest.mark.parametrize("target", [(16, 16), (24, 40), (40, 24), (7, 9)])
def test_fit_gives_the_size_asked_for_and_keeps_a_plain_colour(size, target):
    frames = torch.full((3, *size, 3), 77, dtype=torch.uint8)
    fitted = fit(frames, *target)
    assert fitted.shape == (3, *target, 3)
    assert (fitted == 77).all()


def test_fit_cuts_evenly_and_stretches_nothing():
    frames = torch.zeros(1, 32, 96, 3, dtype=torch.uint8)
    frames[:, :, 32:64] = 255
    assert (fit(frames, 32, 32) == 255).all()
    assert (fit(frames.transpose(1, 2), 32, 32) == 255).all()


def test_shrinking_averages_what_it_drops():
    checks = (torch.arange(64)[:, None] + torch.arange(64)) % 2 * 255
    frames = checks.to(torch.uint8)[None, :, :, None].expand(1, 64, 64, 3)
    small = fit(frames, 16, 16)[:, 2:-2, 2:-2].int()
    assert (small - 127).abs().max() <= 8


def test_long_footage_is_resized_as_its_frames_are():
    frames = torch.randint(256, (37, 12, 10, 3), dtype=torch.uint8)
    assert torch.equal(resize(frames, 6, 5), torch.cat([resize(frame[None], 6, 5) for frame in frames]))


@pytest.mark.parametrize("height", [1, 7, 8, 9, 23])
@pytest.mark.parametrize("width", [8, 33])
def test_padding_reaches_whole_cells_and_cropping_undoes_it(height, width):
    clip = torch.randn(2, 3, 2, height, width)
    padded = pad_to_multiple(clip, 8)
    assert padded.shape[-2] % 8 == padded.shape[-1] % 8 == 0
    assert padded.shape[-2] - height < 8 > padded.shape[-1] - width
    assert torch.equal(crop_back(padded, height, width), clip)
    assert torch.equal(padded[..., -1, :width], clip[..., -1, :] if height % 8 else padded[..., -1, :width])


def test_a_lanczos_resize_keeps_what_is_flat_and_what_is_a_slope():
    flat = torch.full((1, 9, 11), 0.3)
    assert_close(lanczos(flat, 20, 17), torch.full((1, 20, 17), 0.3))
    slope = torch.linspace(0, 1, 32).expand(1, 4, 32)
    inner = lanczos(slope, 4, 64)[0, 0, 12:-12].diff()
    assert_close(inner, torch.full_like(inner, 0.5 / 31), atol=2e-3, rtol=0)


def test_a_lanczos_resize_to_the_same_size_changes_nothing_and_mirrors_with_the_picture():
    x = torch.randn(2, 7, 9)
    assert_close(lanczos(x, 7, 9), x, atol=1e-6, rtol=0)
    assert_close(lanczos(x.flip(-1), 15, 20), lanczos(x, 15, 20).flip(-1), atol=1e-5, rtol=0)


def test_placing_cuts_and_borders_evenly_and_is_undone_by_placing_back():
    x = torch.randn(2, 4, 6)
    assert place(x, 8, 2).shape == (2, 8, 2)
    assert_close(place(x, 8, 2)[:, 2:6], x[:, :, 2:4])
    assert place(x, 8, 2)[:, [0, 1, 6, 7]].eq(-1).all()
    assert_close(place(place(x, 9, 11), 4, 6), x)
