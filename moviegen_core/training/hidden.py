"""Tokens that leave the middle block of a transformer, kept for questions that only training asks."""

from torch import Tensor, nn

from ..layers.norms import rms_norm


class HiddenTokens:
    """Keeps what the middle of some blocks gave in the latest forward pass, until it is taken."""

    def __init__(self, blocks: nn.ModuleList) -> None:
        self._tokens: Tensor | None = None
        blocks[(len(blocks) - 1) // 2].register_forward_hook(self._keep)

    def _keep(self, block: nn.Module, inputs: tuple, tokens: Tensor) -> None:  # noqa: ARG002
        self._tokens = tokens

    def take(self) -> Tensor:
        """Hand them out, once for each forward pass.

        Returns:
            (B, L, C), divided by their root mean square.

        Raises:
            RuntimeError: there was no forward pass since they were last taken.
        """
        if self._tokens is None:
            raise RuntimeError("hidden tokens are of a forward pass, and there was none since the last time")
        tokens, self._tokens = self._tokens, None
        return rms_norm(tokens)
