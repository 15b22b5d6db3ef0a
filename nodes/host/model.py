"""Our transformer as the host's MODEL: flow semantics, memory, dtype, and what its conditioning becomes."""

# Shape letters: B clip, C channel, T latent frame, H row, W column, K context token.

import math
from functools import cached_property
from pathlib import Path
from typing import Any

import comfy.conds
import comfy.latent_formats
import comfy.model_base
import comfy.model_management
import comfy.model_patcher
import comfy.patcher_extension
import comfy.supported_models_base
import comfy.utils
import torch
from comfy.cli_args import args
from torch import Tensor

from ...moviegen_core.errors import MovieGenError, WeightsError
from ...moviegen_core.models.video import VideoTransformer
from ...moviegen_core.stages.generate import fast_dtype
from ...moviegen_core.weights.cast import open_cast
from ...moviegen_core.weights.files import load_model as load_core_model
from ..convert import FACES, TIMESTEPS, prediction_from_velocity, times_from_timesteps
from ..preview import PreviewFactors, fit_preview
from .files import read_model_file
from .keeping import patcher_class
from .live import watch_sampling
from .operations import HostBuilt

LIVE_WIDTHS, LIVE_FFN_WIDTHS = 9, 3
"""How many tensors of a token's width, and of its feed-forward width, live at once at a forward's peak."""


class MovieGenLatent(comfy.latent_formats.LatentFormat):
    """16 channels of mean 0 and deviation 1, as the autoencoder gives them: nothing to rescale."""

    latent_channels = 16
    latent_dimensions = 3
    spacial_downscale_ratio = 8
    temporal_downscale_ratio = 8
    tae_file: Path | None = None
    """The autoencoder that previews are fitted to; None when it is not known."""
    shown_cell = 0
    """The latent frame that the host's own still preview takes."""

    @cached_property
    def preview(self) -> PreviewFactors | None:
        """Fitted when first asked for, which only previews do."""
        return None if self.tae_file is None else fit_preview(load_core_model(self.tae_file, "tae"))

    @property
    def latent_rgb_factors(self) -> list[list[float]] | None:
        """A colour for each channel, for the host's own still preview."""
        return None if self.preview is None else self.preview.mean()[0]

    @property
    def latent_rgb_factors_bias(self) -> list[float] | None:
        """The colour of a cell of zeros."""
        return None if self.preview is None else self.preview.mean()[1]

    def latent_rgb_factors_reshape(self, latent_BCTHW: Tensor) -> Tensor:
        """The one latent frame that a still preview shows: the one the moving preview is at."""
        return latent_BCTHW[:, :, min(self.shown_cell, latent_BCTHW.shape[2] - 1)]


class HostTransformer(HostBuilt, VideoTransformer):
    """The core's transformer behind the host's calling convention; parameter names are the core's."""

    def forward(
        self,
        x: Tensor,
        timesteps: Tensor,
        context: Tensor,
        faces: Tensor | None = None,
        **_options: Any,  # noqa: ANN401
    ) -> Tensor:
        """Noise minus data, (B, 16, T, H, W); ``context`` and ``faces`` may be marked."""
        tokens, mask = unmarked(context, self.config.context_widths[0])
        seen = self.context([tokens], None if mask is None else [mask])
        if faces is not None:
            seen = seen.joined(*unmarked(faces, self.config.width))
        return prediction_from_velocity(super().forward(x, times_from_timesteps(timesteps), seen))


