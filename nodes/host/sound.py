"""Our audio transformer as the host's MODEL: sound of any length, in blended windows inside one forward."""

# Shape letters: B sound, C channel, F audio latent frame, K context token.

from pathlib import Path
from typing import Any

import comfy.conds
import comfy.latent_formats
import comfy.model_base
import comfy.model_management
import comfy.model_patcher
import comfy.patcher_extension
import comfy.supported_models_base
import torch
from torch import Tensor

from ...moviegen_core.errors import GeometryError, MovieGenError, WeightsError
from ...moviegen_core.flow.windows import blend_windows, triangle_windows
from ...moviegen_core.models.audio import AudioTransformer
from ...moviegen_core.stages.sound import WINDOW
from ..convert import KNOWN, SEEN, prediction_from_velocity, times_from_timesteps
from .files import read_model_file
from .frame_encoder import FrameWatcher
from .live import OnStep
from .model import (
    LIVE_FFN_WIDTHS,
    LIVE_WIDTHS,
    MovieGenConfig,
    check_one_reader,
    patched,
    text_tokens,
    unmarked,
)
from .operations import HostBuilt

HOP = 1920
"""Samples of a latent frame: what the paper's codec and ours have in common."""
WATCHER = "moviegen_frames"
"""Under this name the frame encoder, which was trained with it, hangs on the MODEL."""
LOADER = "Load Movie Gen, role sound"


class MovieGenSoundLatent(comfy.latent_formats.LatentFormat):
    """Channels of mean 0 and deviation 1 at 25 frames a second, as the codec gives them."""

    latent_channels = 64
    latent_dimensions = 1
    spacial_downscale_ratio = 1
    temporal_downscale_ratio = HOP


