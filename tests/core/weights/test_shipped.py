import json
from pathlib import Path

import moviegen_core.weights
from moviegen_core.weights.build import find_role
from moviegen_core.weights.cast import open_cast

FOLDER = Path(moviegen_core.weights.__file__).parent / "nano"
MEGABYTE = 1_000_000


def test_every_role_of_the_shipped_cast_has_a_file_that_plays_it():
    cast = open_cast("nano")
    assert set(cast.roles) >= {"tae", "text", "video", "edit", "personalized", "upsampler", "audio"}
    for role in cast.roles:
        assert isinstance(cast.load(role), find_role(role).model)


def test_no_shipped_weights_lie_beside_the_cast():
    named = set(json.loads((FOLDER / "cast.json").read_text())["roles"].values())
    assert {path.name for path in FOLDER.glob("*.safetensors")} == named


def test_shipped_files_stay_small():
    sizes = {path: path.stat().st_size for path in FOLDER.parent.glob("*/*.safetensors")}
    assert all(size < 15 * MEGABYTE for size in sizes.values())
    assert sum(size for path, size in sizes.items() if path.parent == FOLDER) < 48 * MEGABYTE
