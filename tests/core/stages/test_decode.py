from contextlib import contextmanager

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.errors import GeometryError
from moviegen_core.stages import decode as stage
from moviegen_core.stages.decode import Tiling, chunk_cells, decode_clip, decode_overlapped, decode_stream


def random_latent(cells, height=2, width=3):
    return torch.randn(2, 16, cells, height, width, generator=torch.Generator().manual_seed(0))


def joined(chunks):
    return torch.cat(list(chunks), dim=2)


@pytest.fixture
def whole(tiny_models):
    """What the autoencoder makes of a latent in one piece."""
    with torch.no_grad():
        yield lambda latent, n: tiny_models.tae.decode(latent, n).clamp(-1, 1)


@pytest.mark.parametrize(
    ("cells", "num_frames"), [(1, 1), (9, 65), (10, 73), (16, 128), (17, 129), (26, 208)]
)
def test_any_length_decodes_to_its_own_frame_count(tiny_models, monkeypatch, cells, num_frames):
    monkeypatch.setattr(stage, "WHOLE_PIXELS", 50_000)
    clip = decode_clip(tiny_models.tae, random_latent(cells), num_frames)
    assert clip.shape == (2, 3, num_frames, 16, 24)
    assert clip.abs().max() <= 1


def test_a_short_clip_is_decoded_whole_bit_for_bit(tiny_models, whole):
    latent = random_latent(9)
    assert torch.equal(decode_clip(tiny_models.tae, latent, 70), whole(latent, 70))


@pytest.mark.parametrize("num_frames", [105, 112])
def test_a_long_clip_is_decoded_in_chunks_to_the_same_frames(tiny_models, whole, monkeypatch, num_frames):
    latent = random_latent(14)
    monkeypatch.setattr(stage, "WHOLE_PIXELS", 1000)
    monkeypatch.setattr(stage, "CHUNK_PIXELS", 3 * 8 * 2 * 16 * 24)
    assert chunk_cells(tiny_models.tae.grid, latent.shape) == 3
    assert_close(
        decode_clip(tiny_models.tae, latent, num_frames), whole(latent, num_frames), atol=1e-5, rtol=0
    )


def test_chunks_are_smaller_where_frames_are_larger_and_never_nothing(tiny_models):
    grid = tiny_models.tae.grid
    assert chunk_cells(grid, (1, 16, 100, 14, 24)) == 6
    assert chunk_cells(grid, (1, 16, 100, 54, 96)) == 1
    assert chunk_cells(grid, (1, 16, 100, 512, 512)) == 1


def test_a_stream_may_be_of_unknown_length_and_then_gives_the_surplus_too(tiny_models):
    latent = random_latent(5)
    assert joined(decode_stream(tiny_models.tae, latent.split(2, dim=2))).shape[2] == 40
    assert list(decode_stream(tiny_models.tae, [])) == []


def test_each_chunk_is_worked_on_inside_its_own_context_and_none_is_left_open(tiny_models):
    depth = []

    @contextmanager
    def counted():
        depth.append(1)
        yield
        depth.append(-1)

    for _ in decode_stream(tiny_models.tae, [random_latent(4)], num_cells=1, around=counted):
        assert sum(depth) == 0
    assert len(depth) > 4


def test_one_tile_is_the_whole(tiny_models, whole):
    latent = random_latent(3, 6, 9)
    one = joined(decode_stream(tiny_models.tae, [latent], 20, tiling=Tiling(9, 2)))
    assert_close(one, whole(latent, 20), atol=1e-5, rtol=0)


def test_where_one_tile_counts_alone_the_frame_is_that_tile_and_between_two_it_is_between_them(
    tiny_models, whole
):
    latent = random_latent(3, 4, 6)
    tiled = joined(decode_stream(tiny_models.tae, [latent], 20, tiling=Tiling(4, 2)))
    left, right = whole(latent[..., :4], 20), whole(latent[..., 2:], 20)
    assert_close(tiled[..., :16], left[..., :16], atol=1e-5, rtol=0)
    assert_close(tiled[..., 32:], right[..., 16:], atol=1e-5, rtol=0)
    low, high = (pick(left[..., 16:], right[..., :16]) for pick in (torch.minimum, torch.maximum))
    assert (tiled[..., 16:32] >= low - 1e-5).all()
    assert (tiled[..., 16:32] <= high + 1e-5).all()


def test_overlapping_windows_that_hold_the_whole_clip_give_the_whole(tiny_models, whole):
    latent = random_latent(4)
    assert_close(joined(decode_overlapped(tiny_models.tae, latent, 30)), whole(latent, 30))


@pytest.mark.parametrize(("cells", "num_frames"), [(5, 40), (6, 41), (13, 100)])
def test_overlapping_windows_give_every_frame_once(tiny_models, whole, cells, num_frames):
    latent = random_latent(1).expand(-1, -1, cells, -1, -1)  # a still clip: every window agrees
    blended = joined(decode_overlapped(tiny_models.tae, latent, num_frames))
    assert_close(blended, whole(latent, num_frames), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("num_frames", [88, 97])
def test_a_frame_count_that_the_latent_does_not_hold_is_refused(tiny_models, num_frames):
    with pytest.raises(GeometryError):
        decode_clip(tiny_models.tae, random_latent(12), num_frames)
