from fractions import Fraction

import pytest
import torch

from moviegen_core.errors import MediaError
from moviegen_core.media.read import read_clip
from moviegen_core.media.write import read_metadata
from moviegen_core.media.write_lossless import write_lossless


@pytest.mark.parametrize("size", [(2, 2), (17, 33), (48, 64)])
def test_every_byte_comes_back(tmp_path, size):
    frames = torch.randint(0, 256, (3, *size, 3), dtype=torch.uint8)
    path = write_lossless(tmp_path / "a.mkv", frames, Fraction(24000, 1001))
    again, rate = read_clip(path)
    assert torch.equal(again, frames)
    assert rate == Fraction(24000, 1001)


def test_facts_come_back_as_they_were(tmp_path):
    facts = {"prompt": "a \u00fc ball", "seed": "7"}
    frame = torch.zeros(1, 8, 8, 3, dtype=torch.uint8)
    assert read_metadata(write_lossless(tmp_path / "a.mkv", frame, Fraction(8), metadata=facts)) == facts


def test_no_frames_and_another_ending_are_refused_and_leave_nothing(tmp_path):
    with pytest.raises(MediaError, match="no frame to write"):
        write_lossless(tmp_path / "a.mkv", [], Fraction(8))
    with pytest.raises(MediaError, match=r"does not end in \.mkv"):
        write_lossless(tmp_path / "a.mp4", [], Fraction(8))
    assert list(tmp_path.iterdir()) == []
