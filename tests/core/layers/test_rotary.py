import torch
from torch.testing import assert_close

from moviegen_core.layers.rotary import rotary_angles, rotate


def test_turning_keeps_every_length():
    x = torch.randn(2, 3, 9, 8)
    assert_close(rotate(x, rotary_angles(9, 8)).norm(dim=-1), x.norm(dim=-1))


def test_the_first_place_is_not_turned():
    x = torch.randn(1, 1, 1, 8)
    assert rotate(x, rotary_angles(1, 8)).equal(x)


def test_two_tokens_agree_by_how_far_apart_they_stand_and_not_by_where():
    q, k = torch.randn(2, 1, 1, 1, 16).expand(-1, -1, -1, 30, -1)
    angles = rotary_angles(30, 16)
    scores = (rotate(q, angles) @ rotate(k, angles).mT)[0, 0]
    for distance in (-7, 0, 3):
        diagonal = scores.diagonal(distance)
        assert_close(diagonal, diagonal[:1].expand_as(diagonal), atol=1e-4, rtol=1e-4)
    assert not torch.allclose(scores[0, 0], scores[0, 3], atol=1e-3)
