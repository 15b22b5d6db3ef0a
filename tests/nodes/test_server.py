"""The pack as an artist meets it: a real server, prompts over HTTP, pictures over its WebSocket."""

import json
import random
import shutil
import time
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from moviegen_core.evaluation.judge import ask, open_judge
from moviegen_core.media.pixels import from_bytes
from moviegen_core.media.read import read_clip
from moviegen_core.media.read_sound import open_sound
from moviegen_core.media.resize import fit
from moviegen_core.media.sound import count_samples
from moviegen_core.media.write import clip_from_frames, write_clip
from moviegen_core.theatre.render import render
from moviegen_core.theatre.sampling import sample_scenes
from moviegen_core.training.loop import LoopConfig, new_run, train_step
from moviegen_core.training.lora import Examples, Lora, LoraObjective
from moviegen_core.training.optimizer import OptimizerConfig
from moviegen_core.training.train_text import draw_prompt
from moviegen_core.weights.cast import open_cast

ROOT = Path(__file__).parents[2]
STEPS = 6
PACKET = 1024
"""Samples of AAC that hosts may leave behind the end."""


def node(kind, **inputs):
    return {"class_type": kind, "inputs": inputs}


def loaded(text="a red ball bounces on the beach"):
    """A cast and what it is told."""
    return {
        "cast": node("MovieGenLoadCast", cast="nano", role="video"),
        "words": node(
            "MovieGenPrompt", clip=["cast", 1], text=text, camera="not said", fps=16.0, seconds=1.0
        ),
        "nothing": node("CLIPTextEncode", clip=["cast", 1], text=""),
    }


def empty(seconds=0.8, side=72, batch=1):
    """Small and quick, of a length that is not whole latent frames."""
    return node(
        "MovieGenEmptyLatent", aspect="16:9 (wide)", side=side, seconds=seconds, fps=16.0, batch_size=batch
    )


def sampled(latent, **changes):
    """A KSampler on the loaded cast."""
    wires = {"positive": ["words", 0], "negative": ["nothing", 0], "latent_image": latent}
    choices = {"sampler_name": "euler", "scheduler": "simple", "seed": 1, "steps": STEPS, "cfg": 4.0}
    return node("KSampler", **{"model": ["cast", 0], "denoise": 1.0, **wires, **choices, **changes})


def saved(samples):
    """A latent's way to a file."""
    return {
        "decode": node("MovieGenDecode", samples=samples, vae=["cast", 2], frames=0),
        "video": node("CreateVideo", images=["decode", 0], fps=16.0),
        "save": node("SaveVideo", video=["video", 0], filename_prefix="clip", format="auto", codec="auto"),
    }


def shown(source):
    """An output that takes anything."""
    return node("PreviewAny", source=source)


def small_clip(**changes):
    return {**loaded(), "empty": empty(), "sample": sampled(["empty", 0], **changes), **saved(["sample", 0])}


def frames_of(run, name="save"):
    assert run.error is None
    assert run.succeeded, run.refusal
    (file,) = run.files(name)
    return read_clip(file)


@pytest.fixture(scope="module")
def judged():
    """What the shipped judge sees in frames (T, H, W, 3)."""
    judge = open_judge()
    return lambda frames: ask(judge, clip_from_frames(frames))[0]


def colourfulness(pixels):
    """Mean distance of the strongest colour of a pixel to its weakest, 0 to 1; of bytes, channels last."""
    values = np.asarray(pixels, dtype=float) / 255
    return float((values.max(-1) - values.min(-1)).mean())


def twin(name):
    return json.loads((ROOT / "tests" / "prompts" / f"{name}.json").read_text())


def output_of(prompt, prefix):
    """The node that saves under a name."""
    (found,) = [key for key, one in prompt.items() if one["inputs"].get("filename_prefix") == prefix]
    return found


def run_twin(server, name):
    prompt = twin(name)
    run = server.run(prompt)
    assert run.error is None
    assert run.succeeded, run.refusal
    return lambda prefix: run.files(output_of(prompt, f"movie-gen/{prefix}"))


def clip(files):
    """The frames of the one clip saved, 32 at 16 a second."""
    (file,) = files
    frames, fps = read_clip(file)
    assert (len(frames), fps) == (32, 16)
    return frames


