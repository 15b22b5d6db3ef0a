from fractions import Fraction

import pytest
import torch

from moviegen_core.media.images import read_image, write_image
from moviegen_core.media.read import read_clip
from moviegen_core.media.write import write_clip


@pytest.fixture
def clips(tmp_path):
    """A clip and its edit; returns their paths."""
    torch.manual_seed(0)
    source = torch.randint(90, 110, (6, 32, 48, 3), dtype=torch.uint8)
    edited = source.clone()
    edited[:, 8:20, 10:24] = torch.tensor([255, 0, 0], dtype=torch.uint8)
    return [
        write_clip(tmp_path / f"{n}.mp4", c, Fraction(8), crf=4) for n, c in (("a", source), ("b", edited))
    ]


def test_a_lossless_composite_keeps_the_rest_exactly_and_tells_it(moviegen, clips):
    done = moviegen(
        *("composite", *clips, "-o", "out.mkv", "--json", "--matte", "matte.png", "--cast", "none"),
    )
    assert done.code == 0
    assert done.facts["exact_outside_file"] is True
    assert 0.3 < done.facts["share_kept"] < 0.95
    assert read_image("matte.png").shape == (64, 144, 3)
    written, source = read_clip("out.mkv")[0], read_clip(clips[0])[0]
    assert torch.equal(written[:, -6:], source[:, -6:])


def test_the_casts_autoencoder_looks_along(moviegen, clips, tiny_folder):
    done = moviegen("composite", *clips, "-o", "out.mp4", "--cast", tiny_folder, "--device", "cpu")
    assert done.code == 0
    assert "pixels kept bit for bit" in done.out


def test_a_mask_replaces_the_automatic_matte(moviegen, clips):
    write_image("mask.png", torch.zeros(32, 48, 3, dtype=torch.uint8))
    done = moviegen("composite", *clips, "-o", "out.mkv", "--mask", "mask.png", "--json")
    assert done.facts["share_kept"] == 1


def test_what_did_not_match_is_said_on_the_way(moviegen, clips):
    small = write_clip("small.mp4", read_clip(clips[1])[0][:5, ::2, ::2], Fraction(8))
    done = moviegen("composite", clips[0], small, "-o", "out.mkv", "--cast", "none", "--json")
    assert len(done.facts["notes"]) == 2
    assert "the edit was resized" in done.err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("-o", "out.avi"), "does not end in"),
        (("-o", "out.mp4", "--grow", "2"), "grow 2.0 is out of range"),
        (("-o", "out.mp4", "--matte", "matte.jpg"), "does not end in .png"),
        (("-o", "out.mp4", "--mask", "nowhere.png"), "does not exist"),
        (("-o", "out.mp4", "--cast", "nobody"), "is not a folder"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_sentence(moviegen, clips, words, complaint):
    assert complaint in moviegen("composite", *clips, *words).refusal
