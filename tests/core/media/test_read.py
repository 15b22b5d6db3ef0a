"""Reading, tried on tiny clips of every awkward kind, made with PyAV alone: not with our own writer."""

import io
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image

from moviegen_core.errors import MediaError
from moviegen_core.media.read import (
    PICTURE_FPS,
    _display_matrix,
    _upright,
    frame_at,
    frames,
    probe,
    read_clip,
)

RGB_BARS = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [20, 20, 20], [200, 100, 50]])

LOSSLESS = {"libx264": {"qp": "0", "preset": "ultrafast"}, "ffv1": {}}


def encode(path, pictures, *, times=None, rate=Fraction(16), matrix=2, colour_range=1, codec="libx264"):
    """Write yuv444p planes (3, H, W) losslessly; times in seconds make the rate vary."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options=LOSSLESS[codec])
        stream.pix_fmt = "yuv444p"
        stream.height, stream.width = pictures[0].shape[1:]
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, colour_range
        stream.codec_context.time_base = 1 / rate if times is None else Fraction(1, 1000)
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="yuv444p")
            frame.colorspace, frame.color_range = matrix, colour_range
            frame.pts = index if times is None else round(times[index] * 1000)
            frame.time_base = stream.codec_context.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return Path(path)


def grey_planes(level, height=32, width=32):
    """A yuv444p frame of one luma level."""
    return np.stack([np.full((height, width), value, np.uint8) for value in (level, 128, 128)])


def turn(path, a, b, c, d):
    """Overwrite the display matrix in an mp4's track header: x' = a x + c y, y' = b x + d y."""
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 4 + 40
    for offset, value in ((0, a), (4, b), (12, c), (16, d)):
        struct.pack_into(">i", data, start + offset, value * 65536)
    path.write_bytes(data)


@pytest.fixture
def sound_file(tmp_path):
    """An m4a with half a second of silence."""
    path = tmp_path / "sound.m4a"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 24000), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def luma_codes(rgb, *, matrix, full):
    """YCbCr codes of RGB colours by the textbook, (N, 3)."""
    red, blue = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722)}[matrix]
    r, g, b = (rgb / 255).T
    y = red * r + (1 - red - blue) * g + blue * b
    cb, cr = (b - y) / (2 - 2 * blue), (r - y) / (2 - 2 * red)
    scales = ((255, 0), (255, 128), (255, 128)) if full else ((219, 16), (224, 128), (224, 128))
    return (
        np.stack([c * s + o for c, (s, o) in zip((y, cb, cr), scales, strict=True)], 1).round().clip(0, 255)
    )


def bars(codes, height=32):
    """A yuv444p frame of vertical bars, 16 pixels each."""
    return np.repeat(np.broadcast_to(codes.T[:, None, :], (3, height, len(codes))), 16, axis=2).astype(
        np.uint8
    )


def levels(clip):
    return [round(frame.float().mean().item() / 255 * 219 + 16) for frame in clip]


@pytest.mark.parametrize("rate", [Fraction(16), Fraction(24000, 1001), Fraction(30000, 1001), Fraction(7, 3)])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_constant_rate_clip_gives_each_frame_once(tmp_path, rate, suffix):
    path = encode(tmp_path / f"clip.{suffix}", [grey_planes(20 + 3 * k) for k in range(60)], rate=rate)
    clip, fps = read_clip(path)
    assert levels(clip) == [20 + 3 * k for k in range(60)]
    assert abs(fps / rate - 1) < Fraction(1, 1000)


def test_the_rate_of_an_mp4_is_exact(tmp_path):
    path = encode(tmp_path / "film.mp4", [grey_planes(50)] * 48, rate=Fraction(24000, 1001))
    info = probe(path)
    assert (info.fps, info.num_frames, info.seconds) == (
        Fraction(24000, 1001),
        48,
        Fraction(1001 * 48, 24000),
    )


def test_a_clip_of_one_frame_has_one_frame(tmp_path):
    assert read_clip(encode(tmp_path / "one.mp4", [grey_planes(90)]))[0].shape == (1, 32, 32, 3)


def test_odd_sides_are_read_as_they_are(tmp_path):
    path = encode(tmp_path / "odd.mp4", [grey_planes(90, 33, 35)] * 3)
    assert read_clip(path)[0].shape == (3, 33, 35, 3)
    assert (probe(path).height, probe(path).width) == (33, 35)


@pytest.mark.parametrize("fps", [None, Fraction(8), Fraction(30)])
def test_a_variable_rate_becomes_constant_and_keeps_the_length(tmp_path, fps):
    times = [0.0, 0.1, 0.2, 0.3, 1.3, 1.4, 1.5, 1.6, 2.4, 2.5]
    path = encode(tmp_path / "vfr.mp4", [grey_planes(30 + 10 * k) for k in range(10)], times=times)
    clip, rate = read_clip(path, fps=fps)
    assert fps in (None, rate)
    assert abs(len(clip) / rate - probe(path).seconds) <= 1 / rate


