import time
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.errors import GeometryError, SettingsError
from moviegen_core.models.audio import AUDIO_PRESETS, AUDIO_TEXT_PRESETS, AudioTransformer
from moviegen_core.models.conditioning import Context

TINY = replace(
    AUDIO_PRESETS["nano"],
    width=8,
    num_layers=2,
    num_heads=2,
    ffn_width=12,
    context_widths=(6,),
    vision_width=5,
    latent_channels=4,
)
TIMES = torch.tensor([0.2, 0.7])


@pytest.fixture
def audio(randomize):
    return randomize(AudioTransformer(TINY), std=0.3)


@pytest.fixture
def context(audio):
    return audio.context([torch.randn(2, 5, 6)], [torch.ones(2, 5, dtype=torch.bool)])


@pytest.fixture
def latent():
    return torch.randn(2, 4, 7)


def test_the_papers_transformer_has_12_23_billion_parameters_in_its_blocks_and_about_13_in_all():
    start = time.process_time()
    audio = AudioTransformer(AUDIO_PRESETS["paper"], device="meta")
    assert time.process_time() - start < 5
    assert round(sum(parameter.numel() for parameter in audio.blocks.parameters()) / 1e9, 2) == 12.23
    assert 12e9 < sum(parameter.numel() for parameter in audio.parameters()) < 13.5e9


def test_the_papers_30_seconds_go_through_on_meta():
    config = replace(AUDIO_PRESETS["paper"], num_layers=1, width=512, num_heads=4, ffn_width=2048 // 3 * 3)
    audio = AudioTransformer(config, device="meta", dtype=torch.bfloat16)
    context = audio.context([torch.empty(1, 512, 768, device="meta", dtype=torch.bfloat16)])
    latent = torch.empty(1, 128, 750, device="meta")
    seen = torch.empty(1, 750, 1024, device="meta")
    velocity = audio(latent, torch.empty(1, device="meta"), context, known_BCF=latent, video_BFC=seen)
    assert velocity.shape == latent.shape


def test_a_fresh_model_predicts_nothing_whatever_it_sees(latent):
    audio = AudioTransformer(TINY)
    context = audio.context([torch.randn(2, 5, 6)])
    assert audio(latent, TIMES, context, known_BCF=latent, video_BFC=torch.randn(2, 7, 5)).eq(0).all()


def test_velocity_has_the_shape_and_type_of_the_latent(audio, latent, context):
    assert audio(latent, TIMES, context).shape == latent.shape
    half = AudioTransformer(TINY, dtype=torch.bfloat16)
    assert half(latent, TIMES, half.context([torch.randn(2, 5, 6).bfloat16()])).dtype == torch.float32


def test_every_input_matters(audio, latent, context):
    known, seen = torch.randn(2, 4, 7), torch.randn(2, 7, 5)
    base = audio(latent, TIMES, context, known_BCF=known, video_BFC=seen)
    for changed in (
        audio(latent.flip(0), TIMES, context, known_BCF=known, video_BFC=seen),
        audio(latent, TIMES / 2, context, known_BCF=known, video_BFC=seen),
        audio(latent, TIMES, Context(context.tokens_BKC.flip(0)), known_BCF=known, video_BFC=seen),
        audio(latent, TIMES, context, known_BCF=known.flip(-1), video_BFC=seen),
        audio(latent, TIMES, context, known_BCF=known, video_BFC=seen.flip(1)),
    ):
        assert not torch.allclose(changed, base, atol=1e-4)


def test_nothing_known_and_nothing_seen_are_the_same_as_zeros(audio, latent, context):
    zeros = audio(latent, TIMES, context, known_BCF=torch.zeros(2, 4, 7), video_BFC=torch.zeros(2, 7, 5))
    assert_close(audio(latent, TIMES, context), zeros)


def test_a_frames_features_reach_every_frame_of_the_sound(audio, latent, context):
    seen = torch.randn(2, 7, 5)
    changed = seen.clone()
    changed[:, 3] += 1
    moved = audio(latent, TIMES, context, video_BFC=changed) - audio(latent, TIMES, context, video_BFC=seen)
    assert (moved.abs().amax(dim=1) > 1e-7).all()


def test_neighbours_are_mixed_where_the_config_says_so_and_the_papers_does_not():
    mixed = [
        [
            name
            for name, _ in AudioTransformer(config, device="meta").named_parameters()
            if ".mix.time" in name
        ]
        for config in (TINY, AUDIO_PRESETS["paper"])
    ]
    assert (len(mixed[0]), mixed[1]) == (TINY.num_layers, [])


def test_how_loud_features_are_does_not_matter(audio, latent, context):
    seen = torch.randn(2, 7, 5)
    quiet, loud = (audio(latent, TIMES, context, video_BFC=gain * seen) for gain in (1, 100))
    assert_close(quiet, loud, atol=1e-4, rtol=1e-4)


def test_order_matters_and_yet_a_frame_knows_no_absolute_place(randomize, context):
    audio = randomize(AudioTransformer(replace(TINY, mixes_neighbours=False)), std=0.3)
    pattern = torch.randn(2, 4, 1).expand(-1, -1, 9)
    same = audio(pattern, TIMES, context)
    assert_close(same, same[..., :1].expand_as(same), atol=1e-4, rtol=1e-4)
    latent = torch.randn(2, 4, 9)
    mirrored = audio(latent.flip(-1), TIMES, context).flip(-1)
    assert not torch.allclose(mirrored, audio(latent, TIMES, context), atol=1e-3)


def test_the_sounds_of_a_batch_do_not_meet(audio, latent, context):
    alone = audio(latent[1:], TIMES[1:], Context(context.tokens_BKC[1:]))
    assert_close(audio(latent, TIMES, context)[1:], alone, atol=1e-5, rtol=1e-4)


def test_a_context_computed_ahead_gives_the_same_velocity(audio, latent, context):
    ahead = audio.computed_ahead(context)
    assert_close(audio(latent, TIMES, ahead), audio(latent, TIMES, context))


def test_known_sound_or_features_of_another_length_are_refused_with_all_lengths(audio, latent, context):
    with pytest.raises(GeometryError, match=r"4x7 .* 4x6 .* 7 frames"):
        audio(latent, TIMES, context, known_BCF=latent[..., :6])
    with pytest.raises(GeometryError, match=r"features for 3 frames"):
        audio(latent, TIMES, context, video_BFC=torch.randn(2, 3, 5))


@pytest.mark.parametrize("change", [{"width": 6}, {"ffn_width": 13}])
def test_a_config_that_contradicts_itself_is_refused(change):
    with pytest.raises(SettingsError, match="audio config"):
        replace(TINY, **change)


@pytest.mark.parametrize("preset", AUDIO_PRESETS)
def test_the_reader_of_captions_fits_the_transformer(preset):
    assert AUDIO_PRESETS[preset].context_widths == (AUDIO_TEXT_PRESETS[preset].width,)


def test_every_parameter_lives_in_a_layer_of_the_given_operations(operations, strays):
    assert not strays(AudioTransformer(TINY, operations=operations))
