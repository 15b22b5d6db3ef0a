from dataclasses import replace
from fractions import Fraction

import pytest
import torch

from moviegen_core.errors import GeometryError, Interrupted
from moviegen_core.geometry import ClipShape
from moviegen_core.media.images import write_image
from moviegen_core.media.mux import add_sound
from moviegen_core.media.picture_time import picture_time
from moviegen_core.media.read import read_clip
from moviegen_core.media.read_sound import has_sound
from moviegen_core.media.sound import sound_from
from moviegen_core.media.write import write_clip
from moviegen_core.media.write_lossless import write_lossless
from moviegen_core.stages.edit import Locality, edit_file, working_shape
from moviegen_core.stages.reconstruct import reconstruct

SHAPE = ClipShape(num_frames=10, fps=Fraction(24), height=1080, width=1920)


@pytest.fixture
def source(tmp_path):
    """A clip of 100x70, larger than the tiny model works at."""
    torch.manual_seed(0)
    smooth = torch.nn.functional.interpolate(torch.rand(1, 3, 3, 5, 7) * 255, (6, 70, 100), mode="trilinear")
    frames = smooth[0].movedim(0, -1).to(torch.uint8).contiguous()
    return write_lossless(tmp_path / "source.mkv", frames, Fraction(12))


def leave(models):
    """An edit that changes nothing but what the autoencoder loses."""
    return lambda clip, shape: reconstruct(models.tae, clip)


def paint(clip, shape):  # noqa: ARG001
    edited = clip.clone()
    edited[:, :, :12, :12] = 1.0
    return edited


def test_the_working_size_has_the_sources_aspect_and_fits_the_model(tiny_models):
    shape = working_shape(tiny_models, SHAPE)
    assert (shape.height, shape.width) == (32, 48)
    assert (shape.num_frames, shape.fps) == (10, 24)
    assert working_shape(tiny_models, SHAPE, (64, 64)) == replace(SHAPE, height=64, width=64)


def test_a_source_smaller_than_the_model_is_not_enlarged(tiny_models):
    shape = working_shape(tiny_models, replace(SHAPE, height=17, width=30))
    assert (shape.height, shape.width) == (16, 32)


def test_a_source_that_is_too_long_is_refused(tiny_models):
    with pytest.raises(GeometryError, match="at most 64"):
        working_shape(tiny_models, replace(SHAPE, num_frames=100 * 24))


def test_an_edit_that_does_nothing_leaves_the_whole_source_as_it_was(tiny_models, source, tmp_path):
    done = edit_file(tiny_models, source, tmp_path / "out.mkv", leave(tiny_models))
    assert done.report.share_kept == 1
    assert torch.equal(read_clip(done.path)[0], read_clip(source)[0])


def test_keeping_nothing_shows_the_edit_everywhere_at_the_sources_size(tiny_models, source, tmp_path):
    done = edit_file(
        tiny_models, source, tmp_path / "out.mkv", leave(tiny_models), locality=Locality(keep="none")
    )
    assert done.report.share_kept == 0
    written = read_clip(done.path)[0]
    assert written.shape == (6, 70, 100, 3)
    assert not torch.equal(written, read_clip(source)[0])


def test_a_mask_decides_where_the_edit_shows(tiny_models, source, tmp_path):
    mask = torch.zeros(70, 100, 3, dtype=torch.uint8)
    mask[:, :40] = 255
    path = write_image(tmp_path / "mask.png", mask)
    keep = Locality(keep=str(path))
    done = edit_file(tiny_models, source, tmp_path / "out.mkv", leave(tiny_models), locality=keep)
    written, before = read_clip(done.path)[0], read_clip(source)[0]
    assert torch.equal(written[:, :, 40:], before[:, :, 40:])
    assert not torch.equal(written[:, :, :40], before[:, :, :40])


def test_a_wrong_mask_is_refused_before_the_work(tiny_models, source, tmp_path):
    path = write_image(tmp_path / "mask.png", torch.zeros(70, 70, 3, dtype=torch.uint8))
    with pytest.raises(GeometryError, match="the mask is 70x70"):
        edit_file(tiny_models, source, tmp_path / "out.mkv", None, locality=Locality(keep=str(path)))


def test_sound_rate_and_length_come_through(tiny_models, source, tmp_path):
    film = write_clip(tmp_path / "film.mp4", read_clip(source)[0], Fraction(12))
    spoken = add_sound(film, sound_from(torch.rand(1, 9000) - 0.5), tmp_path / "spoken.mp4").path
    done = edit_file(tiny_models, spoken, tmp_path / "out.mp4", leave(tiny_models))
    assert has_sound(done.path)
    time = picture_time(done.path)
    assert (time.num_frames, time.fps) == (6, Fraction(12))


def test_stopping_leaves_nothing_behind(tiny_models, source, tmp_path):
    def stop():
        raise Interrupted("stop")

    with pytest.raises(Interrupted):
        edit_file(tiny_models, source, tmp_path / "out.mkv", paint, on_frame=stop)
    assert {path.name for path in tmp_path.iterdir()} == {"source.mkv"}
