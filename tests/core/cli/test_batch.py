import json
import signal

import pytest
import torch

from moviegen_core.cli import studio
from moviegen_core.cli.progress import Progress


@pytest.fixture
def batch(generate, tmp_path):
    """Write a file of prompts and make its clips into ``clips``."""

    def run(*lines, options=()):
        text = [line if isinstance(line, bytes) else line.encode() for line in lines]
        (tmp_path / "list.txt").write_bytes(b"\n".join(text))
        return generate("--prompts", "list.txt", "-o", "clips", *options)

    return run


@pytest.fixture
def clips(tmp_path):
    """When each clip was written, by name."""
    return lambda: {path.name: path.stat().st_mtime_ns for path in (tmp_path / "clips").glob("*.mp4")}


@pytest.fixture
def manifest(tmp_path):
    return lambda: [
        json.loads(line) for line in (tmp_path / "clips" / "manifest.jsonl").read_text().splitlines()
    ]


def test_every_line_becomes_a_clip(batch, clips, manifest):
    answer = batch("a ball", "a fish", "a cat")
    assert answer.code == 0
    assert answer.out == "clips: 3 clips made\n"
    assert sorted(clips()) == ["0000.mp4", "0001.mp4", "0002.mp4"]
    assert [(one["file"], one["prompt"], one["status"]) for one in manifest()] == [
        ("0000.mp4", "a ball", "done"),
        ("0001.mp4", "a fish", "done"),
        ("0002.mp4", "a cat", "done"),
    ]


def test_a_clip_of_a_batch_equals_one_made_alone(batch, generate, monkeypatch):
    real, shown = studio.write_clip, {}

    def write(path, frames, *rest, **tags):
        shown[path.name] = torch.stack(list(frames))
        return real(path, shown[path.name], *rest, **tags)

    monkeypatch.setattr(studio, "write_clip", write)
    batch("a cat", "a ball")
    generate("a ball", "-o", "alone.mp4")
    assert torch.equal(shown["alone.mp4"], shown["0001.mp4"])


def test_names_follow_line_numbers_and_blank_lines_make_nothing(batch, clips):
    assert batch("\ufeffa ball\r", "", "   ", "a fish\r", "").code == 0
    assert sorted(clips()) == ["0000.mp4", "0003.mp4"]


def test_what_is_finished_is_not_made_again(batch, clips):
    batch("a ball", "a fish")
    before = clips()
    answer = batch("a ball", "a fish", "a cat", options=["--json"])
    assert {"made": 1, "kept": 2, "failed": 0}.items() <= answer.facts.items()
    assert before.items() <= clips().items()


def test_another_prompt_another_setting_or_a_lost_file_is_made_again(batch, clips, tmp_path):
    batch("a ball", "a fish")
    assert batch("a ball", "a cat", options=["--json"]).facts["made"] == 1
    assert batch("a ball", "a cat", options=["--json", "--seed", "3"]).facts["made"] == 2
    (tmp_path / "clips" / "0000.mp4").unlink()
    assert batch("a ball", "a cat", options=["--json", "--seed", "3"]).facts["made"] == 1
    assert len(clips()) == 2


def test_a_broken_line_does_not_stop_the_rest(batch, clips, manifest):
    answer = batch("a ball", b"\xff\xfe not text", "ball " * 20_000, "a cat")
    assert answer.code == 1
    assert answer.out == "clips: 2 clips made, 2 failed, see manifest.jsonl\n"
    assert "line 2 is not UTF-8" in answer.err
    assert "line 3" in answer.err
    assert sorted(clips()) == ["0000.mp4", "0003.mp4"]
    assert [one["status"] for one in manifest()] == ["done", "failed", "failed", "done"]
    assert "bytes long" in manifest()[2]["error"]


def test_a_failed_line_is_tried_again_when_mended(batch, manifest):
    batch("a ball", b"\xff")
    assert batch("a ball", "a fish").code == 0
    assert [one["status"] for one in manifest()] == ["done", "done"]
    assert "error" not in manifest()[1]


def test_ctrl_c_keeps_what_is_finished_and_the_next_run_goes_on(batch, clips, monkeypatch, tmp_path):
    steps = []

    def interrupt(*_):
        steps.append(1)
        if len(steps) == 5:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Progress, "advance", interrupt)
        answer = batch("a ball", "a fish", "a cat")
    assert answer.code == 130
    assert {path.name for path in (tmp_path / "clips").iterdir()} == {"0000.mp4", "manifest.jsonl"}
    before = clips()
    assert batch("a ball", "a fish", "a cat").out == "clips: 2 clips made, 1 already there\n"
    assert before.items() <= clips().items()


def test_a_manifest_cut_by_a_crash_is_mended(batch, manifest, tmp_path):
    batch("a ball", "a fish")
    path = tmp_path / "clips" / "manifest.jsonl"
    path.write_bytes(path.read_bytes()[:-9])
    assert batch("a ball", "a fish").out == "clips: 1 clips made, 1 already there\n"
    assert len(manifest()) == 2


@pytest.mark.parametrize("lines", [[""], ["\n \n"], ["\ufeff"]])
def test_a_file_without_prompts_is_refused(batch, tmp_path, lines):
    assert "holds no prompt" in batch(*lines).refusal
    assert not (tmp_path / "clips").exists()


def test_a_missing_list_a_folder_as_list_and_bad_outputs_are_refused(generate, tmp_path):
    (tmp_path / "list.txt").write_text("a ball")
    assert "cannot be read" in generate("--prompts", "none.txt", "-o", "clips").refusal
    assert "cannot be read" in generate("--prompts", ".", "-o", "clips").refusal
    assert "give a folder" in generate("--prompts", "list.txt", "-o", "clip.mp4").refusal
    assert "is a file" in generate("--prompts", "list.txt", "-o", "list.txt").refusal
    assert "does not exist" in generate("--prompts", "list.txt", "-o", "no/clips").refusal
    assert [path.name for path in tmp_path.iterdir()] == ["list.txt"]


def test_wrong_settings_are_refused_before_a_folder_is_made(batch, tmp_path):
    assert "nearest" in batch("a ball", options=["--size", "30x30"]).refusal
    assert not (tmp_path / "clips").exists()
