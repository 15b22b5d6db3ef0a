import pytest
import torch
from torch import nn
from torch.testing import assert_close

from moviegen_core.layers.factorized_conv import FactorizedConv, pad_time


def trained(*args, **options):
    conv = FactorizedConv(*args, nn, **options)
    nn.init.normal_(conv.time.weight, std=0.3)
    return conv


def test_padding_repeats_the_end_frames_and_is_the_same_forwards_and_backwards():
    x = torch.randn(1, 2, 4, 1, 1)
    padded = pad_time(x, 2)
    assert padded.shape[2] == 8
    assert_close(padded[:, :, 2:-2], x)
    assert_close(padded[:, :, :2], x[:, :, :1].expand(-1, -1, 2, -1, -1))
    assert_close(pad_time(x.flip(2), 2), padded.flip(2))


def test_a_fresh_one_treats_a_clip_as_separate_pictures():
    conv = FactorizedConv(3, 5, nn)
    clip = torch.randn(1, 3, 4, 6, 6)
    alone = torch.cat([conv(clip[:, :, t : t + 1]) for t in range(4)], dim=2)
    assert_close(conv(clip), alone)


def test_a_trained_one_sees_exactly_one_frame_to_each_side():
    conv = trained(3, 5)
    clip = torch.randn(1, 3, 7, 4, 4)
    changed = clip.clone()
    changed[:, :, 3] += 1
    moved = (conv(changed) - conv(clip)).abs().amax(dim=(0, 1, 3, 4)) > 1e-6
    assert moved.tolist() == [False, False, True, True, True, False, False]


@pytest.mark.parametrize("frames", [1, 2, 5, 8])
def test_a_clip_that_stands_still_stays_still(frames):
    conv = trained(3, 5, time_stride=2)
    still = torch.randn(1, 3, 1, 4, 4).expand(-1, -1, frames, -1, -1)
    out = conv(still)
    assert_close(out, conv(still[:, :, :1]).expand_as(out))


@pytest.mark.parametrize("frames", [1, 2, 3, 8, 9])
def test_a_time_stride_of_two_halves_the_frames_rounding_up(frames):
    out = trained(3, 4, space_stride=2, time_stride=2)(torch.randn(1, 3, frames, 8, 6))
    assert out.shape == (1, 4, -(-frames // 2), 4, 3)
