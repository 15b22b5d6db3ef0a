"""Second-order degradations: what blur, resizing, noise and compression, twice over, make of a clip.

Source: Movie Gen, spatial upsampler, training, which takes them from Real-ESRGAN (Wang et al., 2021). Ranges
are ours: milder, as nano's clips are small; compression is JPEG's on every frame, with its colours whole.
"""

# Shape letters: T frame, C channel, H row, W column.

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

JPEG_BLOCK = 8
LUMA_STEPS = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
"""Quantization steps of brightness at quality 50 (ITU-T T.81, annex K)."""
COARSEST_COLOUR = 99
YCC = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))


@dataclass(frozen=True, slots=True, kw_only=True)
class DegradeConfig:
    """Ranges that one round draws from."""

    blur: tuple[float, float] = (0.2, 1.2)
    """Deviation of the Gaussian along either axis, pixels."""
    scale: tuple[float, float] = (0.6, 1.3)
    """Of a resize there and, at the end, back."""
    noise: tuple[float, float] = (0.0, 0.06)
    """Deviation, of pixels in -1..1."""
    quality: tuple[int, int] = (40, 95)
    """JPEG's."""
    second: float = 0.6
    """How often there is a second round."""


def degrade(clip_CTHW: Tensor, size: tuple[int, int], rng: Generator, config: DegradeConfig) -> Tensor:
    """Spoil a clip and bring it to a size; all frames alike but for the grains of noise.

    Args:
        clip_CTHW: (3, T, H, W) in -1..1.
        size: (height, width) of the result.
        rng: a CPU generator; the same state spoils alike.
        config: how much.

    Returns:
        (3, T, height, width) in -1..1.
    """
    frames = clip_CTHW.transpose(0, 1)
    rounds = 1 + int(_uniform(rng, 0, 1) < config.second)
    for number in range(rounds):
        frames = _blurred(frames, _uniform(rng, *config.blur), _uniform(rng, *config.blur))
        goal = size if number == rounds - 1 else frames.shape[-2:]
        factor = _uniform(rng, *config.scale)
        frames = _resized(frames, [max(1, round(side * factor)) for side in goal], rng)
        frames = _noisy(frames, _uniform(rng, *config.noise), rng)
        frames = compress(frames, int(_uniform(rng, *config.quality)))
    return _resized(frames, list(size), rng).clamp(-1, 1).transpose(0, 1)


def _uniform(rng: Generator, low: float, high: float) -> float:
    return low + (high - low) * torch.rand((), generator=rng).item()


def _blurred(frames_TCHW: Tensor, down: float, across: float) -> Tensor:
    for deviation, dim in ((down, -2), (across, -1)):
        reach = max(1, math.ceil(2.5 * deviation))
        taps = torch.exp(-(torch.arange(-reach, reach + 1) ** 2) / (2 * deviation**2))
        place = torch.arange(frames_TCHW.shape[dim])
        moved = [
            frames_TCHW.index_select(dim, (place + step).clamp(0, len(place) - 1).to(frames_TCHW.device))
            for step in range(-reach, reach + 1)
        ]
        frames_TCHW = sum(part * weight for part, weight in zip(moved, taps / taps.sum(), strict=True))
    return frames_TCHW


def _resized(frames_TCHW: Tensor, size: list[int], rng: Generator) -> Tensor:
    mode = ("area", "bilinear", "bicubic")[int(torch.randint(3, (), generator=rng))]
    if mode == "area":
        return F.interpolate(frames_TCHW, size, mode="area")
    return F.interpolate(frames_TCHW, size, mode=mode, align_corners=False, antialias=True)


def _noisy(frames_TCHW: Tensor, deviation: float, rng: Generator) -> Tensor:
    """Grey grains half of the time; half of the time more of them where it is brighter."""
    channels = 1 if _uniform(rng, 0, 1) < 0.5 else 3
    grains = torch.randn(len(frames_TCHW), channels, *frames_TCHW.shape[-2:], generator=rng)
    strength = deviation if _uniform(rng, 0, 1) < 0.5 else deviation * (frames_TCHW.clamp(-1, 1) + 1).sqrt()
    return frames_TCHW + grains.to(frames_TCHW.device) * strength


def compress(frames_TCHW: Tensor, quality: int) -> Tensor:
    """What JPEG at a quality leaves of frames: its transform and quantization, without its code."""
    T, C, H, W = frames_TCHW.shape
    padded = F.pad(frames_TCHW, (0, -W % JPEG_BLOCK, 0, -H % JPEG_BLOCK), mode="replicate")
    to_ycc = padded.new_tensor(YCC)
    ycc = torch.einsum("ij,tjhw->tihw", to_ycc, padded) * 127.5
    cosines = _cosines(JPEG_BLOCK).to(padded)
    blocks = ycc.unflatten(-1, (-1, JPEG_BLOCK)).unflatten(-3, (-1, JPEG_BLOCK)).transpose(-3, -2)
    steps = _steps(quality).to(padded)[:, None, None]
    spectrum = (cosines @ blocks @ cosines.T / steps).round() * steps
    blocks = (cosines.T @ spectrum @ cosines).transpose(-3, -2)
    ycc = blocks.flatten(-2).flatten(-3, -2) / 127.5
    return torch.einsum("ij,tjhw->tihw", torch.linalg.inv(to_ycc), ycc)[..., :H, :W].reshape(T, C, H, W)


def _steps(quality: int) -> Tensor:
    """(3, 8, 8): quantization of brightness and of the two colours."""
    luma = torch.tensor(LUMA_STEPS, dtype=torch.float32)
    colour = (1.2 * luma).clamp(max=COARSEST_COLOUR)
    scale = 50 / quality if quality < 50 else 2 - quality / 50
    return (torch.stack([luma, colour, colour]) * scale).round().clamp(1, 255)


def _cosines(size: int) -> Tensor:
    """The orthonormal discrete cosine transform."""
    place = torch.arange(size)
    table = torch.cos(math.pi / size * (place + 0.5) * place[:, None]) * (2 / size) ** 0.5
    table[0] *= 0.5**0.5
    return table
