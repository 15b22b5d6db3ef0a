import pytest
import torch
from torch.testing import assert_close

from moviegen_core.errors import GeometryError
from moviegen_core.stages import encode as stage
from moviegen_core.stages.encode import encode_stream


@torch.no_grad()
@pytest.mark.parametrize("length", [1, 8, 41])
def test_a_clip_in_pieces_has_the_latent_of_the_whole(tiny_models, monkeypatch, length):
    monkeypatch.setattr(stage, "CHUNK_PIXELS", 2 * 8 * 16 * 16)
    clip = torch.rand(1, 3, length, 16, 16) * 2 - 1
    latent = torch.cat(list(encode_stream(tiny_models.tae, clip.split(5, dim=2))), dim=2)
    assert_close(latent, tiny_models.tae.encode(clip), atol=1e-5, rtol=0)


def test_broken_cells_are_refused_before_anything_is_done(tiny_models):
    with pytest.raises(GeometryError, match="multiples of 8"):
        next(encode_stream(tiny_models.tae, [torch.zeros(1, 3, 4, 16, 20)]))


def test_no_pieces_have_no_latent(tiny_models):
    assert list(encode_stream(tiny_models.tae, [])) == []
