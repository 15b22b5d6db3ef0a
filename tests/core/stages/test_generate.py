from dataclasses import replace
from fractions import Fraction

import pytest
import torch

from moviegen_core.errors import GeometryError, Interrupted, PromptError
from moviegen_core.geometry import ClipShape
from moviegen_core.stages import decode as decoding
from moviegen_core.stages import generate as stage
from moviegen_core.stages.generate import (
    decode,
    decode_parts,
    denoise,
    draw_noise,
    encode_prompts,
    generate,
    generate_batch,
    load_text_to_video,
)
from moviegen_core.stages.settings import SamplingSettings
from moviegen_core.weights.cast import open_cast

SHAPE = ClipShape(num_frames=9, fps=Fraction(16), height=32, width=48)
SETTINGS = SamplingSettings(num_steps=2, guidance=3.0)


@pytest.mark.parametrize("num_frames", [1, 8, 9])
def test_a_clip_has_the_shape_and_range_asked_for(tiny_models, num_frames):
    clip = generate(tiny_models, "a ball", replace(SHAPE, num_frames=num_frames), SETTINGS)
    assert clip.shape == (3, num_frames, 32, 48)
    assert clip.abs().max() <= 1


def test_the_same_seed_gives_the_same_clip_and_another_another(tiny_models):
    first, again = (generate(tiny_models, "a ball", SHAPE, SETTINGS) for _ in range(2))
    other = generate(tiny_models, "a ball", SHAPE, replace(SETTINGS, seed=1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_generating_leaves_the_global_random_state_alone(tiny_models):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    generate(tiny_models, "a ball", SHAPE, SETTINGS)
    assert torch.equal(torch.rand(1), expected)


def test_prompt_rate_and_camera_all_matter(tiny_models):
    clip = generate(tiny_models, "a ball", SHAPE, SETTINGS)
    assert not torch.equal(clip, generate(tiny_models, "a fish", SHAPE, SETTINGS))
    assert not torch.equal(clip, generate(tiny_models, "a ball", replace(SHAPE, fps=Fraction(24)), SETTINGS))
    assert not torch.equal(clip, generate(tiny_models, "a ball", SHAPE, SETTINGS, camera="zoom in"))


def test_a_clip_does_not_depend_on_the_batch_it_was_made_in(tiny_models):
    prompts = ["a ball", "a much longer prompt about a fish under water"]
    batch = generate_batch(tiny_models, prompts, SHAPE, SETTINGS, seeds=[0, 7])
    for prompt, seed, clip in zip(prompts, (0, 7), batch, strict=True):
        alone = generate(tiny_models, prompt, SHAPE, replace(SETTINGS, seed=seed))
        assert torch.allclose(clip, alone, atol=1e-4)


def test_guidance_near_1_tends_to_the_plain_model(tiny_models):
    plain = generate(tiny_models, "a ball", SHAPE, replace(SETTINGS, guidance=1.0))
    close = generate(tiny_models, "a ball", SHAPE, replace(SETTINGS, guidance=1.0 + 1e-6))
    assert torch.allclose(plain, close, atol=1e-4)
    assert not torch.allclose(plain, generate(tiny_models, "a ball", SHAPE, SETTINGS), atol=1e-4)


def test_at_guidance_0_the_prompt_does_not_matter(tiny_models):
    free = replace(SETTINGS, guidance=0.0)
    ball, fish = (generate(tiny_models, prompt, SHAPE, free) for prompt in ("a ball", "a fish"))
    assert torch.allclose(ball, fish, atol=1e-4)


def test_noise_of_a_seed_does_not_depend_on_its_neighbours(tiny_models):
    assert torch.equal(draw_noise(tiny_models, SHAPE, [1, 2])[1], draw_noise(tiny_models, SHAPE, [2])[0])


def test_every_step_is_reported_and_may_stop_the_work(tiny_models):
    steps = []

    def on_step(step, _):
        steps.append(step)
        if step == 2:
            raise Interrupted("stopped")

    with pytest.raises(Interrupted):
        generate(tiny_models, "a ball", SHAPE, replace(SETTINGS, num_steps=4), on_step=on_step)
    assert steps == [1, 2]


def test_bfloat16_comes_close_to_float32(tiny_models, tiny_folder):
    exact = generate(tiny_models, "a ball", SHAPE, SETTINGS)
    models = load_text_to_video(open_cast(tiny_folder), dtype=torch.bfloat16)
    short = generate(models, "a ball", SHAPE, SETTINGS)
    assert models.dtype == torch.bfloat16
    assert short.dtype == torch.float32
    assert 0 < (exact - short).abs().mean() < 0.1


@pytest.mark.parametrize("prompt", ["", "   ", "\n"])
def test_an_empty_prompt_is_refused(tiny_models, prompt):
    with pytest.raises(PromptError):
        generate(tiny_models, prompt, SHAPE, SETTINGS)


def test_an_endless_prompt_is_refused(tiny_models):
    with pytest.raises(PromptError):
        generate(tiny_models, "ball " * 20_000, SHAPE, SETTINGS)


@pytest.mark.parametrize("prompt", ["🏐🏖️", "كرة حمراء على الشاطئ", "a\u202eball"])
def test_emoji_and_right_to_left_text_are_prompts_like_any_other(tiny_models, prompt):
    assert generate(tiny_models, prompt, SHAPE, SETTINGS).isfinite().all()


@pytest.mark.parametrize(("height", "width"), [(33, 48), (32, 0), (8, 48), (32, 100_000)])
def test_a_size_that_does_not_fit_is_refused_with_the_nearest(tiny_models, height, width):
    with pytest.raises(GeometryError, match=r"the nearest is \d+x\d+"):
        generate(tiny_models, "a ball", replace(SHAPE, height=height, width=width), SETTINGS)


def test_a_clip_beyond_any_memory_is_refused(tiny_models):
    with pytest.raises(GeometryError, match="tokens"):
        generate(
            tiny_models,
            "a ball",
            ClipShape(num_frames=1000, fps=Fraction(16), height=4096, width=4096),
            SETTINGS,
        )


LONG = replace(SHAPE, num_frames=50)


def test_a_clip_beyond_the_models_span_is_made_in_windows_that_it_learnt(tiny_models, monkeypatch):
    seen, real = [], tiny_models.video.forward
    monkeypatch.setattr(
        tiny_models.video,
        "forward",
        lambda x, *rest, **more: seen.append(x.shape[2]) or real(x, *rest, **more),
    )
    clip = generate(tiny_models, "a ball", LONG, SETTINGS)
    assert clip.shape == (3, 50, 32, 48)
    assert set(seen) == {tiny_models.span} == {2}


@torch.no_grad()
def test_in_one_step_the_ends_of_a_long_latent_are_those_of_its_first_and_last_window(tiny_models):
    context, once = encode_prompts(tiny_models, ["a ball"], guided=True), replace(SETTINGS, num_steps=1)
    noise = torch.randn(1, 16, 7, 4, 6)
    long = denoise(tiny_models, context, noise, once)
    first, last = (denoise(tiny_models, context, part, once) for part in (noise[:, :, :2], noise[:, :, -2:]))
    assert torch.allclose(long[:, :, 0], first[:, :, 0], atol=1e-5)
    assert torch.allclose(long[:, :, -1], last[:, :, -1], atol=1e-5)


@torch.no_grad()
def test_the_ends_of_a_long_clip_hear_of_each_other_through_the_windows_between(tiny_models):
    context = encode_prompts(tiny_models, ["a ball"], guided=True)
    noise = torch.randn(1, 16, 4, 4, 6)
    changed = noise.clone()
    changed[:, :, -1] += 3
    moved = [
        (
            denoise(tiny_models, context, noise, replace(SETTINGS, num_steps=steps))
            - denoise(tiny_models, context, changed, replace(SETTINGS, num_steps=steps))
        )[:, :, 0]
        .abs()
        .max()
        for steps in (2, 6)
    ]
    assert moved[0] == 0
    assert moved[1] > 0


@torch.no_grad()
def test_a_long_clip_decoded_in_parts_is_the_clip(tiny_models, monkeypatch):
    latent = torch.randn(1, 16, 7, 4, 6)
    whole = decode(tiny_models, latent, 50)
    monkeypatch.setattr(stage, "WHOLE_PIXELS", 1000)
    monkeypatch.setattr(decoding, "CHUNK_PIXELS", 2 * 8 * 32 * 48)
    parts = list(decode_parts(tiny_models, latent, 50))
    assert len(parts) > 2
    assert torch.allclose(torch.cat(parts, dim=2), whole, atol=1e-5)
