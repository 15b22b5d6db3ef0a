from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.errors import SettingsError
from moviegen_core.flow.path import interpolate, target_velocity
from moviegen_core.flow.schedule import linear_times
from moviegen_core.flow.solver import integrate_euler
from moviegen_core.models.upsampler import UPSAMPLER_PRESETS, Upsampler
from moviegen_core.weights.build import build, config_from_json
from moviegen_core.weights.files import load_model, save_model

TINY = replace(
    UPSAMPLER_PRESETS["nano"],
    latent_channels=4,
    encoder_widths=(8,),
    decoder_widths=(8,),
    encoder_blocks=(0,),
    decoder_blocks=(0,),
    head_width=4,
    width=16,
    num_layers=1,
    num_heads=2,
    ffn_width=16,
    table_sizes=(4, 3, 3),
)


@pytest.fixture
def model(randomize):
    return randomize(Upsampler(TINY), std=0.1)


def latents(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def test_the_papers_upsampler_has_seven_billion_parameters_beside_its_autoencoder():
    model = build("upsampler", "paper")
    count = sum(parameter.numel() for parameter in model.transformer.parameters())
    assert 6.8e9 < count < 7.4e9
    assert model.config.table_sizes[0] == 14
    assert model.config.latent_channels == 8


def test_nano_leaves_the_cast_its_room():
    count = sum(parameter.numel() for parameter in build("upsampler", "nano").parameters())
    assert count < 2.4e6


def test_a_fresh_model_carries_any_noise_to_the_enlarged_frames_in_one_step():
    model, low = Upsampler(TINY), latents(1, 4, 3, 4, 4)
    model.residual_scale.fill_(0.3)
    with torch.no_grad():
        landed = integrate_euler(lambda x, t: model(x, t, low), latents(1, 4, 3, 4, 4) * 5, linear_times(1))
    assert_close(landed, low)


@torch.no_grad()
def test_one_step_lands_at_the_same_place_from_any_noise_and_two_do_not(model):
    low, noises = latents(1, 4, 3, 4, 4), (latents(1, 4, 3, 4, 4), torch.zeros(1, 4, 3, 4, 4))
    for num_steps in (1, 2):
        times = linear_times(num_steps)
        one, other = (integrate_euler(lambda x, t: model(x, t, low), noise, times) for noise in noises)
        assert torch.allclose(one, other, atol=1e-5) == (num_steps == 1)


@torch.no_grad()
def test_a_fresh_model_is_the_best_guess_that_knows_only_how_far_truth_lies():
    """Among all guesses low + a (x - t low) none has a smaller error than the model's own a."""
    model = Upsampler(TINY)
    model.residual_scale.fill_(0.4)
    generator = torch.Generator().manual_seed(0)
    low, residual, noise = (torch.randn(1, 4, 64, 8, 8, generator=generator) for _ in range(3))
    data = low + 0.4 * residual
    for t in (0.0, 0.3, 0.7, 0.95):
        t_B = torch.tensor([t])
        x, truth = interpolate(data, noise, t_B), target_velocity(data, noise)
        error = (model(x, t_B, low) - truth).square().mean()
        own = ((model(x, t_B, low) - low) / (x - t * low)).median()
        for factor in (own - 0.1, own + 0.1):
            assert (low + factor * (x - t * low) - truth).square().mean() > error


def test_what_lies_beside_the_noise_counts_for_nothing_at_first_and_is_learnt():
    model = Upsampler(TINY)
    weight = model.transformer.extra_patch.weight
    assert weight.eq(0).all()
    for parameter in model.transformer.head.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    low = latents(1, 4, 2, 4, 4)
    model(latents(1, 4, 2, 4, 4) + 1, torch.tensor([0.5]), low).square().mean().backward()
    assert weight.grad.abs().max() > 0


@torch.no_grad()
def test_the_enlarged_frames_matter_and_the_frames_of_a_window_meet(model):
    x, low, t = latents(1, 4, 3, 4, 4), latents(1, 4, 3, 4, 4) * 0.5, torch.tensor([0.4])
    changed = low.clone()
    changed[:, :, 2] += 1
    moved = (model(x, t, changed) - model(x, t, low)).abs().amax(dim=(0, 1, 3, 4))
    assert (moved > 1e-5).all()


@torch.no_grad()
def test_frames_are_enlarged_and_encoded_one_by_one(model):
    clip = torch.rand(2, 3, 3, 8, 12)
    large = model.enlarged(clip)
    assert large.shape == (2, 3, 3, 16, 24)
    latent = model.frames.encode(large)
    assert latent.shape == (2, 4, 3, 4, 6)
    assert_close(latent[:, :, 1:2], model.frames.encode(large[:, :, 1:2]), atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_a_weights_file_alone_rebuilds_it(model, tmp_path):
    model.residual_scale.uniform_(0.1, 0.5)
    save_model(tmp_path / "up.safetensors", "upsampler", model, dtype=torch.float32)
    again = load_model(tmp_path / "up.safetensors", "upsampler")
    x, t, low = latents(1, 4, 2, 4, 4), torch.tensor([0.3]), latents(1, 4, 2, 4, 4)
    assert_close(again(x, t, low), model(x, t, low))
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in again.state_dict().items())


def test_it_reads_no_text_and_carries_no_weights_for_reading():
    names = [name for name, _ in Upsampler(TINY).named_parameters()]
    assert not [name for name in names if "cross_attention" in name or "conditioning" in name]


def test_a_config_that_makes_nothing_larger_is_refused():
    with pytest.raises(SettingsError, match="factor 1"):
        replace(TINY, factor=1)
    assert config_from_json("upsampler", {**{f: getattr(TINY, f) for f in TINY.__slots__}}) == TINY


def test_every_parameter_lives_in_a_layer_of_the_given_operations(operations, strays):
    assert not strays(Upsampler(TINY, operations=operations))
