import os
import shutil
import signal
from fractions import Fraction
from pathlib import Path

import pytest
import torch

from moviegen_core.cli import generate as command
from moviegen_core.cli.progress import Progress
from moviegen_core.errors import Interrupted
from moviegen_core.media.read import probe, read_clip
from moviegen_core.media.write import read_metadata
from moviegen_core.stages import upscale_video
from moviegen_core.weights.build import build
from moviegen_core.weights.files import save_model


def test_a_prompt_becomes_a_clip_of_the_length_rate_and_size_asked_for(generate):
    answer = generate("a ball", "-o", "clip.mp4", "--seconds", "1.125")
    frames, fps = read_clip("clip.mp4")
    assert answer.code == 0
    assert frames.shape == (9, 16, 32, 3)
    assert fps == 8


def test_the_result_is_one_line_and_the_rest_goes_to_stderr(generate):
    answer = generate("a ball", "-o", "clip.mp4")
    assert answer.out.count("\n") == 1
    assert answer.out.startswith("clip.mp4: 32x16, 4 frames at 8 fps")
    assert "2/2" in answer.err


def test_json_holds_all_that_made_the_clip(generate):
    facts = generate("a ball", "-o", "clip.mp4", "--json", "--seed", "5").facts
    assert facts | {"prompt": "a ball", "seed": 5, "num_steps": 2, "frames": 4, "cast": "tiny"} == facts


def test_the_file_tells_how_it_was_made(generate):
    generate("a ball 🏐", "-o", "clip.mp4", "--seed", "5", "--camera", "zoom in")
    told = read_metadata("clip.mp4")
    expected = {"prompt": "a ball 🏐", "seed": "5", "cast": "tiny", "guidance": "5.0", "camera": "zoom in"}
    assert told | expected == told


def test_a_png_gets_one_frame(generate):
    answer = generate("a ball", "-o", "frame.png", "--json", "--seconds", "64")
    assert answer.facts["frames"] == 1
    assert read_clip("frame.png")[0].shape == (1, 16, 32, 3)
    assert read_metadata("frame.png")["prompt"] == "a ball"


def test_the_same_command_makes_the_same_frames(generate):
    for name in ("one.mp4", "two.mp4"):
        generate("a ball", "-o", name)
    generate("a ball", "-o", "three.mp4", "--seed", "1")
    one, two, three = (read_clip(f"{name}.mp4")[0] for name in ("one", "two", "three"))
    assert torch.equal(one, two)
    assert not torch.equal(one, three)


def test_a_broadcast_rate_is_exact(generate):
    generate("a ball", "-o", "clip.mp4", "--fps", "23.976", "--seconds", "0.1")
    assert probe("clip.mp4").fps == Fraction(24000, 1001)


