"""Faces as nodes, with a tiny cast of random weights: what the core does, and a sentence for the rest."""

import types
from dataclasses import replace
from fractions import Fraction

import pytest
import torch

from moviegen_core.geometry import ClipShape
from moviegen_core.stages.faces import reference_face
from moviegen_core.stages.generate import denoise, draw_noise, full_prompt
from moviegen_core.stages.likeness import likeness
from moviegen_core.stages.personalize import face_context, load_personalized
from moviegen_core.stages.settings import SamplingSettings
from moviegen_core.weights.cast import open_cast

PROMPT, SEED = "a person waits", 3
SETTINGS = SamplingSettings(num_steps=3, guidance=4.0, seed=SEED)


@pytest.fixture(scope="module")
def person(comfy_host, edit_folder):
    """MODEL in float32 and CLIP of a cast that takes faces."""
    files, faces = comfy_host.ours("nodes.host.files"), comfy_host.ours("nodes.host.faces")
    cast = files.find_cast(edit_folder.name)
    paths = [cast.path(role) for role in ("personalized", "identity", "tae")]
    return types.SimpleNamespace(
        model=faces.load_face_model(*paths, dtype=torch.float32),
        clip=comfy_host.ours("nodes.host.clip").load_clip(cast.path("text")),
        ours=comfy_host.ours,
    )


def picture(height=40, width=60, seed=0):
    return torch.rand(1, height, width, 3, generator=torch.Generator().manual_seed(seed))


def square(height=40, width=60):
    mask = torch.zeros(1, height, width)
    mask[:, 8:24, 20:36] = 1
    return mask


def sampled(run, model, positive, negative, samples):
    guider = run("CFGGuider", model=model, positive=positive, negative=negative, cfg=4.0)[0]
    return run(
        "SamplerCustomAdvanced",
        noise=run("RandomNoise", noise_seed=SEED)[0],
        guider=guider,
        sampler=run("KSamplerSelect", sampler_name="euler")[0],
        sigmas=run("MovieGenSchedule", model=model, steps=3, imitated_steps=250, denoise=1.0)[0],
        latent_image={"samples": samples},
    )[0]["samples"]


def words(run, person, text):
    return run("CLIPTextEncode", clip=person.clip, text=text)[0]


def test_a_mask_wins_and_the_face_is_the_cores_crop(run, person, edit_folder):
    encoder = open_cast(edit_folder).load("identity")
    face, mask, report = run("MovieGenFindFace", images=picture(), size=0, model=person.model, mask=square())
    wanted, _ = reference_face(encoder, (picture()[0] * 2 - 1).movedim(-1, 0), square()[0])
    torch.testing.assert_close(face[0], (wanted.movedim(0, -1) + 1) / 2, rtol=0, atol=1e-5)
    assert torch.equal(mask, square())
    assert "16 pixels at 20, 8; marked by the mask" in report


def test_a_mask_needs_no_model_and_every_picture_may_have_its_own(run):
    pictures = torch.cat([picture(), picture(seed=1)])
    face, mask, _ = run("MovieGenFindFace", images=pictures, size=32, mask=square())
    assert face.shape == (2, 32, 32, 3)
    assert mask.shape == (2, 40, 60)
    with pytest.raises(ValueError, match="3 masks came for 2 pictures"):
        run("MovieGenFindFace", images=pictures, size=32, mask=square().expand(3, -1, -1))


def finding(person, monkeypatch, *sides):
    """A reader that takes the squares around some places for faces."""
    found = [
        person.ours("nodes.faces").Face(top=10.0, left=10.0 * n, side=float(side), sureness=-float(n))
        for n, side in enumerate(sides, start=1)
    ]
    monkeypatch.setattr(person.ours("nodes.faces"), "find_faces", lambda *_, **__: found)
    monkeypatch.setattr(person.ours("nodes.faces"), "kornia_finder", lambda: None)


