"""FlowEdit under the host's SamplerCustomAdvanced: on nano for effect, on Wan and LTX for fit."""

import types

import pytest
import torch
from safetensors.torch import save_file

from moviegen_core.models.text import tokenize
from moviegen_core.stages.flow_edit import FlowEditSettings, edit_latent
from moviegen_core.weights.cast import open_cast

SETTINGS = FlowEditSettings(strength=0.8, num_steps=3, source_guidance=2.0, target_guidance=5.0, seed=7)
WORDS = ("FPS-16. a red ball bounces", "FPS-16. a blue ball bounces")


@pytest.fixture
def edit(run):
    """Edit a latent with any model as an artist wires it."""

    def call(model, source, target, negative, latent, averages=1, pulls=(2.0, 5.0), guider=None, **changes):
        sigmas = changes.get("sigmas")
        if sigmas is None:
            sigmas = run("MovieGenSchedule", model=model, steps=3, imitated_steps=3, denoise=0.8)[0]
        guider = (
            guider
            or run(
                "MovieGenFlowEditGuider",
                model=model,
                source=source,
                target=target,
                negative=negative,
                source_guidance=pulls[0],
                target_guidance=pulls[1],
            )[0]
        )
        noise = run("RandomNoise", noise_seed=changes.get("seed", SETTINGS.seed))[0]
        sampler = run("MovieGenFlowEditSampler", averages=averages)[0]
        wires = {"noise": noise, "guider": guider, "sampler": sampler, "sigmas": sigmas}
        return run("SamplerCustomAdvanced", **wires, latent_image=latent)[0]["samples"]

    return call


@pytest.fixture(scope="module")
def words(run, cast):
    """Conditioning of each text, and of none."""
    return [run("CLIPTextEncode", clip=cast.clip, text=text)[0] for text in (*WORDS, "")]


def latent(cells=2, seed=0):
    return {"samples": torch.randn(1, 16, cells, 4, 6, generator=torch.Generator().manual_seed(seed))}


@torch.no_grad()
def headless(source, settings=SETTINGS):
    """The core alone."""
    cast = open_cast("nano")
    text, video = cast.load("text"), cast.load("video")

    def context(caption):
        ids, mask = tokenize(["", caption])
        return video.context([text(ids, mask)], [mask])

    return edit_latent(video, source["samples"], context(WORDS[0]), context(WORDS[1]), settings)


def test_the_edit_is_the_cores(edit, float_model, words):
    made = edit(float_model, *words, latent())
    torch.testing.assert_close(made, headless(latent()), rtol=1e-3, atol=1e-3)
    assert (made - latent()["samples"]).abs().mean() > 0.05


def test_averages_and_long_clips_are_the_cores_too(edit, float_model, words):
    from dataclasses import replace

    made = edit(float_model, *words, latent(), averages=2)
    averaged = headless(latent(), replace(SETTINGS, num_averages=2))
    torch.testing.assert_close(made, averaged, rtol=1e-3, atol=1e-3)
    made = edit(float_model, *words, latent(11))
    torch.testing.assert_close(made, headless(latent(11)), rtol=1e-3, atol=1e-3)


def test_equal_prompts_and_pulls_return_the_source_bit_for_bit(edit, float_model, words):
    red, _, nothing = words
    made = edit(float_model, red, red, nothing, latent(), pulls=(3.0, 3.0))
    assert torch.equal(made, latent()["samples"])


def test_the_seed_decides_and_less_noise_changes_less(edit, run, float_model, words):
    first, again = (edit(float_model, *words, latent()) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, edit(float_model, *words, latent(), seed=8))
    small = run("MovieGenSchedule", model=float_model, steps=3, imitated_steps=3, denoise=0.1)[0]
    near, far = (
        (made - latent()["samples"]).abs().mean()
        for made in (edit(float_model, *words, latent(), sigmas=small), first)
    )
    assert near < 0.5 * far


