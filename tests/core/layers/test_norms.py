import torch
from torch import nn
from torch.testing import assert_close

from moviegen_core.layers.feed_forward import SwiGLU
from moviegen_core.layers.norms import PixelNorm, rms_norm


def test_a_frames_norm_sees_neither_its_neighbours_nor_other_pixels():
    norm = PixelNorm(6, nn)
    x = torch.randn(2, 6, 4, 3, 3)
    changed = x.clone()
    changed[:, :, 1, 2, 0] *= 100
    moved = (norm(changed) - norm(x)).abs().amax(dim=(0, 1)) > 1e-6
    assert moved.nonzero().tolist() == [[1, 2, 0]]


def test_a_clip_in_pieces_has_the_norm_of_the_whole_clip():
    norm, x = PixelNorm(6, nn), torch.randn(1, 6, 5, 4, 4)
    assert_close(torch.cat([norm(x[:, :, :2]), norm(x[:, :, 2:])], dim=2), norm(x))


def test_a_fresh_norm_gives_every_cell_mean_0_and_deviation_1():
    out = PixelNorm(64, nn)(3 + 5 * torch.randn(1, 64, 2, 3, 3))
    assert out.mean(dim=1).abs().max() < 1e-5
    assert_close(out.std(dim=1, unbiased=False), torch.ones(1, 2, 3, 3), atol=1e-3, rtol=0)


def test_rms_norm_leaves_every_token_with_root_mean_square_1_and_its_direction():
    x = torch.randn(2, 5, 64) * torch.logspace(-1, 3, 5)[:, None]
    out = rms_norm(x)
    assert_close(out.square().mean(-1), torch.ones(2, 5), atol=1e-3, rtol=0)
    assert_close(torch.cosine_similarity(out, x, dim=-1), torch.ones(2, 5))


def test_rms_norm_of_nothing_is_nothing_and_not_nan():
    assert rms_norm(torch.zeros(1, 2, 8)).eq(0).all()


def test_swiglu_gates_one_half_of_its_projection_with_the_silu_of_the_other():
    layer, x = SwiGLU(4, 6, nn), torch.randn(2, 3, 4)
    gate, up = x @ layer.gate_up.weight[:6].T, x @ layer.gate_up.weight[6:].T
    assert_close(layer(x), (gate * gate.sigmoid() * up) @ layer.down.weight.T)
