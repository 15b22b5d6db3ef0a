import wave
from fractions import Fraction

import numpy as np
import pytest
import torch
from PIL import Image

from moviegen_core.media.read import probe, read_clip
from moviegen_core.media.write import write_clip


@pytest.fixture
def reconstruct(moviegen, tiny_folder):
    """Run ``moviegen reconstruct`` with the tiny cast."""
    return lambda *words: moviegen("reconstruct", *words, "--cast", tiny_folder, "--device", "cpu")


@pytest.fixture
def film(tmp_path):
    """Write some frames of noise and return their file's name."""

    def write(num_frames, height, width, fps=Fraction(8)):
        torch.manual_seed(0)
        frames = torch.randint(0, 256, (num_frames, height, width, 3), dtype=torch.uint8)
        write_clip(tmp_path / "in.mp4", frames, fps)
        return "in.mp4"

    return write


@pytest.mark.parametrize(("num_frames", "height", "width"), [(1, 16, 16), (9, 18, 34), (100, 16, 16)])
def test_a_film_keeps_its_frames_size_and_rate(reconstruct, film, num_frames, height, width):
    answer = reconstruct(film(num_frames, height, width, Fraction(24000, 1001)), "-o", "out.mp4", "--json")
    frames, fps = read_clip("out.mp4")
    assert frames.shape == (num_frames, height, width, 3)
    assert fps == Fraction(24000, 1001)
    assert answer.facts["frames"] == num_frames


def test_psnr_and_ssim_are_told_in_one_line(reconstruct, film):
    answer = reconstruct(film(3, 16, 16), "-o", "out.mp4")
    assert answer.out.count("\n") == 1
    assert "3 frames, PSNR " in answer.out
    assert "SSIM " in answer.out


def test_frames_too_small_for_ssim_still_have_a_psnr(reconstruct, film):
    facts = reconstruct(film(2, 8, 8), "-o", "out.mp4", "--json").facts
    assert facts["ssim"] is None
    assert facts["psnr"] > 0


def test_an_odd_sized_picture_passes_too(reconstruct, tmp_path):
    Image.fromarray(np.zeros((17, 31, 3), np.uint8)).save(tmp_path / "in.png")
    assert reconstruct("in.png", "-o", "out.mp4", "--json").facts["frames"] == 1
    assert (probe("out.mp4").height, probe("out.mp4").width) == (18, 32)


def test_what_holds_no_picture_is_refused_and_leaves_nothing(reconstruct, tmp_path):
    with wave.open(str(tmp_path / "song.wav"), "wb") as sound:
        sound.setparams((1, 2, 48000, 0, "NONE", ""))
        sound.writeframes(bytes(9600))
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("hello " * 100)
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.iterdir())
    assert "holds no video" in reconstruct("song.wav", "-o", "out.mp4").refusal
    assert "is empty" in reconstruct("empty.mp4", "-o", "out.mp4").refusal
    assert "not a video" in reconstruct("text.mp4", "-o", "out.mp4").refusal
    assert "is a folder" in reconstruct("folder", "-o", "out.mp4").refusal
    assert "does not exist" in reconstruct("none.mp4", "-o", "out.mp4").refusal
    assert sorted(tmp_path.iterdir()) == before


def test_outputs_that_cannot_be_written_are_refused(reconstruct, film):
    source = film(1, 16, 16)
    assert ".mp4" in reconstruct(source, "-o", "out.mov").refusal
    assert "does not exist" in reconstruct(source, "-o", "no/out.mp4").refusal
