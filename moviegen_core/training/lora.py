"""Low-rank additions to a trained video transformer (Hu et al., 2021): a look in a file of a few hundred kB.

The transformer stays as it is; each linear layer of its blocks gains ``up(down(x))`` with two thin matrices.
The file's names are the ones that hosts' own LoRA loaders know.
"""

# Shape letters: B clip, C channel, T latent frame, H row, W column.

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from ..errors import SettingsError
from ..flow.path import interpolate, logit_normal_times, target_velocity
from ..models.text import ByteEncoder, tokenize
from ..models.video import VideoTransformer
from ..weights.files import whole_file

PREFIX = "diffusion_model."
"""What hosts put before the layer names of any transformer."""


class LowRank(nn.Module):
    """What one linear layer gains; nothing at first."""

    def __init__(self, layer: nn.Linear, rank: int) -> None:
        super().__init__()
        self.down = nn.Linear(layer.in_features, rank, bias=False)
        self.up = nn.Linear(rank, layer.out_features, bias=False)
        nn.init.zeros_(self.up.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(..., in) -> (..., out)."""
        return self.up(self.down(x))


class Lora(nn.Module):
    """The additions to all linear layers of a transformer's blocks; attached until ``detach`` is called."""

    def __init__(self, video: VideoTransformer, rank: int = 8) -> None:
        super().__init__()
        if rank < 1:
            raise SettingsError(f"a rank of {rank} adds nothing; use 4 to 32")
        found = [(name, layer) for name, layer in video.named_modules() if isinstance(layer, nn.Linear)]
        layers = {name: layer for name, layer in found if name.startswith("blocks.")}
        self.names = tuple(layers)
        self.additions = nn.ModuleList(LowRank(layer, rank) for layer in layers.values())
        self.to(next(video.parameters()).device)
        self._hooks = [
            layer.register_forward_hook(_adding(addition))
            for layer, addition in zip(layers.values(), self.additions, strict=True)
        ]

    def detach(self) -> None:
        """Leave the transformer as it was."""
        for hook in self._hooks:
            hook.remove()

    def save(self, path: Path) -> None:
        """Write the matrices, bfloat16, under the names that hosts load them by."""
        tensors: dict[str, Tensor] = {}
        for name, addition in zip(self.names, self.additions, strict=True):
            for mark, layer in (("lora_A", addition.down), ("lora_B", addition.up)):
                weight = layer.weight.detach().to("cpu", torch.bfloat16)
                tensors[f"{PREFIX}{name}.{mark}.weight"] = weight.contiguous()
        with whole_file(path) as temporary:
            save_file(tensors, temporary)


def _adding(addition: LowRank) -> Callable[[nn.Module, tuple[Tensor], Tensor], Tensor]:
    def hook(_layer: nn.Module, inputs: tuple[Tensor], output: Tensor) -> Tensor:
        return output + addition(inputs[0])

    return hook


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """What a LoRA learns from: clips of one shape, each with its words."""

    latents: Tensor
    """(N, 16, T, H, W)."""
    prompts: Sequence[str]
    """In the training form; what they leave unsaid is what the LoRA learns to add."""


class LoraObjective:
    """Flow-matching loss of one step, drawn from the step's number alone; only a ``Lora`` should learn."""

    def __init__(
        self,
        text: ByteEncoder,
        video: VideoTransformer,
        examples: Examples,
        *,
        batch: int = 16,
        drop_caption: float = 0.1,
    ) -> None:
        self.text, self.video, self.examples = (
            text.requires_grad_(False),
            video.requires_grad_(False),
            examples,
        )
        self.batch, self.drop_caption = batch, drop_caption

    def __call__(self, step: int) -> dict[str, Tensor]:
        """Losses of step ``step``."""
        rng, generator = random.Random(step), torch.Generator().manual_seed(step)
        rows = [rng.randrange(len(self.examples.prompts)) for _ in range(self.batch)]
        words = ["" if rng.random() < self.drop_caption else self.examples.prompts[row] for row in rows]
        data = self.examples.latents[rows].float()
        noise, times = torch.randn(data.shape, generator=generator), logit_normal_times(self.batch, generator)
        device = next(self.video.parameters()).device
        data, noise, times = (part.to(device) for part in (data, noise, times))
        ids_BL, mask_BL = (part.to(device) for part in tokenize(words))
        with torch.autocast(device.type, torch.bfloat16):
            context = self.video.context([self.text(ids_BL, mask_BL)], [mask_BL])
            velocity = self.video(interpolate(data, noise, times), times, context)
        return {"total": (velocity.float() - target_velocity(data, noise)).square().mean()}
