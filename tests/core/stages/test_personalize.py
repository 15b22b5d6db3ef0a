from dataclasses import replace
from fractions import Fraction

import pytest
import torch

from moviegen_core.errors import Interrupted, SettingsError, WeightsError
from moviegen_core.geometry import ClipShape
from moviegen_core.models.identity import IdentityEncoder
from moviegen_core.stages.generate import generate
from moviegen_core.stages.likeness import Likeness
from moviegen_core.stages.personalize import (
    FaceToVideo,
    Personalized,
    best_of,
    load_personalized,
    personalize,
)
from moviegen_core.stages.settings import SamplingSettings
from moviegen_core.weights.cast import open_cast, write_cast
from moviegen_core.weights.files import save_model
from tests.core.models.test_identity import TINY

SHAPE = ClipShape(num_frames=2, fps=Fraction(16), height=16, width=32)
SETTINGS = SamplingSettings(num_steps=2, guidance=3.0)
PROMPT = "a person waits"


@pytest.fixture(scope="module")
def models(tiny_models):
    torch.manual_seed(0)
    encoder = IdentityEncoder(TINY).eval()
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    parts = {"tae": tiny_models.tae, "text": tiny_models.text, "video": tiny_models.video}
    return FaceToVideo(**parts, identity=encoder)


def face(seed):
    return torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_the_face_matters_and_the_same_makes_the_same(models):
    first, again = (personalize(models, [face(0)], PROMPT, SHAPE, SETTINGS).clip for _ in range(2))
    assert first.shape == (3, 2, 16, 32)
    assert torch.equal(first, again)
    assert not torch.equal(first, personalize(models, [face(1)], PROMPT, SHAPE, SETTINGS).clip)
    assert not torch.equal(first, generate(models, PROMPT, SHAPE, SETTINGS))


def test_several_pictures_stand_side_by_side_in_any_order(models):
    one, other = (
        personalize(models, faces, PROMPT, SHAPE, SETTINGS).clip
        for faces in ([face(0), face(1)], [face(1), face(0)])
    )
    assert torch.allclose(one, other, atol=1e-4)
    assert not torch.allclose(one, personalize(models, [face(0)], PROMPT, SHAPE, SETTINGS).clip, atol=1e-4)


def test_the_free_branch_of_guidance_sees_no_face(models):
    plain = replace(SETTINGS, guidance=0.0)
    first, second = (personalize(models, [face(seed)], PROMPT, SHAPE, plain).clip for seed in (0, 1))
    assert torch.equal(first, second)


def test_no_face_and_too_many_are_refused(models):
    for count in (0, 6):
        with pytest.raises(SettingsError, match=f"{count} reference pictures are given; give 1 to 5"):
            personalize(models, [face(0)] * count, PROMPT, SHAPE, SETTINGS)


def test_it_can_be_stopped(models):
    def stop(step, latent):  # noqa: ARG001
        raise Interrupted("stop")

    with pytest.raises(Interrupted):
        personalize(models, [face(0)], PROMPT, SHAPE, SETTINGS, on_step=stop)


def test_the_best_of_some_seeds_is_the_most_alike():
    values = {7: 0.2, 8: 0.9, 9: 0.4}

    def make(settings):
        curve = Likeness(frames=(0,), values=(values[settings.seed],))
        return Personalized(clip=torch.zeros(1), likeness=curve, seed=settings.seed)

    settings = replace(SETTINGS, seed=7)
    assert best_of(make, settings, 3).seed == 8
    assert best_of(make, settings, 1).seed == 7
    for wrong in (0, 33):
        with pytest.raises(SettingsError, match=f"the best of {wrong} is out of range"):
            best_of(make, settings, wrong)


def test_an_encoder_of_another_cast_is_refused(models):
    other = IdentityEncoder(replace(TINY, token_width=8))
    with pytest.raises(WeightsError, match="identity tokens of 8 for a video model of 16"):
        FaceToVideo(tae=models.tae, text=models.text, video=models.video, identity=other)


def test_a_cast_with_the_roles_loads_and_one_without_says_what_it_lacks(models, tiny_folder, tmp_path):
    parts = {
        "tae": models.tae,
        "text": models.text,
        "personalized": models.video,
        "identity": models.identity,
    }
    for role, model in parts.items():
        save_model(tmp_path / f"{role}.safetensors", role, model)
    write_cast(tmp_path, "mine", {role: f"{role}.safetensors" for role in parts})
    assert isinstance(load_personalized(open_cast(tmp_path)), FaceToVideo)
    with pytest.raises(WeightsError, match="has no personalized"):
        load_personalized(open_cast(tiny_folder))