def test_where_a_mask_forbids_the_edit_the_source_stays(edit, float_model, words):
    mask = torch.zeros(1, 4, 6)
    mask[:, :, 3:] = 1
    made = edit(float_model, *words, latent() | {"noise_mask": mask})
    torch.testing.assert_close(made[..., :3], latent()["samples"][..., :3], rtol=0, atol=1e-5)
    assert (made[..., 3:] - latent()["samples"][..., 3:]).abs().mean() > 0.05


def test_under_another_sampler_the_guider_follows_the_wanted_words(run, float_model, words):
    guider = run(
        "MovieGenFlowEditGuider",
        model=float_model,
        source=words[0],
        target=words[1],
        negative=words[2],
        source_guidance=2.0,
        target_guidance=5.0,
    )[0]
    plain = run("CFGGuider", model=float_model, positive=words[1], negative=words[2], cfg=5.0)[0]
    sigmas = run("BasicScheduler", model=float_model, scheduler="simple", steps=2, denoise=1.0)[0]
    made = [
        run(
            "SamplerCustomAdvanced",
            noise=run("RandomNoise", noise_seed=1)[0],
            guider=one,
            sampler=run("KSamplerSelect", sampler_name="euler")[0],
            sigmas=sigmas,
            latent_image={"samples": torch.zeros(1, 16, 2, 4, 6)},
        )[0]["samples"]
        for one in (guider, plain)
    ]
    torch.testing.assert_close(*made)


def test_another_guider_is_refused_in_one_sentence(run, edit, float_model, words):
    plain = run("CFGGuider", model=float_model, positive=words[0], negative=words[2], cfg=5.0)[0]
    with pytest.raises(Exception, match="connect a FlowEdit Guider") as caught:
        edit(float_model, *words, latent(), guider=plain)
    assert "\n" not in str(caught.value)


def test_an_empty_latent_is_refused_in_one_sentence(edit, float_model, words):
    with pytest.raises(ValueError, match="connect VAE Encode") as caught:
        edit(float_model, *words, {"samples": torch.zeros(1, 16, 2, 4, 6)})
    assert "\n" not in str(caught.value)


def test_a_model_that_is_no_flow_is_refused_in_one_sentence(edit, float_model, words):
    import comfy.model_sampling

    class Old(comfy.model_sampling.ModelSamplingDiscrete, comfy.model_sampling.EPS):
        pass

    model = float_model.clone()
    model.add_object_patch("model_sampling", Old())
    with pytest.raises(Exception, match="is no rectified flow") as caught:
        edit(model, *words, latent(), sigmas=torch.tensor([0.8, 0.0]))
    assert "\n" not in str(caught.value)


def test_an_interrupt_stops_it_within_a_step(run, edit, float_model, words):
    import comfy.model_management

    guider = run(
        "MovieGenFlowEditGuider",
        model=float_model,
        source=words[0],
        target=words[1],
        negative=words[2],
        source_guidance=2.0,
        target_guidance=5.0,
    )[0]
    calls = []
    plain = guider.predict_noise

    def counted(*args, **options):
        calls.append(1)
        if len(calls) == 2:
            comfy.model_management.interrupt_current_processing(True)
        return plain(*args, **options)

    guider.predict_noise = counted
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        edit(float_model, *words, latent(), guider=guider)
    assert len(calls) <= 4


def random_weights(model):
    """No weight is zero, so that every input matters."""
    generator = torch.Generator().manual_seed(0)
    return {
        name: torch.randn(tensor.shape, generator=generator) * 0.05
        for name, tensor in model.state_dict().items()
    }


def tiny_wan():
    import comfy.ldm.wan.model
    import comfy.ops

    return comfy.ldm.wan.model.WanModel(
        dim=128, ffn_dim=64, num_heads=1, num_layers=1, operations=comfy.ops.manual_cast, dtype=torch.float32
    )


def tiny_ltx():
    import comfy.ldm.lightricks.model
    import comfy.ops

    return comfy.ldm.lightricks.model.LTXVModel(
        cross_attention_dim=128,
        attention_head_dim=4,
        num_layers=1,
        operations=comfy.ops.manual_cast,
        dtype=torch.float32,
    )


