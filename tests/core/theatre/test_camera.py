"""What tells zooming from pushing and panning from trucking."""

import pytest
import torch

from moviegen_core.theatre import vocabulary as words
from moviegen_core.theatre.camera import FLAT_CAMERAS, view
from moviegen_core.theatre.motion import track
from moviegen_core.theatre.scene import Actor, Scene

TIMES = torch.tensor([0.0, 2.0])
WIDE = 12 / 7


def filmed(camera, action="stand still", seed=4):
    actor = Actor(kind="ball", colour="red", size="medium", action=action)
    return Scene(actors=(actor,), place="meadow", weather="clear", camera=camera, look="plain", seed=seed)


def moved(camera, nearness, action="stand still"):
    seen = view(filmed(camera, action), TIMES, nearness, WIDE)
    return float(seen.x.diff()), float(seen.y.diff()), float(seen.zoom[1] / seen.zoom[0])


@pytest.mark.parametrize("camera", FLAT_CAMERAS)
def test_a_lens_moves_all_layers_alike(camera):
    assert moved(camera, 0.1) == moved(camera, 1.0)


@pytest.mark.parametrize("camera", set(words.CAMERAS) - set(FLAT_CAMERAS))
def test_a_travelling_camera_moves_near_layers_most(camera):
    far, near = (moved(camera, n, "go right") for n in (0.1, 1.0))
    travel = [abs(m[0]) + abs(m[1]) + abs(m[2] - 1) for m in (far, near)]
    assert travel[1] > 3 * travel[0] > 0


@pytest.mark.parametrize(
    ("camera", "grows"), [("zoom in", 1), ("push in", 1), ("zoom out", -1), ("pull out", -1)]
)
def test_zooms_change_the_scale_by_a_third_in_two_seconds(camera, grows):
    assert 1.3 < moved(camera, 1.0)[2] ** grows < 1.42


@pytest.mark.parametrize(
    ("camera", "axis", "sign"),
    [
        ("pan left", 0, -1),
        ("pan right", 0, 1),
        ("truck left", 0, -1),
        ("truck right", 0, 1),
        ("tilt up", 1, 1),
        ("tilt down", 1, -1),
        ("pedestal up", 1, 1),
        ("pedestal down", 1, -1),
    ],
)
def test_moves_go_where_their_name_says(camera, axis, sign):
    change = moved(camera, 1.0)
    assert 0.25 < sign * change[axis] < 0.42
    assert change[1 - axis] == 0


def test_a_static_shot_rests_and_a_handheld_one_sways_a_little():
    times = torch.linspace(0, 4, 65)
    rest, sway = (view(filmed(c), times, 1.0, WIDE) for c in ("static shot", "handheld shot"))
    assert rest.x.std() == rest.y.std() == 0
    assert 0.005 < sway.x.std() < 0.06
    assert sway.x.diff().abs().max() < 0.02


def test_a_tracking_shot_keeps_its_actor_in_one_spot():
    film, times = filmed("tracking shot", "go left"), torch.linspace(0, 10, 41)
    away = track(film, 0).x(times) - view(film, times, 1.0, WIDE).x
    assert float(away.max() - away.min()) < 1e-4
