"""Layers and attention of the host, as the core's models want them."""

from types import SimpleNamespace
from typing import Any

import comfy.ldm.modules.attention
import torch
from torch import Tensor, nn

from ...moviegen_core.layers.attention import attend

LAYERS = ("Linear", "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "Embedding", "LayerNorm")
"""Every layer the core's models are made from."""


def host_operations(operations: Any) -> SimpleNamespace:  # noqa: ANN401 - the host's namespace of layers
    """The host's layers, each with its weights there from the start.

    Newer hosts leave the weights of their own layer classes out until a file is read; the core's models mark
    and shape theirs when they are built. A class with its own way of reading is built whole.
    """
    return SimpleNamespace(**{name: _built_whole(getattr(operations, name)) for name in LAYERS})


def _built_whole(layer: type[nn.Module]) -> type[nn.Module]:
    class Whole(layer):  # type: ignore[misc,valid-type]
        def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
            super()._load_from_state_dict(*args, **kwargs)

    Whole.__name__ = Whole.__qualname__ = layer.__name__
    return Whole


class HostBuilt:
    """Stands before a core transformer: builds it as the host asks, with the host's layers and attention."""

    def __init__(
        self,
        config: Any,  # noqa: ANN401 - the core model's
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        operations: Any,  # noqa: ANN401 - the host's namespace of layers
        **_unused: Any,  # noqa: ANN401 - what newer hosts add
    ) -> None:
        layers = host_operations(operations)
        super().__init__(config, device=device, dtype=dtype, operations=layers, attention=host_attention)
        self.dtype = dtype


def host_attention(q_BNLD: Tensor, k_BNKD: Tensor, v_BNKD: Tensor, mask_B11K: Tensor | None = None) -> Tensor:
    """The attention the user chose for their GPU; the core's own on a CPU and behind a mask."""
    if q_BNLD.device.type == "cpu" or mask_B11K is not None:
        return attend(q_BNLD, k_BNKD, v_BNKD, mask_B11K)
    optimized = comfy.ldm.modules.attention.optimized_attention
    merged_BLC = optimized(q_BNLD, k_BNKD, v_BNKD, q_BNLD.shape[1], skip_reshape=True)
    return merged_BLC.unflatten(-1, (q_BNLD.shape[1], -1)).transpose(1, 2)
