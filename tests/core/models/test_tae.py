from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.errors import GeometryError, SettingsError
from moviegen_core.models.tae import (
    TAE_PRESETS,
    ResBlock,
    TemporalAutoencoder,
    fold_patches,
    inflate,
    unfold_patches,
)

TINY = replace(
    TAE_PRESETS["nano"],
    encoder_widths=(8, 8, 8, 8),
    decoder_widths=(8, 8, 8, 8),
    encoder_blocks=(1, 0, 0, 0),
    decoder_blocks=(1, 0, 0, 0),
    head_width=4,
)


@pytest.fixture
def tae(randomize):
    """Random weights, and latent statistics that are not those of a fresh model."""
    model = randomize(TemporalAutoencoder(TINY))
    model.latent_mean.normal_()
    model.latent_scale.uniform_(0.5, 2)
    return model


def test_every_frame_count_from_1_to_65_becomes_ceil_of_an_eighth_and_comes_back_exactly(tae):
    clip = torch.rand(1, 3, 65, 8, 8) * 2 - 1
    for count in range(1, 66):
        latent = tae.encode(clip[:, :, :count])
        assert latent.shape == (1, 16, -(-count // 8), 1, 1)
        output = tae.decode(latent, count)
        assert output.shape == (1, 3, count, 8, 8)
        assert output.isfinite().all()


def test_latent_rows_and_columns_are_an_eighth_of_the_frames(tae):
    latent = tae.encode(torch.zeros(2, 3, 1, 16, 24))
    assert latent.shape == (2, 16, 1, 2, 3)
    assert tae.decode(latent, 1).shape == (2, 3, 1, 16, 24)


def test_a_still_clip_of_any_length_has_the_latent_of_its_picture_at_every_latent_frame(tae):
    picture = torch.rand(1, 3, 1, 16, 16) * 2 - 1
    latent = tae.encode(picture)
    for count in (2, 8, 9, 20):
        still = tae.encode(picture.expand(-1, -1, count, -1, -1))
        assert_close(still, latent.expand_as(still), atol=1e-4, rtol=1e-4)


def test_a_picture_decodes_to_the_first_frame_of_the_still_clip_it_stands_for(tae):
    latent = torch.randn(1, 16, 1, 2, 2)
    picture = tae.decode(latent, 1)
    still = tae.decode(latent.expand(-1, -1, 3, -1, -1), 24)
    assert_close(still, picture.expand_as(still), atol=1e-4, rtol=1e-4)


def test_surplus_frames_are_dropped_at_the_end_and_only_there(tae):
    latent = torch.randn(1, 16, 2, 1, 1)
    whole = tae.decode(latent, 16)
    for count in range(9, 16):
        assert_close(tae.decode(latent, count), whole[:, :, :count])


def test_an_inflated_tae_does_to_every_eighth_frame_what_the_image_autoencoder_does_to_pictures(randomize):
    images = randomize(TemporalAutoencoder(TINY.flattened))
    tae = inflate(images, TINY).requires_grad_(requires_grad=False)
    clip = torch.rand(1, 3, 20, 8, 8)
    latents = torch.cat([images.encode(clip[:, :, t : t + 1]) for t in (0, 8, 16)], dim=2)
    assert_close(tae.encode(clip), latents, atol=1e-5, rtol=1e-4)
    pictures = images.decode(latents, 3).repeat_interleave(8, dim=2)
    assert_close(tae.decode(latents, 24), pictures, atol=1e-5, rtol=1e-4)


def test_an_image_autoencoder_of_another_shape_is_not_inflated():
    images = TemporalAutoencoder(replace(TINY, encoder_widths=(8, 8, 8, 16)).flattened)
    with pytest.raises(SettingsError, match="another shape"):
        inflate(images, TINY)


def test_a_fresh_tae_is_affine_from_pixels_to_latent_to_pixels():
    tae = TemporalAutoencoder(TINY).requires_grad_(requires_grad=False)
    for half, shape in ((lambda x: tae.encoder(x)[0], (3, 9, 16, 8)), (tae.decoder, (16, 2, 2, 1))):
        a, b = torch.randn(2, 1, *shape)
        assert_close(half(2 * a - b), 2 * half(a) - half(b), atol=1e-4, rtol=1e-4)


def test_time_runs_both_ways_when_the_kernels_do(tae):
    with torch.no_grad():
        for name, parameter in tae.named_parameters():
            if name.endswith("time.weight"):
                parameter.copy_((parameter + parameter.flip(2)) / 2)
    clip = torch.rand(1, 3, 17, 8, 8)  # 17 -> 9 -> 5 -> 3: every stride begins and ends on a frame
    assert_close(tae.encode(clip.flip(2)), tae.encode(clip).flip(2), atol=1e-4, rtol=1e-4)


def test_a_residual_block_sees_two_frames_to_each_side_and_no_further(randomize):
    block = randomize(ResBlock(8, torch.nn))
    x = torch.randn(1, 8, 9, 2, 2)
    changed = x.clone()
    changed[:, :, 4] = torch.randn(1, 8, 2, 2)
    moved = (block(changed) - block(x)).abs().amax(dim=(0, 1, 3, 4)) > 1e-6
    assert moved.nonzero().flatten().tolist() == [2, 3, 4, 5, 6]


def test_the_clips_of_a_batch_do_not_meet(tae):
    clips = torch.rand(2, 3, 9, 8, 8)
    assert_close(tae.encode(clips)[:1], tae.encode(clips[:1]), atol=1e-5, rtol=1e-4)


def test_normalizing_is_undone_by_denormalizing_and_encode_gives_normalized_latents(tae):
    raw = torch.randn(2, 16, 3, 2, 2)
    assert_close(tae.denormalize(tae.normalize(raw)), raw)
    clip = torch.rand(1, 3, 8, 8, 8)
    assert_close(tae.encode(clip), tae.normalize(tae.encoder(clip)[0]))


def test_folding_is_undone_by_unfolding():
    clip = torch.randn(2, 3, 2, 8, 12)
    assert fold_patches(clip, 4).shape == (2, 48, 2, 2, 3)
    assert_close(unfold_patches(fold_patches(clip, 4), 4), clip)


@pytest.mark.parametrize(("height", "width"), [(100, 64), (64, 100), (7, 8)])
def test_a_frame_of_broken_cells_is_refused_with_its_size_and_the_multiple(tae, height, width):
    with pytest.raises(GeometryError, match=f"{width}x{height} .* multiples of 8"):
        tae.encode(torch.zeros(1, 3, 1, height, width))


@pytest.mark.parametrize("count", [0, 8, 17])
def test_a_frame_count_that_the_latent_does_not_hold_is_refused_with_those_it_does(tae, count):
    with pytest.raises(GeometryError, match=rf"9\.\.16 frames, not {count}"):
        tae.decode(torch.zeros(1, 16, 2, 1, 1), count)


@pytest.mark.parametrize("change", [{"space_strides": (2, 2)}, {"decoder_blocks": (1,)}, {"head_width": 5}])
def test_a_config_that_contradicts_itself_is_refused(change):
    with pytest.raises(SettingsError, match="tae config"):
        replace(TINY, **change)


@pytest.mark.parametrize("preset", TAE_PRESETS)
def test_presets_are_8x8x8_with_16_channels(preset):
    config = TAE_PRESETS[preset]
    assert (config.grid.frames, config.grid.height, config.grid.width) == (8, 8, 8)
    assert config.latent_channels == 16


def test_every_parameter_lives_in_a_layer_of_the_given_operations(operations, strays):
    assert not strays(TemporalAutoencoder(TINY, operations=operations))


@torch.no_grad()
def test_an_image_autoencoder_keeps_its_ends_in_float32_where_autocast_rounds(randomize):
    images, clips = (randomize(TemporalAutoencoder(config), std=0.05) for config in (TINY.flattened, TINY))
    clip = torch.rand(1, 3, 2, 32, 32) * 2 - 1
    with torch.autocast("cpu", torch.bfloat16):
        assert images.encoder(clip)[0].dtype == images.decode(images.encode(clip), 2).dtype == torch.float32
        assert clips.encoder(clip)[0].dtype == torch.bfloat16