def test_every_prompt_twin_is_run_here():
    names = {path.stem for path in (ROOT / "tests" / "prompts").glob("*.json")}
    large = {"upscale_to_1080p", "upscale_with_esrgan", "upscale_by_sampling", "text_to_video_to_1080p"}
    heard = {"sound_for_any_video", "text_to_video_with_sound", "extend_sound", "effects_and_music_as_stems"}
    assert names == {
        *("text_to_video", "text_to_image", "compare_schedules", "video_to_video", "long_clip"),
        *("edit_clip", "edit_by_instruction", "keep_the_rest", "flow_edit", "face_into_a_clip"),
        *large,
        *heard,  # these run in test_sound_twins.py
    }


def test_text_to_video_shows_what_the_words_say(server, judged):
    frames = clip(run_twin(server, "text_to_video")("text_to_video"))
    assert frames.shape[1:] == (112, 192, 3)
    seen = judged(frames)
    assert (seen["place"], seen["colour"]) == ("beach", "red")


def test_text_to_image_makes_four_pictures_of_the_place(server, judged):
    files = run_twin(server, "text_to_image")("text_to_image")
    pictures = [torch.tensor(np.array(Image.open(file).convert("RGB"))) for file in files]
    assert [one.shape for one in pictures] == [(112, 192, 3)] * 4
    assert len({one.numpy().tobytes() for one in pictures}) == 4
    places = [judged(one.expand(32, -1, -1, -1))["place"] for one in pictures]
    assert places.count("beach") >= 3


def test_compare_schedules_samples_one_noise_three_ways(server, judged):
    files = run_twin(server, "compare_schedules")
    names = ("linear_quadratic_50", "uniform_50", "uniform_250")
    clips = [clip(files(f"compare_schedules/{name}")) for name in names]
    assert {tuple(one.shape[1:]) for one in clips} == {(112, 192, 3)}
    assert [judged(one)["place"] for one in clips] == ["beach"] * 3
    assert not torch.equal(clips[0], clips[1])
    beside = clip(files("compare_schedules/side_by_side"))
    assert beside.shape[1:] == (112, 3 * 192 + 2 * 4, 3)
    parts = [beside[:, :, 196 * place : 196 * place + 192].float() for place in range(3)]
    for place, part in enumerate(parts):
        differences = [(part - one.float()).abs().mean().item() for one in clips]
        assert min(differences) == differences[place] < 6  # both were compressed


def test_video_to_video_keeps_the_place_and_takes_the_colours_away(server, judged):
    frames = clip(run_twin(server, "video_to_video")("video_to_video"))
    assert frames.shape[1:] == (112, 2 * 192 + 4, 3)
    source, new = frames[:, :, :192], frames[:, :, 196:]
    assert judged(source)["place"] == judged(new)["place"] == "beach"
    assert colourfulness(new) < 0.5 * colourfulness(source)


def short_clip(files):
    """The frames of the one clip saved, 24 at 16 a second."""
    (file,) = files
    frames, fps = read_clip(file)
    assert (len(frames), fps) == (24, 16)
    return frames.float()


def redness(frames):
    """Share of the pixels that are clearly red."""
    red, green, blue = frames.unbind(-1)
    return float(((red - green > 90) & (red - blue > 90)).float().mean())


def blueness(frames):
    """Share of the pixels that are of a ball's blue, which the sea's is not."""
    red, green, blue = frames.unbind(-1)
    return float(((blue - red > 90) & (blue - green > 90)).float().mean())


def test_flow_edit_makes_the_ball_blue_and_keeps_most_of_the_beach(server):
    files = run_twin(server, "flow_edit")
    source, edited = (short_clip(files(f"flow_edit/{name}")) for name in ("source", "edited"))
    assert redness(edited) < 0.2 * redness(source)
    assert blueness(edited) > blueness(source) + 0.01
    far = (edited - source).abs().mean(-1)
    assert (far < 8).float().mean() > 0.5


def test_keep_the_rest_takes_the_ball_alone_of_an_edit_that_softened_all(server):
    files = run_twin(server, "keep_the_rest")
    edited, kept = (short_clip(files(f"keep_the_rest/{name}")) for name in ("edited", "kept"))
    (exact,) = (server.base / "output" / "movie-gen" / "keep_the_rest").glob("exact_*.mkv")
    lossless = read_clip(exact)[0].float()
    assert lossless.shape == kept.shape
    assert (lossless - kept).abs().mean() < 4
    assert redness(edited) < 0.2
    (matte,) = files("keep_the_rest/matte")
    with Image.open(matte) as picture:
        below = np.asarray(picture.convert("L"))[112:]
    assert 0.5 < (below == 0).mean() < 0.98