def test_of_several_faces_the_surest_is_taken_and_the_node_says_so(run, person, monkeypatch):
    finding(person, monkeypatch, 20, 16)
    face, mask, report = run("MovieGenFindFace", images=picture(), size=0, model=person.model)
    assert face.shape == (1, 16, 16, 3)
    assert mask.sum() == 20 * 20
    assert "2 faces are found in picture 1; the surest is taken, a mask picks another" in report


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (torch.zeros(1, 40, 60), "black everywhere"),
        (torch.ones(1, 30, 60), "draw it over the picture"),
        (None, "no face is found in picture 1"),
    ],
)
def test_no_face_is_one_sentence(run, person, monkeypatch, mask, words):
    finding(person, monkeypatch)
    with pytest.raises(Exception, match=words) as caught:
        run("MovieGenFindFace", images=picture(), size=0, model=person.model, mask=mask)
    assert "\n" not in str(caught.value)


def test_without_model_kornia_or_mask_the_way_out_is_named(run, person, monkeypatch):
    monkeypatch.setattr(person.ours("nodes.faces"), "kornia_finder", lambda: None)
    with pytest.raises(Exception, match="or mark the face with a mask") as caught:
        run("MovieGenFindFace", images=picture(), size=0)
    assert "Load Movie Gen, role face" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("height", "width", "channels"), [(3000, 4000, 3), (40, 60, 4), (1, 1, 3)])
def test_huge_photos_alpha_and_specks_are_pictures_too(run, height, width, channels):
    images = torch.rand(1, height, width, channels)
    face, mask, _ = run("MovieGenFindFace", images=images, size=16, mask=torch.ones(1, height, width))
    assert face.shape == (1, 16, 16, 3)
    assert mask.shape == (1, height, width)


@torch.no_grad()
def headless(folder, faces, shape):
    """The core alone, up to the latent."""
    models = load_personalized(open_cast(folder))
    context = face_context(models, full_prompt(models, PROMPT, shape, None), faces, SETTINGS)
    return denoise(models, context, draw_noise(models, shape, [SEED]), replace(SETTINGS))


def test_a_face_beside_the_words_makes_what_the_core_makes(run, person, edit_folder):
    shape = ClipShape(num_frames=16, fps=Fraction(16), height=32, width=48)
    faces = torch.rand(2, 16, 16, 3, generator=torch.Generator().manual_seed(0))
    both = (words(run, person, text) for text in (f"FPS-16. {PROMPT}", ""))
    told = run(
        "MovieGenIdentityConditioning",
        model=person.model,
        faces=faces,
        **dict(zip(("positive", "negative"), both, strict=True)),
    )
    made = sampled(run, person.model, *told, torch.zeros(1, 16, 2, 4, 6))
    wanted = headless(edit_folder, (faces * 2 - 1).movedim(-1, 1), shape)
    torch.testing.assert_close(made, wanted, rtol=1e-3, atol=1e-3)


def test_the_face_matters_and_both_branches_run_together(run, person):
    seen, model = [], person.model.clone()
    model.set_model_unet_function_wrapper(
        lambda apply, given: (
            seen.append(len(given["input"])) or apply(given["input"], given["timestep"], **given["c"])
        )
    )
    both = {"positive": words(run, person, PROMPT), "negative": words(run, person, "")}
    made = []
    for seed in (0, 1):
        faces = torch.rand(1, 20, 20, 3, generator=torch.Generator().manual_seed(seed))
        told = run("MovieGenIdentityConditioning", model=model, faces=faces, **both)
        made.append(sampled(run, model, *told, torch.zeros(1, 16, 1, 4, 6)))
    assert not torch.allclose(*made, atol=1e-2)
    assert set(seen) == {2}


def test_every_portrait_is_a_face_to_nano_and_each_is_another(run, comfy_host):
    nano = run("MovieGenLoadCast", cast="nano", role="face")[0]
    names = comfy_host.nodes["MovieGenPortrait"].GET_SCHEMA().inputs[0].options
    pictures = [run("MovieGenPortrait", person=name)[0] for name in names]
    assert len({picture.sum().item() for picture in pictures}) == len(names) >= 4
    for picture in pictures:
        face, mask, _ = run("MovieGenFindFace", images=picture, size=0, model=nano)
        assert face.shape[1:] == (64, 64, 3)
        assert mask.mean() > 0.3