FAMILIES = {
    "Wan": (tiny_wan, (1, 16, 3, 4, 6), "WAN21"),
    "LTX": (tiny_ltx, (1, 128, 3, 2, 3), "LTXV"),
}


@pytest.fixture(scope="module", params=list(FAMILIES))
def family(request, run, tmp_path_factory):
    """A tiny model of the host's own, as its loader loads it, with what its own nodes give."""
    import folder_paths

    build, shape, name = FAMILIES[request.param]
    folder = tmp_path_factory.mktemp("models")
    save_file(random_weights(build()), folder / f"tiny_{name}.safetensors")
    folder_paths.add_model_folder_path("diffusion_models", str(folder))
    model = run("UNETLoader", unet_name=f"tiny_{name}.safetensors", weight_dtype="default")[0]
    assert type(model.model).__name__ == name
    generator = torch.Generator().manual_seed(1)
    texts = [[[torch.randn(1, 12, 4096, generator=generator), {}]] for _ in range(3)]
    if request.param == "LTX":
        for text in texts:
            text[0][1] = {"attention_mask": torch.ones(1, 12, dtype=torch.int64), "frame_rate": 24.0}
    return types.SimpleNamespace(
        model=model, texts=texts, latent={"samples": torch.randn(shape, generator=generator)}
    )


def test_other_families_return_the_source_for_equal_prompts(edit, family):
    source, _, nothing = family.texts
    made = edit(family.model, source, source, nothing, family.latent, pulls=(2.0, 2.0))
    torch.testing.assert_close(made, family.latent["samples"], rtol=1e-5, atol=1e-5)


def test_other_families_edit_as_their_own_flows_differ(run, edit, family):
    """The reference: plain guiders of the host, asked step by step, and a sum written out."""
    made = edit(family.model, *family.texts, family.latent, sigmas=torch.tensor([0.8, 0.5, 0.0]))
    model, (source, target, nothing) = family.model, family.texts
    data = model.model.process_latent_in(family.latent["samples"])
    generator, way = torch.Generator().manual_seed(SETTINGS.seed), torch.zeros_like(data)
    for sigma, following in ((0.8, 0.5), (0.5, 0.0)):
        noise = torch.randn(data.shape, generator=generator)
        noisy = sigma * noise + (1 - sigma) * data
        estimates = [
            estimated(run, model, words, nothing, scale, x, sigma)
            for words, scale, x in ((source, 2.0, noisy), (target, 5.0, noisy + way))
        ]
        flows = [(x - one) / sigma for x, one in zip((noisy, noisy + way), estimates, strict=True)]
        way = way + (following - sigma) * (flows[1] - flows[0])
    wanted = model.model.process_latent_out(data + way)
    torch.testing.assert_close(made, wanted, rtol=1e-3, atol=1e-3)
    assert (made - family.latent["samples"]).abs().mean() > 1e-3


@torch.inference_mode()
def estimated(run, model, positive, negative, scale, x, sigma):
    """What the host's own guidance takes for the data in ``x``."""
    guider, seen = run("CFGGuider", model=model, positive=positive, negative=negative, cfg=scale)[0], []

    class Ask:
        """A sampler that asks once."""

        def sample(self, model_wrap, sigmas, extra_args, callback, noise, latent, *rest, **options):  # noqa: ARG002
            seen.append(model_wrap(x, torch.tensor([sigma]), **extra_args))
            return latent

    blank = torch.ones_like(x)
    guider.sample(blank, blank, Ask(), torch.tensor([sigma, 0.0]))
    return seen[0]


def test_a_mask_holds_for_other_families(edit, family):
    mask = torch.zeros(1, *family.latent["samples"].shape[-2:])
    mask[..., 1:] = 1
    made = edit(family.model, *family.texts, family.latent | {"noise_mask": mask})
    source = family.latent["samples"]
    torch.testing.assert_close(made[..., :1], source[..., :1], rtol=0, atol=1e-4)
    assert (made[..., 1:] - source[..., 1:]).abs().mean() > 1e-3
