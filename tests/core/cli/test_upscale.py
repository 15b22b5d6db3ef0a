import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image

from moviegen_core.media.mux import add_sound
from moviegen_core.media.read import probe, read_clip
from moviegen_core.media.read_sound import open_sound
from moviegen_core.media.sound import sound_from
from moviegen_core.media.write import write_clip
from moviegen_core.stages import upscale_video as stage


@pytest.fixture
def upscale(moviegen):
    """Run ``moviegen upscale``; later options win."""
    return lambda *words: moviegen("upscale", *words[:1], "--device", "cpu", "--height", "64", *words[1:])


@pytest.fixture
def film(tmp_path):
    """Write smooth moving frames, with a sound or without, and return the file's name."""

    def write(num_frames=10, height=24, width=32, fps=Fraction(8), name="in.mp4", *, sound=False):
        write_clip(tmp_path / "in.mp4", moving(num_frames, height, width), fps)
        if sound:
            waveform = torch.sin(torch.arange(60000) / 20).repeat(2, 1) * 0.5
            add_sound(tmp_path / "in.mp4", sound_from(waveform), tmp_path / name)
        return name

    return write


def moving(num_frames, height, width):
    """No two frames alike, so that a lost or doubled one shows."""
    x, y = torch.arange(width) / width, torch.arange(height)[:, None] / height
    frames = [128 + 100 * torch.sin(5 * x + 3 * y + 0.7 * number) for number in range(num_frames)]
    return torch.stack(frames)[..., None].expand(-1, -1, -1, 3).to(torch.uint8)


def packets(path, kind):
    with av.open(str(path)) as container:
        stream = getattr(container.streams, kind)[0]
        return [(p.pts * p.time_base, bytes(p)) for p in container.demux(stream) if p.size]


@pytest.mark.parametrize(
    ("size", "options", "result"),
    [
        ((24, 32), (), (64, 84)),
        ((32, 24), (), (64, 48)),
        ((23, 37), ("--width", 104), (64, 104)),
        ((24, 32), ("--width", 200, "--fit", "pad"), (64, 200)),
        ((2, 2), (), (64, 64)),
    ],
)
def test_a_film_of_any_shape_comes_out_in_exactly_the_size_with_every_frame(
    upscale, film, size, options, result
):
    answer = upscale(film(11, *size), "-o", "out.mp4", *options, "--json")
    frames, fps = read_clip("out.mp4")
    assert frames.shape == (11, *result, 3)
    assert fps == 8
    assert (answer.facts["height"], answer.facts["width"]) == result
    assert answer.facts["num_frames"] == 11


def test_the_plan_is_told_before_and_the_peak_after(upscale, film):
    answer = upscale(film(33), "-o", "out.mp4")
    plan = next(line for line in answer.err.splitlines() if line.startswith("moviegen:"))
    assert "33 frames, 32x24 to 84x64, 1 column cropped, 3 units of 16 frames, about " in plan
    assert " of memory, about " in plan
    assert "peak memory" in answer.out
    assert answer.out.count("\n") == 1


@pytest.mark.parametrize("name", ["with.mp4", "with.mkv", "with.mov"])
@pytest.mark.parametrize("out", ["out.mp4", "out.mkv", "out.mov"])
def test_sound_is_carried_packet_by_packet(upscale, film, name, out):
    source = film(20, name=name, sound=True)
    answer = upscale(source, "-o", out, "--json")
    if (name, out) == ("with.mkv", "out.mov"):  # mov does not take FLAC
        assert answer.facts["sound"] == "encoded again"
        return
    assert answer.facts["sound"] == "copied"
    assert [data for _, data in packets(out, "audio")] == [data for _, data in packets(source, "audio")]
    assert max(abs(new - old) for new, old in zip(moments(out), moments(source), strict=True)) < 0.002


