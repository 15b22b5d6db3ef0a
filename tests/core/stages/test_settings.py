import math

import pytest

from moviegen_core.errors import SettingsError
from moviegen_core.flow import solver
from moviegen_core.stages.settings import SOLVERS, SamplingSettings


@pytest.mark.parametrize(
    "wrong",
    [
        {"num_steps": 0},
        {"num_steps": 251},
        {"grid": 0},
        {"guidance": -1.0},
        {"guidance": math.nan},
        {"guidance": math.inf},
        {"seed": -1},
        {"seed": 2**63},
        {"solver": "rk45"},
    ],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingsError, match=str(next(iter(wrong.values())))):
        SamplingSettings(**wrong)


def test_the_ends_of_the_ranges_are_legal():
    SamplingSettings(num_steps=1, guidance=0.0, seed=2**63 - 1, grid=1)


def test_every_solver_that_settings_allow_exists():
    assert set(SOLVERS) == set(solver.SOLVERS)
