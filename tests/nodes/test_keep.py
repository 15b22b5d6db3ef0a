"""Keep What Was Not Asked on the host's own VIDEO, in files and in memory."""

import json
import math
import types
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from moviegen_core.geometry import samples_for
from moviegen_core.media.mux import add_sound
from moviegen_core.media.picture_time import picture_time
from moviegen_core.media.read import read_clip
from moviegen_core.media.read_sound import has_sound, open_sound
from moviegen_core.media.sound import sound_from, waveform_of
from moviegen_core.media.write import write_clip
from moviegen_core.media.write_lossless import write_lossless

FPS = Fraction(24000, 1001)
DEFAULTS = {"grow": 0.03, "feather": 0.02, "sensitivity": 1.0, "compare": "pixels alone"}


@pytest.fixture(scope="module")
def host(comfy_host, tmp_path_factory):
    """The host's VIDEO classes, and a temp and an output folder."""
    import folder_paths
    from comfy_api.latest import InputImpl, Types

    folder = tmp_path_factory.mktemp("host")
    folder_paths.set_temp_directory(str(folder / "temp"))
    folder_paths.set_output_directory(str(folder / "output"))
    (folder / "output").mkdir()
    return types.SimpleNamespace(
        ours=comfy_host.ours, file=InputImpl.VideoFromFile, memory=InputImpl.VideoFromComponents, types=Types
    )


