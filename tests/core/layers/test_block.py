import torch
from torch import nn
from torch.testing import assert_close

from moviegen_core.layers.attention import attend
from moviegen_core.layers.block import Block, EncoderBlock, Head
from moviegen_core.layers.rotary import rotary_angles


def parts():
    return torch.randn(2, 5, 8), torch.randn(2, 6, 8), torch.randn(2, 3, 8)


def test_a_reset_block_passes_its_tokens_through_whatever_time_and_context_say():
    block = Block(8, 2, 12, nn, attend)
    block.reset()
    x, shared, context = parts()
    assert_close(block(x, shared, context, None), x)


def test_a_reset_head_predicts_nothing():
    head = Head(8, 3, nn)
    head.reset()
    assert head(torch.randn(2, 5, 8), torch.randn(2, 8)).eq(0).all()


def test_a_block_without_places_does_not_know_the_order_of_its_tokens_and_with_them_it_does():
    block = Block(8, 2, 12, nn, attend)
    x, shared, context = parts()
    plain = block(x, shared, context, None)
    assert_close(block(x.flip(1), shared, context, None).flip(1), plain, atol=1e-5, rtol=1e-4)
    angles = rotary_angles(5, 4)
    turned = block(x, shared, context, None, angles)
    assert not torch.allclose(turned, plain, atol=1e-4)
    mirrored = block(x.flip(1), shared, context, None, angles).flip(1)
    assert not torch.allclose(mirrored, turned, atol=1e-4)


def test_padding_changes_nothing_in_an_encoder_block():
    block = EncoderBlock(8, 2, 12, nn)
    x = torch.randn(1, 5, 8)
    longer = torch.cat([x, 100 * torch.randn(1, 2, 8)], dim=1)
    mask = torch.tensor([True] * 5 + [False] * 2)[None, None, None]
    assert_close(block(longer, mask)[:, :5], block(x), atol=1e-5, rtol=1e-4)
