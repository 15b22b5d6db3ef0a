import random

import numpy as np
import pytest

from moviegen_core.media.images import read_image
from moviegen_core.theatre.make_portraits import PEOPLE, SIDE, draw
from moviegen_core.theatre.sampling import draw_person
from moviegen_core.weights.cast import open_cast


@pytest.mark.parametrize("name", PEOPLE)
def test_the_portraits_that_come_with_nano_are_the_ones_that_are_drawn(name):
    shipped = read_image(open_cast("nano").folder / "portraits" / f"{name}.png").astype(int)
    assert shipped.shape == (SIDE, SIDE, 3)
    assert np.abs(shipped - np.array(draw(name))).max() <= 1


@pytest.mark.parametrize("name", PEOPLE)
def test_a_name_says_who_is_drawn(name):
    person = draw_person(random.Random(PEOPLE[name][0]))
    assert name.startswith(person.hair_colour)
    assert ("glasses" in name) == person.glasses
    for hat in ("cap", "top hat", "beanie"):
        assert (hat.replace(" ", "-") in name) == (person.hat == hat)


def test_nobody_else_comes_with_nano():
    files = (open_cast("nano").folder / "portraits").iterdir()
    assert {file.stem for file in files} == set(PEOPLE)
