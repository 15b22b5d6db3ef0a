"""Every test draws the same random numbers, whichever tests ran before it, and so does every test file."""

import pytest
import torch


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def pytest_collectstart(collector):
    """What a file draws when it is imported is drawn from here on."""
    if isinstance(collector, pytest.Module):
        torch.manual_seed(0)
