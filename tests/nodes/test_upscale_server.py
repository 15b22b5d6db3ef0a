"""Upscaling on a real server: shipped workflows, progress, stops of every kind, and what is left behind."""

import signal
from fractions import Fraction
from pathlib import Path

import av
import pytest
import torch

from moviegen_core.geometry import samples_for
from moviegen_core.media.mux import add_sound
from moviegen_core.media.read import probe, read_clip
from moviegen_core.media.sound import sound_from
from moviegen_core.media.write import write_clip

FPS = Fraction(8)
COUNT = 80
"""Frames; a part of a job holds 16."""
UNFINISHED = Path("output") / "movie-gen" / "unfinished"


def node(kind, **inputs):
    return {"class_type": kind, "inputs": inputs}


def put_film(base):
    """A clip with sound in the input folder of a server."""
    t, y, x = torch.meshgrid(torch.arange(COUNT), torch.arange(60), torch.arange(80), indexing="ij")
    frames = torch.stack([128 + 90 * torch.sin((t + x * (c + 1)) / 9 + y / 14) for c in range(3)], dim=-1)
    silent = write_clip(base / "input" / "silent.mp4", frames.to(torch.uint8), FPS)
    sound = sound_from(torch.randn(2, samples_for(COUNT, FPS)) / 9)
    add_sound(silent, sound, base / "input" / "film.mp4")
    return base / "input" / "film.mp4"


def upscaling(**changes):
    fields = {"upscaler": "lanczos", "height": 480, "width": 0, "fit": "crop", "colour": "wavelet"}
    fields |= {"tile": 512, "steps": 1, "detail_seed": 0, "crf": 14}
    return {
        "film": node("LoadVideo", file="film.mp4"),
        "up": node("MovieGenUpscaleVideo", video=["film", 0], **(fields | changes)),
        "save": node("SaveVideo", video=["up", 0], filename_prefix="large", format="auto", codec="auto"),
        "said": node("PreviewAny", source=["up", 2]),
    }


def saved(run):
    assert run.error is None
    assert run.succeeded, run.refusal
    (file,) = run.files("save")
    return file


def sound_of(path):
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def report(run):
    return run.outputs["said"]["text"][0]


def parts(base):
    return sorted(path.name for path in (base / UNFINISHED).glob("*.parts/0*.mp4"))


@pytest.fixture(scope="module")
def film(server):
    return put_film(server.base)


def test_an_upscaled_file_has_its_size_its_frames_its_sound_and_leaves_nothing_behind(server, film):
    run = server.run(upscaling())
    file = saved(run)
    assert probe(file).num_frames == COUNT
    assert (probe(file).width, probe(file).height) == (640, 480)
    assert sound_of(file) == sound_of(film)
    assert not (server.base / UNFINISHED).exists()
    counted = run.steps("up")
    assert counted == sorted(counted)
    assert counted[-1] == COUNT
    assert len(set(counted)) >= COUNT // 8


def test_the_report_stays_on_the_node(server, film):  # noqa: ARG001
    run = server.run(upscaling(height=482))
    assert run.outputs["up"]["text"][0] == report(run)
    assert "80x60 to 642x482" in report(run)


def stop_after(server, count):
    """Interrupts once so many frames are finished."""
    stopped = []

    def watch(event):
        is_far = event.name == "progress" and event.data["node"] == "up" and event.data["value"] >= count
        if is_far and not stopped:
            server.interrupt()
            stopped.append(event)

    return watch


def test_an_interrupted_prompt_goes_on_when_it_is_sent_again(server, film):
    run = server.run(upscaling(height=720), stop_after(server, 40))
    assert run.named("execution_interrupted")[0].data["node_id"] == "up"
    assert len(parts(server.base)) >= 2
    again = server.run(upscaling(height=720))
    assert "from before" in report(again)
    assert probe(saved(again)).num_frames == COUNT
    assert sound_of(saved(again)) == sound_of(film)
    assert not (server.base / UNFINISHED).exists()


def test_a_killed_comfyui_goes_on_after_its_restart_with_the_same_frames(new_server, server, film):  # noqa: ARG001
    whole = read_clip(saved(server.run(upscaling(height=540, crf=20))))[0]
    first = new_server()
    with first as running:
        put_film(running.base)

        def kill(event):
            if event.name == "progress" and event.data["node"] == "up" and event.data["value"] >= 40:
                running.process.send_signal(signal.SIGKILL)
                raise ConnectionError

        with pytest.raises((ConnectionError, RuntimeError)):
            running.run(upscaling(height=540, crf=20), kill)
    assert len(parts(first.base)) >= 2
    with type(first)(first.comfy, first.base) as running:
        again = running.run(upscaling(height=540, crf=20))
        assert "from before" in report(again)
        assert torch.equal(read_clip(saved(again))[0], whole)
        assert not (running.base / UNFINISHED).exists()


def test_a_folder_that_cannot_be_written_is_refused_in_one_sentence(server, film):  # noqa: ARG001
    (server.base / "output").mkdir(exist_ok=True)
    folder = server.base / "output" / "movie-gen"
    kept = folder.with_name("kept")
    if folder.exists():
        folder.rename(kept)
    folder.write_text("in the way")
    try:
        error = server.run(upscaling(height=360)).error
        assert "another --output-directory" in error
        assert "\n" not in error
    finally:
        folder.unlink()
        if kept.exists():
            kept.rename(folder)
