"""Sound into videos: pictures untouched, sound exactly as long, whatever the rate and the container."""

import math
from fractions import Fraction

import av
import pytest
import torch
from av.container import OutputContainer

from moviegen_core.errors import MediaError
from moviegen_core.geometry import samples_for
from moviegen_core.media.mux import add_sound
from moviegen_core.media.picture_time import picture_time
from moviegen_core.media.read import probe, read_clip
from moviegen_core.media.read_sound import open_sound, probe_sound
from moviegen_core.media.sound import Sound, count_samples, exactly, silence, sound_from, waveform_of

FILM, NTSC = Fraction(24000, 1001), Fraction(30000, 1001)
RATES = [Fraction(n) for n in (8, 12, 15, 16, 24, 25, 30, 50, 60)] + [FILM, NTSC]
UNEVEN = [0, 0.1, 0.2, 0.3, 1.3, 1.4, 1.5, 1.6, 2.4, 2.5]


def packets(path):
    """When each stored picture is shown, and its bytes."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [(p.pts * p.time_base, bytes(p)) for p in container.demux(stream) if p.size]


def noise(seconds=3.0, channels=1):
    return sound_from(torch.rand(channels, round(seconds * 48000)) - 0.5)


def likeness(path, sound):
    """Of white noise: 1 unchanged, 0.7 through a lossy codec, about 0 when it is off by a sample."""
    read = waveform_of(open_sound(path))
    wave = waveform_of(exactly(sound, read.shape[1]))
    return float((read * wave).sum() / (read.norm() * wave.norm()))


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("num_frames", [1, 2, 7, 31])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_the_sound_has_exactly_as_many_samples_as_the_frames_last(tmp_path, rate, num_frames, suffix, video):
    source = video(tmp_path / "in.mp4", num_frames=num_frames, rate=rate)
    sound = noise(4)
    done = add_sound(source, sound, tmp_path / f"out.{suffix}")
    assert done.num_samples == samples_for(num_frames, rate)
    assert waveform_of(open_sound(done.path)).shape == (1, done.num_samples)
    time = picture_time(done.path)
    assert time.num_frames == num_frames
    if suffix == "mp4":  # short mkv files do not tell their rate with every PyAV
        assert time.num_samples() == done.num_samples
    if num_frames > 1:
        assert likeness(done.path, sound) > 0.6


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "m4v"])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("film.mp4", {"rate": FILM}),
        ("film.mkv", {"rate": FILM, "num_frames": 60}),
        ("uneven.mp4", {"times": UNEVEN}),
        ("uneven.mkv", {"times": UNEVEN}),
        ("late.mp4", {"start": Fraction(1, 2)}),
        ("old.mov", {"codec": "mpeg4"}),
    ],
)
def test_pictures_are_copied_with_their_bytes_and_times(tmp_path, name, options, suffix, video):
    source = video(tmp_path / name, **options)
    sound = noise()
    done = add_sound(source, sound, tmp_path / f"out.{suffix}")
    before, after = packets(source), packets(done.path)
    assert done.copied
    assert [data for _, data in before] == [data for _, data in after]
    rounded = Fraction(1, 2000) if suffix == "mkv" else 0
    assert all(abs(a - b) <= rounded for (a, _), (b, _) in zip(before, after, strict=True))
    assert likeness(done.path, sound) > 0.6


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov"])
@pytest.mark.parametrize("num_frames", range(1, 9))
def test_a_clip_too_short_to_tell_when_it_is_decoded_keeps_every_picture(tmp_path, num_frames, suffix, video):
    source = video(tmp_path / "in.mkv", num_frames=num_frames, rate=Fraction(12))
    done = add_sound(source, noise(), tmp_path / f"out.{suffix}")
    assert done.copied
    assert [data for _, data in packets(done.path)] == [data for _, data in packets(source)]
    assert torch.equal(read_clip(source)[0], read_clip(done.path)[0])
    assert num_frames < 3 or picture_time(done.path).fps == 12


def test_a_rotated_video_stays_rotated(tmp_path, video):
    source = video(tmp_path / "phone.mp4")
    data = bytearray(source.read_bytes())
    start = data.index(b"tkhd") + 4 + 40
    data[start : start + 20] = b"".join(v.to_bytes(4, "big", signed=True) for v in (0, 65536, 0, -65536, 0))
    source.write_bytes(data)
    assert probe(source).rotation == 270
    done = add_sound(source, noise(), tmp_path / "out.mp4")
    assert probe(done.path).rotation == 270
    assert torch.equal(read_clip(source)[0], read_clip(done.path)[0])


def test_what_the_container_cannot_hold_is_encoded_again_at_the_same_times(tmp_path, video):
    source = video(tmp_path / "in.mp4", times=UNEVEN)
    sound = noise()
    done = add_sound(source, sound, tmp_path / "out.webm")
    assert not done.copied
    moments = [[moment for moment, _ in packets(path)] for path in (source, done.path)]
    assert all(abs(a - b) < Fraction(1, 500) for a, b in zip(*moments, strict=True))
    assert waveform_of(open_sound(done.path)).shape[1] == done.num_samples
    assert likeness(done.path, sound) > 0.6


def test_tags_and_language_stay(tmp_path, video):
    source = video(tmp_path / "in.mp4", tags={"title": "Fox", "comment": '{"prompt": "a red ball"}'})
    with av.open(str(add_sound(source, noise(), tmp_path / "out.mp4").path)) as container:
        assert container.metadata["title"] == "Fox"
        assert container.metadata["comment"] == '{"prompt": "a red ball"}'
        assert container.streams.video[0].metadata["language"] == "fre"


def test_old_sound_is_replaced_or_kept_behind_the_new(tmp_path, video):
    source = video(tmp_path / "in.mp4", num_frames=24)
    first, second = noise(), noise(channels=2)
    once = add_sound(source, first, tmp_path / "once.mkv").path
    assert probe_sound(add_sound(once, second, tmp_path / "new.mkv").path).num_tracks == 1
    both = add_sound(once, second, tmp_path / "both.mkv", keep_sound=True).path
    assert probe_sound(both).num_tracks == 2
    assert torch.equal(waveform_of(open_sound(both, track=1)), waveform_of(open_sound(once)))
    assert likeness(both, second) > 0.999


def test_subtitles_stay_where_the_container_takes_them(tmp_path, video):
    text = tmp_path / "in.srt"
    text.write_text("1\n00:00:00,100 --> 00:00:00,400\nA ball falls.\n\n")
    source, titled = video(tmp_path / "in.mp4", num_frames=24), tmp_path / "titled.mkv"
    with av.open(str(source)) as pictures, av.open(str(text)) as titles, av.open(str(titled), "w") as target:
        for container in (pictures, titles):
            target.add_stream_from_template(container.streams[0], opaque=True)
        for container, copy in zip((pictures, titles), target.streams, strict=True):
            for packet in container.demux(0):
                if packet.size:
                    packet.stream = copy
                    target.mux(packet)
    kept = add_sound(titled, noise(), tmp_path / "out.mkv")
    with av.open(str(kept.path)) as container:
        assert [bytes(p) for p in container.demux(subtitles=0) if p.size] == [b"A ball falls."]
    assert kept.dropped == ()
    assert add_sound(titled, noise(), tmp_path / "out.mp4").dropped == ("subtitle track 1",)


@pytest.mark.skipif(not hasattr(OutputContainer, "set_chapters"), reason="this PyAV knows no chapters")
def test_chapters_stay(tmp_path, video):
    source, told = video(tmp_path / "in.mp4", num_frames=24), tmp_path / "told.mkv"
    with av.open(str(source)) as pictures, av.open(str(told), "w") as target:
        stream = target.add_stream_from_template(pictures.streams.video[0], opaque=True)
        target.set_chapters(
            [{"id": 1, "start": 0, "end": 500, "time_base": Fraction(1, 1000), "metadata": {"title": "Rain"}}]
        )
        for packet in pictures.demux(0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    for suffix in ("mp4", "mkv"):
        with av.open(str(add_sound(told, noise(), tmp_path / f"out.{suffix}").path)) as container:
            (chapter,) = container.chapters()
        assert chapter["metadata"]["title"] == "Rain"
        assert chapter["end"] * chapter["time_base"] == Fraction(1, 2)


def test_a_video_may_be_written_over_itself(tmp_path, video):
    source = video(tmp_path / "in.mp4")
    before = [data for _, data in packets(source)]
    add_sound(source, noise(), source)
    assert [data for _, data in packets(source)] == before
    assert probe_sound(source).codec == "aac"


def test_short_sound_is_followed_by_silence_and_other_rates_are_resampled(tmp_path, video):
    source = video(tmp_path / "in.mp4", num_frames=48)
    wave = 0.5 * torch.sin(2 * math.pi * 1000 * torch.arange(44100).double() / 44100)[None]
    done = add_sound(source, sound_from(wave, 44100), tmp_path / "out.mkv")
    read = waveform_of(open_sound(done.path))
    expected = 0.5 * torch.sin(2 * math.pi * 1000 * torch.arange(96000).double() / 48000)
    assert (read[0, 1000:47000] - expected[1000:47000]).abs().max() < 1e-4
    assert read[:, 48100:].abs().max() < 1e-4
    assert read.shape == (1, 96000)


def test_an_interrupt_leaves_the_old_file_and_nothing_else(tmp_path, video):
    def chunks():
        yield torch.zeros(1, 4000)
        raise KeyboardInterrupt

    source = video(tmp_path / "in.mp4")
    before = source.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        add_sound(source, Sound(sample_rate=48000, speakers=("FC",), chunks=chunks), source)
    assert source.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["in.mp4"]


def test_what_cannot_be_done_is_refused(tmp_path, video):
    source = video(tmp_path / "in.mp4")
    with pytest.raises(MediaError, match=r"\.mp4, \.m4v, \.mov, \.mkv, \.webm"):
        add_sound(source, noise(), tmp_path / "out.gif")
    with pytest.raises(MediaError, match="remix"):
        add_sound(source, noise(channels=6), tmp_path / "out.mp4")
    with pytest.raises(MediaError, match="does not exist"):
        add_sound(tmp_path / "gone.mp4", noise(), tmp_path / "out.mp4")
    assert [entry.name for entry in tmp_path.iterdir()] == ["in.mp4"]


@pytest.mark.parametrize("rate", RATES)
def test_lengths_all_over_1_to_200_frames_are_exact_after_mp4(tmp_path, rate, video):
    """Three lengths a rate, other ones for each, so that all eleven together spread over 1 to 200."""
    for step in range(3):
        num_frames = 1 + (17 * RATES.index(rate) + 67 * step) % 200
        source = video(tmp_path / "in.mp4", num_frames=num_frames, rate=rate)
        out = tmp_path / "out.mp4"
        expected = round(num_frames / rate * 48000)
        assert add_sound(source, silence(10), out).num_samples == expected
        assert count_samples(open_sound(out)) == expected
