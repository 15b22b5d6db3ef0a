"""Our byte encoder as the host's CLIP; prompt weights such as (red:1.3) reach the letters they stand on."""

# Shape letters: B prompt, L byte, C channel.

from pathlib import Path
from typing import Any

import comfy.model_management
import comfy.ops
import comfy.sd
import comfy.sd1_clip
import comfy.supported_models_base
import comfy.utils
import torch
from torch import Tensor, nn

from ...moviegen_core.errors import MovieGenError
from ...moviegen_core.models.text import ByteEncoder, ByteEncoderConfig, tokenize
from .files import read_model_file
from .operations import host_operations

WeightedTokens = dict[str, list[list[tuple[int, float]]]]
"""The host's form of a prompt: one list of (token, weight) under the encoder's name."""
NAME = "moviegen"


class ByteTokenizer:
    """Text with weights to bytes with weights; it needs neither vocabulary nor embeddings of words."""

    def __init__(
        self, embedding_directory: str | None = None, tokenizer_data: dict[str, Any] | None = None
    ) -> None:
        del embedding_directory, tokenizer_data

    def tokenize_with_weights(
        self,
        text: str,
        return_word_ids: bool = False,
        **_options: Any,  # noqa: ANN401 - the host's, for other tokenizers
    ) -> WeightedTokens:
        """Every byte with the weight of the parentheses around it; with word ids, a 0 behind each."""
        parts = comfy.sd1_clip.token_weights(comfy.sd1_clip.escape_important(text), 1.0)
        row: list[tuple[int, float]] = []
        for part, weight in parts:
            row += [(token, weight) for token in _bytes(comfy.sd1_clip.unescape_important(part))]
        row += [(tokenize([""], multiple=1)[0].item(), 1.0)]
        return {NAME: [[(*pair, 0) for pair in row] if return_word_ids else row]}

    def untokenize(self, row: list[tuple[int, float]]) -> list[tuple[tuple[int, float], str]]:
        """Each token beside the character of its byte."""
        letters = {_bytes(chr(code))[0]: chr(code) for code in range(128)}
        return [(pair, letters.get(pair[0], "")) for pair in row]

    def state_dict(self) -> dict[str, Tensor]:
        """Nothing to save."""
        return {}


def _bytes(text: str) -> list[int]:
    return tokenize([text], multiple=1)[0][0, :-1].tolist()


class HostTextModel(nn.Module):
    """The core's byte encoder behind the host's calls."""

    def __init__(
        self,
        config: ByteEncoderConfig,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        model_options: dict[str, Any] | None = None,  # noqa: ARG002 - the host's signature
    ) -> None:
        super().__init__()
        layers = host_operations(comfy.ops.disable_weight_init)
        self.encoder = ByteEncoder(config, device=device, dtype=dtype, operations=layers)
        self.dtypes = {dtype}
        self.execution_device: torch.device | None = None

    def set_clip_options(self, options: dict[str, Any]) -> None:
        """Only where to compute concerns us; there is one layer to take features from."""
        self.execution_device = options.get("execution_device", self.execution_device)

    def reset_clip_options(self) -> None:
        """Forget where to compute."""
        self.execution_device = None

    def encode_token_weights(self, tokens: WeightedTokens) -> tuple[Tensor, None]:
        """Features (1, L, C) of one prompt, no padding, and no pooled vector.

        A weight moves a byte's features along the line from those of the empty prompt: 0 is as if nothing was
        said there, 1 changes nothing, more says it louder.
        """
        row = tokens[NAME][0]
        features = self._features([pair[0] for pair in row])
        weights_L1 = torch.tensor([pair[1] for pair in row], device=features.device)[:, None]
        if not bool((weights_L1 == 1).all()):
            free = self._features([row[-1][0]])
            features = torch.where(weights_L1 == 1, features, free + weights_L1 * (features - free))
        return features.to(comfy.model_management.intermediate_device()), None

    def _features(self, ids: list[int]) -> Tensor:
        device = self.execution_device or next(self.encoder.parameters()).device
        return self.encoder(torch.tensor([ids], device=device)).float()

    def load_sd(self, sd: dict[str, Tensor]) -> tuple[list[str], list[str]]:
        """Take the weights; what did not fit, which is nothing."""
        self.encoder.load_state_dict(sd, strict=True, assign=getattr(self, "can_assign_sd", False))
        return [], []


def load_clip(path: Path, role: str = "text") -> comfy.sd.CLIP:
    """Load the byte encoder of a role as CLIP; small as it is, it computes in float32."""
    file = read_model_file(path, role)
    target = comfy.supported_models_base.ClipTarget(ByteTokenizer, HostTextModel)
    target.params["config"] = file.config
    clip = comfy.sd.CLIP(
        target,
        parameters=comfy.utils.calculate_parameters(file.state),
        state_dict=[{name: tensor.float() for name, tensor in file.state.items()}],
        model_options={"dtype": torch.float32},
    )
    clip.cond_stage_model.requires_grad_(False).eval()
    return clip


def encoder_of(clip: comfy.sd.CLIP) -> ByteEncoder:
    """The core's encoder in a CLIP.

    Args:
        clip: from our loaders.

    Returns:
        The encoder.

    Raises:
        MovieGenError: it is another family's.
    """
    model = clip.cond_stage_model
    if not isinstance(model, HostTextModel):
        raise MovieGenError("this CLIP is another family's; connect the one of Load Movie Gen")
    return model.encoder


def max_bytes(clip: comfy.sd.CLIP) -> int | None:
    """The longest prompt a CLIP reads; None when it is not ours."""
    model = clip.cond_stage_model
    return model.encoder.config.max_bytes if isinstance(model, HostTextModel) else None
