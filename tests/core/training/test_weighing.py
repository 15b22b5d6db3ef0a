import torch
from torch.testing import assert_close

from moviegen_core.training.weighing import emphasis, weighted_mean


def test_a_mean_counts_each_error_as_often_as_its_weight():
    errors, weights = torch.tensor([1.0, 5.0, 9.0]), torch.tensor([1.0, 3.0, 0.0])
    assert weighted_mean(errors, weights) == torch.tensor([1.0, 5, 5, 5]).mean()


def test_an_error_where_it_matters_weighs_more_the_later_the_time_and_no_more_at_the_start():
    errors, where = torch.zeros(1, 1, 10), torch.zeros(1, 1, 10)
    errors[..., 3] = where[..., 3] = 1
    early, late = (weighted_mean(errors, emphasis(where, torch.tensor([t]), 16.0)) for t in (0.0, 0.5))
    assert_close(early, torch.tensor(0.1))
    assert_close(late, torch.tensor(9 / 18))
    everywhere = weighted_mean(torch.ones_like(errors), emphasis(where, torch.tensor([0.5]), 16.0))
    assert_close(everywhere, torch.tensor(1.0))


def test_every_clip_has_its_own_time():
    weights = emphasis(torch.ones(2, 1, 3, 4, 5), torch.tensor([0.0, 1.0]), 3.0)
    assert weights[0].eq(1).all()
    assert weights[1].eq(4).all()
