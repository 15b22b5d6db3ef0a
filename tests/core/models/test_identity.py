from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.models.identity import IDENTITY_PRESETS, IdentityEncoder
from moviegen_core.weights.files import load_model, save_model

TINY = replace(
    IDENTITY_PRESETS["nano"],
    size=16,
    stem_widths=(4, 8),
    width=16,
    num_layers=1,
    num_heads=2,
    ffn_width=16,
    feature_width=8,
    token_width=16,
)


@pytest.fixture
def encoder(randomize):
    torch.manual_seed(0)
    return randomize(IdentityEncoder(TINY))


def test_a_face_becomes_a_token_for_each_patch(encoder):
    faces = torch.rand(3, 3, 16, 16)
    assert encoder.tokens(faces).shape == (3, TINY.num_patches, 16)


def test_identity_vectors_have_length_one_and_faces_matter(encoder):
    vectors, sure = encoder.look(torch.rand(3, 3, 16, 16) * 2 - 1)
    assert_close(vectors.norm(dim=1), torch.ones(3))
    assert sure.shape == (3,)
    assert not torch.allclose(vectors[0], vectors[1])


def test_a_face_is_read_alike_alone_and_among_others(encoder):
    faces = torch.rand(3, 3, 16, 16)
    assert_close(encoder.tokens(faces)[1:2], encoder.tokens(faces[1:2]))
    assert_close(encoder.look(faces)[0][1:2], encoder.look(faces[1:2])[0])


def test_layers_come_from_the_host(strays, operations):
    assert strays(IdentityEncoder(TINY, operations=operations)) == []


def test_an_encoder_comes_back_from_its_file(encoder, tmp_path):
    path = tmp_path / "identity.safetensors"
    save_model(path, "identity", encoder, dtype=torch.float32)
    faces = torch.rand(2, 3, 16, 16)
    assert_close(load_model(path, "identity").tokens(faces), encoder.tokens(faces))
