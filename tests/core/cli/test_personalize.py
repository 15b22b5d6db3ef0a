from dataclasses import replace

import pytest
import torch

from moviegen_core.media.images import write_image
from moviegen_core.media.read import probe
from moviegen_core.models.identity import IDENTITY_PRESETS, IdentityEncoder
from moviegen_core.weights.cast import open_cast, write_cast
from moviegen_core.weights.files import save_model


@pytest.fixture
def personalize(moviegen, tiny_folder, tmp_path):
    """Run ``moviegen personalize`` with a tiny cast, whose encoder takes everything for a face."""
    cast = open_cast(tiny_folder)
    small = replace(
        IDENTITY_PRESETS["nano"], size=16, stem_widths=(4, 8), width=16, num_layers=1, token_width=16
    )
    torch.manual_seed(0)
    encoder = IdentityEncoder(small)
    encoder.is_face.bias.data.fill_(50.0)
    roles = {
        "tae": cast.load("tae"),
        "text": cast.load("text"),
        "personalized": cast.load("video"),
        "identity": encoder,
    }
    for role, model in roles.items():
        save_model(tmp_path / f"{role}.safetensors", role, model)
    write_cast(tmp_path, "faces", {role: f"{role}.safetensors" for role in roles})
    write_image("face.png", torch.randint(0, 256, (24, 24, 3), dtype=torch.uint8))
    shape = ("--size", "32x16", "--seconds", "0.5", "--fps", "8", "--steps", 2, "--device", "cpu")
    return lambda *words: moviegen("personalize", *words, "--cast", tmp_path, *shape)


def test_a_face_makes_a_clip_with_its_likeness_and_a_curve(personalize):
    done = personalize(
        *("face.png", "a person waits", "-o", "clip.mp4", "--json", "--curve", "curve.png", "--best-of", 2)
    )
    assert done.code == 0
    assert probe("clip.mp4").num_frames == 4
    assert len(done.facts["likeness"]["curve"]) == 4
    assert done.facts["seed"] in (0, 1)
    assert "not a face recognizer" in done.facts["likeness"]["measured_by"]
    assert probe("curve.png").width == 320


def test_more_pictures_and_a_mask_are_taken(personalize):
    write_image("mask.png", torch.full((24, 24, 3), 255, dtype=torch.uint8))
    done = personalize("face.png", "a person", "-o", "a.mp4", "--face", "face.png", "--mask", "mask.png")
    assert done.code == 0


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("nowhere.png", "a person", "-o", "a.mp4"), "is not a picture"),
        (("face.png", " ", "-o", "a.mp4"), "the prompt is empty"),
        (("face.png", "a person", "-o", "a.avi"), "does not end in .mp4"),
        (("face.png", "a person", "-o", "a.mp4", "--best-of", "0"), "the best of 0 is out of range"),
        (("face.png", "a person", "-o", "a.mp4", "--mask", "small.png"), "the mask is 8x8"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_sentence(personalize, words, complaint):
    write_image("small.png", torch.zeros(8, 8, 3, dtype=torch.uint8))
    assert complaint in personalize(*words).refusal


def test_a_cast_that_knows_no_faces_says_so(moviegen, tiny_folder):
    write_image("face.png", torch.zeros(8, 8, 3, dtype=torch.uint8))
    done = moviegen("personalize", "face.png", "a person", "-o", "a.mp4", "--cast", tiny_folder)
    assert "cast tiny has no personalized" in done.refusal
