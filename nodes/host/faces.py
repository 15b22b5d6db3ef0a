"""Our identity encoder behind the host's memory handling, hanging on the MODEL it was trained with."""

# Shape letters: N face, C channel, H row, W column.

from pathlib import Path
from typing import Any

import comfy.model_management
import comfy.model_patcher
import comfy.ops
import torch
from torch import Tensor

from ...moviegen_core.errors import MovieGenError, WeightsError
from ...moviegen_core.models.identity import IdentityEncoder
from .files import read_model_file
from .keeping import patcher_class
from .model import load_model
from .operations import host_operations

READER = "moviegen_identity"
"""Under this name the identity encoder hangs on the MODEL."""
LOADER = "Load Movie Gen, role face"
LIVE_BYTES = 2**27
"""What looking at a batch of small squares needs."""


class FaceReader:
    """An identity encoder that the host moves to its device when somebody looks."""

    def __init__(self, path: Path) -> None:
        file = read_model_file(path, "identity")
        encoder = IdentityEncoder(file.config, operations=host_operations(comfy.ops.disable_weight_init))
        encoder.load_state_dict({name: tensor.float() for name, tensor in file.state.items()}, strict=True)
        manager = comfy.model_management
        self.model = encoder.eval().requires_grad_(False)
        self.device = manager.text_encoder_device()
        offload = manager.text_encoder_offload_device()
        self.patcher = patcher_class()(self.model, load_device=self.device, offload_device=offload)

    @property
    def encoder(self) -> IdentityEncoder:
        """The encoder, where the host computes with it."""
        comfy.model_management.load_models_gpu([self.patcher], memory_required=LIVE_BYTES)
        return self.model

    @torch.no_grad()
    def tokens(self, faces_NCHW: Tensor) -> Tensor:
        """What a video model reads of one person's faces, (1, N * L, C), on the CPU."""
        return self.encoder.tokens(faces_NCHW.to(self.device)).flatten(0, 1)[None].float().cpu()


def load_face_model(
    path: Path,
    identity_file: Path,
    tae_file: Path | None = None,
    dtype: torch.dtype | None = None,
    disable_dynamic: bool = False,
) -> comfy.model_patcher.ModelPatcher:
    """Load a personalized transformer as MODEL, its identity encoder hanging on it.

    Args:
        path: its weights file.
        identity_file: the identity encoder's, which was trained with it.
        tae_file: the autoencoder of its latents, for previews; the shipped one when None.
        dtype: what it is kept and computed in; the host's and the device's choice when None.
        disable_dynamic: the host asks for its classic memory handling.

    Returns:
        The host's patcher around the model.

    Raises:
        WeightsError: a file is refused, or they do not belong together.
    """
    reader = FaceReader(identity_file)
    patcher = load_model(path, tae_file, dtype, disable_dynamic, "personalized")
    given, taken = reader.model.config.token_width, patcher.model.diffusion_model.config.width
    if given != taken:
        raise WeightsError(
            f"{identity_file} makes face tokens {given} wide and {path} reads {taken}; take all files of one"
            " cast"
        )
    patcher.model.takes_faces = True
    patcher.set_attachments(READER, reader)
    patcher.cached_patcher_init = (load_face_model, (path, identity_file, tae_file, dtype))
    return patcher


def reader_of(model: Any) -> FaceReader | None:  # noqa: ANN401 - the host's MODEL
    """The identity encoder of a MODEL; None where there is none."""
    return None if model is None else model.get_attachment(READER)


def needed_reader(model: Any) -> FaceReader:  # noqa: ANN401
    """The identity encoder of a MODEL.

    Args:
        model: from our loader.

    Returns:
        What reads faces for it.

    Raises:
        MovieGenError: the model is another.
    """
    found = reader_of(model)
    if found is None:
        raise MovieGenError(f"this model knows no faces; connect that of {LOADER}")
    return found