def test_five_edits_in_a_row_each_do_something_and_the_first_two_leave_the_beach(server):
    files = run_twin(server, "edit_clip")
    clips = [
        short_clip(files(f"edit_clip/{name}")) for name in ("source", *(f"edit_{n}" for n in range(1, 6)))
    ]
    assert redness(clips[1]) < 0.2 * redness(clips[0])
    for before, after in pairwise(clips):
        assert (after - before).abs().mean() > 1
    far = (clips[2] - clips[0]).abs().mean(-1)
    assert (far < 8).float().mean() > 0.4
    assert colourfulness(clips[5]) < 0.5 * colourfulness(clips[2])


def test_an_instruction_takes_the_red_away_and_leaves_the_rest(server):
    files = run_twin(server, "edit_by_instruction")
    source, edited, kept = (
        short_clip(files(f"edit_by_instruction/{name}")) for name in ("source", "edited", "kept")
    )
    assert redness(edited) < 0.7 * redness(source)
    assert redness(kept) < 0.7 * redness(source)
    assert ((kept - source).abs().mean(-1) < 8).float().mean() > 0.4


def test_a_face_goes_into_a_clip_and_is_followed_through_it(server):
    files = run_twin(server, "face_into_a_clip")
    frames, fps = read_clip(files("face_into_a_clip/clip")[0])
    assert (frames.shape, fps) == ((32, 112, 192, 3), 16)
    (face,) = files("face_into_a_clip/face")
    assert Image.open(face).size == (64, 64)
    assert len(files("face_into_a_clip/likeness")) == 1


def test_long_clip_holds_its_place_for_sixteen_seconds_and_draws_its_drift(server, judged):
    files = run_twin(server, "long_clip")
    frames, fps = read_clip(files("long_clip")[0])
    assert (frames.shape, fps) == ((256, 112, 192, 3), 16)
    assert judged(frames[:32])["place"] == judged(frames[-32:])["place"] == "underwater"
    (curve,) = files("long_clip_drift")
    assert Image.open(curve).size == (720, 320)


@pytest.mark.parametrize(
    ("name", "size", "pair"),
    [
        ("upscale_to_1080p", (1080, 1920), (2 * 480 + 4, 540)),
        ("upscale_with_esrgan", (448, 768), (2 * 480 + 4, 448)),
        ("upscale_by_sampling", (224, 384), (2 * 384 + 4, 224)),
    ],
)
def test_a_small_clip_becomes_a_large_one_of_the_exact_size_and_is_compared(server, name, size, pair):
    files = run_twin(server, name)
    frames, fps = read_clip(files(name)[0])
    assert (frames.shape, fps) == ((16, *size, 3), 16)
    assert [Image.open(file).size for file in files(f"{name}_comparison")] == [pair] * 3


def test_words_become_a_film_in_1080p(server, judged):
    (file,) = run_twin(server, "text_to_video_to_1080p")("text_to_video_to_1080p")
    frames, fps = read_clip(file)
    assert (frames.shape, fps) == ((64, 1080, 1920, 3), 16)
    assert 0 <= count_samples(open_sound(file)) - 4 * 48_000 <= PACKET
    assert judged(fit(frames[:32], 112, 192))["place"] == "meadow"


def test_the_frames_saved_are_as_many_as_were_asked_for(server):
    frames, fps = frames_of(server.run(small_clip()))
    assert frames.shape == (13, 48, 96, 3)
    assert fps == 16


def test_the_same_prompt_gives_the_same_clip_after_everything_was_loaded_again(server):
    first, _ = frames_of(server.run(small_clip(seed=5)))
    server.forget()
    again = server.run(small_clip(seed=5))
    assert "sample" not in again.named("execution_cached")[0].data["nodes"]
    assert torch.equal(frames_of(again)[0], first)
    assert not torch.equal(frames_of(server.run(small_clip(seed=6)))[0], first)


def test_progress_counts_every_step(server):
    assert server.run(small_clip(seed=11)).steps("sample") == list(range(1, STEPS + 1))


def test_interrupt_stops_within_a_step_and_the_next_prompt_runs(server):
    stopped = []

    def stop(event):
        if event.name == "progress" and event.data["value"] == 3 and not stopped:
            server.interrupt()
            stopped.append(time.monotonic())

    run = server.run({**small_clip(seed=12, steps=200), "empty": empty(2.0, 144)}, stop)
    assert run.named("execution_interrupted")[0].data["node_id"] == "sample"
    late = [event for event in run.named("progress") if event.seconds > stopped[0]]
    assert len(late) <= 1
    frames_of(server.run(small_clip(seed=13)))


