from fractions import Fraction

import pytest
import torch

from moviegen_core.errors import GeometryError, Interrupted, PromptError, SettingsError
from moviegen_core.geometry import ClipShape
from moviegen_core.models.conditioning import Context
from moviegen_core.stages.encode import encode_clip
from moviegen_core.stages.flow_edit import WINDOW_CELLS, FlowEditSettings, edit_latent, flow_edit
from moviegen_core.stages.reconstruct import reconstruct

SHAPE = ClipShape(num_frames=9, fps=Fraction(16), height=32, width=48)
SETTINGS = FlowEditSettings(num_steps=3)


@pytest.fixture(scope="module")
def clip():
    return torch.rand(3, 9, 32, 48, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_equal_captions_return_the_sources_own_reconstruction_bit_for_bit(tiny_models, clip):
    settings = FlowEditSettings(num_steps=3, source_guidance=4.0, target_guidance=4.0)
    edited = flow_edit(tiny_models, clip, ("a ball", "a ball"), SHAPE, settings)
    assert torch.equal(edited, reconstruct(tiny_models.tae, clip))


def test_another_caption_changes_the_clip_and_the_same_seed_changes_it_alike(tiny_models, clip):
    first, again = (flow_edit(tiny_models, clip, ("a ball", "a cat"), SHAPE, SETTINGS) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, reconstruct(tiny_models.tae, clip))
    other = flow_edit(tiny_models, clip, ("a ball", "a cat"), SHAPE, FlowEditSettings(num_steps=3, seed=1))
    assert not torch.equal(first, other)


def test_less_strength_stays_closer_to_the_source(tiny_models, clip):
    source = reconstruct(tiny_models.tae, clip)
    edits = [
        flow_edit(tiny_models, clip, ("", "a cat"), SHAPE, FlowEditSettings(num_steps=3, strength=strength))
        for strength in (0.05, 0.9)
    ]
    near, far = ((edit - source).abs().mean() for edit in edits)
    assert near < 0.3 * far


def test_long_clips_go_window_by_window_and_equal_captions_still_change_nothing():
    latent, seen = torch.randn(1, 4, 19, 2, 2), []

    def model(x, t_B, context):  # noqa: ARG001
        seen.append(x.shape[2])
        return torch.sin(x)

    context = Context(torch.zeros(2, 1, 3))
    settings = FlowEditSettings(num_steps=2, source_guidance=3.0, target_guidance=3.0)
    assert torch.equal(edit_latent(model, latent, context, context, settings), latent)
    assert max(seen) <= WINDOW_CELLS
    assert len(seen) == 2 * 2 * 3


def test_windows_of_a_local_model_make_no_difference():
    latent = torch.randn(1, 4, 19, 2, 2)

    def model(x, t_B, context):  # noqa: ARG001
        return x * context.tokens_BKC[:, :1, :1, None, None]

    source, target = (Context(torch.full((2, 1, 1), value)) for value in (0.0, 0.5))
    whole = edit_latent(model, latent, source, target, SETTINGS)
    parts = [edit_latent(model, latent[:, :, i : i + 1], source, target, SETTINGS) for i in (0, 18)]
    assert whole.shape == latent.shape
    assert not torch.equal(whole, latent)
    assert all(part.isfinite().all() for part in parts)


def test_long_clips_are_encoded_as_if_whole(tiny_models):
    long = torch.rand(1, 3, 8 * 19 - 3, 16, 16) * 2 - 1
    latent = encode_clip(tiny_models.tae, long)
    assert latent.shape == (1, 16, 19, 2, 2)
    assert torch.allclose(latent, tiny_models.tae.encode(long), atol=1e-4)


def test_steps_can_be_stopped(tiny_models, clip):
    def stop(step, latent):  # noqa: ARG001
        raise Interrupted("stop")

    with pytest.raises(Interrupted):
        flow_edit(tiny_models, clip, ("", "a cat"), SHAPE, SETTINGS, on_step=stop)


def test_a_clip_that_does_not_fit_and_a_caption_too_long_are_refused(tiny_models, clip):
    wrong = ClipShape(num_frames=9, fps=Fraction(16), height=33, width=48)
    with pytest.raises(GeometryError, match="does not fit"):
        flow_edit(tiny_models, clip, ("", "a cat"), wrong, SETTINGS)
    with pytest.raises(PromptError, match="bytes long"):
        flow_edit(tiny_models, clip, ("", "a cat" * 500), SHAPE, SETTINGS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"strength": 0.0},
        {"strength": 1.1},
        {"num_steps": 0},
        {"source_guidance": -1.0},
        {"target_guidance": 31.0},
        {"num_averages": 0},
        {"seed": -1},
    ],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingsError, match=r"out of range; give"):
        FlowEditSettings(**wrong)