class TextTokens(comfy.conds.CONDRegular):
    """Text features (B, K, C) that join others of another length in one batch.

    The host would repeat the shorter ones, or run the branches one after the other; here they are padded, and
    an extra channel says which tokens count.
    """

    def can_concat(self, other: "TextTokens") -> bool:
        """Whatever their lengths."""
        return self.cond.shape[-1] == other.cond.shape[-1] and self.cond.device == other.cond.device

    def concat(self, others: list["TextTokens"]) -> Tensor:
        """(sum B, most K, C), or C + 1 where lengths differ."""
        parts = [self.cond, *(other.cond for other in others)]
        most = max(part.shape[1] for part in parts)
        if all(part.shape[1] == most for part in parts):
            return torch.cat(parts)
        marked = [torch.cat([part, torch.ones_like(part[..., :1])], dim=-1) for part in parts]
        padded = [torch.nn.functional.pad(part, (0, 0, 0, most - part.shape[1])) for part in marked]
        return torch.cat(padded)


def unmarked(context: Tensor, width: int) -> tuple[Tensor, Tensor | None]:
    """What ``TextTokens`` made, as features (B, K, C) and the mask of those that count; None when all do."""
    return context[..., :width], context[..., width] > 0.5 if context.shape[-1] > width else None


def text_tokens(text_BKC: Tensor | None, width: int, loader: str = "Load Movie Gen") -> TextTokens:
    """Text features for a forward.

    Args:
        text_BKC: from the conditioning; None when there is none.
        width: what the model reads.
        loader: how to get the right text encoder.

    Returns:
        The features.

    Raises:
        MovieGenError: no text, or another model's encoder made it.
    """
    if text_BKC is None or text_BKC.shape[-1] != width:
        given = "no text" if text_BKC is None else f"text features {text_BKC.shape[-1]} wide"
        raise MovieGenError(
            f"the conditioning holds {given} and this model reads {width}; encode the prompt with the"
            f" CLIP of {loader}"
        )
    return TextTokens(text_BKC)


