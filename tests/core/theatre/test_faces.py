from dataclasses import replace
from fractions import Fraction

import pytest
import torch

from moviegen_core.theatre.faces import face_places, is_in_picture
from moviegen_core.theatre.portraits import portrait_place, render_portrait
from moviegen_core.theatre.render import render, render_mattes
from moviegen_core.theatre.scene import Actor, Person, Scene
from moviegen_core.theatre.vocabulary import SKINS

SIZE = {"num_frames": 6, "fps": Fraction(4), "height": 112, "width": 192}


def scene(action, camera="static shot", skin="tan"):
    person = Person(skin=skin, hair_colour="red", hair_style="bald", eyes="blue", glasses=False, hat="none")
    actor = Actor(kind="person", colour="blue", size="large", action=action, person=person)
    return Scene(actors=(actor,), place="stage", weather="clear", camera=camera, look="plain", seed=4)


@pytest.mark.parametrize("action", ["stand still", "bounce", "spin", "dance", "go left"])
@pytest.mark.parametrize("camera", ["static shot", "zoom in", "pan left"])
def test_the_face_lies_on_the_person_in_every_frame(action, camera):
    shown = scene(action, camera)
    mattes = render_mattes([shown], **SIZE)[0, 0]
    places = face_places(shown, **SIZE)
    for matte, (row, column, radius) in zip(mattes, places.tolist(), strict=True):
        if 0 < row < 111 and 0 < column < 191:
            assert matte[round(row), round(column)] > 0.9
            assert 8 < radius < 30


def test_the_cheek_has_the_skins_colour():
    shown = scene("stand still", skin="dark")
    row, column, radius = face_places(shown, **SIZE)[0].tolist()
    clip = render([shown], **SIZE)[0]
    chin = (clip[:, 0, round(row + 0.75 * radius), round(column)] + 1) / 2
    others = {skin: (chin - torch.tensor(colour)).abs().max().item() for skin, colour in SKINS.items()}
    assert min(others, key=others.get) == "dark"


@pytest.mark.parametrize(("height", "width"), [(64, 64), (128, 128), (256, 256), (160, 240)])
@pytest.mark.parametrize("seed", range(4))
def test_a_portrait_s_face_is_where_its_eyes_and_its_crown_are(seed, height, width):
    size = {"height": height, "width": width}
    person = scene("stand still").actors[0].person
    shown = render_portrait(person, "green", seed, **size)
    row, column, radius = portrait_place(seed, **size)
    irises = changed(shown, render_portrait(replace(person, eyes="brown"), "green", seed, **size))
    assert abs(irises[:, 0].mean() - row) < 0.12 * radius
    assert abs(irises[:, 1].mean() - column) < 0.3 * radius
    skin = changed(shown, render_portrait(replace(person, skin="dark"), "green", seed, **size))
    assert skin[:, 0].min() == pytest.approx(row - 0.96 * radius, abs=1.5)
    face = skin[skin[:, 0] < row]
    assert face[:, 1].max() - face[:, 1].min() == pytest.approx(2.1 * radius, rel=0.12)


def changed(one, other):
    """(N, 2) rows and columns of the middles of pixels that differ."""
    return ((one - other).abs().amax(0) > 0.1).nonzero() + 0.5


def test_a_head_that_is_mostly_cut_off_is_not_in_the_picture():
    size = {"height": 112, "width": 192}
    assert is_in_picture((56.0, 96.0, 10.0), **size)
    assert is_in_picture((6.0, 96.0, 10.0), **size)
    for place in ((4.0, 96.0, 10.0), (108.0, 96.0, 10.0), (56.0, -3.0, 10.0), (56.0, 190.0, 10.0)):
        assert not is_in_picture(place, **size)
