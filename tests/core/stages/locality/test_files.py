from fractions import Fraction

import pytest
import torch

from moviegen_core.errors import GeometryError, Interrupted, MediaError
from moviegen_core.media.mux import add_sound
from moviegen_core.media.picture_time import picture_time
from moviegen_core.media.read import frames, read_clip
from moviegen_core.media.read_sound import has_sound, open_sound
from moviegen_core.media.sound import sound_from
from moviegen_core.media.write import write_clip, write_image
from moviegen_core.media.write_lossless import write_lossless
from moviegen_core.stages.locality.files import PASSES, composite_files

RATE = Fraction(24000, 1001)


@pytest.fixture
def pair(tmp_path, source, edit_box):
    """Lossless files of a clip and its edit."""
    return (
        write_lossless(tmp_path / "source.mkv", source, RATE),
        write_lossless(tmp_path / "edited.mkv", edit_box(source), RATE),
    )


def test_outside_the_matte_a_lossless_result_is_the_source_bit_for_bit(tmp_path, pair, source):
    done = composite_files(*pair, tmp_path / "out.mkv")
    assert done.report.is_file_exact
    assert done.notes == ()
    written, rate = read_clip(done.path)
    assert rate == RATE
    assert written.shape == source.shape
    far = torch.ones(48, 64, dtype=torch.bool)
    far[5:36, 12:52] = False
    assert torch.equal(written[:, far], source[:, far])
    assert not torch.equal(written, source)


def test_the_mattes_tell_again_and_again_where_the_edit_shows(tmp_path, pair, source):
    done = composite_files(*pair, tmp_path / "out.mkv")
    mattes, again = (torch.stack(list(done.mattes())) for _ in range(2))
    assert torch.equal(mattes, again)
    assert mattes.shape == source.shape[:3]
    written = read_clip(done.path)[0]
    assert torch.equal(written[mattes == 0], source[mattes == 0])
    assert not torch.equal(written[mattes == 255], source[mattes == 255])


def test_h264_loses_a_little_and_the_report_says_how_much(tmp_path, pair):
    report = composite_files(*pair, tmp_path / "out.mp4").report
    assert report.is_kept_exactly
    assert not report.is_file_exact
    assert 30 < report.psnr_outside_file < 70
    assert "as coded" in report.sentence()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_the_sources_sound_rate_and_length_are_carried_through(tmp_path, pair, suffix):
    wave = torch.sin(torch.arange(30000) / 20)[None] / 2
    spoken = add_sound(pair[0], sound_from(wave), tmp_path / "spoken.mkv").path
    done = composite_files(spoken, pair[1], tmp_path / f"out{suffix}")
    time = picture_time(done.path)
    assert (time.num_frames, time.fps) == (10, RATE)
    carried = torch.cat(list(open_sound(done.path).chunks()), dim=1)
    heard = torch.cat(list(open_sound(spoken).chunks()), dim=1)
    assert carried.shape == heard.shape
    assert (carried - heard).square().mean().sqrt() < (0.03 if suffix == ".mp4" else 1e-6)


def test_a_silent_source_gives_a_silent_result(tmp_path, pair):
    assert not has_sound(composite_files(*pair, tmp_path / "out.mp4").path)


def test_an_edit_of_another_size_and_rate_is_aligned_and_told(tmp_path, pair, source, edit_box):
    half = edit_box(source)[:, ::2, ::2]
    other = write_lossless(tmp_path / "small.mkv", half, Fraction(12))
    done = composite_files(pair[0], other, tmp_path / "out.mkv")
    assert len(done.notes) == 2
    assert read_clip(done.path)[0].shape == source.shape


def test_a_shorter_edit_ends_the_result(tmp_path, pair, source, edit_box):
    short = write_lossless(tmp_path / "short.mkv", edit_box(source)[:7], RATE)
    done = composite_files(pair[0], short, tmp_path / "out.mkv")
    assert picture_time(done.path).num_frames == 7
    assert done.report.num_frames == 7


def test_pictures_are_composited_into_a_picture(tmp_path, source, edit_box):
    paths = [
        write_image(tmp_path / f"{name}.png", frames[0])
        for name, frames in (("source", source), ("edited", edit_box(source)))
    ]
    done = composite_files(*paths, tmp_path / "out.png")
    assert done.report.is_file_exact
    with pytest.raises(MediaError, match="does not end in"):
        composite_files(*paths, tmp_path / "out.gif")


def test_a_clip_does_not_fit_into_a_picture(tmp_path, pair):
    with pytest.raises(MediaError, match="holds one frame and the clip 10"):
        composite_files(*pair, tmp_path / "out.png")


def test_the_artists_mask_decides_alone(tmp_path, pair, source, edit_box):
    mask = torch.zeros(48, 64, 3, dtype=torch.uint8)
    mask[:, :30] = 255
    path = write_image(tmp_path / "mask.png", mask)
    written = read_clip(composite_files(*pair, tmp_path / "out.mkv", mask=path).path)[0]
    assert torch.equal(written[:, :, :30], edit_box(source)[:, :, :30])
    assert torch.equal(written[:, :, 30:], source[:, :, 30:])


def test_a_mask_of_twice_the_size_is_scaled_and_of_another_shape_refused(tmp_path, pair):
    large = write_image(tmp_path / "large.png", torch.zeros(96, 128, 3, dtype=torch.uint8))
    assert composite_files(*pair, tmp_path / "out.mkv", mask=large).report.share_kept == 1
    wrong = write_image(tmp_path / "wrong.png", torch.zeros(64, 64, 3, dtype=torch.uint8))
    with pytest.raises(GeometryError, match="the mask is 64x64 and the source 64x48"):
        composite_files(*pair, tmp_path / "out.mkv", mask=wrong)


def test_a_mask_video_needs_a_frame_for_each(tmp_path, pair):
    mask = write_clip(tmp_path / "mask.mp4", torch.zeros(4, 48, 64, 3, dtype=torch.uint8), RATE)
    with pytest.raises(GeometryError, match="the mask has 4 frames and the clip 10"):
        composite_files(*pair, tmp_path / "out.mkv", mask=mask)


def test_stopping_in_any_pass_leaves_no_file_behind(tmp_path, pair):
    before = set(tmp_path.iterdir())
    for stop in (3, 14):
        count = iter(range(stop))

        def stopping(count=count):
            if next(count, None) is None:
                raise Interrupted("stop")

        with pytest.raises(Interrupted):
            composite_files(*pair, tmp_path / "out.mkv", on_frame=stopping)
        assert set(tmp_path.iterdir()) == before


def test_every_frame_of_every_pass_is_counted(tmp_path, pair):
    calls = []
    composite_files(*pair, tmp_path / "out.mkv", on_frame=lambda: calls.append(1))
    assert len(calls) == PASSES * 10


def test_odd_sides_are_cut_back_before_they_are_measured(tmp_path, source, edit_box):
    odd = [
        write_lossless(tmp_path / f"{name}.mkv", frames[:, :47, :63].contiguous(), RATE)
        for name, frames in (("a", source), ("b", edit_box(source)))
    ]
    done = composite_files(*odd, tmp_path / "out.mp4")
    assert next(frames(done.path)).shape == (48, 64, 3)
    assert done.report.psnr_outside_file > 30
