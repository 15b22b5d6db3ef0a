"""The host's conventions and the core's, and the only crossing between them.

The host counts noise down (sigma from 1 to 0) and wants noise minus data; the core counts time up (t from 0
to 1) and predicts data minus noise. The host's pixels are 0..1 and channels last, the core's -1..1.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..moviegen_core.errors import GeometryError, MediaError
from ..moviegen_core.media.sound import Sound, sound_from, waveform_of

TIMESTEPS = 1000.0
"""What the host multiplies sigma by on its way to a model; its own default, so that its shift nodes fit."""
SEEN, KNOWN = "moviegen_seen", "moviegen_known"
"""Keys of a conditioning: features of the picture (F, C), and the sound that is already there (C, F)."""
FACES, TASK = "moviegen_faces", "moviegen_task"
"""Faces as tokens (1, K, C + 1), the last channel 1 where one counts; and what kind of edit is asked for."""
INTEGERS = {torch.uint8: (128, 128), torch.int16: (0, 2**15), torch.int32: (0, 2**31)}
"""What is silence and what is full scale in waveforms that a host read from a file and did not convert."""


def sigmas_from_times(times: Sequence[float]) -> Tensor:
    """Rising times of the core as the host's falling noise levels, float32."""
    return (1 - torch.tensor(times, dtype=torch.float64)).float()


def times_from_sigmas(sigmas: Tensor) -> Tensor:
    """The inverse of ``sigmas_from_times``."""
    return 1 - sigmas


def sigmas_from_time(t: Tensor) -> Tensor:
    """Noise levels of times that are tensors already."""
    return 1 - t


def velocity_from_estimate(x: Tensor, estimate: Tensor, sigma_B: Tensor) -> Tensor:
    """What the host makes of a prediction, an estimate of the data, as the core's velocity.

    Args:
        x: noisy, batch first.
        estimate: of the data in it.
        sigma_B: noise level of each, above 0.

    Returns:
        Data minus noise: the rest of the way, by the share of it that is left.
    """
    return (estimate - x) / sigma_B.view(-1, *[1] * (x.ndim - 1))


def times_from_timesteps(timesteps: Tensor) -> Tensor:
    """What the host hands a model, sigma times ``TIMESTEPS``, as times of the core."""
    return times_from_sigmas(timesteps.float() / TIMESTEPS)


def prediction_from_velocity(velocity: Tensor) -> Tensor:
    """Data minus noise, the core's prediction, as the noise minus data that the host integrates."""
    return -velocity


def pixels_from_image(image: Tensor) -> Tensor:
    """0..1 to -1..1."""
    return image * 2 - 1


def image_from_pixels_(pixels: Tensor) -> Tensor:
    """-1..1 to 0..1, clamped, in place and returned: hosts of different age use one or the other."""
    return pixels.add_(1).div_(2).clamp_(0, 1)


def bytes_from_image(image: Tensor) -> Tensor:
    """0..1 to uint8, to the nearest value: what came from bytes becomes the same bytes."""
    return (image.float() * 255).round_().clamp_(0, 255).to(torch.uint8)


def image_from_bytes(values: Tensor) -> Tensor:
    """The inverse of ``bytes_from_image``."""
    return values.float() / 255


def check_frames(latent: Tensor) -> None:
    """Refuse a latent without a single frame, which other nodes may leave when they cut.

    Args:
        latent: of any family.

    Raises:
        GeometryError: there is nothing in it.
    """
    if latent.numel() == 0:
        raise GeometryError(
            f"the latent holds no frames, its sizes are {'x'.join(map(str, latent.shape))}; give a clip of"
            " at least one frame"
        )


def told(conditioning: list[list[Any]], **values: Any) -> list[list[Any]]:  # noqa: ANN401 - the host's
    """A conditioning of the host with more in it."""
    return [[tokens, options | values] for tokens, options in conditioning]


def sound_of(audio: dict[str, Any] | None, name: str = "sound") -> Sound:
    """The host's AUDIO as a sound of the core.

    Args:
        audio: one sound; None where a video had none.
        name: what it is, for the error.

    Returns:
        The sound.

    Raises:
        MediaError: none, several, or samples that are not numbers.
    """
    waveforms = waveforms_of(audio, name)
    if len(waveforms) > 1:
        raise MediaError(
            f"the {name} holds {len(waveforms)} sounds and one is wanted; choose one with Pick Best Sound"
        )
    return sound_from(waveforms[0], int(audio["sample_rate"]))


def waveforms_of(audio: dict[str, Any] | None, name: str = "sound") -> Tensor:
    """All waveforms of the host's AUDIO.

    Args:
        audio: any number of sounds; None where a video had none.
        name: what it is, for the error.

    Returns:
        (B, C, S) float32, full scale is 1.

    Raises:
        MediaError: there is none.
    """
    if audio is None or not audio["waveform"].numel():
        raise MediaError(f"the {name} is empty; connect one of at least one sample")
    waveform = audio["waveform"]
    waveform = waveform[None] if waveform.ndim == 2 else waveform
    middle, scale = INTEGERS.get(waveform.dtype, (0, 1))
    return (waveform.float() - middle) / scale


def audio_of(sound: Sound) -> dict[str, Any]:
    """A sound of the core as the host's AUDIO."""
    return audio_from(waveform_of(sound)[None], sound.sample_rate)


def audio_from(waveform_BCS: Tensor, sample_rate: int) -> dict[str, Any]:
    """Waveforms as the host's AUDIO."""
    return {"waveform": waveform_BCS, "sample_rate": sample_rate}
