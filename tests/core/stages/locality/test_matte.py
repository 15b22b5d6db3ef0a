import pytest
import torch

from moviegen_core.errors import SettingsError
from moviegen_core.stages.locality.change import ChangeMaps
from moviegen_core.stages.locality.matte import (
    LEAST,
    MOST,
    MatteSettings,
    changed,
    dilated,
    mattes,
    softened,
    threshold,
)


def maps_of(values):
    maps = ChangeMaps()
    maps.add(values.to(torch.uint8))
    return maps


def spot(frames=9, when=4, value=200):
    values = torch.zeros(frames, 50, 60)
    values[when, 20:30, 20:40] = value
    return values


def test_the_threshold_parts_two_groups_and_stays_in_bounds_without_them():
    two = torch.zeros(256)
    two[20], two[110] = 1000, 50
    assert 20 < threshold(two) < 110
    nothing, all_of_it = torch.zeros(256), torch.zeros(256)
    nothing[:10], all_of_it[200:] = 1, 1
    assert threshold(nothing) == LEAST
    assert threshold(all_of_it) == MOST
    assert threshold(nothing, sensitivity=2) == LEAST / 2


def test_nothing_changed_makes_an_empty_matte():
    assert not torch.stack(list(mattes(maps_of(torch.randint(0, 30, (5, 40, 40)))))).any()


def test_what_changed_is_covered_whole_and_far_away_is_exactly_nothing():
    matte = torch.stack(list(mattes(maps_of(spot()))))
    assert (matte[4, 20:30, 20:40] == 1).all()
    reach = 8
    matte[:, 20 - reach : 30 + reach, 20 - reach : 40 + reach] = 0
    assert not matte.any()


def test_a_change_is_covered_before_and_after_it_and_fades_without_a_jump():
    matte = torch.stack(list(mattes(maps_of(spot(frames=15, when=7)), MatteSettings(steady_frames=2))))
    strength = matte[:, 25, 30]
    assert strength.tolist() == pytest.approx([0, 0, 0, 1 / 3, 2 / 3, 1, 1, 1, 1, 1, 2 / 3, 1 / 3, 0, 0, 0])


def test_no_steadying_keeps_each_frame_to_itself():
    matte = torch.stack(list(mattes(maps_of(spot()), MatteSettings(steady_frames=0))))
    assert matte.amax((1, 2)).tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 0]


def test_weak_change_counts_only_where_it_hangs_together_with_strong_change():
    values = torch.zeros(1, 20, 40)
    values[0, 5:8, 2:12] = 80.0
    values[0, 5:8, 2:4] = 120.0
    values[0, 15, 30:38] = 80.0
    found = changed(values, 100)
    assert found[0, 5:8, 2:12].all()
    assert not found[0, 12:].any()


@pytest.mark.parametrize("radius", [0, 1, 4])
def test_dilating_reaches_exactly_so_far(radius):
    point = torch.zeros(1, 21, 21)
    point[0, 10, 10] = 1
    grown = dilated(point, radius)
    assert grown.sum() == (2 * radius + 1) ** 2
    assert grown[0, 10 - radius, 10 + radius] == 1


def test_a_rim_lies_outside_of_what_was_grown_and_falls_monotonically():
    matte = torch.zeros(100, 100)
    matte[40:60, 40:60] = 1
    soft = softened(matte, MatteSettings(grow=0.05, feather=0.06))
    assert (soft[35:65, 35:65] == 1).all()
    tail = soft[50, 65:]
    assert (tail.diff() <= 0).all()
    assert 0 < tail[0] < 1
    assert not tail[14:].any()


def test_small_holes_are_closed():
    matte = torch.ones(60, 60)
    matte[30, 30] = 0
    assert (softened(matte, MatteSettings()) == 1).all()


def test_higher_sensitivity_never_uncovers():
    values = torch.randint(0, 120, (3, 40, 40))
    calm, keen = (
        torch.stack(list(mattes(maps_of(values), MatteSettings(sensitivity=s)))) for s in (1.0, 2.0)
    )
    assert (keen >= calm).all()


@pytest.mark.parametrize(
    "wrong", [{"grow": -0.1}, {"feather": 0.6}, {"steady_frames": 13}, {"sensitivity": 0.0}]
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingsError, match=r"out of range; give"):
        MatteSettings(**wrong)
