"""Writing: what is put in comes out, or nothing is left behind."""

from fractions import Fraction

import av
import pytest
import torch

from moviegen_core.errors import MediaError
from moviegen_core.media.images import write_image
from moviegen_core.media.read import read_clip
from moviegen_core.media.write import clip_from_frames, frames_from_clip, read_metadata, write_clip

TOLD = {
    "prompt": "\N{FOX FACE} \u0634\u0645\u0633 \u05e9\u05de\u05e9 \u201cquoted\u201d\nsecond line",
    "seed": "7",
    "cast": "nano",
    "settings": '{"steps": 50}',
    "empty": "",
}


def soft_clip(num_frames, height, width):
    """Smooth moving colours, (T, H, W, 3) uint8."""
    coarse = torch.rand(1, 3, 3, 4, 4, generator=torch.Generator().manual_seed(num_frames)) * 2 - 1
    return frames_from_clip(
        torch.nn.functional.interpolate(coarse, (num_frames, height, width), mode="trilinear")[0]
    )


@pytest.mark.parametrize("num_frames", [1, 2, 17, 33])
@pytest.mark.parametrize(
    "fps", [Fraction(16), Fraction(24000, 1001), Fraction(7, 3), Fraction(1, 3), Fraction(2700000, 90091)]
)
def test_the_count_and_the_rate_are_exact(tmp_path, num_frames, fps):
    path = write_clip(tmp_path / "clip.mp4", soft_clip(num_frames, 32, 48), fps)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        length = stream.duration * stream.time_base
        assert sum(1 for _ in container.decode(stream)) == num_frames
    assert (stream.average_rate, length) == (fps, num_frames / fps)
    assert read_clip(path)[1] == fps


def test_pixels_come_back_all_but_unchanged(tmp_path):
    clip = soft_clip(9, 112, 192)
    back, _ = read_clip(write_clip(tmp_path / "clip.mp4", clip, Fraction(16)))
    error = (back.float() - clip.float()).square().mean()
    assert 10 * torch.log10(255**2 / error) > 42


