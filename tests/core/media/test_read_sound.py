"""Reading sound, tried on tiny files of every awkward kind, made with PyAV alone."""

import math
import struct
from fractions import Fraction

import av
import numpy as np
import pytest
import torch

from moviegen_core.errors import MediaError
from moviegen_core.media.read_sound import has_sound, open_sound, probe_sound
from moviegen_core.media.sound import waveform_of

RATE = 48000
FORMATS = {
    "aac": "fltp",
    "libopus": "flt",
    "flac": "s16",
    "pcm_s16le": "s16",
    "alac": "s16p",
    "libmp3lame": "fltp",
}


def noise(num_samples, channels=1):
    return np.random.default_rng(0).uniform(-0.3, 0.3, (channels, num_samples)).astype(np.float32)


def tone(num_samples, hz=440, rate=RATE):
    return (0.3 * np.sin(2 * math.pi * hz * np.arange(num_samples) / rate)).astype(np.float32)[None]


def packed(wave, sample_format):
    if sample_format.startswith("s16"):
        wave = (wave * 32768).round().clip(-32768, 32767).astype(np.int16)
    return np.ascontiguousarray(wave if sample_format.endswith("p") else wave.T.reshape(1, -1))


def write(path, codec, wave, *, rate=RATE, layout="mono", start=0, gaps=(), pictures=0):
    """Encode a waveform; with pictures beside it, at 24 a second; ``gaps``: (sample, seconds) to skip."""
    options = {"movie_timescale": "48000"} if path.suffix in (".mp4", ".mov", ".m4a") else {}
    with av.open(str(path), "w", options=options) as container:
        if pictures:
            video = container.add_stream("libx264", rate=24)
            video.width = video.height = 32
            video.pix_fmt = "yuv420p"
        stream = container.add_stream(codec, rate=rate, layout=layout)
        stream.codec_context.format = FORMATS[codec]
        container.start_encoding()
        for k in range(pictures):
            frame = av.VideoFrame(32, 32, "yuv420p")
            frame.pts, frame.time_base = k, Fraction(1, 24)
            container.mux(video.encode(frame))
        if pictures:
            container.mux(video.encode())
        size = stream.codec_context.frame_size or 1024
        for place in range(0, wave.shape[1], size):
            part = wave[:, place : place + size]
            frame = av.AudioFrame.from_ndarray(
                packed(part, FORMATS[codec]), format=FORMATS[codec], layout=layout
            )
            late = sum(round(seconds * rate) for after, seconds in gaps if place >= after)
            frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), start + place + late
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def read(path, **options):
    return waveform_of(open_sound(path, **options))


def write_plain_wav(path, channels, frames):
    """A WAV that does not say where its channels are heard."""
    data = np.zeros((frames, channels), "<i2").tobytes()
    form = struct.pack("<HHIIHH", 1, channels, RATE, RATE * channels * 2, channels * 2, 16)
    path.write_bytes(
        b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + struct.pack("<I", 16) + form
        + b"data" + struct.pack("<I", len(data)) + data
    )  # fmt: skip
    return path


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        *[
            ("a.mp4", "aac"),
            ("a.mov", "aac"),
            ("a.mp4", "libopus"),
            ("a.webm", "libopus"),
            ("a.mkv", "libopus"),
        ],
        *[
            ("a.mkv", "flac"),
            ("a.mp4", "alac"),
            ("a.mov", "pcm_s16le"),
            ("a.wav", "pcm_s16le"),
            ("a.mp3", "libmp3lame"),
        ],
    ],
)
@pytest.mark.parametrize("length", [1025, 7001])
def test_codec_padding_is_gone_at_both_ends(tmp_path, name, codec, length):
    sound = read(write(tmp_path / name, codec, noise(length)))
    assert sound.shape == (1, length)


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "aac"), ("a.webm", "libopus"), ("a.mp3", "libmp3lame")]
)
def test_what_a_lossy_codec_gives_back_stands_where_it_stood(tmp_path, name, codec):
    wave = torch.zeros(1, 24000)
    wave[0, 12000:12400] = torch.from_numpy(noise(400)[0])
    sound = read(write(tmp_path / name, codec, wave.numpy()))
    lags = range(-20, 21)
    likeness = [float((sound.roll(lag, 1) * wave).sum()) for lag in lags]
    assert lags[likeness.index(max(likeness))] == 0


