import random

import pytest
import torch

from moviegen_core.training.close_ups import box_in, cut_out, draw_corners

PATCH = (1, 2, 2)


def matte_at(*cells, shape=(2, 14, 24)):
    matte = torch.zeros(1, 1, *shape)
    for cell in cells:
        matte[(0, 0, *cell)] = 1
    return matte


@pytest.mark.parametrize(
    ("whole", "box"), [((4, 7, 12), (2, 5, 6)), ((1, 7, 12), (1, 5, 6)), ((2, 12, 4), (2, 5, 4))]
)
def test_a_smaller_latent_is_taken_whole_along_the_side_that_is_too_short(whole, box):
    assert box_in(whole, (2, 5, 6)) == box


@pytest.mark.parametrize("cell", [(0, 0, 0), (1, 13, 23), (0, 7, 11), (1, 2, 20)])
def test_the_box_lies_inside_and_holds_the_actor(cell):
    box = (1, 3, 4)
    ((frame, row, column),) = draw_corners(matte_at(cell), PATCH, box, random.Random(0)).tolist()
    assert 0 <= frame <= 1
    assert 0 <= row <= 7 - 3
    assert 0 <= column <= 12 - 4
    assert cut_out(matte_at(cell), torch.tensor([[frame, row, column]]), PATCH, box).sum() == 1


def test_the_box_goes_where_more_of_an_actor_is_more_often_and_somewhere_without_one():
    matte = matte_at((0, 1, 1), (0, 12, 22))
    matte[0, 0, 0, 1, 1] = 0.25
    drawn = draw_corners(matte.expand(400, -1, -1, -1, -1), PATCH, (1, 3, 4), random.Random(1))
    assert 0.12 < (drawn[:, 1] == 0).float().mean() < 0.28
    nowhere = draw_corners(torch.zeros(60, 1, 2, 14, 24), PATCH, (1, 3, 4), random.Random(1))
    assert len({tuple(corner) for corner in nowhere.tolist()}) > 10


def test_what_is_cut_out_is_the_cells_of_the_boxes_tokens():
    latents = torch.arange(2 * 3 * 2 * 6 * 8).view(2, 3, 2, 6, 8).float()
    corners = torch.tensor([[0, 0, 1], [1, 1, 2]])
    out = cut_out(latents, corners, PATCH, (1, 2, 2))
    assert out[0].equal(latents[0, :, :1, 0:4, 2:6])
    assert out[1].equal(latents[1, :, 1:, 2:6, 4:8])
