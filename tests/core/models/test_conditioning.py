import torch
from torch import nn
from torch.testing import assert_close

from moviegen_core.models.conditioning import Context, JointConditioning

FEATURES = [torch.randn(2, 3, 4), torch.randn(2, 5, 6)]
MASKS = [torch.rand(2, 3) > 0.5, torch.rand(2, 5) > 0.5]


def test_encoders_stand_side_by_side_and_do_not_touch_each_other():
    joint = JointConditioning((4, 6), 8, nn)
    context = joint(FEATURES)
    assert context.tokens_BKC.shape == (2, 8, 8)
    changed = joint([FEATURES[0], torch.randn(2, 5, 6)])
    assert_close(changed.tokens_BKC[:, :3], context.tokens_BKC[:, :3])
    assert not torch.allclose(changed.tokens_BKC[:, 3:], context.tokens_BKC[:, 3:])


def test_every_encoder_arrives_at_the_same_scale():
    tokens = JointConditioning((4, 6), 64, nn)([FEATURES[0] * 1000, FEATURES[1] * 10]).tokens_BKC
    assert_close(tokens.std(-1, unbiased=False), torch.ones(2, 8), atol=1e-2, rtol=0)


def test_masks_are_joined_in_the_order_of_the_tokens():
    context = JointConditioning((4, 6), 8, nn)(FEATURES, MASKS)
    assert context.mask_BK.equal(torch.cat(MASKS, dim=1))
    assert JointConditioning((4, 6), 8, nn)(FEATURES).mask_BK is None


def test_joined_tokens_come_last_and_always_count():
    tokens, more = torch.randn(2, 3, 4), torch.randn(2, 2, 4)
    masked = Context(tokens, torch.zeros(2, 3, dtype=torch.bool)).joined(more)
    assert masked.mask_BK.tolist() == [[False] * 3 + [True] * 2] * 2
    assert_close(masked.tokens_BKC, torch.cat([tokens, more], dim=1))
    assert Context(tokens).joined(more).mask_BK is None
