from fractions import Fraction

import pytest
import torch

from moviegen_core.errors import MediaError
from moviegen_core.geometry import samples_for
from moviegen_core.media.copy import copy_tagged
from moviegen_core.media.mux import add_sound
from moviegen_core.media.picture_time import picture_time
from moviegen_core.media.read import read_clip
from moviegen_core.media.read_sound import open_sound
from moviegen_core.media.sound import sound_from, waveform_of
from moviegen_core.media.write import read_metadata, write_clip
from moviegen_core.media.write_lossless import write_lossless

FPS = Fraction(24000, 1001)


@pytest.fixture
def frames():
    return torch.randint(0, 256, (7, 18, 34, 3), dtype=torch.uint8)


@pytest.mark.parametrize("write", [write_clip, write_lossless])
def test_pictures_rate_and_tags_come_along_whatever_the_codec(tmp_path, frames, write):
    ending = ".mkv" if write is write_lossless else ".mp4"
    source = write(tmp_path / f"a{ending}", frames, FPS, metadata={"seed": "7"})
    copy = copy_tagged(source, tmp_path / "b.mkv", {"workflow": "{}"})
    assert torch.equal(read_clip(copy)[0], read_clip(source)[0])
    assert (picture_time(copy).num_frames, picture_time(copy).fps) == (7, FPS)
    assert read_metadata(copy)["seed"] == "7"


def test_sound_comes_along_bit_for_bit(tmp_path, frames):
    write_lossless(tmp_path / "silent.mkv", frames, FPS)
    tone = torch.sin(torch.arange(20000) / 7).expand(2, -1) * 0.3
    add_sound(tmp_path / "silent.mkv", sound_from(tone), tmp_path / "a.mkv")
    copy = copy_tagged(tmp_path / "a.mkv", tmp_path / "b.mkv", {})
    heard = waveform_of(open_sound(copy))
    assert heard.shape == (2, samples_for(7, FPS))
    assert torch.equal(heard, waveform_of(open_sound(tmp_path / "a.mkv")))


def test_what_is_no_video_and_another_ending_are_refused_and_leave_nothing(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"no video at all")
    with pytest.raises(MediaError, match="not a video"):
        copy_tagged(tmp_path / "a.mp4", tmp_path / "b.mkv", {})
    with pytest.raises(MediaError, match=r"does not end in \.mkv"):
        copy_tagged(tmp_path / "a.mp4", tmp_path / "b.mp4", {})
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
