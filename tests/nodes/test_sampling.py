"""Our model under the host's samplers: the same clip, whichever way it is asked for."""

import pytest
import torch

from moviegen_core.flow.guidance import TextGuidance
from moviegen_core.flow.schedule import linear_quadratic_times
from moviegen_core.flow.solver import integrate_euler
from moviegen_core.models.text import tokenize
from moviegen_core.weights.cast import open_cast

STEPS, GUIDANCE, SEED = 3, 4.0, 7


@torch.no_grad()
def headless(sigmas):
    """The core alone, same noise, same times."""
    cast = open_cast("nano")
    text, video = cast.load("text"), cast.load("video")
    ids, mask = tokenize(["", "FPS-16. a red ball bounces"])
    context = video.context([text(ids, mask)], [mask])
    guidance = TextGuidance(GUIDANCE)

    def velocity(x, t):
        return guidance.combine(*video(x.repeat(2, 1, 1, 1, 1), t.repeat(2), context).chunk(2))

    noise = torch.randn(1, 16, 2, 4, 6, generator=torch.Generator().manual_seed(SEED))
    return integrate_euler(velocity, noise, (1 - sigmas.double()).tolist())


def advanced(run, guider, sigmas, latent, seed=SEED):
    noise = run("RandomNoise", noise_seed=seed)[0]
    sampler = run("KSamplerSelect", sampler_name="euler")[0]
    return run(
        "SamplerCustomAdvanced",
        noise=noise,
        guider=guider,
        sampler=sampler,
        sigmas=sigmas,
        latent_image=latent,
    )[0]


@pytest.fixture(scope="module")
def simple(run, float_model):
    """What KSampler's "simple" schedule visits."""
    return run("BasicScheduler", model=float_model, scheduler="simple", steps=STEPS, denoise=1.0)[0]


@pytest.fixture
def guider(run, float_model, prompts):
    positive, negative = prompts
    return run("CFGGuider", model=float_model, positive=positive, negative=negative, cfg=GUIDANCE)[0]


def test_ksampler_and_sampler_custom_advanced_and_the_core_alone_agree(
    run, float_model, prompts, empty, simple, guider
):
    positive, negative = prompts
    by_ksampler = run(
        "KSampler",
        model=float_model,
        seed=SEED,
        steps=STEPS,
        cfg=GUIDANCE,
        sampler_name="euler",
        scheduler="simple",
        positive=positive,
        negative=negative,
        latent_image=empty,
        denoise=1.0,
    )[0]
    by_guider = advanced(run, guider, simple, empty)
    assert by_ksampler["frames"] == by_guider["frames"] == 13
    torch.testing.assert_close(by_ksampler["samples"], by_guider["samples"])
    torch.testing.assert_close(by_guider["samples"], headless(simple), rtol=1e-3, atol=1e-3)


def test_our_schedule_is_the_cores(run, float_model, empty, guider):
    sigmas = run("MovieGenSchedule", model=float_model, steps=STEPS, imitated_steps=250, denoise=1.0)[0]
    times = linear_quadratic_times(STEPS, grid=250)
    torch.testing.assert_close(1 - sigmas.double(), torch.tensor(times).double(), rtol=0, atol=1e-6)
    samples = advanced(run, guider, sigmas, empty)["samples"]
    torch.testing.assert_close(samples, headless(sigmas), rtol=1e-3, atol=1e-3)


def test_dual_guidance_with_equal_prompts_is_plain_guidance(run, float_model, prompts, empty, simple, guider):
    positive, negative = prompts
    dual = run(
        "DualCFGGuider",
        model=float_model,
        cond1=positive,
        cond2=positive,
        negative=negative,
        cfg_conds=2.0,
        cfg_cond2_negative=GUIDANCE,
        style="regular",
    )[0]
    plain = advanced(run, guider, simple, empty)["samples"]
    torch.testing.assert_close(advanced(run, dual, simple, empty)["samples"], plain, rtol=1e-3, atol=1e-3)


def test_clips_of_a_batch_differ_and_the_first_is_the_lone_one(run, empty, simple, guider):
    two = {"samples": empty["samples"].repeat(2, 1, 1, 1, 1)}
    both = advanced(run, guider, simple, two)["samples"]
    lone = advanced(run, guider, simple, empty)["samples"]
    assert not torch.allclose(both[0], both[1], atol=0.1)
    torch.testing.assert_close(both[:1], lone, rtol=1e-3, atol=1e-3)


def test_branches_of_different_lengths_run_in_one_forward(run, float_model, empty, simple, guider):
    seen = []
    model = float_model.clone()
    model.set_model_unet_function_wrapper(
        lambda apply, given: (
            seen.append(len(given["input"])) or apply(given["input"], given["timestep"], **given["c"])
        )
    )
    guider.model_patcher, guider.model_options = model, model.model_options
    advanced(run, guider, simple, empty)
    assert seen == [2] * STEPS


def test_a_lora_with_the_generic_prefix_changes_the_clip_and_strength_zero_does_not(
    run, float_model, prompts, empty, simple, tmp_path, monkeypatch
):
    import folder_paths
    from safetensors.torch import save_file

    key, width = "diffusion_model.blocks.0.self_attention.out", 256
    pair = {f"{key}.lora_A.weight": torch.randn(2, width), f"{key}.lora_B.weight": torch.randn(width, 2)}
    save_file(pair, tmp_path / "look.safetensors")
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "loras", ([str(tmp_path)], {".safetensors"}))

    def clip(strength):
        model = run(
            "LoraLoaderModelOnly", model=float_model, lora_name="look.safetensors", strength_model=strength
        )[0]
        guider = run("CFGGuider", model=model, positive=prompts[0], negative=prompts[1], cfg=GUIDANCE)[0]
        return len(model.patches), advanced(run, guider, simple, empty)["samples"]

    assert clip(1.0)[0] == 1
    plain = clip(0.0)[1]
    assert not torch.allclose(clip(1.0)[1], plain, atol=1e-2)
    torch.testing.assert_close(clip(0.0)[1], plain)


def test_a_masked_latent_keeps_what_the_mask_leaves_out(run, simple, guider):
    latent = {"samples": torch.randn(1, 16, 2, 4, 6)}
    mask = torch.zeros(1, 4, 6)
    mask[:, :, 3:] = 1
    kept = advanced(run, guider, simple, latent | {"noise_mask": mask})["samples"]
    torch.testing.assert_close(kept[..., :3], latent["samples"][..., :3], rtol=1e-3, atol=1e-3)
    assert not torch.allclose(kept[..., 3:], latent["samples"][..., 3:], atol=0.1)


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (torch.ones(1, 4, 2, 4, 6), "another family of models"),
        (torch.ones(1, 16, 2, 5, 6), "make it 48x32"),
    ],
)
def test_a_latent_the_model_cannot_read_is_refused_in_one_sentence(run, simple, guider, samples, words):
    with pytest.raises(Exception, match=words) as caught:
        advanced(run, guider, simple, {"samples": samples})
    assert "\n" not in str(caught.value)


def test_text_of_another_encoder_is_refused_in_one_sentence(run, float_model, empty, simple):
    foreign = [[torch.zeros(1, 77, 768), {}]]
    guider = run("CFGGuider", model=float_model, positive=foreign, negative=foreign, cfg=1.0)[0]
    with pytest.raises(Exception, match="CLIP of Load Movie Gen"):
        advanced(run, guider, simple, empty)
