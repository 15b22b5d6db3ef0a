import pytest
import torch
from torch import nn
from torch.testing import assert_close

from moviegen_core.layers.attention import attend
from moviegen_core.layers.block import Block
from moviegen_core.layers.local_mix import TAPS, LocalMix, TimeMix
from moviegen_core.training.optimizer import is_matrix

GRID = (3, 4, 5)


@pytest.fixture
def mix():
    mix = LocalMix(6, nn)
    for kernel in mix.parameters():
        nn.init.normal_(kernel, generator=torch.Generator().manual_seed(1))
    return mix


def tokens(seed=0):
    return torch.randn(2, 3 * 4 * 5, 6, generator=torch.Generator().manual_seed(seed))


def on_grid(x):
    return x.unflatten(1, GRID)


def test_fresh_it_adds_nothing():
    assert LocalMix(6, nn)(tokens(), GRID).eq(0).all()


def test_a_token_reaches_those_that_touch_it_in_its_frame_and_its_own_place_a_frame_before_and_after(mix):
    x, other = tokens(), tokens()
    on_grid(other)[:, 1, 2, 2] += 1
    changed = on_grid(mix(other, GRID) - mix(x, GRID)).abs().amax(dim=(0, -1)) > 1e-6
    reached = torch.zeros(GRID, dtype=torch.bool)
    reached[1, 1:4, 1:4] = True
    reached[[0, 2], 2, 2] = True
    assert changed.equal(reached)


def test_what_moves_by_a_token_away_from_the_edges_comes_out_moved_by_a_token(mix):
    x = torch.zeros(1, *GRID, 6)
    x[:, 1, 1, 1] = 1
    moved = x.roll((1, 1), dims=(2, 3))
    out = on_grid(mix(x.flatten(1, 3), GRID))
    assert_close(on_grid(mix(moved.flatten(1, 3), GRID)), out.roll((1, 1), dims=(2, 3)))


def test_a_channel_hears_itself_alone(mix):
    x, other = tokens(), tokens()
    other[..., 3] += torch.randn(2, 60)
    changed = (mix(other, GRID) - mix(x, GRID)).abs().amax(dim=(0, 1)) > 1e-6
    assert changed.tolist() == [False, False, False, True, False, False]


def test_a_block_that_mixes_knows_which_tokens_touch_without_being_told_places():
    torch.manual_seed(0)
    block = Block(8, 2, 12, nn, attend, mix=LocalMix(8, nn))
    x, shared, context = torch.randn(1, 6, 8), torch.randn(1, 6, 8), torch.randn(1, 3, 8)
    order = [5, 1, 2, 3, 4, 0]
    plain = block(x, shared, context, None, grid=(1, 2, 3))
    assert_close(block(x[:, order], shared, context, None, grid=(1, 2, 3))[:, order], plain)
    nn.init.normal_(block.mix.space.weight)
    mixed = block(x, shared, context, None, grid=(1, 2, 3))
    assert not torch.allclose(block(x[:, order], shared, context, None, grid=(1, 2, 3))[:, order], mixed)


@pytest.mark.parametrize("kind", [LocalMix, TimeMix])
def test_its_kernels_are_no_matrices_for_the_optimizer(kind):
    assert not any(is_matrix(kernel) for kernel in kind(64, nn).parameters())


def test_along_time_alone_a_frame_reaches_those_within_its_taps_and_a_channel_itself():
    mix, x = TimeMix(6, nn), torch.randn(2, 20, 6)
    assert mix(x, (20, 1, 1)).eq(0).all()
    nn.init.normal_(mix.time.weight)
    other = x.clone()
    other[:, 10, 2] += 1
    changed = (mix(other, (20, 1, 1)) - mix(x, (20, 1, 1))).abs().amax(0) > 1e-6
    reached = torch.zeros(20, 6, dtype=torch.bool)
    reached[10 - TAPS // 2 : 11 + TAPS // 2, 2] = True
    assert changed.equal(reached)
