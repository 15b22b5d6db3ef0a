import torch
from torch.testing import assert_close

from moviegen_core.layers.companding import Companding


def measured(values):
    companding = Companding(values.shape[0])
    companding.measure(values)
    return companding


def test_what_is_companded_comes_back_over_a_hundred_decibels():
    companding = measured(torch.randn(1, 4000))
    values = torch.logspace(-4, 0.3, 200)[None].double()
    assert_close(companding.undo(companding(values)), values, rtol=1e-5, atol=0)


def test_an_error_costs_quiet_values_little_and_loud_ones_in_proportion():
    companding = measured(torch.randn(1, 4000) ** 5)
    quiet, loud = torch.tensor([[0.0]]), companding.knee * 200
    errors = [companding.undo(companding(value) + 0.1) - value for value in (quiet, loud)]
    assert errors[0] < 0.11 * companding.knee
    assert_close(errors[1] / loud, torch.full((1, 1), 0.105), atol=2e-3, rtol=0)


def test_sparse_values_come_near_the_tails_of_noise():
    values = torch.randn(1, 20_000) * (torch.randn(1, 20_000) * 2).exp()

    def kurtosis(x):
        centred = x - x.mean()
        return float(centred.pow(4).mean() / centred.square().mean() ** 2)

    assert kurtosis(values) > 50
    assert kurtosis(measured(values)(values)) < 5


def test_half_of_the_values_lie_below_the_knee_of_their_own_channel():
    values = torch.randn(2, 4001) * torch.tensor([[1.0], [30.0]])
    companding = measured(values)
    assert ((values.abs() < companding.knee).sum(1) == 2000).all()


def test_nothing_grows_beyond_the_loudest_that_was_measured():
    values = torch.randn(1, 500)
    companding = measured(values)
    assert_close(companding.undo(torch.tensor([[50.0, -50.0]])), values.abs().max() * torch.tensor([[1, -1]]))


def test_a_silent_channel_stays_finite():
    companding = measured(torch.zeros(1, 10))
    assert companding(torch.tensor([[0.0, 1.0]])).isfinite().all()
