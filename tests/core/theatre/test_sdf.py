"""Distances to shapes."""

import math

import pytest
import torch

from moviegen_core.theatre import sdf

AXIS = torch.linspace(-1, 1, 41)
X, Y = AXIS[None, :], AXIS[:, None]
SQUARE = ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))

SHAPES = {
    "circle": (lambda x, y: sdf.circle(x, y, 0.5), math.pi / 4),
    "ellipse": (lambda x, y: sdf.ellipse(x, y, 0.6, 0.3), math.pi * 0.18),
    "box": (lambda x, y: sdf.box(x, y, 0.5, 0.3), 0.6),
    "capsule": (lambda x, y: sdf.capsule(x, y, (-0.4, 0.0), (0.4, 0.0), 0.2), 0.32 + math.pi * 0.04),
    "convex": (lambda x, y: sdf.convex(x, y, SQUARE), 1.0),
    "star": (lambda x, y: sdf.star(x, y, 0.8, 0.4), 5 * 0.8 * 0.4 * math.sin(math.pi / 5)),
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_covered_area_is_the_shapes_area(name):
    shape, area = SHAPES[name]
    fine = (torch.arange(400) + 0.5) / 200 - 1
    covered = sdf.coverage(shape(fine[None, :], fine[:, None]), 1 / 200).mean() * 4
    assert float(covered) == pytest.approx(area, rel=0.01)


@pytest.mark.parametrize("name", SHAPES)
def test_distances_never_grow_faster_than_the_way(name):
    distance = SHAPES[name][0](X, Y).clamp(-0.1, 0.4)
    assert distance.diff(dim=0).abs().max() <= 0.05 * 1.35
    assert distance.diff(dim=1).abs().max() <= 0.05 * 1.35


def test_union_and_cut_keep_what_their_names_say():
    left, right = sdf.circle(X + 0.3, Y, 0.4), sdf.circle(X - 0.3, Y, 0.4)
    assert torch.equal(sdf.union(left, right) < 0, (left < 0) | (right < 0))
    assert torch.equal(sdf.cut(left, right) < 0, (left < 0) & ~(right <= 0))
    assert (sdf.union(left, right, 0.2) <= sdf.union(left, right)).all()


def test_turning_there_and_back_changes_nothing():
    x, y = sdf.turn(*sdf.turn(X, Y, 0.7), -0.7)
    assert torch.allclose(x, X.expand_as(x), atol=1e-6)
    assert torch.allclose(y, Y.expand_as(y), atol=1e-6)
