"""A toy role, so that these tests need no real model: one matrix, one gain, one buffer."""

from dataclasses import dataclass

import pytest
import torch
from torch import nn

from moviegen_core.errors import SettingsError
from moviegen_core.weights import build


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyConfig:
    width: int
    strides: tuple[int, ...] = (1, 2)

    def __post_init__(self):
        if self.width < 1:
            raise SettingsError(f"width {self.width} is not positive; give 1 or more")


class Toy(nn.Module):
    def __init__(self, config, *, device=None, dtype=None, operations=nn):
        super().__init__()
        self.config = config
        self.proj = operations.Linear(config.width, config.width, device=device, dtype=dtype)
        self.proj.weight.is_table = True
        self.register_buffer("latent_mean", torch.full((3,), 1 / 3, device=device))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64, device=device))


PRESETS = {"nano": ToyConfig(width=4), "paper": ToyConfig(width=64)}


@pytest.fixture
def toy(monkeypatch):
    """A built toy; while it lives, "toy" and "other" are roles."""
    role = build.Role(config=ToyConfig, model=Toy, presets=PRESETS)
    monkeypatch.setitem(build.ROLES, "toy", role)
    monkeypatch.setitem(build.ROLES, "other", role)
    return build.build("toy", "nano", device="cpu")