def test_each_output_time_of_a_variable_rate_clip_shows_the_nearest_frame(tmp_path):
    times = [0.0, 0.1, 0.2, 0.3, 1.3, 1.4, 2.0]
    path = encode(tmp_path / "vfr.mkv", [grey_planes(30 + 10 * k) for k in range(7)], times=times)
    clip, rate = read_clip(path, fps=Fraction(10))
    nearest = [min(range(7), key=lambda i: (abs(times[i] - k / 10), i)) for k in range(20)]
    assert rate == 10
    assert levels(clip)[:20] == [30 + 10 * i for i in nearest]


def test_resampling_keeps_the_seconds(tmp_path):
    path = encode(tmp_path / "clip.mp4", [grey_planes(50)] * 48, rate=Fraction(24))
    assert [len(read_clip(path, fps=Fraction(rate))[0]) for rate in (8, 12, 24, 48)] == [16, 24, 48, 96]


@pytest.mark.parametrize(
    ("display", "corner", "degrees"),
    [
        ((1, 0, 0, 1), (0, 0), 0),
        ((0, 1, -1, 0), (0, -1), 270),
        ((-1, 0, 0, -1), (-1, -1), 180),
        ((0, -1, 1, 0), (-1, 0), 90),
        ((-1, 0, 0, 1), (0, -1), None),
        ((1, 0, 0, -1), (-1, 0), None),
    ],
)
def test_the_display_matrix_takes_the_bright_corner_where_it_says(tmp_path, display, corner, degrees):
    picture = grey_planes(40, 32, 48)
    picture[0, :8, :8] = 220
    path = encode(tmp_path / "phone.mp4", [picture] * 2)
    turn(path, *display)
    clip, _ = read_clip(path)
    info = probe(path)
    assert clip.shape[1:3] == ((32, 48) if display[0] else (48, 32)) == (info.height, info.width)
    assert clip[0, corner[0], corner[1]].min() > 200
    assert (clip[0].float().mean(-1) > 128).sum() == 64
    assert degrees in (None, info.rotation)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_frame_with_side_data_of_an_unknown_kind_still_stands_upright(degrees):
    class Strange:
        rotation = degrees if degrees <= 180 else degrees - 360

        @property
        def side_data(self):
            raise ValueError("99 is not a valid Type")

    picture = np.arange(6).reshape(2, 3)
    assert np.array_equal(_upright(picture, _display_matrix(Strange())), np.rot90(picture, degrees // 90))


@pytest.mark.parametrize(("number", "matrix"), [(1, "bt709"), (5, "bt601"), (6, "bt601"), (2, "bt601")])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(("codec", "suffix"), [("libx264", "mp4"), ("ffv1", "mkv")])
def test_colours_come_out_by_the_streams_own_matrix_and_range(tmp_path, number, matrix, full, codec, suffix):
    picture = bars(luma_codes(RGB_BARS, matrix=matrix, full=full))
    tags = {"matrix": number, "colour_range": 2 if full else 1}
    path = encode(tmp_path / f"bars.{suffix}", [picture] * 2, codec=codec, **tags)
    seen = read_clip(path)[0][1, 16, 8::16].numpy().astype(int)
    assert np.abs(seen - RGB_BARS).max() <= 3


def test_untagged_high_definition_counts_as_bt709(tmp_path):
    picture = np.repeat(bars(luma_codes(RGB_BARS, matrix="bt709", full=False), 720), 8, axis=2)
    path = encode(tmp_path / "hd.mp4", [picture])
    assert np.abs(read_clip(path)[0][0, 16, 64::128].numpy().astype(int) - RGB_BARS).max() <= 3


def test_start_and_max_frames_cut_a_stretch_out(tmp_path):
    path = encode(tmp_path / "clip.mp4", [grey_planes(20 + 10 * k) for k in range(12)])
    assert levels(read_clip(path, start=5, max_frames=3)[0]) == [70, 80, 90]
    with pytest.raises(MediaError, match="frame number 12"):
        read_clip(path, start=12)


def test_streaming_decodes_no_further_than_asked(tmp_path, monkeypatch):
    path = encode(tmp_path / "clip.mkv", [grey_planes(20 + k % 200) for k in range(300)])
    size, handed = path.stat().st_size, []
    stream = frames(path)
    monkeypatch.setattr("moviegen_core.media.read._frames_of", lambda p: handed.append(p.size) or p.decode())
    first = next(stream)
    stream.close()
    assert first.shape == (32, 32, 3)
    assert sum(handed) < size / 2


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp"])
def test_a_picture_is_a_clip_of_one_frame(tmp_path, suffix):
    path = tmp_path / f"picture.{suffix}"
    Image.new("RGB", (20, 10), (200, 100, 50)).save(path)
    clip, fps = read_clip(path)
    assert clip.shape == (1, 10, 20, 3)
    assert (fps, probe(path).num_frames) == (PICTURE_FPS, 1)
    assert (clip[0, 5, 5].int() - torch.tensor([200, 100, 50])).abs().max() <= 4


def test_a_picture_is_turned_as_its_camera_says(tmp_path):
    path, image, exif = tmp_path / "phone.jpg", Image.new("RGB", (32, 16)), Image.Exif()
    image.paste((255, 255, 255), (0, 0, 8, 8))
    exif[0x0112] = 6
    image.save(path, exif=exif)
    clip, _ = read_clip(path)
    assert clip.shape == (1, 32, 16, 3)
    assert clip[0, 2, -2].min() > 200


def test_transparency_lies_over_white_and_deep_grey_keeps_its_brightness(tmp_path):
    Image.new("RGBA", (8, 8), (10, 20, 30, 0)).save(tmp_path / "clear.png")
    Image.fromarray(np.full((8, 8), 128 * 257, np.uint16)).save(tmp_path / "deep.png")
    assert (read_clip(tmp_path / "clear.png")[0] == 255).all()
    assert (read_clip(tmp_path / "deep.png")[0] == 128).all()


@pytest.mark.parametrize("name", ["a:b.mp4", "emoji 🦊 شمس.mp4", "-y.mp4", "100%d.mp4"])
def test_any_file_name_will_do(tmp_path, name):
    encode(tmp_path / "clip.mp4", [grey_planes(90)] * 2).rename(tmp_path / name)
    assert len(read_clip(tmp_path / name)[0]) == 2


@pytest.mark.parametrize("read", [probe, read_clip, lambda path: next(frames(path))])
@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("gone.mp4", None, "does not exist"),
        ("gone.png", None, "does not exist"),
        ("empty.mp4", b"", "0 bytes"),
        ("empty.png", b"", "0 bytes"),
        ("text.mp4", b"a red ball bounces on the beach" * 50, "not a video"),
        ("text.png", b"a red ball bounces on the beach" * 50, "not a picture"),
    ],
)
def test_what_is_no_clip_is_refused_in_a_sentence(tmp_path, read, name, content, says):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MediaError, match=says) as refusal:
        read(path)
    assert "\n" not in str(refusal.value)


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(MediaError, match="is a folder"):
        read_clip(tmp_path)


