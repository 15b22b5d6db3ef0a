import pytest
import torch

from moviegen_core.stages import reconstruct as stage
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
def test_a_short_clip_is_passed_whole(tiny_models):
    clip, tae = random_clip(20, 16, 24), tiny_models.tae
    whole = tae.decode(tae.encode(clip[None]), 20)[0].clamp(-1, 1)
    assert torch.equal(reconstruct(tae, clip), whole)


def test_it_does_not_matter_how_the_clip_is_cut_into_pieces(tiny_models):
    clip = random_clip(90, 8, 8)
    whole = reconstruct(tiny_models.tae, clip)
    for size in (7, 64):
        pieces = list(reconstruct_stream(tiny_models.tae, clip.split(size, dim=1)))
        assert torch.allclose(torch.cat(pieces, dim=1), whole, atol=1e-5)


def test_memory_is_bounded_however_long_the_clip_is(tiny_models, monkeypatch):
    seen, real = [], stage._round_trip

    def watch(tae, clip):
        seen.append(clip.shape[1])
        return real(tae, clip)

    monkeypatch.setattr(stage, "_round_trip", watch)
    frames = sum(
        p.shape[1] for p in reconstruct_stream(tiny_models.tae, (random_clip(8, 16, 16) for _ in range(40)))
    )
    assert frames == 320
    assert max(seen) <= (stage.WINDOW_CELLS + 2 * stage.CONTEXT_CELLS) * 8 + 8


def test_larger_frames_go_in_shorter_windows(tiny_models, monkeypatch):
    monkeypatch.setattr(stage, "WINDOW_PIXELS", 8 * 16 * 16)
    pieces = list(reconstruct_stream(tiny_models.tae, [random_clip(40, 16, 16)]))
    assert max(piece.shape[1] for piece in pieces) <= 16
    assert sum(piece.shape[1] for piece in pieces) == 40


def test_no_frames_give_no_frames(tiny_models):
    assert list(reconstruct_stream(tiny_models.tae, [])) == []
