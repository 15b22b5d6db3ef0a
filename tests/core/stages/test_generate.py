from dataclasses import replace
from fractions import Fraction

import pytest
import torch

from moviegen_core.errors import GeometryError, Interrupted, PromptError
from moviegen_core.geometry import ClipShape
from moviegen_core.stages.generate import draw_noise, generate, generate_batch, load_text_to_video
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