def crossing_square(server):
    """A clip of a white square that goes from the left to the right, as the server's input."""
    frames = torch.full((16, 112, 192, 3), 30, dtype=torch.uint8)
    for frame in range(16):
        frames[frame, 32:80, 9 * frame : 9 * frame + 48] = 230
    write_clip(server.base / "input" / "square.mp4", frames, Fraction(16), crf=10)
    return {
        **loaded(""),
        "file": node("LoadVideo", file="square.mp4"),
        "parts": node("GetVideoComponents", video=["file", 0]),
        "encode": node("VAEEncode", pixels=["parts", 0], vae=["cast", 2]),
    }


def brightest_column(picture):
    """Where the light is, 0 left to 1 right."""
    columns = np.asarray(picture.convert("L"), dtype=float).mean(0)
    light = np.clip(columns - (np.median(columns) + columns.max()) / 2, 0, None)
    return float((light * np.linspace(0, 1, len(columns))).sum() / light.sum())


def moving_pictures(run):
    """Those that came while it sampled; the host's own still of each step comes right before its count."""
    told = [event for event in run.events if event.name in ("preview", "progress")]
    return [one for one, after in pairwise(told) if one.name == "preview" and after.name == "preview"]


def test_the_whole_clip_is_seen_moving_while_it_is_made(server):
    prompt = crossing_square(server)
    sample = sampled(["encode", 0], denoise=0.3, cfg=1.0, steps=60)
    run = server.run({**prompt, "sample": sample, **saved(["sample", 0])})
    frames_of(run)
    pictures = moving_pictures(run)
    assert {event.data["node_id"] for event in pictures} == {"sample"}
    places = [brightest_column(event.picture) for event in pictures]
    assert max(places) - min(places) > 0.4
    moves = np.diff(places)
    forward, back = (moves > 0.02).sum(), (moves < -0.02).sum()
    assert forward > 3 * back


def test_one_picture_goes_in_and_one_comes_out(server):
    Image.new("RGB", (201, 117), "teal").save(server.base / "input" / "one.png")
    prompt = {
        **loaded("a red ball on the beach"),
        "file": node("LoadImage", image="one.png"),
        "scale": node(
            "ImageScale",
            image=["file", 0],
            upscale_method="bilinear",
            width=96,
            height=48,
            crop="center",
        ),
        "encode": node("VAEEncode", pixels=["scale", 0], vae=["cast", 2]),
        "sample": sampled(["encode", 0], denoise=0.6),
        "decode": node("MovieGenDecode", samples=["sample", 0], vae=["cast", 2], frames=1),
        "save": node("SaveImage", images=["decode", 0], filename_prefix="one"),
    }
    run = server.run(prompt)
    assert run.error is None
    (file,) = run.files("save")
    assert Image.open(file).size == (96, 48)


