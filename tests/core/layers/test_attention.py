import pytest
import torch
from torch import nn
from torch.testing import assert_close

from moviegen_core.layers.attention import (
    CrossAttention,
    SelfAttention,
    attend,
    attend_in_products,
    key_mask,
    merge_heads,
    split_heads,
)


def test_merging_undoes_splitting():
    x = torch.randn(2, 5, 12)
    assert split_heads(x, 3).shape == (2, 3, 5, 4)
    assert_close(merge_heads(split_heads(x, 3)), x)


@pytest.mark.parametrize("masked", [False, True])
def test_attention_is_the_softmax_average_of_the_values(masked):
    q, k, v = torch.randn(3, 2, 3, 4, 8)
    mask = key_mask(torch.tensor([[1, 1, 0, 1], [1, 1, 1, 1]])) if masked else None
    scores = q @ k.mT / 8**0.5
    scores = scores if mask is None else scores.masked_fill(~mask, -torch.inf)
    assert_close(attend(q, k, v, mask), scores.softmax(-1) @ v)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("shape", [(2, 3, 5, 7, 8), (1, 1, 1, 1, 4), (6, 2, 4, 4, 16)])
def test_both_ways_to_attend_agree_in_values_and_gradients(masked, shape):
    B, N, L, K, D = shape
    mask = key_mask(torch.arange(K) < torch.randint(1, K + 1, (B, 1))) if masked else None
    q, k, v = (torch.randn(B, N, length, D, requires_grad=True) for length in (L, K, K))
    pulls = torch.randn(B, N, L, D)
    results = []
    for way in (attend, attend_in_products):
        out = way(q, k, v, mask)
        results.append((out, *torch.autograd.grad((out * pulls).sum(), (q, k, v))))
    for one, other in zip(*results, strict=True):
        assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_bfloat16_attention_on_a_cpu_is_as_exact_as_bfloat16_allows():
    q, k, v = torch.randn(3, 1, 2, 40, 16)
    out = attend(q.bfloat16(), k.bfloat16(), v.bfloat16())
    assert out.dtype == torch.bfloat16
    assert (out - attend(q, k, v)).abs().max() < 0.03


def test_no_clip_sees_another_clip_of_its_batch():
    attention = SelfAttention(8, 2, nn)
    x = torch.randn(2, 5, 8)
    changed = torch.cat([x[:1], torch.randn(1, 5, 8)])
    assert_close(attention(changed)[:1], attention(x)[:1])


def test_self_attention_does_not_care_where_a_token_stands():
    attention = SelfAttention(8, 2, nn)
    x, order = torch.randn(1, 6, 8), torch.randperm(6)
    assert_close(attention(x[:, order]), attention(x)[:, order])


def test_a_masked_context_token_changes_nothing_and_a_counted_one_does():
    attention = CrossAttention(8, 2, nn)
    x, context = torch.randn(1, 5, 8), torch.randn(1, 3, 8)
    other = torch.cat([context[:, :2], torch.randn(1, 1, 8)], dim=1)
    mask = key_mask(torch.tensor([[True, True, False]]))
    assert_close(attention(x, context, mask), attention(x, other, mask))
    assert_close(attention(x, context, mask), attention(x, context[:, :2], None))
    assert not torch.allclose(attention(x, context, None), attention(x, other, None))


def test_the_attention_that_is_passed_in_is_the_one_that_runs():
    def first_value(q, _k, v, _mask):
        return v[:, :, :1].expand_as(q)

    attention = SelfAttention(8, 2, nn, first_value)
    out = attention(torch.randn(1, 5, 8))
    assert_close(out, out[:, :1].expand_as(out))
