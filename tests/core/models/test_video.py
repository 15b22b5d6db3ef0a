import time
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.errors import GeometryError, SettingsError
from moviegen_core.layers.patches import token_grid
from moviegen_core.models.conditioning import Context
from moviegen_core.models.video import VIDEO_PRESETS, VideoTransformer

TINY = replace(
    VIDEO_PRESETS["nano"],
    width=8,
    num_layers=2,
    num_heads=2,
    ffn_width=12,
    context_widths=(6,),
    table_sizes=(2, 3, 3),
    latent_channels=4,
)


@pytest.fixture
def video(randomize):
    return randomize(VideoTransformer(TINY), std=0.3)


@pytest.fixture
def latent():
    return torch.randn(2, 4, 2, 4, 6)


@pytest.fixture
def context(video):
    return video.context([torch.randn(2, 5, 6)], [torch.ones(2, 5, dtype=torch.bool)])


TIMES = torch.tensor([0.2, 0.7])


def test_the_papers_transformer_has_28_99_billion_parameters_in_its_blocks_and_builds_in_no_time():
    start = time.process_time()
    video = VideoTransformer(VIDEO_PRESETS["paper"], device="meta")
    assert time.process_time() - start < 5
    count = sum(parameter.numel() for parameter in video.blocks.parameters())
    assert round(count / 1e9, 2) == 28.99


def test_the_13b_transformer_is_of_that_class_and_builds_in_no_time():
    start = time.process_time()
    video = VideoTransformer(VIDEO_PRESETS["13b"], device="meta")
    assert time.process_time() - start < 5
    assert 12e9 < sum(parameter.numel() for parameter in video.parameters()) < 14e9


@pytest.mark.parametrize(("height", "width"), [(96, 96), (72, 128), (128, 72)])
def test_the_papers_transformer_sees_73728_tokens_in_its_largest_clips(height, width):
    t, h, w = token_grid((32, height, width), VIDEO_PRESETS["paper"].patch)
    assert t * h * w == 73_728


def test_the_papers_largest_clip_goes_through_on_meta():
    config = replace(VIDEO_PRESETS["paper"], num_layers=1, width=384, num_heads=3, ffn_width=1024)
    video = VideoTransformer(config, device="meta", dtype=torch.bfloat16)
    features = [
        torch.empty(1, 7, width, device="meta", dtype=torch.bfloat16) for width in config.context_widths
    ]
    latent = torch.empty(1, 16, 32, 96, 96, device="meta")
    assert video(latent, torch.empty(1, device="meta"), video.context(features)).shape == latent.shape


def test_a_fresh_model_predicts_nothing_whatever_it_sees(latent):
    video = VideoTransformer(TINY)
    assert video(latent, TIMES, video.context([torch.randn(2, 5, 6)])).eq(0).all()


def test_velocity_has_the_shape_and_type_of_the_latent(video, latent, context):
    assert video(latent, TIMES, context).shape == latent.shape
    half = VideoTransformer(TINY, dtype=torch.bfloat16)
    velocity = half(latent, TIMES, half.context([torch.randn(2, 5, 6, dtype=torch.bfloat16)]))
    assert velocity.dtype == torch.float32


def test_every_input_matters(video, latent, context):
    base = video(latent, TIMES, context)
    other = Context(context.tokens_BKC.flip(0))
    for changed in (
        video(latent.flip(0), TIMES, context),
        video(latent, TIMES / 2, context),
        video(latent, TIMES, other),
    ):
        assert not torch.allclose(changed, base, atol=1e-4)


def test_the_clips_of_a_batch_do_not_meet(video, latent, context):
    alone = video(latent[1:], TIMES[1:], Context(context.tokens_BKC[1:]))
    assert_close(video(latent, TIMES, context)[1:], alone, atol=1e-5, rtol=1e-4)


def test_every_cell_can_answer_to_every_other(video, latent, context):
    changed = latent.clone()
    changed[:, :, 0, 0, 0] += 3
    moved = (video(changed, TIMES, context) - video(latent, TIMES, context)).abs().amax(dim=1)
    assert (moved > 1e-7).all()


def test_where_a_cell_stands_matters(video, latent, context):
    mirrored = video(latent.flip(-1), TIMES, context).flip(-1)
    assert not torch.allclose(mirrored, video(latent, TIMES, context), atol=1e-3)