@pytest.mark.parametrize("count", [0, 6])
def test_a_count_of_pictures_that_cannot_be_is_refused(run, person, count):
    both = {"positive": words(run, person, PROMPT), "negative": words(run, person, "")}
    with pytest.raises(ValueError, match=f"{count} pictures of the face are given; give 1 to 5"):
        run("MovieGenIdentityConditioning", model=person.model, faces=torch.rand(count, 16, 16, 3), **both)


def test_a_model_without_faces_says_which_one_has_them(run, person, float_model):
    both = {"positive": words(run, person, PROMPT), "negative": words(run, person, "")}
    faces = torch.rand(1, 16, 16, 3)
    with pytest.raises(Exception, match="Load Movie Gen, role face") as caught:
        run("MovieGenIdentityConditioning", model=float_model, faces=faces, **both)
    assert "\n" not in str(caught.value)


def test_a_face_told_to_a_model_that_was_not_taught_it_is_refused(run, person, cast, float_model):
    both = {
        name: run("CLIPTextEncode", clip=cast.clip, text="a person")[0] for name in ("positive", "negative")
    }
    told = run("MovieGenIdentityConditioning", model=person.model, faces=torch.rand(1, 16, 16, 3), **both)
    with pytest.raises(Exception, match="was not taught to show it") as caught:
        sampled(run, float_model, *told, torch.zeros(1, 16, 1, 4, 6))
    assert "\n" not in str(caught.value)


def test_likeness_is_the_cores_and_says_what_it_is(run, person, edit_folder):
    encoder = open_cast(edit_folder).load("identity")
    faces, images = torch.rand(1, 16, 16, 3), torch.rand(9, 40, 60, 3)
    made = run("MovieGenLikeness", model=person.model, faces=faces, frames_each=0, images=images)
    curve, shown, number, mean, minimum, drift, report = made
    clip = (images * 2 - 1).permute(3, 0, 1, 2)
    places = torch.linspace(0, 8, 8).round().long()
    wanted = likeness(encoder, clip[:, places], (faces * 2 - 1).movedim(-1, 1), 8)
    assert (mean, minimum, drift) == pytest.approx((wanted.mean, wanted.minimum, wanted.drift), abs=1e-4)
    assert curve.shape == (1, 160, 320, 3)
    assert torch.equal(shown, images)
    assert number == 1
    assert "by our small encoder, not a face recognizer" in report


def test_of_several_clips_the_most_like_goes_on(run, person, monkeypatch):
    module, means = person.ours("nodes.faces"), iter((0.2, 0.7, 0.5))

    def drawn(*_):
        mean = next(means)
        return module.Likeness(frames=(0, 1), values=(mean, mean))

    monkeypatch.setattr(module, "follow", drawn)
    images = torch.arange(9.0).view(9, 1, 1, 1).expand(9, 8, 8, 3) / 9
    made = run("MovieGenLikeness", model=person.model, faces=picture(), frames_each=3, images=images)
    assert torch.equal(made[1], images[3:6])
    assert made[2] == 2
    assert "> 2: likeness 0.70" in made[6]


def test_a_video_is_followed_without_holding_all_of_it(run, person):
    from comfy_api.latest import InputImpl, Types

    parts = Types.VideoComponents(images=torch.rand(30, 40, 60, 3), audio=None, frame_rate=Fraction(16))
    video = InputImpl.VideoFromComponents(parts)
    made = run("MovieGenLikeness", model=person.model, faces=picture(), frames_each=0, video=video)
    assert made[1].shape == (8, 40, 60, 3)
    torch.testing.assert_close(made[1][-1], parts.images[-1], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "either as images or as a video"),
        ({"images": torch.rand(10, 8, 8, 3), "frames_each": 4}, "no whole clips of 4"),
        ({"images": torch.rand(0, 8, 8, 3)}, "no whole clips"),
    ],
)
def test_what_is_no_clip_is_refused_in_one_sentence(run, person, given, words):
    with pytest.raises(ValueError, match=words) as caught:
        run("MovieGenLikeness", **{"model": person.model, "faces": picture(), "frames_each": 0} | given)
    assert "\n" not in str(caught.value)
