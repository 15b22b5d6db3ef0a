from fractions import Fraction

import pytest
import torch

from moviegen_core.theatre.faces import face_places
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