@pytest.mark.parametrize(
    "prompt", ["🏐🏖️🐨", "كرة حمراء", "כדור אדום", "a\u202eball", "a\tball", "not utf-8: \udcff", "-a ball"]
)
def test_any_writing_is_a_prompt(generate, prompt):
    assert generate("-o", "clip.mp4", "--", prompt).code == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["", "-o", "clip.mp4"], "the prompt is empty"),
        ([" \n", "-o", "clip.mp4"], "the prompt is empty"),
        (["ball " * 20_000, "-o", "clip.mp4"], "100000 bytes"),
        (["-o", "clip.mp4"], "PROMPT or --prompts"),
        (["a ball", "--prompts", "list.txt", "-o", "clips"], "PROMPT or --prompts"),
        (["a ball"], "--output"),
        (["a ball", "-o", "clip.avi"], ".mp4 or .png"),
        (["a ball", "-o", "clip"], ".mp4 or .png"),
        (["a ball", "-o", ""], ".mp4 or .png"),
        (["a ball", "-o", "nowhere/clip.mp4"], "does not exist"),
        (["a ball", "-o", "clip.mp4", "--size", "33x16"], "the nearest is 32x16"),
        (["a ball", "-o", "clip.mp4", "--size", "0x0"], "the nearest is 16x16"),
        (["a ball", "-o", "clip.mp4", "--size", "100000x32"], "the nearest is 4096x32"),
        (["a ball", "-o", "clip.mp4", "--size", "large"], "192x112"),
        (["a ball", "-o", "clip.mp4", "--size", "32"], "192x112"),
        (["a ball", "-o", "clip.mp4", "--size=-32x16"], "192x112"),
        (["a ball", "-o", "clip.mp4", "--size", "4096x4096", "--seconds", "64"], "shorter or smaller"),
        (["a ball", "-o", "clip.mp4", "--seconds", "0"], "0.0 seconds is out of range"),
        (["a ball", "-o", "clip.mp4", "--seconds", "10000"], "at most 64"),
        (["a ball", "-o", "clip.mp4", "--seconds", "nan"], "at most 64"),
        (["a ball", "-o", "clip.mp4", "--seconds", "inf"], "at most 64"),
        (["a ball", "-o", "clip.mp4", "--seconds", "two"], "not a number"),
        (["a ball", "-o", "clip.mp4", "--fps", "0"], "fps 0 is out of range"),
        (["a ball", "-o", "clip.mp4", "--fps", "1000"], "at most 240"),
        (["a ball", "-o", "clip.mp4", "--fps", "nan"], "out of range"),
        (["a ball", "-o", "clip.mp4", "--fps", "1/0"], "not a rate"),
        (["a ball", "-o", "clip.mp4", "--steps", "0"], "1 to 250"),
        (["a ball", "-o", "clip.mp4", "--steps", "251"], "1 to 250"),
        (["a ball", "-o", "clip.mp4", "--steps", "many"], "--steps"),
        (["a ball", "-o", "clip.mp4", "--guidance", "nan"], "guidance nan"),
        (["a ball", "-o", "clip.mp4", "--seed", "-1"], "seed -1"),
        (["a ball", "-o", "clip.mp4", "--camera", "dolly"], "zoom in"),
        (["a ball", "-o", "clip.mp4", "--device", "tpu9"], "use auto"),
        (["a ball", "-o", "clip.mp4", "--device", "meta"], "use auto"),
        (["a ball", "-o", "clip.mp4", "--cast", "nowhere"], "not a folder"),
        (["a ball", "-o", "clip.mp4", "--cast", "."], "has no cast.json"),
        (["a ball", "-o", "clip.mp4", "--quality", "9"], "--quality"),
        (["a ball", "another", "-o", "clip.mp4"], "another"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_sentence_and_leaves_nothing(
    generate, tmp_path, words, sentence
):
    answer = generate(*words)
    assert sentence in answer.refusal
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", [(), ("paint",), ("--seconds", "2")])
def test_without_a_command_the_help_is_pointed_to(moviegen, words):
    assert "--help" in moviegen(*words).refusal


def test_a_folder_as_output_is_refused(generate, tmp_path):
    (tmp_path / "clip.mp4").mkdir()
    assert "is a folder" in generate("a ball", "-o", "clip.mp4").refusal


def test_a_bad_output_is_refused_before_any_work(generate, monkeypatch):
    monkeypatch.setattr(command, "open_studio", lambda *_: pytest.fail("models were loaded"))
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "cannot be written" in generate("a ball", "-o", "clip.mp4").refusal
    assert "does not exist" in generate("a ball", "-o", "no/clip.mp4").refusal


def test_the_writers_own_trouble_is_one_sentence(generate, monkeypatch, tmp_path):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert "No space left" in generate("a ball", "-o", "clip.mp4").refusal
    assert not list(tmp_path.iterdir())


def test_a_broken_file_of_the_cast_is_named(generate, tiny_folder, tmp_path):
    cast = shutil.copytree(tiny_folder, tmp_path / "cast")
    video, good = cast / "video.safetensors", (cast / "video.safetensors").read_bytes()
    video.write_bytes(good[: len(good) // 2])
    assert "video.safetensors is cut short" in generate("a ball", "-o", "clip.mp4", "--cast", cast).refusal
    torch.save({"weight": torch.zeros(2)}, video)
    assert "pickle" in generate("a ball", "-o", "clip.mp4", "--cast", cast).refusal
    shutil.copy(cast / "tae.safetensors", video)
    assert "holds a tae model" in generate("a ball", "-o", "clip.mp4", "--cast", cast).refusal
    video.unlink()
    assert "does not exist" in generate("a ball", "-o", "clip.mp4", "--cast", cast).refusal
    assert not (tmp_path / "clip.mp4").exists()


@pytest.mark.parametrize("moment", ["first step", "last step", "writing"])
def test_ctrl_c_leaves_nothing_and_keeps_an_older_clip(generate, monkeypatch, tmp_path, moment):
    (tmp_path / "clip.mp4").write_bytes(b"older")

    def interrupt(progress, steps=1):
        progress.done += steps
        if progress.done == (1 if moment == "first step" else 2):
            signal.raise_signal(signal.SIGINT)

    if moment == "writing":
        monkeypatch.setattr(Path, "replace", lambda *_: signal.raise_signal(signal.SIGINT))
    else:
        monkeypatch.setattr(Progress, "advance", interrupt)
    answer = generate("a ball", "-o", "clip.mp4")
    assert answer.code == 130
    assert "Traceback" not in answer.err
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]
    assert (tmp_path / "clip.mp4").read_bytes() == b"older"


def test_running_out_of_memory_is_a_sentence_and_a_bug_is_not(generate, monkeypatch):
    def fail(error):
        def fails(*_):
            raise error

        monkeypatch.setattr(command, "open_studio", fails)
        return generate("a ball", "-o", "clip.mp4")

    for error in (MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried ...")):
        assert "smaller --size" in fail(error).refusal
    with pytest.raises(RuntimeError, match="a bug"):
        fail(RuntimeError("a bug"))


def test_two_models_that_do_not_fit_together_are_refused(generate, tiny_folder, tmp_path):
    cast = shutil.copytree(tiny_folder, tmp_path / "cast")
    save_model(cast / "text.safetensors", "text", build("text", "nano", device="cpu"))
    assert "do not belong together" in generate("a ball", "-o", "clip.mp4", "--cast", cast).refusal


def test_sixteen_seconds_are_made_in_windows_and_their_drift_is_told(generate):
    answer = generate("a ball", "-o", "clip.mp4", "--seconds", "16", "--json", "--steps", "1")
    frames, fps = read_clip("clip.mp4")
    assert (len(frames), fps) == (128, 8)
    assert answer.facts["drift"]["colour"] >= 0
    assert answer.facts["drift"]["contrast"] >= 1
    assert generate("a ball", "-o", "clip.mp4", "--json").facts["drift"] == {}


def test_a_clip_is_made_larger_in_the_same_command_and_still_tells_how_it_was_made(generate):
    answer = generate("a ball", "-o", "clip.mp4", "--upscale", "64x36", "--json")
    frames, fps = read_clip("clip.mp4")
    assert (frames.shape, fps) == ((4, 36, 64, 3), 8)
    told = read_metadata("clip.mp4")
    assert told | {"prompt": "a ball", "upscaled": "64x36", "upscaler": "lanczos"} == told
    assert answer.facts["upscaled"] == "64x36"
    assert sorted(path.name for path in Path().iterdir() if path.suffix != ".txt") == ["clip.mp4"]


def test_a_picture_is_made_larger_to_the_rows_asked_for(generate):
    assert "80x40 from 32x16" in generate("a ball", "-o", "frame.png", "--upscale", "40").out
    assert read_clip("frame.png")[0].shape == (1, 40, 80, 3)


def test_a_target_smaller_than_the_clip_is_refused_before_anything_is_made(generate):
    answer = generate("a ball", "-o", "clip.mp4", "--upscale", "8")
    assert answer.code != 0
    assert "smaller" in answer.err
    assert not Path("clip.mp4").exists()


def test_what_was_enlarged_before_a_stop_is_used_by_the_same_command(generate, monkeypatch):
    made = []
    real = upscale_video._make_unit

    def unit(job, units, number, windows, on_frames):
        made.append(number)
        if number == 1 and len(made) == 2:
            raise Interrupted("stopped")
        return real(job, units, number, windows, on_frames)

    monkeypatch.setattr(upscale_video, "_make_unit", unit)
    words = ("a ball", "-o", "clip.mp4", "--upscale", "64x32", "--seconds", "4")
    assert generate(*words).code != 0
    assert generate(*words).code == 0
    assert made[:2] == [0, 1]
    assert 0 not in made[2:]
    assert read_clip("clip.mp4")[0].shape == (32, 32, 64, 3)


@pytest.mark.parametrize("size", ["²", "1080p", "", "-40", "0"])
def test_a_size_to_enlarge_to_that_is_none_is_one_sentence(generate, size):
    assert generate("a ball", "-o", "clip.mp4", f"--upscale={size}").refusal
    assert not Path("clip.mp4").exists()
