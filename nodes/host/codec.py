"""Our sound codec as the host's VAE: exact in our nodes, and sound at the right pitch in the host's own."""

# Shape letters: B sound, C channel, S audio sample, F audio latent frame.

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import comfy.model_management
import comfy.model_patcher
import comfy.ops
import comfy.sd
import torch
from torch import Tensor

from ...moviegen_core.errors import GeometryError, MovieGenError
from ...moviegen_core.media.channels import remixed
from ...moviegen_core.media.resample import resampled
from ...moviegen_core.media.sound import sound_from, waveform_of
from ...moviegen_core.models.audio_codec import AudioCodec, AudioCodecConfig
from ...moviegen_core.stages.sound import DECODED_AT_ONCE, play
from .files import read_model_file
from .keeping import adopt
from .operations import host_operations
from .vae import without_warning

OLD_HOSTS_RATE = 44100
"""Hosts whose VAE knows no ``audio_sample_rate`` bring every sound to this before they encode it."""
LIVE_TENSORS = 6
"""How many tensors of the widest level live at once at the peak."""


class HostCodec(AudioCodec):
    """The core's codec behind the host's calls; parameter names are the core's."""

    def decode(self, latent: Tensor, num_samples: int | None = None, **_options: Any) -> Tensor:  # noqa: ANN401
        """As the core's; without a count, which the host does not know, all samples. Long sound in pieces."""
        check_codec_latent(latent, self.config.latent_channels)
        count = latent.shape[-1] * self.grid.hop if num_samples is None else num_samples
        return torch.cat(list(self._pieces(latent, count)), dim=-1)

    def _pieces(self, latent: Tensor, num_samples: int) -> Iterator[Tensor]:
        for piece in play(self, latent, num_samples):
            comfy.model_management.throw_exception_if_processing_interrupted()
            yield piece


def check_codec_latent(latent: Tensor, channels: int) -> None:
    """Refuse a latent that this codec did not make.

    Args:
        latent: what is to be decoded.
        channels: of our latents.

    Raises:
        GeometryError: other channels, a picture's latent, or nothing in it.
    """
    if latent.ndim != 3 or latent.shape[1] != channels or not latent.numel():
        sizes = "x".join(map(str, latent.shape))
        raise GeometryError(
            f"the latent is {sizes} and this codec decodes sound of {channels} channels; use the VAE of the"
            " model that made it"
        )


class MovieGenSoundVAE(comfy.sd.VAE):
    """The host's VAE around our codec."""

    def __init__(self, config: AudioCodecConfig, state: dict[str, Tensor]) -> None:
        with without_warning():
            super().__init__(sd={})  # the defaults of the installed host, and no model
        self.rate_given = config.sample_rate if hasattr(self, "audio_sample_rate") else OLD_HOSTS_RATE
        self.audio_sample_rate = self.audio_sample_rate_output = config.sample_rate
        self.latent_channels, self.latent_dim = config.latent_channels, 1
        self.output_channels, self.pad_channel_value = config.channels, "replicate"
        self.upscale_ratio = self.downscale_ratio = config.grid.hop
        self.process_input = self.process_output = lambda waveform: waveform
        self.working_dtypes = [torch.float32]
        self.memory_used_decode = lambda shape, dtype: decode_memory(config, shape, dtype)
        self.memory_used_encode = lambda shape, dtype: encode_memory(config, shape, dtype)
        adopt(self, HostCodec(config, operations=host_operations(comfy.ops.disable_weight_init)), state)

    @property
    def codec(self) -> HostCodec:
        """The codec itself."""
        return self.first_stage_model

    def vae_encode_crop_pixels(self, pixels: Tensor) -> Tensor:
        """What the host encodes, (B, S, C): one channel at our rate, filled up with silence, never cut."""
        waveform_BCS = pixels.movedim(-1, 1)
        ready = [prepared(one, self.rate_given, self.codec)[None] for one in waveform_BCS]
        return torch.cat(ready).movedim(1, -1)

    def encode_exactly(self, waveform_CS: Tensor) -> Tensor:
        """The latent (C, F) of one channel (1, S) at the codec's own rate, whatever the host's nodes do."""
        given, self.rate_given = self.rate_given, self.codec.config.sample_rate
        try:
            return self.encode(waveform_CS[None].movedim(1, -1))[0]
        finally:
            self.rate_given = given


def prepared(waveform_CS: Tensor, sample_rate: int, codec: HostCodec) -> Tensor:
    """A sound as the codec takes it: mono, at its rate, whole latent frames."""
    sound = resampled(remixed(sound_from(waveform_CS, sample_rate), 1), codec.config.sample_rate)
    waveform = waveform_of(sound)
    return torch.nn.functional.pad(waveform, (0, codec.grid.surplus_samples(waveform.shape[-1])))


def codec_of(vae: Any) -> HostCodec:  # noqa: ANN401 - the host's VAE
    """The codec in a VAE.

    Args:
        vae: from our loader.

    Returns:
        The codec, for its sizes; to encode or decode ask the VAE, which brings it to its device.

    Raises:
        MovieGenError: the VAE is another.
    """
    if not isinstance(vae, MovieGenSoundVAE):
        raise MovieGenError(
            "this VAE is no Movie Gen sound codec; connect the vae of Load Movie Gen, role sound"
        )
    return vae.codec


def load_codec(path: Path) -> MovieGenSoundVAE:
    """Load a sound codec as VAE."""
    file = read_model_file(path, "audio_codec")
    return MovieGenSoundVAE(file.config, file.state)


def decode_memory(config: AudioCodecConfig, shape: tuple[int, ...], dtype: torch.dtype) -> float:
    """Bytes that decoding latents of this shape needs: one piece of them, and all samples."""
    samples, size = shape[0] * config.grid.hop, comfy.model_management.dtype_size(dtype)
    piece = LIVE_TENSORS * _peak_values(config, config.decoder_widths) * min(shape[-1], DECODED_AT_ONCE)
    return max(1.0, samples * (piece * size + 2 * 4 * shape[-1]))


def encode_memory(config: AudioCodecConfig, shape: tuple[int, ...], dtype: torch.dtype) -> float:
    """Bytes that encoding waveforms of this shape needs."""
    values = LIVE_TENSORS * _peak_values(config, config.encoder_widths) * shape[0] * shape[-1]
    return max(1.0, values * comfy.model_management.dtype_size(dtype))


def _peak_values(config: AudioCodecConfig, widths: tuple[int, ...]) -> float:
    """Values per sample of the level that holds the most."""
    stride, values = config.patch, []
    for width, next_stride in zip(widths, (*config.strides, 1), strict=True):
        values.append(width / stride)
        stride *= next_stride
    return max(1.0, *values)
