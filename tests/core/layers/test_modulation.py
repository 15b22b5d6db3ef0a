import torch
from torch import nn
from torch.testing import assert_close

from moviegen_core.layers.modulation import LayerBias, SharedModulation, TimeEmbedding, modulate, sinusoids


def test_times_a_thousandth_apart_have_distinct_embeddings_and_all_are_bounded():
    table = sinusoids(torch.linspace(0, 1, 1001), 64)
    assert table.dtype == torch.float32
    assert table.abs().max() <= 1
    distances = torch.cdist(table, table) + 9 * torch.eye(1001)
    assert distances.min() > 0.1


def test_a_layer_adds_its_own_bias_to_what_all_layers_share():
    shared = SharedModulation(4, 6, nn)(torch.randn(2, 4))
    bias = LayerBias(4, 6, nn)
    for index, vector in enumerate(bias(shared)):
        assert vector.shape == (2, 1, 4)
        assert_close(vector[:, 0], shared[:, index] + bias.table.weight[index])


def test_zero_scale_and_shift_change_nothing_and_others_do_what_the_formula_says():
    x, scale, shift = torch.randn(2, 3, 4), torch.randn(2, 1, 4), torch.randn(2, 1, 4)
    assert_close(modulate(x, 0 * scale, 0 * shift), x)
    assert_close(modulate(x, scale, shift), x * (1 + scale) + shift)


def test_each_clip_of_a_batch_has_the_embedding_of_its_own_time():
    embed = TimeEmbedding(8, nn, 16)
    times = torch.tensor([0.1, 0.8])
    both = embed(times, torch.float32)
    assert_close(both[1:], embed(times[1:], torch.float32))
    assert not torch.allclose(both[0], both[1])
