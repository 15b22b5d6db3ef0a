from fractions import Fraction

import av
import numpy as np
import pytest
import torch

from moviegen_core.errors import MediaError
from moviegen_core.media.join import join
from moviegen_core.media.mux import add_sound
from moviegen_core.media.read import probe, read_clip
from moviegen_core.media.read_sound import probe_sound
from moviegen_core.media.sound import sound_from
from moviegen_core.media.source import open_source
from moviegen_core.media.write import read_metadata, write_clip

FPS = Fraction(24000, 1001)


@pytest.fixture
def segments(tmp_path):
    """Three segments of noise, of 5, 1 and 7 frames, and their frames."""
    torch.manual_seed(0)
    frames = torch.randint(0, 256, (13, 24, 32, 3), dtype=torch.uint8)
    paths = [tmp_path / f"{number}.mp4" for number in range(3)]
    for path, part in zip(paths, frames.split([5, 1, 7]), strict=True):
        write_clip(path, part, FPS)
    return paths


def packets(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [
            (packet.pts * packet.time_base, bytes(packet))
            for packet in container.demux(stream)
            if packet.size
        ]


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv"])
def test_joined_segments_hold_every_packet_untouched_and_every_frame_at_its_moment(
    segments, tmp_path, ending
):
    joined = join(segments, tmp_path / f"out{ending}", fps=FPS, metadata={"upscaler": "none"})
    assert (joined.num_frames, joined.sound) == (13, "none")
    found = packets(joined.path)
    assert len(found) == 13
    near = Fraction(1, 900)
    assert all(abs(moment - number / FPS) < near for number, moment in enumerate(sorted(m for m, _ in found)))
    frames, _ = read_clip(joined.path)
    parts = torch.cat([read_clip(path)[0] for path in segments])
    assert torch.equal(frames, parts)
    if ending == ".mp4":
        assert [data for _, data in found] == [data for path in segments for _, data in packets(path)]
        assert read_metadata(joined.path)["upscaler"] == "none"
        assert probe(joined.path).fps == FPS


def test_pictures_start_where_the_sources_did_so_that_sound_keeps_its_place(segments, video, tmp_path):
    source = video(tmp_path / "late.mkv", start=Fraction(1, 2))
    add_sound(source, sound_from(torch.zeros(1, 20000)), tmp_path / "late.mp4")
    late = open_source(tmp_path / "late.mp4")
    joined = join(segments, tmp_path / "out.mp4", fps=FPS, source=late.path, start=late.start)
    with av.open(str(joined.path)) as now, av.open(str(late.path)) as before:
        shifts = []
        for container in (now, before):
            first = {}
            for packet in container.demux(container.streams.video[0], container.streams.audio[0]):
                if packet.size:
                    moment = packet.pts * packet.time_base
                    first[packet.stream.type] = min(moment, first.get(packet.stream.type, moment))
            shifts.append(first["audio"] - first["video"])
    assert abs(shifts[0] - shifts[1]) < 0.002


def test_sound_around_that_the_container_does_not_take_becomes_stereo(segments, tmp_path):
    with av.open(str(tmp_path / "around.mkv"), "w") as target:
        pictures = target.add_stream("libx264", rate=24)
        pictures.width, pictures.height, pictures.pix_fmt = 32, 24, "yuv420p"
        sound = target.add_stream("flac", rate=48000, layout="5.1")
        sound.codec_context.format = "s16"
        for _ in range(13):
            target.mux(pictures.encode(av.VideoFrame(32, 24, "yuv420p")))
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 6 * 4096), np.int16), "s16", "5.1")
        frame.sample_rate = 48000
        target.mux([*sound.encode(frame), *sound.encode(), *pictures.encode()])
    joined = join(segments, tmp_path / "out.mov", fps=FPS, source=tmp_path / "around.mkv")
    assert joined.sound == "encoded again in stereo"
    assert probe_sound(joined.path).speakers == ("FL", "FR")


def test_nothing_cannot_be_joined_and_other_endings_are_refused(segments, tmp_path):
    with pytest.raises(MediaError, match="nothing to join"):
        join([], tmp_path / "out.mp4", fps=FPS)
    with pytest.raises(MediaError, match="end its name in"):
        join(segments, tmp_path / "out.avi", fps=FPS)
