import pytest
import torch

from moviegen_core.stages.drift import Drift


def grey(levels, spread=10):
    pattern = torch.tensor([-1, 1]).repeat(8, 4).view(8, 8, 1) * spread
    return torch.stack([(pattern + level).expand(-1, -1, 3) for level in levels]).to(torch.uint8)


def drifted(*parts):
    drift = Drift(4)
    for part in parts:
        drift.add(part)
    return drift.facts()


def test_a_clip_that_stays_as_it_is_does_not_drift():
    assert drifted(*[grey([100] * 4)] * 3) == {"colour": 0, "contrast": 1}


def test_a_clip_that_grows_lighter_drifts_in_colour_by_what_it_gained():
    facts = drifted(grey([100] * 4), grey([100] * 4), grey([150] * 4))
    assert facts["colour"] == pytest.approx(20, abs=2)
    assert drifted(grey([100] * 4), grey([125] * 4))["colour"] < facts["colour"]


def test_contrast_counts_alike_up_and_down():
    up, down = (drifted(grey([128] * 4, a), grey([128] * 4, b))["contrast"] for a, b in ((10, 20), (20, 10)))
    assert up == pytest.approx(2, rel=0.05)
    assert down == pytest.approx(up, rel=0.01)


def test_it_does_not_matter_in_which_pieces_frames_come():
    frames = grey([100, 104, 108, 112, 116, 120, 124, 128])
    assert drifted(frames) == drifted(*frames.split(3)) != {}


def test_a_short_clip_has_no_drift():
    assert drifted(grey([100] * 5)) == {}
