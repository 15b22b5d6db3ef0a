"""A calm clip with a moving gradient, and edits of a box in it."""

import pytest
import torch

BOX = (slice(12, 28), slice(20, 44))


@pytest.fixture
def source():
    """(T, H, W, 3) uint8 that differs from frame to frame."""
    rows = torch.arange(48).view(1, 48, 1, 1) * 3
    columns = torch.arange(64).view(1, 1, 64, 1) * 2
    times = torch.arange(10).view(10, 1, 1, 1)
    return (rows + columns + times).expand(10, 48, 64, 3).to(torch.uint8).contiguous()


@pytest.fixture
def edit_box():
    """Paint the box of some frames."""

    def edit(frames, colour=(230, 20, 200), when=slice(None)):
        edited = frames.clone()
        edited[when, BOX[0], BOX[1]] = torch.tensor(colour, dtype=torch.uint8)
        return edited

    return edit