@pytest.mark.parametrize("shape", [(1, 2, 2), (5, 4, 4), (2, 14, 24), (4, 24, 14)])
def test_sizes_beyond_the_position_tables_are_legal(video, context, shape):
    latent = torch.randn(2, 4, *shape)
    assert video(latent, TIMES, context).isfinite().all()


def test_padding_behind_the_context_changes_nothing(video, latent, context):
    junk = torch.cat([context.tokens_BKC, 100 * torch.randn(2, 3, 8)], dim=1)
    mask = torch.tensor([[True] * 5 + [False] * 3] * 2)
    assert_close(
        video(latent, TIMES, Context(junk, mask)), video(latent, TIMES, context), atol=1e-5, rtol=1e-4
    )


def test_a_context_computed_ahead_gives_the_same_velocity_and_forgets_itself_when_tokens_join(
    video, latent, context
):
    ahead = video.computed_ahead(context)
    assert_close(video(latent, TIMES, ahead), video(latent, TIMES, context))
    more = torch.randn(2, 1, 8)
    assert_close(video(latent, TIMES, ahead.joined(more)), video(latent, TIMES, context.joined(more)))


def test_context_tokens_joined_later_change_the_output(video, latent, context):
    joined = context.joined(torch.randn(2, 1, 8))
    assert not torch.allclose(video(latent, TIMES, joined), video(latent, TIMES, context), atol=1e-4)


def test_a_task_vector_changes_the_output_and_a_zero_one_does_not(video, latent, context):
    base = video(latent, TIMES, context)
    assert_close(video(latent, TIMES, context, task_BC=torch.zeros(2, 8)), base)
    assert not torch.allclose(video(latent, TIMES, context, task_BC=torch.randn(2, 8)), base, atol=1e-4)


def test_missing_or_unwanted_extra_channels_are_refused_with_both_counts(latent, context):
    with pytest.raises(GeometryError, match=r"0 extra channels .* reads 3"):
        VideoTransformer(replace(TINY, extra_channels=3))(latent, TIMES, context)
    with pytest.raises(GeometryError, match=r"4 extra channels .* reads 0"):
        VideoTransformer(TINY)(latent, TIMES, context, extra_BCTHW=latent)


def test_extra_channels_change_the_output(randomize, latent, context):
    video = randomize(VideoTransformer(replace(TINY, extra_channels=3)), std=0.3)
    sources = torch.randn(2, 2, 3, 2, 4, 6)
    one, other = (video(latent, TIMES, context, extra_BCTHW=source) for source in sources)
    assert one.shape == latent.shape
    assert not torch.allclose(one, other, atol=1e-4)


def test_several_text_encoders_are_heard(randomize, latent):
    video = randomize(VideoTransformer(replace(TINY, context_widths=(6, 4))), std=0.3)
    one, two, three = torch.randn(2, 5, 6), torch.randn(2, 3, 4), torch.randn(2, 3, 4)
    outputs = [video(latent, TIMES, video.context([one, second])) for second in (two, three)]
    assert not torch.allclose(*outputs, atol=1e-4)


def test_the_attention_that_is_passed_in_runs_in_every_layer(latent):
    calls = []

    def count(q, _k, _v, mask):
        calls.append(mask is not None)
        return torch.zeros_like(q)

    video = VideoTransformer(TINY, attention=count)
    video(latent, TIMES, video.context([torch.randn(2, 5, 6)], [torch.ones(2, 5, dtype=torch.bool)]))
    assert calls == [False, True] * TINY.num_layers  # self-attention sees the whole clip, no causal mask


def test_a_latent_of_broken_patches_is_refused(video, context):
    with pytest.raises(GeometryError, match=r"\(2, 5, 6\)"):
        video(torch.randn(2, 4, 2, 5, 6), TIMES, context)


@pytest.mark.parametrize(
    "change", [{"num_heads": 3}, {"num_layers": 0}, {"extra_channels": -1}, {"table_sizes": (0, 1, 1)}]
)
def test_a_config_that_makes_no_model_is_refused(change):
    with pytest.raises(SettingsError):
        replace(TINY, **change)


def test_no_linear_has_a_bias():
    video = VideoTransformer(TINY)
    linears = [module for module in video.modules() if isinstance(module, torch.nn.Linear)]
    assert linears
    assert all(linear.bias is None for linear in linears)


def test_every_parameter_lives_in_a_layer_of_the_given_operations(operations, strays):
    assert not strays(VideoTransformer(TINY, operations=operations))