@pytest.mark.parametrize("codec", ["flac", "pcm_s16le"])
@pytest.mark.parametrize(("layout", "channels"), [("mono", 1), ("stereo", 2), ("5.1", 6), ("7.1", 8)])
def test_a_lossless_sound_comes_back_bit_by_bit_in_every_layout(tmp_path, codec, layout, channels):
    wave = packed(noise(5000, channels), "s16p")
    path = write(tmp_path / "a.mkv", codec, noise(5000, channels), layout=layout)
    assert torch.equal(read(path), torch.from_numpy(wave).float() / 32768)
    assert len(probe_sound(path).speakers) == channels


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 96000])
def test_any_rate_is_told_and_kept(tmp_path, rate):
    path = write(tmp_path / "a.wav", "pcm_s16le", tone(3000, rate=rate), rate=rate)
    sound = open_sound(path)
    assert (sound.sample_rate, waveform_of(sound).shape) == (rate, (1, 3000))


def test_sound_that_starts_late_is_silent_until_then(tmp_path):
    path = write(tmp_path / "a.mov", "pcm_s16le", noise(9600), start=4800, pictures=12)
    sound = read(path)
    assert not sound[:, :4800].any()
    assert torch.equal(sound[:, 4800:], torch.from_numpy(packed(noise(9600), "s16p")).float() / 32768)


def test_a_gap_in_the_stamps_is_silence_and_what_follows_stands_in_its_place(tmp_path):
    wave = noise(9216)
    sound = read(write(tmp_path / "a.mkv", "flac", wave, gaps=[(4608, 0.25)], pictures=3))
    expected = torch.from_numpy(packed(wave, "s16p")).float() / 32768
    assert torch.equal(sound[:, :4608], expected[:, :4608])
    assert not sound[:, 4608:16608].any()
    assert torch.equal(sound[:, 16608:], expected[:, 4608:])


def test_a_lost_packet_is_silence_and_moves_nothing(tmp_path):
    whole = write(tmp_path / "a.mp4", "aac", tone(48000))
    clean = read(whole)
    with av.open(str(whole)) as container:
        packets = [p for p in container.demux(audio=0) if p.size]
        position, size = packets[20].pos, packets[20].size
    data = bytearray(whole.read_bytes())
    data[position : position + size] = b"\xff" * size
    whole.write_bytes(data)
    sound = read(whole)
    assert sound.shape == clean.shape
    assert (sound[:, 30000:] - clean[:, 30000:]).abs().max() < 1e-3


def test_of_a_file_cut_off_what_is_left_comes(tmp_path):
    path = write(tmp_path / "a.mkv", "flac", noise(96000))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 20000 < read(path).shape[1] < 96000


def test_a_second_track_can_be_asked_for(tmp_path):
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("pcm_s16le", rate=RATE, layout="mono") for _ in range(2)]
        for value, stream in enumerate(streams, 1):
            values = np.full((1, 1000), value * 1024, np.int16)
            frame = av.AudioFrame.from_ndarray(values, format="s16", layout="mono")
            frame.sample_rate = RATE
            container.mux(stream.encode(frame))
    assert probe_sound(path).num_tracks == 2
    assert [read(path, track=k)[0, 0] * 32 for k in (0, 1)] == [1, 2]
    with pytest.raises(MediaError, match="no sound track 2"):
        open_sound(path, track=2)


def test_channels_without_a_place_are_taken_in_the_order_of_wav_files(tmp_path):
    assert probe_sound(write_plain_wav(tmp_path / "a.wav", 6, 10)).speakers[:4] == ("FL", "FR", "FC", "LFE")
    with pytest.raises(MediaError, match="12 channels"):
        open_sound(write_plain_wav(tmp_path / "b.wav", 12, 10))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_samples_that_are_no_numbers_are_refused_with_their_place(tmp_path, value):
    wave = tone(96000)
    wave[0, 60000] = value
    path = tmp_path / "a.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_f32le", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(wave, format="flt", layout="mono")
        frame.sample_rate = RATE
        container.mux(stream.encode(frame))
    with pytest.raises(MediaError, match=r"not numbers 1.* seconds in"):
        read(path)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("gone.wav", None, "does not exist"),
        ("empty.wav", b"", "0 bytes"),
        ("text.wav", b"rain " * 99, "no sound"),
    ],
)
def test_what_is_no_sound_is_refused_in_a_sentence(tmp_path, name, content, says):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(MediaError, match=says) as refusal:
        open_sound(tmp_path / name)
    assert "\n" not in str(refusal.value)


def test_a_sound_without_a_sample_and_a_video_without_sound_are_refused(tmp_path):
    with pytest.raises(MediaError, match="empty"):
        open_sound(write_plain_wav(tmp_path / "zero.wav", 1, 0))
    silent = tmp_path / "silent.mp4"
    with av.open(str(silent), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width = stream.height = 32
        container.mux(stream.encode(av.VideoFrame(32, 32, "yuv420p")))
        container.mux(stream.encode())
    with pytest.raises(MediaError, match="holds no sound"):
        open_sound(silent)
    assert not has_sound(silent)
    assert has_sound(write(tmp_path / "a.wav", "pcm_s16le", noise(10)))