def still(seed, frames=9, height=64, width=96):
    """A textured clip that does not move."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, height // 8, width // 8, generator=generator)
    picture = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic")[0].clamp(0, 1)
    return (picture.movedim(0, -1) * 255).round().to(torch.uint8).expand(frames, -1, -1, -1).clone()


def with_square(frames):
    """The same with a bright square in it."""
    changed = frames.clone()
    changed[:, 16:40, 24:56] = torch.tensor([250, 30, 200], dtype=torch.uint8)
    return changed


def in_memory(host, frames, fps=FPS, audio=None):
    parts = host.types.VideoComponents(images=frames.float() / 255, audio=audio, frame_rate=fps)
    return host.memory(parts)


def tone(seconds, channels=2, rate=44100):
    wave = torch.sin(torch.arange(round(seconds * rate)) / rate * 2 * math.pi * 440) * 0.4
    return {"waveform": wave.expand(1, channels, -1), "sample_rate": rate}


@pytest.fixture
def keep(run):
    def call(source, edited, **changes):
        video, matte, picture, report = run(
            "MovieGenKeepRest", source=source, edited=edited, **DEFAULTS | changes
        )
        return types.SimpleNamespace(video=video, matte=matte, picture=picture, report=report)

    return call


def frames_of(video):
    """What other nodes read."""
    return (video.get_components().images * 255).round().to(torch.uint8)


def test_outside_of_the_matte_every_bit_is_the_sources_and_inside_the_edit_shows(host, keep):
    source = still(0)
    noisy = (with_square(source).int() + torch.randint(-3, 4, source.shape)).clamp(0, 255).to(torch.uint8)
    made = keep(in_memory(host, source), in_memory(host, noisy))
    frames, outside = frames_of(made.video), made.matte == 0
    assert frames.shape == source.shape
    assert torch.equal(frames[outside], source[outside])
    assert 0.3 < outside.float().mean() < 0.9
    assert torch.equal(frames[:, 20:36, 28:52], noisy[:, 20:36, 28:52])
    assert "kept bit for bit" in made.report


def test_eyes_of_nano_find_the_same_square(host, keep):
    source = still(1)
    made = keep(in_memory(host, source), in_memory(host, with_square(source)), compare="pixels and nano")
    assert (made.matte[:, 20:36, 28:52] == 1).all()
    assert (made.matte == 0).float().mean() > 0.3


def test_a_files_sound_rate_and_length_stay(host, keep, tmp_path):
    source = still(2, frames=25)
    write_clip(tmp_path / "silent.mp4", source, FPS)
    wave = waveform_of(sound_from(tone(2)["waveform"][0], 44100))
    add_sound(tmp_path / "silent.mp4", sound_from(wave, 44100), tmp_path / "film.mp4")
    edited = with_square(read_clip(tmp_path / "film.mp4")[0])
    made = keep(host.file(str(tmp_path / "film.mp4")), in_memory(host, edited))
    path = Path(made.video.get_stream_source())
    time = picture_time(path)
    assert (time.num_frames, time.fps) == (25, FPS)
    heard, before = waveform_of(open_sound(path)), waveform_of(open_sound(tmp_path / "film.mp4"))
    assert heard.shape == (2, samples_for(25, FPS))
    torch.testing.assert_close(heard[:, :30000], before[:, :30000], rtol=0, atol=1e-4)
    outside = made.matte == 0
    assert torch.equal(frames_of(made.video)[outside], read_clip(tmp_path / "film.mp4")[0][outside])


def test_sound_in_memory_goes_along(host, keep):
    source = still(3)
    made = keep(in_memory(host, source, audio=tone(9 / FPS)), in_memory(host, with_square(source)))
    assert made.video.get_components().audio["waveform"].shape[-1] == samples_for(9, FPS)


def test_a_mask_wins_and_one_of_another_size_is_brought_to_the_clip(host, keep):
    source = still(4)
    mask = torch.zeros(1, 32, 48)
    mask[:, :, 24:] = 1
    made = keep(in_memory(host, source), in_memory(host, 255 - source), mask=mask)
    frames = frames_of(made.video)
    assert torch.equal(frames[:, :, :44], source[:, :, :44])
    assert torch.equal(frames[:, :, 52:], 255 - source[:, :, 52:])
    many = torch.zeros(9, 64, 96)
    many[4] = 1
    made = keep(in_memory(host, source), in_memory(host, 255 - source), mask=many)
    assert torch.equal(frames_of(made.video)[4], 255 - source[4])
    assert torch.equal(frames_of(made.video)[5], source[5])


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (torch.ones(1, 64, 64), "draw it over a frame of the source"),
        (torch.ones(3, 64, 96), "give one frame for all"),
        (torch.ones(0, 64, 96), "the mask is empty"),
    ],
)
def test_a_mask_that_does_not_fit_is_refused_in_one_sentence(host, keep, mask, words):
    source = still(5)
    with pytest.raises(ValueError, match=words) as caught:
        keep(in_memory(host, source), in_memory(host, with_square(source)), mask=mask)
    assert "\n" not in str(caught.value)


def test_another_size_or_rate_is_aligned_and_the_node_says_so(host, keep):
    source = still(6, frames=12)
    large = with_square(source).repeat_interleave(2, 1).repeat_interleave(2, 2)
    made = keep(in_memory(host, source), in_memory(host, large, fps=Fraction(30)))
    assert frames_of(made.video).shape == source.shape
    assert "the edit was resized" in made.report
    assert "frame meets frame" in made.report
    made = keep(in_memory(host, source), in_memory(host, with_square(source)[:9]))
    assert "the result has 9" in made.report


@pytest.mark.parametrize(
    ("edited", "fps", "words"),
    [
        (still(7, height=96, width=96), FPS, "crop one to the other"),
        (still(7, frames=12), Fraction(8), "neither their frames nor their seconds"),
    ],
)
def test_clips_that_do_not_belong_together_are_refused_in_one_sentence(host, keep, edited, fps, words):
    with pytest.raises(ValueError, match=words) as caught:
        keep(in_memory(host, still(7)), in_memory(host, edited, fps=fps))
    assert "\n" not in str(caught.value)


def test_a_video_without_frames_is_refused(host, keep):
    with pytest.raises(Exception, match="holds no frames"):
        keep(in_memory(host, still(8)), in_memory(host, still(8)[:0]))


def test_five_edits_in_a_row_leave_what_none_of_them_asked_for(host, keep):
    source = still(9)
    video, untouched = in_memory(host, source), torch.ones(source.shape[:3], dtype=torch.bool)
    for number in range(5):
        edited = frames_of(video)
        edited[:, 8 * number : 8 * number + 12, 8 : 24 + 8 * number] = 40 * number
        edited = (edited.int() + torch.randint(-3, 4, source.shape)).clamp(0, 255).to(torch.uint8)
        made = keep(video, in_memory(host, edited))
        video, untouched = made.video, untouched & (made.matte == 0)
    assert untouched.float().mean() > 0.2
    assert torch.equal(frames_of(video)[untouched], source[untouched])


def test_save_video_makes_an_mp4_that_plays_of_it(host, keep, tmp_path):
    source = still(10)
    made = keep(in_memory(host, source, audio=tone(9 / FPS)), in_memory(host, with_square(source)))
    made.video.save_to(str(tmp_path / "plays.mp4"), metadata={"prompt": {"1": {"class_type": "X"}}})
    with av.open(str(tmp_path / "plays.mp4")) as file:
        assert file.streams.video[0].codec.name == "h264"
        assert file.streams.video[0].pix_fmt == "yuv420p"
        assert json.loads(file.metadata["prompt"]) == {"1": {"class_type": "X"}}
    assert picture_time(tmp_path / "plays.mp4").num_frames == 9
    assert has_sound(tmp_path / "plays.mp4")
    close = read_clip(tmp_path / "plays.mp4")[0]
    assert (close.float() - frames_of(made.video).float()).abs().mean() < 6


def test_save_video_lossless_keeps_every_bit_its_rate_and_its_sound(host, run, keep):
    source = still(11)
    made = keep(in_memory(host, source, audio=tone(9 / FPS)), in_memory(host, with_square(source)))
    (saved,) = run("MovieGenSaveLossless", video=made.video, filename_prefix="kept/clip")
    assert saved.endswith("kept/clip_00001_.mkv")
    assert torch.equal(read_clip(saved)[0], frames_of(made.video))
    assert picture_time(saved).fps == FPS
    assert waveform_of(open_sound(saved)).shape[1] == samples_for(9, FPS)
    (memory,) = run("MovieGenSaveLossless", video=in_memory(host, source), filename_prefix="kept/clip")
    assert memory.endswith("kept/clip_00002_.mkv")
    assert torch.equal(read_clip(memory)[0], source)


def test_a_matte_too_large_for_memory_shrinks_and_the_node_says_so(host, keep, monkeypatch):
    monkeypatch.setattr(host.ours("nodes.keep"), "MATTE_VALUES", 9 * 32 * 48)
    source = still(12)
    made = keep(in_memory(host, source), in_memory(host, with_square(source)))
    assert made.matte.shape == (9, 32, 48)
    assert "the matte is given as 48x32" in made.report
    assert made.matte.max() == 1


def test_the_picture_shows_frames_above_and_mattes_below(host, keep):
    source = still(13)
    made = keep(in_memory(host, source), in_memory(host, with_square(source)))
    assert made.picture.shape == (1, 128, 3 * 96, 3)
    below = made.picture[0, 64:, :96]
    torch.testing.assert_close(below.mean(-1), made.matte[0], rtol=0, atol=1e-6)


def test_an_interrupt_stops_it(host, keep):
    import comfy.model_management

    source = still(14)
    comfy.model_management.interrupt_current_processing(True)
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        keep(in_memory(host, source), in_memory(host, with_square(source)))


def test_a_lossless_clip_of_a_trimmed_one_has_the_trimmed_frames(host, tmp_path):
    frames = still(15, frames=16)
    frames += torch.arange(16, dtype=torch.uint8).view(-1, 1, 1, 1)
    write_lossless(tmp_path / "long.mkv", frames, Fraction(8))
    video = host.file(str(tmp_path / "long.mkv"))
    if not hasattr(video, "as_trimmed"):
        pytest.skip("this host trims nothing")
    trimmed = video.as_trimmed(0.5, 1.0)
    exact = host.ours("nodes.host.exact").exact_file_of(trimmed)
    assert torch.equal(read_clip(exact)[0], (trimmed.get_components().images * 255).round().to(torch.uint8))


def test_numbers_of_numpy_are_no_surprise(host):
    convert = host.ours("nodes.convert")
    every = torch.from_numpy(np.arange(256, dtype=np.uint8))
    assert torch.equal(convert.bytes_from_image(convert.image_from_bytes(every)), every)


def test_a_clip_of_one_frame_is_a_clip(host, run, keep):
    source = still(16, frames=1)
    made = keep(in_memory(host, source), in_memory(host, with_square(source)))
    assert torch.equal(frames_of(made.video)[made.matte == 0], source[made.matte == 0])
    (saved,) = run("MovieGenSaveLossless", video=made.video, filename_prefix="one")
    assert torch.equal(read_clip(saved)[0], frames_of(made.video))


def test_nothing_changed_is_the_source(host, keep):
    source = still(17)
    made = keep(in_memory(host, source), in_memory(host, source))
    assert torch.equal(frames_of(made.video), source)
    assert not made.matte.any()
    assert made.report.startswith("100.0% of the pixels kept bit for bit")


def test_everything_changed_is_the_edit_and_the_node_says_so(host, keep):
    source = still(18)
    made = keep(in_memory(host, source), in_memory(host, 255 - source), mask=torch.ones(1, 64, 96))
    assert torch.equal(frames_of(made.video), 255 - source)
    assert "nothing of the source is kept" in made.report
