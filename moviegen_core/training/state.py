"""Everything a run needs to go on as if it had never stopped, in one safetensors file."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ..errors import WeightsError
from .optimizer import MuonAdamW


class Ema:
    """Exponential moving average of a model's parameters, warming up so that early steps do not linger."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.shadow = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Move the average toward the model after optimizer step ``step`` (from 1)."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, parameter in model.named_parameters():
            self.shadow[name].lerp_(parameter, 1 - decay)

    @torch.no_grad()
    def copy_to(self, model: nn.Module) -> None:
        """Put the average into a model of the same shape."""
        for name, parameter in model.named_parameters():
            parameter.copy_(self.shadow[name])


@dataclass(slots=True)
class RunState:
    """A model in training with its average, its optimizer and its place on the way."""

    model: nn.Module
    ema: Ema
    optimizer: MuonAdamW
    step: int = 0

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor of the run under a flat name."""
        flat = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        flat |= {f"ema.{name}": tensor for name, tensor in self.ema.shadow.items()}
        for name, parameter in self.model.named_parameters():
            for kind, tensor in self.optimizer.state.get(parameter, {}).items():
                flat[f"optimizer.{kind}.{name}"] = tensor
        return {name: tensor.detach().contiguous().clone() for name, tensor in flat.items()}


def save_run(path: Path, state: RunState) -> None:
    """Write a checkpoint whole or not at all."""
    partial = path.with_suffix(".partial")
    save_file(state.tensors(), partial, metadata={"run": json.dumps({"step": state.step})})
    partial.replace(path)


@torch.no_grad()
def load_run(path: Path, state: RunState) -> None:
    """Fill ``state`` from a checkpoint, in place.

    Args:
        path: what ``save_run`` wrote.
        state: a run of the same recipe, freshly built.

    Raises:
        WeightsError: the file is missing, broken, or of another recipe.
    """
    try:
        with safe_open(path, framework="pt") as file:
            step = json.loads(file.metadata()["run"])["step"]
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, TypeError) as error:
        raise WeightsError(f"{path} is no training checkpoint ({error}); start without --resume") from error
    _fill(path, state, tensors)
    state.step = step


def _fill(path: Path, state: RunState, tensors: dict[str, Tensor]) -> None:
    model = {name[6:]: tensor for name, tensor in tensors.items() if name.startswith("model.")}
    try:
        state.model.load_state_dict(model)
    except RuntimeError as error:
        raise WeightsError(
            f"{path} belongs to another recipe; train into another folder ({error})"
        ) from error
    for name, parameter in state.model.named_parameters():
        state.ema.shadow[name] = tensors[f"ema.{name}"].to(parameter.device)
        for kind in ("momentum", "count", "mean", "square"):
            key = f"optimizer.{kind}.{name}"
            if key in tensors:
                device = "cpu" if kind == "count" else parameter.device
                state.optimizer.state[parameter][kind] = tensors[key].to(device)