def test_a_sound_that_the_container_does_not_take_is_encoded_again_and_said_so(upscale, film):
    source = film(16, name="with.mkv", sound=True)
    with av.open(source) as container, av.open("pcm.mov", "w") as target:
        video = target.add_stream_from_template(container.streams.video[0], opaque=True)
        sound = target.add_stream("pcm_f32le", rate=48000, layout="stereo")
        for packet in container.demux(container.streams.video[0]):
            if packet.size:
                packet.stream = video
                target.mux(packet)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 2 * 48000), np.float32), "flt", "stereo")
        frame.sample_rate = 48000
        target.mux([*sound.encode(frame), *sound.encode()])
    answer = upscale("pcm.mov", "-o", "out.mp4", "--json")
    assert answer.facts["sound"] in ("copied", "encoded again")
    assert open_sound("out.mp4").sample_rate == 48000


def moments(path):
    """When each packet of sound comes, in seconds after the first picture."""
    first = min(moment for moment, _ in packets(path, "video"))
    return [moment - first for moment, _ in packets(path, "audio")]


def units(folder):
    return sorted(path.name for path in Path(folder).glob("0*.mp4"))


def test_a_run_that_was_killed_goes_on_without_a_frame_lost_or_doubled(upscale, film, tmp_path):
    source = film(80, sound=True, name="with.mp4")
    upscale(source, "-o", "whole.mp4")
    program = (
        "import sys, os\n"
        "from moviegen_core.stages import upscale_video as s\n"
        "from moviegen_core.cli import main\n"
        "real = s._save_place\n"
        "def die(path, at):\n"
        "    real(path, at)\n"
        "    if path.name.startswith('000002'): os._exit(9)\n"
        "s._save_place = die\n"
        "main(sys.argv[1:])"
    )
    words = ["upscale", source, "-o", "out.mp4", "--height", "64", "--device", "cpu"]
    root = Path(stage.__file__).parents[2]
    env = {**os.environ, "PYTHONPATH": str(root)}
    killed = subprocess.run([sys.executable, "-c", program, *words], cwd=tmp_path, env=env, check=False)
    assert killed.returncode == 9
    assert not (tmp_path / "out.mp4").exists()
    assert units("out.mp4.parts") == ["000000.mp4", "000001.mp4"]
    assert "--resume" in upscale(source, "-o", "out.mp4").refusal
    answer = upscale(source, "-o", "out.mp4", "--resume", "--json")
    assert answer.facts["resumed_frames"] == 32
    assert torch.equal(read_clip("out.mp4")[0], read_clip("whole.mp4")[0])
    assert packets("out.mp4", "audio") == packets("whole.mp4", "audio")
    assert not Path("out.mp4.parts").exists()


def test_what_is_finished_is_not_done_again(upscale, film, monkeypatch):
    source, made = film(80), []
    real = stage.upscale_stream

    def counted(*words, stop):
        for finished, place in real(*words):
            made.append(len(finished))
            if sum(made) > stop:
                raise KeyboardInterrupt
            yield finished, place

    monkeypatch.setattr(stage, "upscale_stream", lambda *words: counted(*words, stop=40))
    assert upscale(source, "-o", "out.mp4").code == 130
    monkeypatch.setattr(stage, "upscale_stream", lambda *words: counted(*words, stop=1000))
    assert upscale(source, "-o", "out.mp4", "--resume").code == 0
    assert 80 <= sum(made) <= 80 + 16


def test_other_settings_or_another_input_start_afresh_and_say_so(upscale, film, monkeypatch):
    source = film(40)
    with monkeypatch.context() as patch:
        patch.setattr(stage, "_join", lambda *_words: (_ for _ in ()).throw(KeyboardInterrupt))
        assert upscale(source, "-o", "out.mp4").code == 130
    assert len(units("out.mp4.parts")) == 3
    answer = upscale(source, "-o", "out.mp4", "--resume", "--upscaler", "bicubic", "--json")
    assert "upscaler lanczos is now bicubic" in answer.err
    assert answer.facts["resumed_frames"] == 0


def test_a_picture_becomes_a_larger_picture_or_a_film_of_one_frame(upscale, tmp_path):
    Image.fromarray(np.full((17, 31, 4), 255, np.uint8)).save(tmp_path / "in.png")
    answer = upscale("in.png", "-o", "out.png")
    assert "transparency is laid over white" in answer.err
    assert Image.open("out.png").size == (116, 64)
    upscale("in.png", "-o", "out.mp4")
    assert read_clip("out.mp4")[0].shape == (1, 64, 116, 3)