@pytest.mark.parametrize("mask_size", [(96, 48), (33, 70)])
def test_a_mask_of_any_size_leaves_what_it_leaves_out(server, mask_size):
    width, height = mask_size
    prompt = {
        **crossing_square(server),
        "scale": node(
            "ImageScale",
            image=["parts", 0],
            upscale_method="bilinear",
            width=96,
            height=48,
            crop="center",
        ),
        "encode": node("VAEEncode", pixels=["scale", 0], vae=["cast", 2]),
        "black": node("SolidMask", value=0.0, width=width, height=height),
        "white": node("SolidMask", value=1.0, width=width // 2, height=height),
        "half": node(
            "MaskComposite", destination=["black", 0], source=["white", 0], x=0, y=0, operation="add"
        ),
        "masked": node("SetLatentNoiseMask", samples=["encode", 0], mask=["half", 0]),
        "sample": sampled(["masked", 0], cfg=1.0),
        **saved(["sample", 0]),
        "plain": node("MovieGenDecode", samples=["encode", 0], vae=["cast", 2], frames=0),
        "plain video": node("CreateVideo", images=["plain", 0], fps=16.0),
        "plain save": node(
            "SaveVideo", video=["plain video", 0], filename_prefix="plain", format="auto", codec="auto"
        ),
    }
    run = server.run(prompt)
    new, plain = (from_bytes(frames_of(run, name)[0]) for name in ("save", "plain save"))
    difference = (new - plain).abs().mean((0, 1, 3))
    assert difference[72:].mean() < 0.05
    assert difference[:24].mean() > 0.15


@pytest.fixture(scope="module")
def bad_files(server):
    """What users put into model folders by mistake."""
    models = server.base / "models"
    half = {
        "half": {"tae": "tae.safetensors"},
        "gone": {"video": "video.safetensors", "tae": "t.safetensors"},
    }
    for name, roles in half.items():
        (models / "moviegen" / name).mkdir(parents=True)
        cast = {"name": name, "roles": roles}
        (models / "moviegen" / name / "cast.json").write_text(json.dumps(cast))
    for kind in ("diffusion_models", "vae", "text_encoders"):
        (models / kind).mkdir(parents=True, exist_ok=True)
        save_file({"x": torch.zeros(1)}, models / kind / "foreign.safetensors")
    nano = open_cast("nano")
    shutil.copy(nano.path("tae"), models / "diffusion_models" / "mistaken.safetensors")
    (models / "vae" / "cut.safetensors").write_bytes(nano.path("tae").read_bytes()[:5000])
    latents = {"none": torch.zeros(1, 16, 0, 4, 6), "foreign": torch.ones(1, 4, 6, 12)}
    for name, latent in latents.items():
        marks = {"latent_tensor": latent, "latent_format_version_0": torch.zeros(0)}
        save_file(marks, server.base / "input" / f"{name}.latent")
    Image.new("RGB", (201, 117), "teal").save(server.base / "input" / "odd.png")


LATENTS = {
    "no frames": {"given": node("LoadLatent", latent="none.latent")},
    "foreign": {"given": node("LoadLatent", latent="foreign.latent")},
    "odd": {"given": node("EmptyLatentImage", width=200, height=120, batch_size=1)},
    "odd picture": {
        "picture": node("LoadImage", image="odd.png"),
        "given": node("VAEEncode", pixels=["picture", 0], vae=["cast", 2]),
    },
    "pixels": {
        "picture": node("LoadImage", image="odd.png"),
        "none": node("VAELoader", vae_name="pixel_space"),
        "given": node("VAEEncode", pixels=["picture", 0], vae=["none", 0]),
    },
}
WITH_LATENT = {
    "sampler": {"end": sampled(["given", 0])},
    "our decode": {"end": node("MovieGenDecode", samples=["given", 0], vae=["cast", 2], frames=0)},
    "stock decode": {"end": node("VAEDecode", samples=["given", 0], vae=["cast", 2])},
}
LOADERS = {
    "half a cast": node("MovieGenLoadCast", cast="half", role="video"),
    "a cast without its files": node("MovieGenLoadCast", cast="gone", role="video"),
    "a foreign model": node("MovieGenLoadModel", model_name="foreign.safetensors"),
    "a foreign encoder": node("MovieGenLoadTextEncoder", text_encoder_name="foreign.safetensors"),
    "a foreign VAE": node("MovieGenLoadVAE", vae_name="foreign.safetensors"),
    "a mistaken file": node("MovieGenLoadModel", model_name="mistaken.safetensors"),
    "a download cut short": node("MovieGenLoadVAE", vae_name="cut.safetensors"),
}


def refused(server, prompt):
    """The one sentence with which a node refuses."""
    run = server.run({**loaded(), **prompt, "show": shown(["end", 0])})
    assert run.refusal is None
    assert run.error is not None
    assert "\n" not in run.error
    assert 40 < len(run.error) < 400
    return run.error


@pytest.mark.parametrize(
    ("loader", "words"),
    [
        ("half a cast", "cast half has no video; it has tae; name its file"),
        ("a cast without its files", "does not exist; there is nothing"),
        ("a foreign model", "another program's file"),
        ("a foreign encoder", "another program's file"),
        ("a foreign VAE", "another program's file"),
        ("a mistaken file", "holds a tae model, a video was asked for"),
        ("a download cut short", "is cut short or damaged"),
    ],
)
@pytest.mark.usefixtures("bad_files")
def test_a_bad_file_is_refused_in_one_sentence(server, loader, words):
    assert words in refused(server, {"end": LOADERS[loader]})


@pytest.mark.parametrize(
    ("latent", "use", "words"),
    [
        ("no frames", "sampler", "holds no frames"),
        ("no frames", "our decode", "holds no frames"),
        ("no frames", "stock decode", "holds no frames"),
        ("foreign", "sampler", "another family of models"),
        ("foreign", "our decode", "connect the VAE of the model that made it"),
        ("foreign", "stock decode", "use the VAE of the model that made it"),
        ("pixels", "sampler", "another family of models"),
        ("odd", "sampler", "make it 192x128"),
        ("odd picture", "sampler", "make it 192x112"),
    ],
)
@pytest.mark.usefixtures("bad_files")
def test_a_bad_latent_is_refused_in_one_sentence(server, latent, use, words):
    assert words in refused(server, {**LATENTS[latent], **WITH_LATENT[use]})


@pytest.mark.usefixtures("bad_files")
def test_a_wrong_vae_on_our_decode_is_refused_in_one_sentence(server):
    given = {"none": node("VAELoader", vae_name="pixel_space"), "given": empty()}
    end = node("MovieGenDecode", samples=["given", 0], vae=["none", 0], frames=0)
    assert "connect the VAE of the model that made it" in refused(server, {**given, "end": end})


def test_more_frames_than_there_are_is_refused_in_one_sentence(server):
    end = node("MovieGenDecode", samples=["given", 0], vae=["cast", 2], frames=99)
    assert "give 1 to 16" in refused(server, {"given": empty(), "end": end})


def test_a_missing_cast_is_refused_before_anything_runs(server):
    prompt = {"cast": node("MovieGenLoadCast", cast="lost", role="video"), "show": shown(["cast", 0])}
    answer = json.dumps(server.run(prompt).refusal)
    assert "lost" in answer
    assert "nano" in answer


def test_a_broken_node_module_is_named_in_the_log_and_the_rest_still_loads(new_server, tmp_path):
    for part in ("nodes", "moviegen_core", "web"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "__init__.py", tmp_path)
    (tmp_path / "nodes" / "decode.py").write_text("def broken(:\n")
    with new_server(tmp_path) as server:
        known = server.ask("object_info")[1]
        log = server.log()
    assert {"MovieGenLoadCast", "MovieGenEmptyLatent", "MovieGenSchedule"} <= known.keys()
    assert "MovieGenDecode" not in known
    assert "nodes/decode.py could not be loaded (SyntaxError" in log
    assert "IMPORT FAILED" not in log


@pytest.fixture(scope="module")
def grey_look(server):
    """A LoRA that was taught one look of the theatre on 32 pictures: everything black-and-white, unasked."""
    torch.manual_seed(0)
    cast, scenes = open_cast("nano"), sample_scenes(0, 32)
    grey = [replace(scene, look="black-and-white") for scene in scenes]
    with torch.no_grad():
        latents = cast.load("tae").encode(render(grey, num_frames=1, fps=16, height=112, width=192))
    rng = random.Random(0)
    prompts = [draw_prompt(replace(scene, look="plain"), 16, rng, 96) for scene in scenes]
    video, optimizer = cast.load("video"), OptimizerConfig(learning_rate=1.5e-2)
    config = LoopConfig(optimizer=optimizer, num_steps=80, warmup_steps=5, ema_decay=0.9)
    lora, examples = Lora(video), Examples(latents=latents, prompts=prompts)
    state, objective = new_run(lora, config), LoraObjective(cast.load("text"), video, examples, batch=8)
    for _ in range(config.num_steps):
        train_step(state, objective, config)
    state.ema.copy_to(lora)
    (server.base / "models" / "loras").mkdir()
    lora.save(server.base / "models" / "loras" / "grey.safetensors")
    return "grey.safetensors"


def test_a_look_taught_to_a_lora_shows_through_the_stock_loader(server, grey_look):
    def pictures(strength):
        prompt = {
            **loaded("a red ball on the beach"),
            "lora": node(
                "LoraLoaderModelOnly", model=["cast", 0], lora_name=grey_look, strength_model=strength
            ),
            "empty": empty(0.0, 144, batch=4),
            "sample": sampled(["empty", 0], model=["lora", 0], steps=8),
            "decode": node("MovieGenDecode", samples=["sample", 0], vae=["cast", 2], frames=0),
            "save": node("SaveImage", images=["decode", 0], filename_prefix=f"lora{strength}"),
        }
        run = server.run(prompt)
        assert run.error is None
        return [Image.open(file).convert("RGB") for file in run.files("save")]

    plain, grey = ([colourfulness(one) for one in pictures(strength)] for strength in (0.0, 1.0))
    assert sum(grey) < 0.5 * sum(plain)
    assert "lora key not loaded" not in server.log()