def test_sound_alone_is_refused(sound_file):
    for read in (probe, read_clip):
        with pytest.raises(MediaError, match="no video"):
            read(sound_file)


def test_a_song_with_its_cover_is_sound_alone(sound_file, tmp_path):
    cover = io.BytesIO()
    Image.new("RGB", (16, 16), (200, 100, 50)).save(cover, "JPEG")
    picture = b"\0image/jpeg\0\3\0" + cover.getvalue()
    frame = b"APIC" + struct.pack(">I", len(picture)) + b"\0\0" + picture
    size = bytes(len(frame) >> shift & 0x7F for shift in (21, 14, 7, 0))
    song = tmp_path / "song.mp3"
    with av.open(str(sound_file)) as source, av.open(str(song), "w") as target:
        stream = target.add_stream("mp3", rate=48000)
        for samples in source.decode(audio=0):
            target.mux(stream.encode(samples))
        target.mux(stream.encode())
    song.write_bytes(b"ID3\3\0\0" + size + frame + song.read_bytes())
    with av.open(str(song)) as container:
        assert len(container.streams.video) == 1
    with pytest.raises(MediaError, match="no video"):
        read_clip(song)


def test_a_file_cut_before_its_index_is_refused(tmp_path):
    path = encode(tmp_path / "cut.mp4", [grey_planes(20 + k) for k in range(30)])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    with pytest.raises(MediaError, match="cut off"):
        read_clip(path)


def test_a_track_whose_frames_are_all_lost_is_refused(tmp_path):
    path = encode(tmp_path / "hollow.mp4", [grey_planes(20 + k) for k in range(30)])
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    data[start : data.index(b"moov") - 4] = bytes(data.index(b"moov") - 4 - start)
    path.write_bytes(data)
    with pytest.raises(MediaError, match="no frame of it can be decoded"):
        read_clip(path)


def test_of_a_file_cut_in_the_middle_the_whole_frames_come(tmp_path):
    path = encode(
        tmp_path / "cut.mkv",
        [np.random.default_rng(k).integers(0, 255, (3, 32, 32), np.uint8) for k in range(30)],
    )
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 5 <= len(read_clip(path)[0]) < 30


def test_the_display_matrix_is_asked_for_once_since_asking_keeps_a_frame_alive(tmp_path, monkeypatch):
    asked, ask = [], _display_matrix
    path = encode(tmp_path / "clip.mp4", [grey_planes(90)] * 20)
    monkeypatch.setattr("moviegen_core.media.read._display_matrix", lambda f: asked.append(1) or ask(f))
    assert sum(1 for _ in frames(path)) == 20
    assert asked == [1]


@pytest.mark.parametrize("fps", [Fraction(16), Fraction(24000, 1001)])
def test_a_frame_found_by_seeking_is_the_one_that_reading_reaches(tmp_path, fps):
    clip = [np.random.default_rng(n).integers(0, 255, (3, 32, 48), dtype=np.uint8) for n in range(70)]
    path = encode(tmp_path / "clip.mp4", clip, rate=fps)
    read = list(frames(path))
    for number in (0, 1, 33, 69):
        assert torch.equal(frame_at(path, number / fps), read[number]), number
    assert torch.equal(frame_at(path, Fraction(99)), read[69])
