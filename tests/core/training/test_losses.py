import pytest
import torch
from torch.testing import assert_close

from moviegen_core.training.discriminator import DiscriminatorTrainer, PatchDiscriminator
from moviegen_core.training.losses import (
    TaeLossConfig,
    gradient_loss,
    hinge_discriminator_loss,
    hinge_generator_loss,
    kl_loss,
    outlier_loss,
    tae_losses,
)


def test_the_divergence_is_zero_at_the_unit_normal_and_positive_around_it():
    zeros = torch.zeros(2, 16, 1, 2, 2)
    assert kl_loss(zeros, zeros) == 0
    for mean, log_variance in ((0.5, 0.0), (-0.5, 0.0), (0.0, 1.0), (0.0, -1.0)):
        assert kl_loss(zeros + mean, zeros + log_variance) > 0.1


def test_latents_without_outliers_are_not_penalized_at_any_scale_and_place():
    latent = torch.randn(2, 16, 3, 14, 24)
    for scale, shift in ((1, 0), (50, 0), (1, 30)):
        assert outlier_loss(scale * latent + shift) == 0


def test_a_planted_outlier_is_penalized_and_pulled_back():
    latent = torch.randn(2, 16, 3, 14, 24)
    latent[1, :, 2, 5, 7] *= 50
    latent.requires_grad_()
    loss = outlier_loss(latent)
    assert loss > 0
    (pull,) = torch.autograd.grad(loss, latent)
    assert (latent * pull)[1, :, 2, 5, 7].sum() > 0
    assert pull[0].eq(0).all()
    assert pull[:, :, :2].eq(0).all()


def test_an_outlier_is_judged_against_its_own_frame():
    calm, wild = torch.randn(1, 4, 1, 14, 24), 100 * torch.randn(1, 4, 1, 14, 24)
    calm[0, :, 0, 3, 3] *= 30
    assert_close(outlier_loss(torch.cat([calm, wild], dim=2)), outlier_loss(calm) / 2)


def test_gradient_loss_ignores_brightness_and_sees_edges_and_motion():
    clip = torch.rand(1, 3, 4, 6, 6)
    assert gradient_loss(clip + 0.5, clip) < 1e-6
    assert gradient_loss(clip.flip(2), clip) > 0.01
    assert gradient_loss(clip.flip(3), clip) > 0.01


def test_gradient_loss_of_a_picture_needs_no_second_frame():
    picture = torch.rand(1, 3, 1, 6, 6)
    assert gradient_loss(picture, picture) == 0
    assert gradient_loss(torch.zeros_like(picture), picture) > 0


@pytest.mark.parametrize("name", ["reconstruction", "square", "gradient", "kl", "outlier"])
def test_a_loss_of_weight_zero_is_switched_off_and_the_total_is_the_weighted_sum(name):
    clip, output = torch.rand(2, 1, 3, 2, 4, 4)
    mean, log_variance = torch.randn(2, 1, 16, 1, 2, 2)
    off = TaeLossConfig(**{name: 0.0}, **({} if name == "square" else {"square": 2.0}))
    losses = tae_losses(clip, output, mean, log_variance, off)
    assert name not in losses
    total = losses.pop("total")
    assert_close(total, sum(getattr(off, key) * loss for key, loss in losses.items()))


def test_perfect_reconstruction_costs_nothing():
    clip = torch.rand(1, 3, 2, 4, 4)
    losses = tae_losses(clip, clip, torch.zeros(1, 16, 1, 2, 2), torch.zeros(1, 16, 1, 2, 2), TaeLossConfig())
    assert losses["total"] == 0


def test_hinge_losses_stop_caring_once_the_discriminator_is_sure():
    real, fake = torch.full((4,), 1.5), torch.full((4,), -1.5)
    assert hinge_discriminator_loss(real, fake) == 0
    assert hinge_discriminator_loss(fake, real) > 1
    assert hinge_generator_loss(real) < hinge_generator_loss(fake)


@pytest.mark.parametrize(("frames", "side"), [(1, 16), (4, 32), (9, 48)])
def test_the_discriminator_scores_patches_of_pictures_and_clips(frames, side):
    scores = PatchDiscriminator(4)(torch.rand(2, 3, frames, side, side))
    assert scores.shape == (2, 1, -(-frames // 4), side // 16, side // 16)


def test_the_discriminator_learns_to_tell_and_passes_gradients_to_the_fake_only():
    trainer = DiscriminatorTrainer(learning_rate=3e-3)
    real, fake = torch.rand(1, 3, 4, 16, 16), -torch.rand(1, 3, 4, 16, 16)
    before = trainer.step(real, fake)
    for _ in range(4):
        after = trainer.step(real, fake)
    assert after < before
    fake.requires_grad_()
    trainer.optimizer.zero_grad()
    trainer.score(fake).sum().backward()
    assert fake.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in trainer.model.parameters())
    assert all(parameter.requires_grad for parameter in trainer.model.parameters())
