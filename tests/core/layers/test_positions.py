import torch
from torch import nn
from torch.testing import assert_close

from moviegen_core.layers.positions import FactorizedPositions, Place, table_rows


def test_a_size_inside_the_table_reads_its_first_rows():
    table = torch.randn(6, 3)
    for count in range(1, 7):
        assert_close(table_rows(table, count), table[:count])


def test_a_size_beyond_the_table_keeps_both_ends_and_lies_between_the_rows():
    table = torch.randn(6, 3)
    for count in (7, 11, 50):
        rows = table_rows(table, count)
        assert rows.shape == (count, 3)
        assert_close(rows[[0, -1]], table[[0, -1]])
        assert (rows >= table.amin(0) - 1e-6).all()
        assert (rows <= table.amax(0) + 1e-6).all()


def test_stretching_a_straight_table_gives_a_straight_table():
    table = torch.arange(5.0)[:, None] * torch.tensor([1.0, -2.0])
    assert_close(table_rows(table, 9), torch.arange(9.0)[:, None] * torch.tensor([0.5, -1.0]))


def test_stretching_to_twice_the_rows_less_one_passes_through_every_row():
    table = torch.randn(6, 3)
    assert_close(table_rows(table, 11)[::2], table)


def test_a_position_is_the_sum_of_its_frame_row_and_column():
    positions = FactorizedPositions((2, 3, 4), 5, nn)
    cube = positions((2, 3, 4)).view(2, 3, 4, 5)
    t, h, w = positions.frames.weight, positions.rows.weight, positions.columns.weight
    for place in ((0, 0, 0), (1, 2, 3), (1, 0, 2)):
        assert_close(cube[place], t[place[0]] + h[place[1]] + w[place[2]])


def test_every_table_stretches_on_its_own():
    positions = FactorizedPositions((2, 3, 4), 5, nn)
    wide, seen = positions((2, 3, 9)).view(2, 3, 9, 5), positions((2, 3, 4)).view(2, 3, 4, 5)
    assert_close(wide[:, :, 0], seen[:, :, 0])
    assert_close(wide[:, :, -1], seen[:, :, -1])


def test_what_is_cut_out_keeps_the_positions_it_has_in_the_whole():
    positions = FactorizedPositions((2, 3, 4), 5, nn)
    for whole in ((2, 3, 4), (2, 3, 9)):  # the second stretches a table, as the whole does
        cube = positions(whole).view(*whole, 5)
        place = Place(whole, torch.tensor([[0, 0, 0], [1, 1, 2]]))
        first, second = positions((1, 2, 2), place)
        assert_close(first, cube[:1, :2, :2].reshape(4, 5), rtol=0, atol=0)
        assert_close(second, cube[1:2, 1:3, 2:4].reshape(4, 5), rtol=0, atol=0)
