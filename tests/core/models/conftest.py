"""Namespaces that show what a model is made from."""

from types import SimpleNamespace

import pytest
from torch import nn

LAYERS = (
    *("Linear", "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "LayerNorm", "RMSNorm", "GroupNorm"),
    "Embedding",
)


@pytest.fixture
def operations():
    """A namespace like torch.nn with layers of its own, as a host passes it."""
    return SimpleNamespace(**{name: type(f"Host{name}", (getattr(nn, name),), {}) for name in LAYERS})


@pytest.fixture
def strays(operations):
    """Names of modules that own a parameter and do not come from ``operations``."""
    kinds = tuple(vars(operations).values())

    def find(model):
        owners = [
            (name, module) for name, module in model.named_modules() if list(module.parameters(recurse=False))
        ]
        assert owners
        return [name for name, module in owners if not isinstance(module, kinds)]

    return find