def test_the_same_frames_make_the_same_file_every_time(tmp_path):
    frames = torch.randint(0, 256, (9, 18, 32, 3), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    files = {write_clip(tmp_path / "clip.mp4", frames, Fraction(16)).read_bytes() for _ in range(30)}
    assert len(files) == 1


def test_colours_are_truly_converted_to_the_bt709_they_are_tagged_as(tmp_path):
    green = torch.tensor([0, 255, 0], dtype=torch.uint8).expand(2, 32, 32, 3)
    path = write_clip(tmp_path / "green.mp4", green, Fraction(16))
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        context = container.streams.video[0].codec_context
        tags = (context.colorspace, context.color_primaries, context.color_trc, context.color_range)
    assert tags == (1, 1, 1, 1)
    assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
    planes = frame.to_ndarray()
    assert [abs(int(planes[row, 0]) - code) <= 1 for row, code in ((0, 173), (32, 42), (40, 26))] == [
        True
    ] * 3


@pytest.mark.parametrize(("height", "width"), [(33, 35), (32, 35), (1, 1)])
def test_odd_sides_are_padded_by_their_edge(tmp_path, height, width):
    clip = torch.full((3, height, width, 3), 200, dtype=torch.uint8)
    back, _ = read_clip(write_clip(tmp_path / "odd.mp4", clip, Fraction(16)))
    assert back.shape == (3, height + height % 2, width + width % 2, 3)
    assert (back.int() - 200).abs().max() <= 2


def test_the_index_stands_before_the_frames_so_that_browsers_start_at_once(tmp_path):
    data = write_clip(tmp_path / "clip.mp4", soft_clip(5, 32, 32), Fraction(16)).read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_frames_may_come_one_by_one(tmp_path):
    clip = soft_clip(5, 32, 32)
    streamed = write_clip(tmp_path / "a.mp4", (frame for frame in clip), Fraction(16))
    whole = write_clip(tmp_path / "b.mp4", clip, Fraction(16))
    assert torch.equal(read_clip(streamed)[0], read_clip(whole)[0])


def test_metadata_of_a_clip_comes_back_in_any_script(tmp_path):
    path = write_clip(tmp_path / "clip.mp4", soft_clip(2, 32, 32), Fraction(16), metadata=TOLD)
    assert read_metadata(path) == TOLD
    with av.open(str(path)) as container:
        assert container.metadata["prompt"] == TOLD["prompt"]
        assert container.metadata["seed"] == "7"


def test_metadata_of_a_picture_comes_back_in_any_script(tmp_path):
    path = write_image(tmp_path / "frame.png", soft_clip(1, 9, 7)[0], TOLD)
    assert read_metadata(path) == TOLD
    assert torch.equal(read_clip(path)[0], soft_clip(1, 9, 7))


def test_text_that_no_encoding_holds_does_not_lose_the_clip(tmp_path):
    told = {"prompt": "half a pair \ud83e and a nul \0 inside"}
    clip = write_clip(tmp_path / "clip.mp4", soft_clip(1, 32, 32), Fraction(16), metadata=told)
    picture = write_image(tmp_path / "frame.png", soft_clip(1, 32, 32)[0], told)
    assert read_metadata(clip) == read_metadata(picture) == told


def test_no_metadata_reads_as_none(tmp_path):
    assert read_metadata(write_clip(tmp_path / "clip.mp4", soft_clip(1, 32, 32), Fraction(16))) == {}
    assert read_metadata(write_image(tmp_path / "frame.png", soft_clip(1, 8, 8)[0])) == {}


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, MediaError])
@pytest.mark.parametrize("after", [0, 1, 100])
def test_an_interrupt_leaves_nothing_half_written(tmp_path, error, after):
    def broken():
        yield from soft_clip(after, 32, 32) if after else ()
        raise error

    with pytest.raises(error):
        write_clip(tmp_path / "clip.mp4", broken(), Fraction(16))
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_leaves_the_older_file_as_it_was(tmp_path):
    path = write_clip(tmp_path / "clip.mp4", soft_clip(2, 32, 32), Fraction(16))
    before = path.read_bytes()

    def broken():
        yield soft_clip(1, 32, 32)[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_clip(path, broken(), Fraction(16))
    assert [path] == list(tmp_path.iterdir())
    assert path.read_bytes() == before


def test_a_picture_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def full(*_args, **_options):
        raise OSError("No space left on device")

    monkeypatch.setattr("PIL.Image.Image.save", full)
    with pytest.raises(MediaError, match="No space left"):
        write_image(tmp_path / "frame.png", soft_clip(1, 8, 8)[0])
    assert list(tmp_path.iterdir()) == []


def test_a_clip_takes_the_place_of_an_older_one(tmp_path):
    for num_frames in (2, 3):
        path = write_clip(tmp_path / "clip.mp4", soft_clip(num_frames, 32, 32), Fraction(16))
    assert len(read_clip(path)[0]) == 3


def test_places_that_cannot_be_written_are_refused_before_any_frame_is_made(tmp_path, monkeypatch):
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "file").write_text("x")
    asked = []
    places = {
        tmp_path / "none" / "clip.mp4": "create it or choose another",
        tmp_path / "folder.mp4": "is a folder",
        tmp_path / "file" / "clip.mp4": "create it or choose another",
        tmp_path / "clip.avi": "name it clip.mp4",
    }
    for path, says in places.items():
        with pytest.raises(MediaError, match=says):
            write_clip(path, (asked.append(k) for k in range(3)), Fraction(16))
    monkeypatch.setattr("os.access", lambda *_: False)
    for write, name in ((write_clip, "clip.mp4"), (lambda p, f, _: write_image(p, f[0]), "frame.png")):
        with pytest.raises(MediaError, match="cannot be written"):
            write(tmp_path / name, soft_clip(1, 8, 8), Fraction(16))
    assert asked == []


@pytest.mark.parametrize(
    ("frames", "says"),
    [
        ([], "no frame"),
        (torch.zeros(2, 8, 8, 3), "uint8"),
        (torch.zeros(2, 3, 8, 8, dtype=torch.uint8), "give uint8"),
        (torch.zeros(2, 0, 8, 3, dtype=torch.uint8), "give uint8"),
        ([torch.zeros(8, 8, 3, dtype=torch.uint8), torch.zeros(8, 10, 3, dtype=torch.uint8)], "frame 1"),
    ],
)
def test_frames_that_make_no_clip_are_refused(tmp_path, frames, says):
    with pytest.raises(MediaError, match=says):
        write_clip(tmp_path / "clip.mp4", frames, Fraction(16))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fps", [Fraction(0), Fraction(-1), Fraction(23.976)])
def test_rates_that_mp4_cannot_hold_are_refused(tmp_path, fps):
    with pytest.raises(MediaError, match="fps"):
        write_clip(tmp_path / "clip.mp4", soft_clip(2, 8, 8), fps)


def test_every_pixel_value_survives_the_range_conversion():
    frames = torch.arange(256, dtype=torch.uint8).view(1, 16, 16, 1).expand(2, 16, 16, 3).contiguous()
    clip = clip_from_frames(frames)
    assert clip.shape == (1, 3, 2, 16, 16)
    assert (clip.min(), clip.max()) == (-1, 1)
    assert torch.equal(frames_from_clip(clip[0]), frames)


def test_the_range_conversion_rounds_to_the_nearest_and_clamps():
    values = torch.tensor([-3.0, -1.0, (100.4 / 127.5) - 1, (100.6 / 127.5) - 1, 1.0, 3.0])
    assert frames_from_clip(values.expand(3, 1, 1, 6))[0, 0, :, 0].tolist() == [0, 0, 100, 101, 255, 255]
