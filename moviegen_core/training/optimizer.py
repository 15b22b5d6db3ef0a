"""Muon for weight matrices and convolution kernels, AdamW for everything else, in one optimizer.

The paper does not state its optimizer. Orthogonalized momentum (Jordan et al., 2024; update scale of Liu et
al., 2025) reached a given loss in fewer steps than AdamW in our runs on two cores, which is what a small
budget asks for.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..errors import SettingsError


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerConfig:
    """Rates and moments."""

    learning_rate: float
    """Peak rate, shared: Muon's update is scaled to AdamW's typical size."""
    momentum: float = 0.95
    """Muon's."""
    betas: tuple[float, float] = (0.9, 0.98)
    """AdamW's."""
    weight_decay: float = 0.01
    """Of matrices and kernels only."""
    added_rate: float = 4.0
    """How much faster matrices learn that were added, at zero, to what may be trained already."""

    def __post_init__(self) -> None:
        if not 0 < self.learning_rate < 1:
            raise SettingsError(
                f"learning rate {self.learning_rate} is out of range; use something like 1e-3"
            )


def orthogonalize(matrices_NRC: Tensor, iterations: int = 5) -> Tensor:
    """Push all singular values of a stack of matrices toward 1 by a quintic Newton-Schulz iteration."""
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrices_NRC.shape[1] > matrices_NRC.shape[2]
    x = matrices_NRC.mT if tall else matrices_NRC
    x = (x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)).to(torch.bfloat16)
    for _ in range(iterations):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.mT if tall else x).float()


class MuonAdamW(torch.optim.Optimizer):
    """One step for a whole model; tensors of the same shape are orthogonalized together."""

    def __init__(self, parameters: Iterable[nn.Parameter], config: OptimizerConfig) -> None:
        super().__init__(parameters, {"lr": config.learning_rate})
        self.config = config

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # noqa: ARG002
        """Update every parameter that has a gradient."""
        for group in self.param_groups:
            stacks: dict[tuple[int, int], list[nn.Parameter]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                if is_matrix(parameter):
                    stacks[parameter.flatten(1).shape].append(parameter)
                else:
                    self._adamw(parameter, group["lr"])
            for stack in stacks.values():
                self._muon(stack, group["lr"])

    def _muon(self, stack: list[nn.Parameter], rate: float) -> None:
        updates = torch.stack([self._nesterov(parameter).flatten(1) for parameter in stack])
        scale = 0.2 * max(updates.shape[1:]) ** 0.5
        for parameter, update in zip(stack, orthogonalize(updates), strict=True):
            own = rate * (self.config.added_rate if getattr(parameter, "is_added", False) else 1.0)
            parameter.mul_(1 - own * self.config.weight_decay)
            parameter.add_(update.view_as(parameter), alpha=-own * scale)

    def _nesterov(self, parameter: nn.Parameter) -> Tensor:
        state = self.state[parameter]
        buffer = state.setdefault("momentum", torch.zeros_like(parameter))
        buffer.lerp_(parameter.grad, 1 - self.config.momentum)
        return parameter.grad.lerp(buffer, self.config.momentum)

    def _adamw(self, parameter: nn.Parameter, rate: float) -> None:
        state = self.state[parameter]
        count = state.setdefault("count", torch.zeros((), dtype=torch.float32))
        mean = state.setdefault("mean", torch.zeros_like(parameter))
        square = state.setdefault("square", torch.zeros_like(parameter))
        count += 1
        first, second = self.config.betas
        mean.lerp_(parameter.grad, 1 - first)
        square.lerp_(parameter.grad.square(), 1 - second)
        step = count.item()
        denominator = (square / (1 - second**step)).sqrt_().add_(1e-8)
        parameter.addcdiv_(mean, denominator, value=-rate / (1 - first**step))


def is_matrix(parameter: Tensor) -> bool:
    """Whether a parameter mixes many channels into many: a matrix or a kernel, not a table or a gain."""
    return (
        parameter.ndim >= 2
        and not getattr(parameter, "is_table", False)
        and min(parameter.flatten(1).shape) > 8
    )
