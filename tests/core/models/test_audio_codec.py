from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.errors import GeometryError, SettingsError
from moviegen_core.models.audio_codec import CODEC_PRESETS, AudioCodec, ResidualUnit, Snake, lowest_lines

TINY = replace(
    CODEC_PRESETS["nano"],
    latent_channels=4,
    linear_channels=0,
    patch=3,
    stem_taps=6,
    encoder_widths=(4, 6, 6),
    decoder_widths=(4, 6, 6),
    encoder_units=(1, 2, 0),
    decoder_units=(2, 1, 0),
    strides=(2, 5),
)
HOP = 30
SHAPES = (
    TINY,
    replace(TINY, patch=1, stem_taps=7, strides=(3, 5), encoder_units=(0, 0, 1), decoder_units=(1, 0, 0)),
    replace(TINY, linear_channels=2, companded=True),
    replace(TINY, linear_channels=3, patch=1, stem_taps=1, strides=(1, 5), decoder_units=(0, 0, 0)),
    replace(TINY, patch=4, stem_taps=9, strides=(1, 3), decoder_units=(0, 0, 0)),
)


@pytest.fixture(params=SHAPES, ids=("folded", "plain", "linear and companded", "mostly linear", "odd"))
def codec(request, randomize):
    """Random weights in double precision, and latent statistics that are not those of a fresh model."""
    model = randomize(AudioCodec(request.param)).double()
    model.latent_mean.normal_()
    model.latent_scale.uniform_(0.5, 2)
    if model.companding is not None:
        model.companding.knee.uniform_(0.5, 2)
    return model


@pytest.fixture
def tiny(randomize):
    return randomize(AudioCodec(TINY)).double()


