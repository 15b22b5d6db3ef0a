"""The edit model as the host's own objects: what the core alone makes, whichever way it is wired."""

import types
from fractions import Fraction

import pytest
import torch

from moviegen_core.flow.guidance import EditGuidance
from moviegen_core.flow.schedule import linear_quadratic_times
from moviegen_core.flow.solver import integrate_euler
from moviegen_core.geometry import ClipShape
from moviegen_core.models.edit import task_indices
from moviegen_core.stages.edit_model import _guided, black_latent, load_edit
from moviegen_core.stages.encode import encode_clip
from moviegen_core.stages.generate import draw_noise
from moviegen_core.weights.cast import open_cast, write_cast

WISH, FRAMES, STEPS, SEED = "make the ball blue", 13, 3, 5
PULLS = EditGuidance(1.5, 4.0)


@pytest.fixture(scope="module")
def editor(comfy_host, edit_folder):
    """MODEL in float32, CLIP and VAE of a cast that edits."""
    files, edit = comfy_host.ours("nodes.host.files"), comfy_host.ours("nodes.host.edit")
    cast = files.find_cast(edit_folder.name)
    return types.SimpleNamespace(
        model=edit.load_edit_model(cast.path("edit"), cast.path("tae"), dtype=torch.float32),
        clip=comfy_host.ours("nodes.host.clip").load_clip(cast.path("edit_text"), "edit_text"),
        vae=comfy_host.ours("nodes.host.vae").load_vae(cast.path("tae")),
    )


