"""Draws the people that come with nano, for whoever has no drawn portrait at hand to try a face with.

python -m moviegen_core.theatre.make_portraits FOLDER
"""

import random
import sys
from pathlib import Path

from PIL import Image

from .portraits import render_portrait
from .sampling import draw_person

SIDE = 256
PEOPLE = {
    "grey-long-hair": (3, "blue"),
    "blond-curls-cap": (5, "green"),
    "red-curls-glasses-beanie": (21, "red"),
    "grey-long-hair-glasses-top-hat": (9, "yellow"),
    "red-long-hair-glasses": (16, "green"),
    "brown-short-hair-glasses": (22, "blue"),
}
"""Name: seed of the person and of the pose, colour of the shirt."""


def draw(name: str) -> Image.Image:
    """The portrait of that name, SIDE x SIDE."""
    seed, shirt = PEOPLE[name]
    person = draw_person(random.Random(seed))
    pixels_CHW = render_portrait(person, shirt, seed, height=SIDE, width=SIDE)
    return Image.fromarray(((pixels_CHW + 1) * 127.5).round().byte().permute(1, 2, 0).numpy())


def main() -> None:
    """Write one PNG for each."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in PEOPLE:
        draw(name).save(folder / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
