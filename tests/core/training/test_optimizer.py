import pytest
import torch
from torch import nn
from torch.testing import assert_close

from moviegen_core.errors import SettingsError
from moviegen_core.layers.positions import FactorizedPositions
from moviegen_core.training.optimizer import MuonAdamW, OptimizerConfig, is_matrix, orthogonalize


@pytest.mark.parametrize("shape", [(1, 24, 24), (3, 16, 40), (2, 40, 16)])
@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e3])
def test_orthogonalized_matrices_have_singular_values_near_one_at_any_scale(shape, scale):
    matrices = scale * torch.randn(shape)
    values = torch.linalg.svdvals(orthogonalize(matrices))
    assert values.min() > 0.3
    assert values.max() < 1.3
    assert ((values > 0.5) & (values < 1.3)).float().mean() > 0.9


def test_orthogonalizing_keeps_the_directions_of_the_matrix():
    left, right = torch.linalg.qr(torch.randn(16, 16))[0], torch.linalg.qr(torch.randn(16, 16))[0]
    matrix = left @ torch.diag(torch.linspace(0.5, 2, 16)) @ right.T
    turned = left.T @ orthogonalize(matrix[None])[0] @ right
    assert (turned - turned.diag().diag()).abs().max() < 0.1
    assert (turned.diag() > 0.5).all()


def test_a_matrix_is_orthogonalized_alone_whatever_shares_its_stack():
    matrices = torch.randn(3, 16, 24)
    assert_close(orthogonalize(matrices)[1:2], orthogonalize(matrices[1:2]), atol=2e-2, rtol=0)


def test_matrices_and_kernels_go_to_muon_and_tables_gains_and_thin_ones_do_not():
    assert is_matrix(nn.Linear(16, 32).weight)
    assert is_matrix(nn.Conv3d(16, 32, 3).weight)
    assert not is_matrix(nn.Linear(16, 4).weight)
    assert not is_matrix(nn.Linear(16, 32).bias)
    assert not is_matrix(nn.LayerNorm(32).weight)
    assert not is_matrix(FactorizedPositions((9, 9, 9), 16, nn).rows.weight)


def test_adamws_first_step_is_the_learning_rate_against_the_sign_of_the_gradient():
    parameter = nn.Parameter(torch.zeros(5))
    parameter.grad = torch.tensor([1e-3, -2.0, 50.0, -1e-2, 3.0])
    MuonAdamW([parameter], OptimizerConfig(learning_rate=0.01)).step()
    assert_close(parameter.detach(), -0.01 * parameter.grad.sign(), atol=1e-6, rtol=1e-3)


def test_muons_step_does_not_depend_on_the_gradients_scale():
    steps = []
    for scale in (1e-3, 1e3):
        parameter = nn.Parameter(torch.zeros(16, 24))
        parameter.grad = scale * torch.randn(16, 24, generator=torch.Generator().manual_seed(1))
        MuonAdamW([parameter], OptimizerConfig(learning_rate=0.01)).step()
        steps.append(parameter.detach())
    assert_close(*steps, atol=1e-4, rtol=0.05)
    assert 0.5 < steps[0].square().mean().sqrt() / (0.2 * 0.01) < 1.3  # the typical size of AdamW's updates


def test_the_optimizer_finds_the_bottom_of_a_bowl():
    target, model, x = 0.3 * torch.randn(16, 16), nn.Linear(16, 16), torch.randn(64, 16)
    optimizer = MuonAdamW(model.parameters(), OptimizerConfig(learning_rate=0.1))
    losses = []
    for step in range(60):
        optimizer.param_groups[0]["lr"] = 0.1 * (1 - step / 60)
        loss = (model(x) - x @ target.T).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 20


def test_a_parameter_without_a_gradient_stays_where_it_is():
    frozen, moving = nn.Parameter(torch.ones(16, 16)), nn.Parameter(torch.ones(16, 16))
    moving.grad = torch.randn(16, 16)
    MuonAdamW([frozen, moving], OptimizerConfig(learning_rate=0.01)).step()
    assert frozen.eq(1).all()
    assert not moving.eq(1).all()


@pytest.mark.parametrize("rate", [0, -1e-3, 1, float("nan")])
def test_a_learning_rate_out_of_range_is_refused(rate):
    with pytest.raises(SettingsError, match=r"learning rate .* 1e-3"):
        OptimizerConfig(learning_rate=rate)


def test_what_was_added_to_a_trained_model_learns_faster_by_the_configs_factor():
    steps = []
    for is_added in (False, True):
        parameter = nn.Parameter(torch.zeros(16, 24))
        parameter.is_added = is_added
        parameter.grad = torch.randn(16, 24, generator=torch.Generator().manual_seed(1))
        MuonAdamW([parameter], OptimizerConfig(learning_rate=0.01, added_rate=3.0)).step()
        steps.append(parameter.detach())
    assert_close(steps[1], 3.0 * steps[0])