def film_of(path, *, codec="libx264", pixels="yuv420p", times=range(6), **context):
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=8)
        stream.width, stream.height, stream.pix_fmt = 32, 24, pixels
        stream.codec_context.time_base = Fraction(1, 1000)
        for name, value in context.items():
            setattr(stream.codec_context, name, value)
        for time in times:
            frame = av.VideoFrame.from_ndarray(moving(1, 24, 32)[0].contiguous().numpy(), "rgb24").reformat(
                format=pixels
            )
            frame.pts, frame.time_base = int(time * 125), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_high_dynamic_range_is_refused_with_the_way_out(upscale, transfer, name):
    film_of("hdr.mp4", color_trc=transfer, color_primaries=9, colorspace=9)
    assert f"({name})" in upscale("hdr.mp4", "-o", "out.mp4").refusal


def test_ten_bits_transparency_and_a_variable_rate_are_converted_and_said(upscale):
    film_of("ten.mkv", codec="ffv1", pixels="yuv420p10le")
    assert "10-bit pictures become 8-bit" in upscale("ten.mkv", "-o", "a.mp4").err
    film_of("clear.mkv", codec="ffv1", pixels="yuva420p")
    assert "transparency is dropped" in upscale("clear.mkv", "-o", "b.mp4").err
    film_of("uneven.mkv", times=(0, 1, 2, 6, 7, 11))
    answer = upscale("uneven.mkv", "-o", "c.mp4")
    assert "variable rate becomes constant" in answer.err
    assert probe("c.mp4").seconds == pytest.approx(12 / 8, abs=0.3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--height", "16"), "smaller than the source"),
        (("--height", "65"), "sides are even"),
        (("--height", "9000"), "from 2 to 4096"),
        (("--width", "20"), "smaller"),
        (("--upscaler", "magic"), "magic"),
        (("--fit", "stretch"), "stretch"),
    ],
)
def test_settings_that_make_no_sense_are_refused_before_anything_is_written(
    upscale, film, tmp_path, options, said
):
    source = film(2)
    before = sorted(tmp_path.iterdir())
    fit = ("--fit", "pad") if options[0] == "--width" else ()
    assert said in upscale(source, "-o", "out.mp4", *fit, *options).refusal
    assert sorted(tmp_path.iterdir()) == before


def test_places_that_cannot_be_written_are_refused(upscale, film, tmp_path):
    source = film(2)
    assert ".mp4" in upscale(source, "-o", "out.avi").refusal
    assert "does not exist" in upscale(source, "-o", "no/out.mp4").refusal
    assert "is a video" in upscale(source, "-o", "out.png").refusal
    (tmp_path / "out.mp4.parts").write_text("in the way")
    assert "parts" in upscale(source, "-o", "out.mp4").refusal


def test_a_full_disk_is_told_and_what_is_finished_stays(upscale, film, monkeypatch):
    source, real = film(40), stage._save_place

    def full(path, at):
        if path.name.startswith("000001"):
            raise OSError(28, "No space left on device")
        real(path, at)

    monkeypatch.setattr(stage, "_save_place", full)
    refusal = upscale(source, "-o", "out.mp4").refusal
    assert "No space left on device" in refusal
    assert "--resume" in refusal
    assert units("out.mp4.parts") == ["000000.mp4"]


def test_a_damaged_state_is_refused_with_the_folder_to_delete(upscale, film, monkeypatch):
    source = film(40)
    monkeypatch.setattr(stage, "_join", lambda *_words: (_ for _ in ()).throw(KeyboardInterrupt))
    upscale(source, "-o", "out.mp4")
    next(Path("out.mp4.parts").glob("*.safetensors")).write_bytes(b"rubbish")
    assert "delete out.mp4.parts" in upscale(source, "-o", "out.mp4", "--resume").refusal


def test_the_facts_are_one_line_of_json(upscale, film):
    facts = json.loads(upscale(film(20), "-o", "out.mp4", "--json").out)
    assert facts["report"]["flicker"] == pytest.approx(1, abs=0.2)
    assert facts["report"]["colour"] < 1
    assert facts["peak"] > 1e6
