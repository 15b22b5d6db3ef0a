"""The sound nodes as an artist meets them: a real server, prompts over HTTP, a cast in its model folder."""

import time
from fractions import Fraction

import pytest
import torch
from PIL import Image

from moviegen_core.geometry import samples_for
from moviegen_core.media.picture_time import picture_time
from moviegen_core.media.read_sound import open_sound, probe_sound
from moviegen_core.media.sound import count_samples, waveform_of
from moviegen_core.media.write import write_clip

FPS = Fraction(24000, 1001)


@pytest.fixture(scope="module")
def sound_server(server):
    """The shared server with a cast for sound and a clip of 37 frames to hear."""
    from sound_cast import write_sound_cast

    root = server.base / "models" / "moviegen"
    root.mkdir(parents=True, exist_ok=True)
    write_sound_cast(root)
    frames = torch.randint(0, 255, (37, 48, 64, 3), dtype=torch.uint8)
    write_clip(server.base / "input" / "film.mp4", frames, FPS)
    return server


def node(kind, **inputs):
    return {"class_type": kind, "inputs": inputs}


def loaded():
    """A cast for sound and a film."""
    from sound_cast import NAME

    return {
        "cast": node("MovieGenLoadCast", cast=NAME, role="sound"),
        "film": node("LoadVideo", file="film.mp4"),
    }


def whole(**changes):
    """Everything in one node, and what it gives saved."""
    fields = {"sounds": "", "music": "", "candidates": 2, "steps": 3, "guidance": 3.0}
    fields |= {"original": "replace it", "loudness": -16.0, "seed": 1}
    wires = {name: ["cast", place] for place, name in enumerate(("model", "clip", "vae"))}
    return {
        **loaded(),
        "sound": node("MovieGenSound", **wires, video=["film", 0], **(fields | changes)),
        "save": node("SaveVideo", video=["sound", 0], filename_prefix="heard", format="auto", codec="auto"),
        "wave": node("SaveAudio", audio=["sound", 1], filename_prefix="heard"),
        "picture": node("SaveImage", images=["sound", 4], filename_prefix="heard"),
    }


def rain(seconds=2.0, steps=3, kind="euler"):
    """Sound from words alone through the host's own sampler."""
    words = node("MovieGenSoundConditioning", clip=["cast", 1], sounds="rain", music="")
    latent = node("MovieGenEmptySoundLatent", vae=["cast", 2], seconds=seconds, batch_size=1)
    wires = {"positive": ["words", 0], "negative": ["words", 1], "latent_image": ["latent", 0]}
    choices = {"sampler_name": kind, "scheduler": "simple", "seed": 1, "steps": steps, "cfg": 3.0}
    return {
        "cast": loaded()["cast"],
        "words": words,
        "latent": latent,
        "sample": node("KSampler", model=["cast", 0], denoise=1.0, **wires, **choices),
        "decode": node("MovieGenDecodeSound", samples=["sample", 0], vae=["cast", 2]),
        "wave": node("SaveAudio", audio=["decode", 0], filename_prefix="rain"),
    }


def test_one_node_makes_a_film_heard_exactly_as_long_as_it_is_seen(sound_server):
    run = sound_server.run(whole())
    assert run.error is None
    assert run.succeeded, run.refusal
    wanted = samples_for(37, FPS)
    (wave,), (film,), (picture,) = (run.files(name) for name in ("wave", "save", "picture"))
    assert waveform_of(open_sound(wave)).shape == (2, wanted)
    assert abs(count_samples(open_sound(film)) - wanted) <= 1024  # packets of AAC
    assert picture_time(film).num_frames == 37
    assert probe_sound(film).num_tracks == 1
    with Image.open(picture) as shown:
        assert shown.size == (960, 360)
    done = run.steps("sound")
    assert done == sorted(done)
    assert done[-1] > done[0]  # newer hosts leave out what comes faster than one sees
    texts = [event.data for event in run.named("progress_text")]
    assert texts or "LUFS" in str(run.outputs)


def test_words_alone_become_sound_of_the_length_asked_for(sound_server):
    run = sound_server.run(rain(seconds=1.23))
    assert run.error is None
    assert waveform_of(open_sound(run.files("wave")[0])).shape[1] == 59040


@pytest.mark.parametrize("kind", ["dpmpp_2m", "uni_pc", "heun"])
def test_other_samplers_of_the_host_make_sound_too(sound_server, kind):
    run = sound_server.run(rain(kind=kind))
    assert run.error is None
    assert waveform_of(open_sound(run.files("wave")[0])).isfinite().all()


def test_the_hosts_own_empty_latent_and_decoder_go_with_our_models(sound_server):
    prompt = rain()
    prompt["latent"] = node("EmptyLatentAudio", seconds=2.0, batch_size=1)
    prompt["decode"] = node("VAEDecodeAudio", samples=["sample", 0], vae=["cast", 2])
    run = sound_server.run(prompt)
    assert run.error is None
    seconds = waveform_of(open_sound(run.files("wave")[0])).shape[1] / 48000
    assert 1.5 < seconds < 2.5


def test_a_long_sound_is_interrupted_within_a_step(sound_server):
    stopped = []

    def stop(event):
        if event.name == "progress" and event.data["node"] == "sample" and not stopped:
            sound_server.interrupt()
            stopped.append(time.monotonic())

    run = sound_server.run(rain(seconds=600.0, steps=100), stop)
    (ended,) = run.named("execution_interrupted")
    assert ended.data["node_id"] == "sample"
    assert ended.seconds - stopped[0] < 2
    assert sound_server.run(rain(seconds=1.0)).succeeded


def test_the_one_node_is_interrupted_while_it_samples(sound_server):
    stopped = []

    def stop(event):
        if event.name == "progress" and event.data["node"] == "sound" and not stopped:
            sound_server.interrupt()
            stopped.append(True)

    run = sound_server.run(whole(steps=400, candidates=8, seed=2), stop)
    assert run.named("execution_interrupted")[0].data["node_id"] == "sound"


def test_a_cast_without_sound_says_plainly_what_to_do(sound_server):
    from sound_cast import write_silent_cast

    write_silent_cast(sound_server.base / "models" / "moviegen")
    prompt = whole()
    prompt["cast"]["inputs"]["cast"] = "silent"
    error = sound_server.run(prompt).error
    assert "cast silent has no models for sound" in error
    assert "tiny-sound" in error
    assert "\n" not in error


def test_a_film_of_the_wrong_kind_of_model_is_refused_in_one_sentence(sound_server):
    prompt = whole()
    prompt["cast"]["inputs"] |= {"cast": "nano", "role": "video"}
    error = sound_server.run(prompt).error
    assert "role sound" in error
    assert "\n" not in error