def noise(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def test_every_sample_count_becomes_ceil_of_hops_and_comes_back_exactly(tiny):
    sound = noise(2, 1, 3 * HOP)
    for count in range(1, 3 * HOP + 1):
        latent = tiny.encode(sound[..., :count])
        assert latent.shape == (2, 4, -(-count // HOP))
        assert tiny.decode(latent, count).shape == (2, 1, count)


def test_the_last_frame_is_filled_up_with_silence(tiny):
    sound = noise(1, 1, HOP + 7)
    silence = torch.zeros(1, 1, HOP - 7, dtype=torch.float64)
    assert_close(tiny.encode(sound), tiny.encode(torch.cat([sound, silence], dim=-1)))


def test_surplus_samples_are_dropped_at_the_end_and_only_there(tiny):
    latent = noise(1, 4, 2)
    whole = tiny.decode(latent, 2 * HOP)
    for count in (HOP + 1, HOP + 11, 2 * HOP):
        assert_close(tiny.decode(latent, count), whole[..., :count])


def test_a_span_decoded_with_its_halo_is_the_same_as_in_the_whole(codec):
    latent = noise(1, 4, 40)
    whole = codec.decode(latent, 40 * codec.grid.hop)
    for start, stop in ((0, 3), (11, 30), (39, 40), (0, 40)):
        span = codec.decode_span(latent, start, stop)
        assert_close(span, whole[..., start * codec.grid.hop : stop * codec.grid.hop])


def moved(before, after):
    """First and last place where two tensors differ along time."""
    places = (before - after).abs().amax(dim=(0, 1)).nonzero().flatten()
    return int(places[0]), int(places[-1])


def test_a_latent_frame_is_heard_exactly_as_far_as_the_decoders_halo(codec):
    latent = noise(1, 4, 61)
    changed = latent.clone()
    changed[..., 30] += 1
    length = 61 * codec.grid.hop
    first, last = moved(codec.decode(latent, length), codec.decode(changed, length))
    assert 30 - first // codec.grid.hop <= codec.decoder.halo >= last // codec.grid.hop - 30
    assert codec.decoder.halo in (30 - first // codec.grid.hop, last // codec.grid.hop - 30)


def test_a_latent_frame_hears_no_further_than_the_encoders_halo(codec):
    hop, frames = codec.grid.hop, 81
    sound = noise(1, 1, frames * hop)
    latent = codec.encode(sound)[..., 40]
    for distance, is_heard in ((codec.encoder.halo, True), (codec.encoder.halo + 1, False)):
        left, right = sound.clone(), sound.clone()
        left[..., 40 * hop - distance] += 1
        right[..., 41 * hop - 1 + distance] += 1
        others = [codec.encode(one)[..., 40] for one in (left, right)]
        assert any(not torch.allclose(one, latent, atol=1e-12, rtol=0) for one in others) == is_heard


def test_the_sounds_of_a_batch_do_not_meet(tiny):
    sounds = noise(2, 1, 100)
    assert_close(tiny.encode(sounds)[:1], tiny.encode(sounds[:1]))


def test_normalizing_is_undone_by_denormalizing_and_encode_gives_the_normalized_mean(codec):
    raw = noise(2, 4, 3)
    assert_close(codec.denormalize(codec.normalize(raw)), raw)
    sound = noise(1, 1, 2 * codec.grid.hop)
    assert_close(codec.encode(sound), codec.normalize(codec.encoder(sound)[0]))


@pytest.mark.parametrize("companded", [False, True])
def test_measured_statistics_bring_every_channel_to_its_middle_and_deviation_1(tiny, companded):
    codec = AudioCodec(replace(tiny.config, companded=companded)).double()
    size = tiny.config.latent_channels
    raw = noise(size, 4000) ** 3 * torch.linspace(0.1, 9, size)[:, None] + 4
    codec.measure(raw)
    latent = codec.normalize(raw[None])[0]
    middle = latent.median(1).values if companded else latent.mean(1)
    assert_close(middle, torch.zeros_like(middle), atol=1e-3, rtol=0)
    assert_close(latent.std(1), torch.ones_like(middle), atol=1e-6, rtol=0)
    assert_close(codec.denormalize(latent[None])[0], raw)


def test_a_fresh_latent_is_louder_than_its_own_noise_for_sound_of_usual_strength():
    torch.manual_seed(0)
    with torch.no_grad():
        mean, log_variance = AudioCodec(CODEC_PRESETS["nano"]).encoder(0.1 * torch.randn(1, 1, 19200))
    assert mean.std() > 5 * (log_variance / 2).exp().mean()


def test_the_lines_of_the_linear_path_are_orthonormal_at_every_shift_by_whole_hops():
    lines = lowest_lines(9, 12)
    assert_close(lines @ lines.mT, torch.eye(9), atol=1e-5, rtol=0)
    assert_close(lines[:, 12:] @ lines[:, :12].mT, torch.zeros(9, 9), atol=1e-5, rtol=0)


def test_a_fresh_codec_with_a_linear_path_is_a_low_pass():
    config = replace(TINY, linear_channels=3)
    codec, edge = AudioCodec(config), 3 / 2 / HOP
    for turns, is_kept in ((0.3 * edge, True), (3 * edge, False)):
        sound = torch.sin(2 * torch.pi * turns * torch.arange(20.0 * HOP))[None, None]
        with torch.no_grad():
            error = (codec.decode(codec.encode(sound), 20 * HOP) - sound)[..., 5 * HOP : -5 * HOP]
        assert (error.norm() < 0.3 * sound[..., 5 * HOP : -5 * HOP].norm()) == is_kept


def test_snake_adds_a_hill_of_height_one_over_its_frequency_at_every_half_turn():
    snake = Snake(2, torch.nn)
    with torch.no_grad():
        snake.frequency.weight.copy_(torch.tensor([[0.5, 2.0]]))
        x = torch.tensor([[[torch.pi], [torch.pi / 4]]])
        assert_close(snake(x) - x, torch.tensor([[[2.0], [0.5]]]))
        assert_close(snake(torch.zeros(1, 2, 1)), torch.zeros(1, 2, 1))


def test_a_fresh_residual_unit_passes_its_input_through():
    x = torch.randn(1, 4, 9)
    assert_close(ResidualUnit(4, 3, torch.nn)(x), x)


@pytest.mark.parametrize("shape", [(1, 2, 100), (1, 1, 0)])
def test_a_waveform_that_is_not_mono_or_has_no_samples_is_refused(tiny, shape):
    with pytest.raises(GeometryError, match="channels of stereo in the batch"):
        tiny.encode(noise(*shape))


@pytest.mark.parametrize("count", [0, HOP, 2 * HOP + 1])
def test_a_sample_count_that_the_latent_does_not_hold_is_refused_with_those_it_does(tiny, count):
    with pytest.raises(GeometryError, match=rf"{HOP + 1}..{2 * HOP} samples, not {count}"):
        tiny.decode(noise(1, 4, 2), count)


@pytest.mark.parametrize(
    "change",
    [
        {"linear_channels": 5},
        {"strides": (2,)},
        {"decoder_units": (1,)},
        {"stem_taps": 2},
        {"strides": (0, 5)},
    ],
)
def test_a_config_that_contradicts_itself_is_refused(change):
    with pytest.raises(SettingsError, match="codec config"):
        replace(TINY, **change)


@pytest.mark.parametrize("preset", CODEC_PRESETS)
def test_presets_make_25_frames_of_1920_samples_a_second(preset):
    grid = CODEC_PRESETS[preset].grid
    assert (grid.hop, grid.rate) == (1920, 25)


def test_the_papers_latent_has_128_channels_and_one_waveform_channel():
    assert (CODEC_PRESETS["paper"].latent_channels, CODEC_PRESETS["paper"].channels) == (128, 1)


def test_every_parameter_lives_in_a_layer_of_the_given_operations(operations, strays):
    assert not strays(AudioCodec(TINY, operations=operations))
