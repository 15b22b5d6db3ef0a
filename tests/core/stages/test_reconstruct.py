import pytest
import torch
from torch.testing import assert_close

from moviegen_core.stages import decode as decoding
from moviegen_core.stages import encode as encoding
from moviegen_core.stages.reconstruct import reconstruct, reconstruct_stream


def random_clip(*shape):
    return torch.rand(3, *shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize("shape", [(1, 16, 24), (5, 1, 1), (9, 17, 31), (33, 16, 16), (90, 16, 8)])
def test_any_size_and_length_comes_back_as_it_was(tiny_models, shape):
    clip = random_clip(*shape)
    copy = reconstruct(tiny_models.tae, clip)
    assert copy.shape == clip.shape
    assert copy.abs().max() <= 1


@torch.no_grad()
@pytest.mark.parametrize("length", [1, 20, 90])
def test_a_clip_of_any_length_comes_out_as_if_passed_whole(tiny_models, monkeypatch, length):
    monkeypatch.setattr(encoding, "CHUNK_PIXELS", 2 * 8 * 16 * 24)
    monkeypatch.setattr(decoding, "CHUNK_PIXELS", 2 * 8 * 16 * 24)
    clip, tae = random_clip(length, 16, 24), tiny_models.tae
    whole = tae.decode(tae.encode(clip[None]), length)[0].clamp(-1, 1)
    assert_close(reconstruct(tae, clip), whole, atol=1e-5, rtol=0)


def test_it_does_not_matter_how_the_clip_is_cut_into_pieces(tiny_models):
    clip = random_clip(90, 8, 8)
    whole = reconstruct(tiny_models.tae, clip)
    for size in (7, 64):
        pieces = list(reconstruct_stream(tiny_models.tae, clip.split(size, dim=1)))
        assert_close(torch.cat(pieces, dim=1), whole, atol=1e-5, rtol=0)


def test_no_more_than_a_chunk_is_in_work_however_long_the_clip_is(tiny_models, monkeypatch):
    monkeypatch.setattr(encoding, "CHUNK_PIXELS", 2 * 8 * 16 * 16)
    monkeypatch.setattr(decoding, "CHUNK_PIXELS", 2 * 8 * 16 * 16)
    seen = []
    for part in (tiny_models.tae.encoder.stem, tiny_models.tae.decoder.head.conv):
        part.space.register_forward_hook(lambda _m, x, _y: seen.append(x[0].shape[2]))
    stream = reconstruct_stream(tiny_models.tae, (random_clip(8, 16, 16) for _ in range(40)))
    assert sum(piece.shape[1] for piece in stream) == 320
    assert max(seen) <= 2 * 8 + 8


def test_no_frames_give_no_frames(tiny_models):
    assert list(reconstruct_stream(tiny_models.tae, [])) == []