class HostAudioTransformer(HostBuilt, AudioTransformer):
    """The core's audio transformer behind the host's calls; parameter names are the core's."""

    def forward(
        self,
        x: Tensor,
        timesteps: Tensor,
        context: Tensor,
        *,
        known: Tensor,
        seen: Tensor,
        **_options: Any,  # noqa: ANN401 - the host's
    ) -> Tensor:
        """Noise minus data, (B, C, F), of any length; see ``AudioTransformer`` for what is given."""
        tokens, mask = unmarked(context, self.config.context_widths[0])
        told = self.computed_ahead(self.context([tokens], None if mask is None else [mask]))
        time_B, whole = times_from_timesteps(timesteps), super().forward

        def velocity(place: slice) -> Tensor:
            comfy.model_management.throw_exception_if_processing_interrupted()
            parts = {"known_BCF": known[..., place], "video_BFC": seen[:, place]}
            return whole(x[..., place], time_B, told, **parts)

        windows = triangle_windows(x.shape[-1], WINDOW, WINDOW // 2)
        return prediction_from_velocity(blend_windows(velocity, windows, x.shape[-1]))


class MovieGenSoundModel(comfy.model_base.BaseModel):
    """The host's view of the audio transformer."""

    def __init__(
        self,
        config: "MovieGenSoundConfig",
        model_type: comfy.model_base.ModelType,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__(config, model_type, device=device, unet_model=HostAudioTransformer)
        self.latent_format.latent_channels = self.diffusion_model.config.latent_channels

    def extra_conds(self, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401 - the host's conditioning
        """What reaches ``forward``: text, picture and known sound, zeros for what a branch is not told."""
        config, device = self.diffusion_model.config, kwargs["device"]
        num_frames = kwargs["noise"].shape[-1]
        seen_FC = fitted_features(kwargs.get(SEEN), num_frames, config.vision_width)
        known_CF = fitted_known(kwargs.get(KNOWN), num_frames, config.latent_channels)
        return super().extra_conds(**kwargs) | {
            "c_crossattn": text_tokens(kwargs.get("cross_attn"), config.context_widths[0], LOADER),
            "seen": comfy.conds.CONDRegular(seen_FC[None].to(device)),
            "known": comfy.conds.CONDRegular(known_CF[None].to(device)),
        }

    def memory_required(self, input_shape: list[int], cond_shapes: dict[str, Any] | None = None) -> float:  # noqa: ARG002
        """Bytes that one window of a forward needs beside the weights."""
        config = self.diffusion_model.config
        tokens = input_shape[0] * min(WINDOW, input_shape[-1])
        values = tokens * (LIVE_WIDTHS * config.width + LIVE_FFN_WIDTHS * 2 * config.ffn_width // 3)
        return values * comfy.model_management.dtype_size(self.manual_cast_dtype or self.get_dtype())


class MovieGenSoundConfig(MovieGenConfig):
    """What the host asks about an audio transformer before it builds it."""

    latent_format = MovieGenSoundLatent

    def get_model(
        self,
        state_dict: dict[str, Tensor],  # noqa: ARG002 - the host's signature
        prefix: str = "",  # noqa: ARG002
        device: torch.device | str | None = None,
    ) -> MovieGenSoundModel:
        """The model, its weights not yet read."""
        return MovieGenSoundModel(self, comfy.model_base.ModelType.FLOW, device=device)


def fitted_features(seen_FC: Tensor | None, num_frames: int, width: int) -> Tensor:
    """Features of the picture for every latent frame; when the sound goes on, the last picture stays.

    Args:
        seen_FC: from the conditioning; None shows nothing.
        num_frames: latent frames of the sound.
        width: what the model reads.

    Returns:
        (num_frames, width); zeros for no picture.

    Raises:
        MovieGenError: another encoder's features.
    """
    if seen_FC is None:
        return torch.zeros(num_frames, width)
    if seen_FC.shape[-1] != width:
        raise MovieGenError(
            f"the picture features are {seen_FC.shape[-1]} wide and this model reads {width}; make them with"
            " Video Features and the same model"
        )
    return seen_FC[torch.arange(num_frames).clamp(max=len(seen_FC) - 1)]


def fitted_known(known_CF: Tensor | None, num_frames: int, channels: int) -> Tensor:
    """The sound that is already there for every latent frame.

    Args:
        known_CF: from the conditioning, 0 where sound is to be made; None when all is.
        num_frames: latent frames of the sound.
        channels: what the model works on.

    Returns:
        (channels, num_frames).

    Raises:
        GeometryError: the conditioning belongs to another latent.
    """
    if known_CF is None:
        return torch.zeros(channels, num_frames)
    if known_CF.shape != (channels, num_frames):
        raise GeometryError(
            f"the conditioning knows a sound of {known_CF.shape[0]}x{known_CF.shape[1]} and the latent is"
            f" {channels}x{num_frames}; connect both positive and latent of the same Extend Sound"
        )
    return known_CF


def check_sound_latent(latent: Tensor, channels: int) -> None:
    """Refuse a latent that our audio models cannot read.

    Args:
        latent: (B, C, F) that the sampler starts from.
        channels: what the model works on.

    Raises:
        GeometryError: another family's latent, or none at all.
    """
    if latent.ndim != 3 or latent.shape[1] != channels or not latent.numel():
        sizes = "x".join(map(str, latent.shape))
        raise GeometryError(
            f"the latent is {sizes} and this model makes sound of {channels} channels; start from Empty Sound"
            " Latent or Extend Sound"
        )


def watch_sampling(
    executor: Any,  # noqa: ANN401 - the host's chain of wrappers
    noise: Tensor,
    latent_image: Tensor,
    sampler: Any,  # noqa: ANN401
    sigmas: Tensor,
    denoise_mask: Tensor | None = None,
    callback: OnStep | None = None,
    *rest: Any,  # noqa: ANN401
    **options: Any,  # noqa: ANN401
) -> Tensor:
    """The host's sampling of one of our audio models, whichever node asked, checked first."""
    check_sound_latent(latent_image, executor.class_obj.model_patcher.model.latent_format.latent_channels)
    return executor(noise, latent_image, sampler, sigmas, denoise_mask, callback, *rest, **options)


def load_sound_model(
    path: Path, vision_file: Path, dtype: torch.dtype | None = None, disable_dynamic: bool = False
) -> comfy.model_patcher.ModelPatcher:
    """Load an audio transformer as MODEL, its frame encoder hanging on it.

    Args:
        path: its weights file.
        vision_file: the frame encoder's, which was trained with it.
        dtype: what it is kept and computed in; the host's and the device's choice when None.
        disable_dynamic: the host asks for its classic memory handling.

    Returns:
        The host's patcher around the model.

    Raises:
        WeightsError: a file is refused, needs several text encoders, or they do not belong together.
    """
    file, watcher = read_model_file(path, "audio"), FrameWatcher(vision_file)
    check_one_reader(path, file.config.context_widths)
    if file.config.vision_width != watcher.feature_width:
        raise WeightsError(
            f"{path} reads picture features {file.config.vision_width} wide and {vision_file} makes"
            f" {watcher.feature_width}; take all files of one cast"
        )
    patcher = patched(MovieGenSoundConfig({"config": file.config}), file.state, dtype, disable_dynamic)
    patcher.set_attachments(WATCHER, watcher)
    patcher.cached_patcher_init = (load_sound_model, (path, vision_file, dtype))
    patcher.add_wrapper_with_key(comfy.patcher_extension.WrappersMP.OUTER_SAMPLE, "moviegen", watch_sampling)
    return patcher


def watcher_of(model: comfy.model_patcher.ModelPatcher) -> FrameWatcher:
    """The frame encoder of a MODEL.

    Args:
        model: from our loader.

    Returns:
        What looks at frames for it.

    Raises:
        MovieGenError: the model is another.
    """
    found = model.get_attachment(WATCHER)
    if found is None:
        raise MovieGenError(
            f"this model makes no sound and has nothing to watch a clip with; connect the model of {LOADER}"
        )
    return found
