import pytest
import torch

from moviegen_core.errors import GeometryError
from moviegen_core.stages import decode as stage
from moviegen_core.stages.decode import decode_clip


def random_latent(cells):
    return torch.randn(2, 16, cells, 2, 3, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("cells", "num_frames"), [(1, 1), (9, 65), (10, 73), (16, 128), (17, 129), (26, 208)]
)
def test_any_length_decodes_to_its_own_frame_count(tiny_models, cells, num_frames):
    clip = decode_clip(tiny_models.tae, random_latent(cells), num_frames)
    assert clip.shape == (2, 3, num_frames, 16, 24)
    assert clip.abs().max() <= 1


@torch.no_grad()
def test_a_short_clip_is_decoded_whole(tiny_models):
    latent = random_latent(9)
    assert torch.equal(
        decode_clip(tiny_models.tae, latent, 70), tiny_models.tae.decode(latent, 70).clamp(-1, 1)
    )


@torch.no_grad()
def test_every_window_holds_the_frames_of_its_own_place(tiny_models, monkeypatch):
    """With more context than the clip is long, every window sees all of it and must agree with the whole."""
    latent = random_latent(6)
    whole = tiny_models.tae.decode(latent, 45).clamp(-1, 1)
    monkeypatch.setattr(stage, "WINDOW_CELLS", 2)
    monkeypatch.setattr(stage, "CONTEXT_CELLS", 6)
    windows = torch.cat(list(stage._windows(tiny_models.tae, latent, 45)), dim=2)
    assert torch.allclose(windows, whole, atol=1e-5)


def test_no_more_than_a_window_and_its_context_is_decoded_at_once(tiny_models, monkeypatch):
    seen, real = [], tiny_models.tae.decode
    monkeypatch.setattr(
        tiny_models.tae, "decode", lambda latent, n: seen.append(latent.shape[2]) or real(latent, n)
    )
    decode_clip(tiny_models.tae, random_latent(40), 320)
    assert max(seen) == stage.WINDOW_CELLS + 2 * stage.CONTEXT_CELLS


@pytest.mark.parametrize("num_frames", [88, 97])
def test_a_frame_count_that_the_latent_does_not_hold_is_refused(tiny_models, num_frames):
    with pytest.raises(GeometryError):
        decode_clip(tiny_models.tae, random_latent(12), num_frames)