class MovieGenModel(comfy.model_base.BaseModel):
    """The host's view of the transformer."""

    network: type[VideoTransformer] = HostTransformer
    takes_faces = False
    """Whether it was taught to put a face into a clip."""

    def __init__(
        self,
        config: "MovieGenConfig",
        model_type: comfy.model_base.ModelType,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__(config, model_type, device=device, unet_model=self.network)

    def extra_conds(self, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401 - the host's conditioning
        """What reaches ``forward``: text and faces, refused when another model's encoder made them."""
        width = self.diffusion_model.config.context_widths[0]
        told = {"c_crossattn": text_tokens(kwargs.get("cross_attn"), width)}
        if kwargs.get(FACES) is not None:
            told["faces"] = self._faces(kwargs[FACES])
        return super().extra_conds(**kwargs) | told

    def _faces(self, tokens_BKC: Tensor) -> comfy.conds.CONDRegular:
        width = self.diffusion_model.config.width
        if not self.takes_faces or tokens_BKC.shape[-1] != width + 1:
            raise MovieGenError(
                "the conditioning holds a face and this model was not taught to show it; take the model that"
                " Identity Conditioning took, from Load Movie Gen, role face"
            )
        return comfy.conds.CONDRegular(tokens_BKC)

    def memory_required(self, input_shape: list[int], cond_shapes: dict[str, Any] | None = None) -> float:  # noqa: ARG002
        """Bytes that one forward needs beside the weights."""
        config = self.diffusion_model.config
        tokens = input_shape[0] * math.prod(input_shape[2:]) / config.patch_cells
        values = tokens * (LIVE_WIDTHS * config.width + LIVE_FFN_WIDTHS * config.ffn_width)
        return values * comfy.model_management.dtype_size(self.manual_cast_dtype or self.get_dtype())


class MovieGenConfig(comfy.supported_models_base.BASE):
    """What the host asks about a model before it builds it."""

    unet_extra_config = {}  # noqa: RUF012 - the host's own would be handed to our transformer
    sampling_settings = {"shift": 1.0, "multiplier": TIMESTEPS}  # noqa: RUF012
    supported_inference_dtypes = [torch.bfloat16, torch.float16, torch.float32]  # noqa: RUF012
    latent_format = MovieGenLatent

    def get_model(
        self,
        state_dict: dict[str, Tensor],  # noqa: ARG002 - the host's signature
        prefix: str = "",  # noqa: ARG002
        device: torch.device | str | None = None,
    ) -> MovieGenModel:
        """The model, its weights not yet read."""
        return MovieGenModel(self, comfy.model_base.ModelType.FLOW, device=device)


def load_model(
    path: Path,
    tae_file: Path | None = None,
    dtype: torch.dtype | None = None,
    disable_dynamic: bool = False,
    role: str = "video",
) -> comfy.model_patcher.ModelPatcher:
    """Load a video transformer as MODEL.

    A file that is refused, or needs several text encoders, raises a WeightsError.

    Args:
        path: its weights file.
        tae_file: the autoencoder of its latents, for previews; the shipped one when None.
        dtype: what it is kept and computed in; the host's and the device's choice when None.
        disable_dynamic: the host asks for its classic memory handling.
        role: "video", or "personalized" for one that takes faces.

    Returns:
        The host's patcher around the model.
    """
    file = read_model_file(path, role)
    check_one_reader(path, file.config.context_widths)
    patcher = patched(MovieGenConfig({"config": file.config}), file.state, dtype, disable_dynamic)
    patcher.model.latent_format.tae_file = tae_file or open_cast("nano").path("tae")
    patcher.cached_patcher_init = (load_model, (path, tae_file, dtype))
    patcher.add_wrapper_with_key(comfy.patcher_extension.WrappersMP.OUTER_SAMPLE, "moviegen", watch_sampling)
    return patcher


def check_one_reader(path: Path, context_widths: tuple[int, ...]) -> None:
    """Refuse a model that the nodes cannot give all its texts.

    Args:
        path: its weights file.
        context_widths: one per text encoder that it reads.

    Raises:
        WeightsError: it reads several, or none.
    """
    if len(context_widths) != 1:
        raise WeightsError(
            f"{path} reads {len(context_widths)} text encoders and the nodes give one; choose a cast with one"
            " text encoder"
        )


def patched(
    config: comfy.supported_models_base.BASE,
    state: dict[str, Tensor],
    dtype: torch.dtype | None = None,
    disable_dynamic: bool = False,
) -> comfy.model_patcher.ModelPatcher:
    """Build a model in the host's way, with its weights.

    Args:
        config: of the model.
        state: its weights.
        dtype: what it is kept and computed in; the host's and the device's choice when None.
        disable_dynamic: the host asks for its classic memory handling.

    Returns:
        The host's patcher around the model.
    """
    device, offload = comfy.model_management.get_torch_device(), comfy.model_management.unet_offload_device()
    config.set_inference_dtype(*_dtypes(state, device, dtype))
    model = config.get_model(state, device=None)
    patcher = patcher_class(disable_dynamic)(model, load_device=device, offload_device=offload)
    dynamic = getattr(patcher, "is_dynamic", lambda: False)()
    if not dynamic:
        model.to(offload)
    model.load_model_weights(dict(state), "", **({"assign": True} if dynamic else {}))
    return patcher


def _dtypes(
    state: dict[str, Tensor], device: torch.device, wanted: torch.dtype | None
) -> tuple[torch.dtype, torch.dtype | None]:
    """What weights are kept in, and what they are cast to for computing (None: nothing else)."""
    if wanted is not None:
        return wanted, None
    supported = MovieGenConfig.supported_inference_dtypes
    kept = comfy.model_management.unet_dtype(
        device=device,
        model_params=comfy.utils.calculate_parameters(state),
        supported_dtypes=list(supported),
        weight_dtype=comfy.utils.weight_dtype(state),
    )
    if device.type == "cpu" and kept == torch.float32 and not args.fp32_unet:
        return fast_dtype(device), None  # the host always takes float32 here; some CPUs are twice as fast
    return kept, comfy.model_management.unet_manual_cast(kept, device, supported)
