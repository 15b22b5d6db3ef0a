"""Our frame encoder behind the host's memory handling: pictures in, a feature vector each."""

# Shape letters: C channel, T frame, H row, W column.

from collections.abc import Iterable
from pathlib import Path

import comfy.clip_vision
import comfy.model_management
import comfy.ops
import torch
from torch import Tensor

from ...moviegen_core.models.vision import FrameEncoder
from .files import read_model_file
from .keeping import patcher_class
from .operations import host_operations

LIVE_TENSORS = 6
"""How many tensors of the stem's first width live at once at the peak."""


class FrameWatcher:
    """A frame encoder that the host moves to its device when somebody watches."""

    def __init__(self, path: Path) -> None:
        file = read_model_file(path, "vision")
        encoder = FrameEncoder(file.config, operations=host_operations(comfy.ops.disable_weight_init))
        encoder.load_state_dict({name: tensor.float() for name, tensor in file.state.items()}, strict=True)
        manager = comfy.model_management
        self.encoder = encoder.eval().requires_grad_(False)
        self.device = manager.text_encoder_device()
        offload = manager.text_encoder_offload_device()
        self.patcher = patcher_class()(self.encoder, load_device=self.device, offload_device=offload)

    @property
    def feature_width(self) -> int:
        """Numbers a frame."""
        return self.encoder.config.feature_width

    @torch.no_grad()
    def watch(self, chunks: Iterable[Tensor]) -> Tensor:
        """Features (T in all, feature width) of (3, T, H, W) pieces with pixels in -1..1, of any size."""
        seen = []
        for chunk in chunks:
            comfy.model_management.throw_exception_if_processing_interrupted()
            comfy.model_management.load_models_gpu([self.patcher], memory_required=self._memory(chunk))
            seen.append(self.encoder(chunk[None].to(self.device))[0].cpu())
        return torch.cat(seen)

    def _memory(self, chunk: Tensor) -> float:
        config = self.encoder.config
        width = (*config.stem_widths, config.width)[0]
        return 4 * (chunk.numel() + LIVE_TENSORS * chunk.shape[1] * width * config.size**2 / 4)


def vision_output(features_FC: Tensor) -> comfy.clip_vision.Output:
    """Features as the host's CLIP_VISION_OUTPUT, one "picture" for every frame."""
    output = comfy.clip_vision.Output()
    output["image_embeds"] = features_FC
    output["last_hidden_state"] = output["penultimate_hidden_states"] = features_FC[:, None]
    return output
