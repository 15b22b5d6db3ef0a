from itertools import pairwise

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.errors import SettingsError
from moviegen_core.flow.windows import (
    blend_windows,
    crossfade_windows,
    spread_windows,
    tiles,
    triangle_windows,
)


@pytest.mark.parametrize(("window", "overlap"), [(2, 1), (4, 2), (14, 4), (16, 8), (7, 3)])
def test_weights_sum_to_one_at_every_entry_of_every_length(window, overlap):
    for length in range(1, 60):
        total = torch.zeros(length)
        for place, weight in crossfade_windows(length, window, overlap):
            assert weight.shape == (place.stop - place.start,)
            assert (weight > 0).all()
            total[place] += weight
        assert_close(total, torch.ones(length))


def test_windows_are_no_longer_than_asked_and_neighbours_share_the_overlap():
    for length in range(1, 60):
        places = [place for place, _ in crossfade_windows(length, 14, 4)]
        assert all(place.stop - place.start <= 14 for place in places)
        assert all(left.stop - right.start == 4 for left, right in pairwise(places))
        assert (places[0].start, places[-1].stop) == (0, length)


def test_the_later_window_takes_over_steadily():
    (first, fades), (second, rises) = list(crossfade_windows(24, 14, 4))
    shared = first.stop - second.start
    assert (fades[-shared:].diff() < 0).all()
    assert (rises[:shared].diff() > 0).all()


def test_what_is_cut_and_blended_comes_back_unchanged():
    x = torch.randn(3, 37)
    blended = torch.zeros_like(x)
    for place, weight in crossfade_windows(37, 8, 3):
        blended[:, place] += x[:, place] * weight
    assert_close(blended, x)


@pytest.mark.parametrize(("window", "overlap"), [(8, 0), (8, 5), (8, -1), (1, 1)])
def test_an_overlap_that_does_not_fit_is_refused_with_those_that_do(window, overlap):
    with pytest.raises(SettingsError, match=f"overlap of {overlap} .* use 1 to {window // 2}"):
        list(crossfade_windows(20, window, overlap))


@pytest.mark.parametrize(("window", "hop"), [(2, 1), (8, 4), (8, 7), (7, 3), (25, 5)])
def test_triangles_sum_to_one_at_every_entry_and_no_window_is_short(window, hop):
    for length in range(1, 90):
        total = torch.zeros(length)
        for place, weight in triangle_windows(length, window, hop):
            assert place.stop - place.start == len(weight) == min(window, length)
            assert (weight > 0).all()
            total[place] += weight
        assert_close(total, torch.ones(length))


def test_triangle_windows_start_a_hop_apart_and_the_last_ends_with_the_length():
    places = [place for place, _ in triangle_windows(750, 250, 125)]
    assert [place.start for place in places] == [0, 125, 250, 375, 500]
    moved = [place for place, _ in triangle_windows(760, 250, 125)]
    assert (moved[-1].start, moved[-1].stop) == (510, 760)


def test_between_two_triangles_the_later_takes_over_steadily():
    (first, fades), (second, rises) = triangle_windows(36, 24, 12)
    shared = first.stop - second.start
    assert (fades[-shared:].diff() < 0).all()
    assert (rises[:shared].diff() > 0).all()


def test_windows_that_agree_blend_to_what_they_agree_on():
    x = torch.randn(3, 101)
    blended = torch.zeros_like(x)
    for place, weight in triangle_windows(101, 20, 9):
        blended[:, place] += x[:, place] * weight
    assert_close(blended, x)


@pytest.mark.parametrize(("window", "hop"), [(8, 0), (8, 8), (8, -1), (1, 1)])
def test_a_hop_that_does_not_fit_is_refused_with_those_that_do(window, hop):
    with pytest.raises(SettingsError, match=f"hop of {hop} .* use 1 to {window - 1}"):
        triangle_windows(20, window, hop)


def test_nothing_cannot_be_cut_into_windows():
    with pytest.raises(SettingsError, match="1 or more"):
        triangle_windows(0, 8, 4)


@pytest.mark.parametrize("length", [1, 5, 8, 9, 37])
def test_what_windows_give_of_a_function_of_each_entry_blends_to_the_whole(length):
    x = torch.randn(2, 3, length)
    blended = blend_windows(lambda place: 2 * x[..., place] + 1, triangle_windows(length, 8, 4), length)
    assert_close(blended, 2 * x + 1)


def test_where_windows_disagree_the_blend_lies_between_them():
    parts = iter((torch.zeros(12), torch.ones(12)))
    blended = blend_windows(lambda _: next(parts), crossfade_windows(20, 12, 4), 20)
    assert blended[:8].eq(0).all()
    assert blended[12:].eq(1).all()
    assert (blended[8:12].diff() > 0).all()


@pytest.mark.parametrize(("window", "overlap"), [(1, 0), (4, 0), (8, 3), (8, 4), (8, 7), (14, 4)])
@pytest.mark.parametrize("scale", [1, 3])
def test_spread_windows_sum_to_one_are_of_one_size_and_overlap_enough(window, overlap, scale):
    for length in range(1, 50):
        total, windows = torch.zeros(length * scale), spread_windows(length, window, overlap, scale)
        for place, weight in windows:
            assert place.stop - place.start == min(window, length)
            assert (weight > 0).all()
            total[place.start * scale : place.stop * scale] += weight
        assert_close(total, torch.ones(length * scale))
        assert all(left.stop - right.start >= overlap for (left, _), (right, _) in pairwise(windows))


def test_there_are_no_more_spread_windows_than_the_length_needs():
    assert [len(spread_windows(length, 10, 2)) for length in (1, 10, 11, 18, 19, 26, 27)] == [
        1,
        1,
        2,
        2,
        3,
        3,
        4,
    ]


def test_where_only_one_spread_window_reaches_it_counts_alone():
    (_first, fades), _ = spread_windows(18, 10, 2, scale=2)
    assert fades[: 2 * 8].eq(1).all()
    assert (fades[2 * 8 :].diff() < 0).all()


@pytest.mark.parametrize(("length", "window", "overlap"), [(5, 4, 4), (5, 4, -1), (0, 4, 1), (5, 0, 0)])
def test_windows_that_cannot_be_spread_are_refused(length, window, overlap):
    with pytest.raises(SettingsError, match=f"overlap of {overlap} does not fit windows of {window}"):
        spread_windows(length, window, overlap)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (5, 40), (17, 23)])
def test_a_frame_cut_into_tiles_and_enlarged_comes_together_as_if_enlarged_whole(height, width):
    frame = torch.randn(2, height, width)
    enlarge = torch.nn.Upsample(scale_factor=3)
    whole = torch.zeros(2, 3 * height, 3 * width)
    for tile in tiles(height, width, 8, 3, scale=3):
        tile.add(whole, enlarge(tile.cut(frame)[None])[0])
    assert_close(whole, enlarge(frame[None])[0])


def test_windows_blend_along_any_axis():
    x = torch.randn(2, 3, 11, 4, 5)
    windows = spread_windows(11, 4, 2)
    assert_close(blend_windows(lambda place: x[:, :, place], windows, 11, dim=-3), x)
    assert_close(blend_windows(lambda place: x[..., place, :, :], windows, 11, dim=-3), x)