@pytest.fixture(scope="module")
def images():
    return torch.rand(FRAMES, 32, 48, 3, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def told(run, editor, images):
    """What Edit Conditioning gives."""
    names = ("positive", "source", "negative", "latent", "task")
    made = run(
        "MovieGenEditConditioning",
        clip=editor.clip,
        vae=editor.vae,
        images=images,
        instruction=WISH,
        fps=16.0,
        task="by the instruction",
    )
    return types.SimpleNamespace(**dict(zip(names, made, strict=True)))


@torch.no_grad()
def headless(folder, images, instruction=WISH, task=None, frames=FRAMES):
    """The core alone, up to the latent; another task may stand in place of the one it finds."""
    import moviegen_core.stages.edit_model as stage

    models = load_edit(open_cast(folder))
    shape = ClipShape(num_frames=frames, fps=Fraction(16), height=32, width=48)
    source = encode_clip(models.tae, (images * 2 - 1).movedim(-1, 0)[None])
    sources, plain = (black_latent(models.tae, shape, "cpu"), source), stage.task_of
    try:
        if task is not None:
            stage.task_of = lambda _instruction: task
        velocity = _guided(models, sources, instruction, shape, PULLS)
    finally:
        stage.task_of = plain
    times = linear_quadratic_times(STEPS, grid=250)
    return integrate_euler(velocity, draw_noise(models, shape, [SEED]), times)


def sampled(run, model, guider, latent):
    return run(
        "SamplerCustomAdvanced",
        noise=run("RandomNoise", noise_seed=SEED)[0],
        guider=guider,
        sampler=run("KSamplerSelect", sampler_name="euler")[0],
        sigmas=run("MovieGenSchedule", model=model, steps=STEPS, imitated_steps=250, denoise=1.0)[0],
        latent_image=latent,
    )[0]


def our_guider(run, model, told, pulls=PULLS):
    wires = {name: getattr(told, name) for name in ("positive", "source", "negative")}
    pulls = {"source_pull": pulls.video, "text_pull": pulls.text}
    return run("MovieGenEditGuider", model=model, **wires, **pulls)[0]


def dual_guider(run, model, positive, source, negative):
    return run(
        "DualCFGGuider",
        model=model,
        cond1=positive,
        cond2=source,
        negative=negative,
        cfg_conds=PULLS.text,
        cfg_cond2_negative=PULLS.video,
        style="regular",
    )[0]


def test_our_nodes_make_what_the_core_makes(run, editor, told, images, edit_folder):
    made = sampled(run, editor.model, our_guider(run, editor.model, told), told.latent)
    assert (told.task, made["frames"]) == ("recolour", FRAMES)
    torch.testing.assert_close(made["samples"], headless(edit_folder, images), rtol=1e-3, atol=1e-3)


def test_the_hosts_own_dual_guider_makes_the_same(run, editor, told):
    ours = sampled(run, editor.model, our_guider(run, editor.model, told), told.latent)
    dual = dual_guider(run, editor.model, told.positive, told.source, told.negative)
    theirs = sampled(run, editor.model, dual, told.latent)
    torch.testing.assert_close(theirs["samples"], ours["samples"], rtol=1e-4, atol=1e-4)


def test_the_hosts_own_conditioning_works_with_black_where_nothing_is_told(run, editor, images, edit_folder):
    """Without a node of ours the task is that of an instruction by no rule."""
    words, nothing = (
        run("CLIPTextEncode", clip=editor.clip, text=text)[0] for text in (f"FPS-16. {WISH}", "")
    )
    positive, source, latent = run(
        "InstructPixToPixConditioning", positive=words, negative=nothing, vae=editor.vae, pixels=images
    )
    dual = dual_guider(run, editor.model, positive, source, nothing)
    made = sampled(run, editor.model, dual, latent)
    torch.testing.assert_close(
        made["samples"], headless(edit_folder, images, task="swap"), rtol=1e-3, atol=1e-3
    )


def test_long_clips_go_in_the_cores_windows(run, editor, edit_folder):
    frames = 75
    images = torch.rand(frames, 32, 48, 3, generator=torch.Generator().manual_seed(1))
    clip = {"clip": editor.clip, "vae": editor.vae, "images": images}
    made = run("MovieGenEditConditioning", **clip, instruction=WISH, fps=16.0, task="by the instruction")
    told = types.SimpleNamespace(positive=made[0], source=made[1], negative=made[2])
    samples = sampled(run, editor.model, our_guider(run, editor.model, told), made[3])["samples"]
    wanted = headless(edit_folder, images, frames=frames)
    torch.testing.assert_close(samples, wanted, rtol=1e-3, atol=1e-3)


def test_source_instruction_and_task_all_matter(run, editor, told, images):
    plain = sampled(run, editor.model, our_guider(run, editor.model, told), told.latent)["samples"]
    for changes in ({"images": 1 - images}, {"instruction": "make the ball green"}, {"task": "style"}):
        given = {"images": images, "instruction": WISH, "task": "by the instruction"} | changes
        made = run("MovieGenEditConditioning", clip=editor.clip, vae=editor.vae, fps=16.0, **given)
        other = types.SimpleNamespace(positive=made[0], source=made[1], negative=made[2])
        samples = sampled(run, editor.model, our_guider(run, editor.model, other), made[3])["samples"]
        assert not torch.allclose(samples, plain, atol=1e-3), changes


def test_the_three_branches_run_in_one_forward(run, editor, told):
    seen, model = [], editor.model.clone()
    model.set_model_unet_function_wrapper(
        lambda apply, given: (
            seen.append(len(given["input"])) or apply(given["input"], given["timestep"], **given["c"])
        )
    )
    sampled(run, model, our_guider(run, model, told), told.latent)
    assert seen == [3] * STEPS


def test_the_loaders_find_out_what_a_file_is(run, comfy_host, edit_folder):
    import folder_paths

    folder_paths.add_model_folder_path("diffusion_models", str(edit_folder))
    folder_paths.add_model_folder_path("text_encoders", str(edit_folder))
    (alone,) = run("MovieGenLoadModel", model_name="edit.safetensors")
    model, clip, vae = run("MovieGenLoadCast", cast=edit_folder.name, role="edit")
    kind = comfy_host.ours("nodes.host.edit").MovieGenEditModel
    assert isinstance(alone.model, kind)
    assert isinstance(model.model, kind)
    (reader,) = run("MovieGenLoadTextEncoder", text_encoder_name="edit_text.safetensors")
    ask = [run("CLIPTextEncode", clip=one, text=WISH)[0][0][0] for one in (clip, reader)]
    assert torch.equal(*ask)
    assert vae.latent_channels == 16


def test_a_cast_without_an_edit_model_says_what_else_edits_and_who_has_one(run, edit_folder):
    plain = edit_folder.with_name("plain")
    plain.mkdir()
    write_cast(plain, "plain", {"tae": "tae.safetensors"})
    with pytest.raises(Exception, match=r"lacks edit, edit_text; choose .*nano") as caught:
        run("MovieGenLoadCast", cast="plain", role="edit")
    assert "FlowEdit edits with its video model" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_file_of_nano_is_its_video_model_and_its_edit_model(run, comfy_host):
    kinds = (
        comfy_host.ours("nodes.host.edit").MovieGenEditModel,
        comfy_host.ours("nodes.host.model").MovieGenModel,
    )
    video, edit = (run("MovieGenLoadCast", cast="nano", role=role)[0] for role in ("video", "edit"))
    assert type(video.model) is kinds[1]
    assert type(edit.model) is kinds[0]
    shared = edit.model.diffusion_model.state_dict()
    for name, tensor in video.model.diffusion_model.state_dict().items():
        assert torch.equal(tensor, shared[name].to(tensor))


def test_alone_nanos_file_is_the_model_that_its_name_says(run, comfy_host):
    (alone,) = run("MovieGenLoadModel", model_name="nano/video.safetensors")
    assert type(alone.model) is comfy_host.ours("nodes.host.model").MovieGenModel


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"instruction": ""}, "the instruction is empty"),
        ({"instruction": "hello"}, "asks for no change"),
        ({"instruction": "make it " + "very " * 300 + "blue"}, "shorten"),
        ({"images": torch.rand(5, 30, 48, 3)}, "multiples of 16"),
        ({"images": torch.rand(0, 32, 48, 3)}, "at least one"),
    ],
)
def test_what_cannot_be_edited_is_refused_in_one_sentence(run, editor, images, changes, words):
    given = {"images": images, "instruction": WISH} | changes
    with pytest.raises(ValueError, match=words) as caught:
        run(
            "MovieGenEditConditioning",
            clip=editor.clip,
            vae=editor.vae,
            fps=16.0,
            task="by the instruction",
            **given,
        )
    assert "\n" not in str(caught.value)


def test_a_source_of_another_size_is_refused_in_one_sentence(run, editor, told):
    with pytest.raises(ValueError, match="connect the latent of the same Edit Conditioning") as caught:
        sampled(
            run,
            editor.model,
            our_guider(run, editor.model, told),
            {"samples": torch.zeros(1, 16, 2, 4, 8)},
        )
    assert "\n" not in str(caught.value)


def test_every_parameter_of_the_edit_model_can_be_offloaded(editor):
    covered = {
        f"diffusion_model.{name}.{part}"
        for name, module in editor.model.model.diffusion_model.named_modules()
        for part, _ in module.named_parameters(recurse=False)
        if not list(module.children())
    }
    assert {name for name, _ in editor.model.model.named_parameters()} <= covered


def test_tasks_have_places(editor):
    assert task_indices(["recolour"]).tolist() == [1]
    assert editor.model.model.diffusion_model.config.num_tasks >= 10
