import math
from types import SimpleNamespace

import pytest
import torch

from moviegen_core.stages.likeness import CURVE, Likeness, curve_picture, likeness


class BrightIsAFace:
    """Two colours are two people; dark is nobody."""

    config = SimpleNamespace(size=8)

    def look(self, faces):
        means = faces.mean((2, 3)) + 1
        return torch.nn.functional.normalize(means + 1e-6, dim=1), 20 * (means.amax(1) - 1.2)


def clip(*colours):
    shown = torch.full((3, len(colours), 24, 24), -1.0)
    for frame, colour in enumerate(colours):
        if colour is not None:
            shown[colour, frame] = 1.0
    return shown


RED = clip(0)[:, 0, :8, :8][None]


def test_the_same_face_is_alike_and_another_is_not():
    curve = likeness(BrightIsAFace(), clip(0, 0, 1, 1), RED)
    assert curve.values == pytest.approx((1, 1, 0, 0), abs=1e-3)
    assert curve.mean == pytest.approx(0.5, abs=1e-3)
    assert curve.minimum == pytest.approx(0, abs=1e-3)
    assert curve.drift == pytest.approx(1, abs=1e-3)


def test_a_frame_without_a_face_counts_as_nothing_alike_and_is_told():
    curve = likeness(BrightIsAFace(), clip(0, None, 0), RED)
    assert math.isnan(curve.values[1])
    assert curve.mean == pytest.approx(2 / 3, abs=1e-3)
    assert curve.minimum == 0
    assert curve.facts()["curve"][1] is None
    assert "no face in 1 of 3 frames" in curve.sentence()


def test_it_says_that_it_is_no_face_recognizer():
    curve = Likeness(frames=(0,), values=(0.5,))
    assert "not a face recognizer" in curve.sentence()
    assert "not a face recognizer" in curve.facts()["measured_by"]


def test_long_clips_are_looked_at_here_and_there():
    assert likeness(BrightIsAFace(), clip(*[0] * 33), RED, num_frames=5).frames == (0, 8, 16, 24, 32)


def test_a_higher_curve_is_drawn_higher():
    def height_of(value):
        picture = curve_picture(Likeness(frames=(0, 1), values=(value, value)))
        assert picture.shape == (*CURVE, 3)
        blue = (picture[..., 2].int() - picture[..., 0].int()) > 80
        return blue.nonzero()[:, 0].float().mean()

    assert height_of(0.9) < height_of(0.2) - 50


def test_missing_faces_are_marked_red():
    picture = curve_picture(Likeness(frames=(0, 1, 2), values=(1.0, math.nan, 1.0)))
    red = (picture[..., 0].int() - picture[..., 2].int()) > 80
    assert red.any()
    assert not ((curve_picture(Likeness(frames=(0,), values=(1.0,)))[..., 0].int() - 200) > 60).any()
