import json
import os

import pytest
import torch

from moviegen_core.cli import theatre as command
from moviegen_core.media.read import read_clip
from moviegen_core.theatre.holdouts import is_held_out
from moviegen_core.theatre.sampling import sample_scene
from moviegen_core.theatre.scene import Scene


@pytest.fixture
def theatre(moviegen):
    """Run ``moviegen theatre`` with tiny clips; later options win."""
    small = ("--size", "32x18", "--seconds", "0.5", "--fps", "8", "-o", "clips")
    return lambda *words: moviegen("theatre", *small, *words)


@pytest.fixture
def scenes(tmp_path):
    return lambda: [
        json.loads(line) for line in (tmp_path / "clips" / "scenes.jsonl").read_text().splitlines()
    ]


def test_clips_and_scenes_come_in_pairs(theatre, scenes, tmp_path):
    answer = theatre("--seed", "7", "--count", "3")
    assert answer.code == 0
    assert answer.out.startswith("clips: 3 clips made")
    assert [one["seed"] for one in scenes()] == [7, 8, 9]
    for one in scenes():
        assert Scene.from_json(json.dumps(one["scene"])) == sample_scene(one["seed"])
        assert read_clip(tmp_path / "clips" / one["file"])[0].shape == (4, 18, 32, 3)
        assert one["caption"]


def test_held_out_scenes_are_held_out(theatre, scenes):
    theatre("--count", "3", "--split", "held-out")
    assert all(is_held_out(Scene.from_json(json.dumps(one["scene"]))) for one in scenes())


def test_the_same_seed_gives_the_same_frames_wherever_it_stands_in_the_row(theatre, monkeypatch):
    shown = {}
    monkeypatch.setattr(command, "write_clip", lambda path, frames, *_, **__: shown.update({path: frames}))
    theatre("--seed", "7", "--count", "2")
    theatre("--seed", "8", "-o", "other")
    one, two = (frames for path, frames in shown.items() if path.name == "train-000008.mp4")
    assert torch.equal(one, two)


def test_what_is_there_is_not_rendered_again(theatre, monkeypatch, scenes):
    theatre("--count", "2")
    monkeypatch.setattr(command, "render", lambda *_, **__: pytest.fail("rendered again"))
    assert theatre("--count", "2", "--json").facts["kept"] == 2
    assert len(scenes()) == 2


def test_ctrl_c_leaves_whole_clips_only(theatre, monkeypatch, scenes, tmp_path):
    real, calls = command.write_clip, []

    def write(*args, **options):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*args, **options)

    monkeypatch.setattr(command, "write_clip", write)
    assert theatre("--count", "3").code == 130
    assert {path.name for path in (tmp_path / "clips").iterdir()} == {"train-000000.mp4", "scenes.jsonl"}
    assert len(scenes()) == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--count", "0"], "--count of 1 or more"),
        (["--count", "-3"], "--count of 1 or more"),
        (["--size", "33x18"], "the nearest is 32x18"),
        (["--size", "0x18"], "the nearest is 2x18"),
        (["--size", "4096x4096", "--seconds", "64"], "smaller --size"),
        (["--seconds", "0"], "out of range"),
        (["--fps", "0"], "out of range"),
        (["--split", "test"], "held-out"),
        (["--seed", "x"], "--seed"),
        (["-o", "no/clips"], "does not exist"),
    ],
)
def test_what_cannot_be_done_is_refused_and_leaves_nothing(theatre, tmp_path, words, sentence):
    assert sentence in theatre(*words).refusal
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_refused(theatre, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "cannot be written" in theatre().refusal
