"""DAC-VAE, the audio codec: waveform <-> latent, 48 kHz to 25 frames a second.

Source: Movie Gen, audio: the Descript codec (strided convolutions, dilated residual units, Snake) with a VAE
bottleneck in place of its quantizers, 128 channels. The paper states neither widths nor strides; ``paper``
takes those of the codec that Meta released later (2, 8, 10, 12). Our choices: the codec is mono, as that one,
and a stereo waveform goes through channel by channel; the bottleneck is read straight from the last
convolution; no weight normalization; padding is silence. ``nano`` is the same with a wide first stride and,
as our autoencoder of clips, a linear path beside the networks: it begins as a low pass, while the samples
that networks alone made after 120 steps were still no better than silence.
"""

# Shape letters: B clip, C channel, S audio sample, F audio latent frame, T cell of one level.

import math
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import GeometryError, SettingsError
from ..geometry import SoundGrid
from ..layers.companding import Companding
from .tae import FIRST_LOG_VARIANCE, start_silent

DILATIONS = (1, 3, 9)
"""Of a level's residual units, in turn."""
TAPS = 7
"""Of a residual unit's convolution."""


LOUDNESS = 10.0
"""By this usual sound, a tenth of full scale, comes to the size that layers expect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioCodecConfig:
    """Shape of an audio codec; level 0 is nearest the waveform."""

    latent_channels: int = 128
    channels: int = 1
    """Of a waveform."""
    sample_rate: int = 48_000
    patch: int = 1
    """Samples folded into channels by the stem's stride; 1 is the paper's."""
    stem_taps: int = TAPS
    """Samples that the stem's and the head's convolution see; at least the patch."""
    linear_channels: int = 0
    """Latent channels that have a linear path to the waveform beside the networks; the paper's have none."""
    companded: bool = False
    """Whether loud values of the latent are drawn together (``layers/companding.py``)."""
    encoder_widths: tuple[int, ...]
    """Channels of each level."""
    decoder_widths: tuple[int, ...]
    encoder_units: tuple[int, ...]
    """Residual units at each level."""
    decoder_units: tuple[int, ...]
    strides: tuple[int, ...]
    """Between level i and i + 1, one fewer than levels."""

    def __post_init__(self) -> None:
        lists = (self.encoder_widths, self.decoder_widths, self.encoder_units, self.decoder_units)
        levels = len(self.strides) + 1
        if any(len(one) != levels for one in lists):
            raise SettingsError(f"codec config: every list needs {levels} levels for {levels - 1} strides")
        if not 0 <= self.linear_channels <= self.latent_channels:
            raise SettingsError(
                f"codec config: {self.linear_channels} linear channels of {self.latent_channels} latent ones"
            )
        if self.stem_taps < self.patch or min(self.patch, self.channels, *self.strides) < 1:
            raise SettingsError(
                f"codec config: {self.stem_taps} stem taps do not cover a patch of {self.patch} samples"
            )

    @property
    def grid(self) -> SoundGrid:
        """Samples per latent frame, and frames per second."""
        return SoundGrid(self.sample_rate, self.patch * prod(self.strides))


CODEC_PRESETS = {
    "nano": AudioCodecConfig(
        latent_channels=64,
        linear_channels=32,
        companded=True,
        patch=120,
        stem_taps=240,
        encoder_widths=(96, 160, 192),
        decoder_widths=(128, 192, 192),
        encoder_units=(1, 1, 0),
        decoder_units=(3, 3, 0),
        strides=(4, 4),
    ),
    "paper": AudioCodecConfig(
        encoder_widths=(64, 128, 256, 512, 1024),
        decoder_widths=(96, 192, 384, 768, 1536),
        encoder_units=(3, 3, 3, 3, 0),
        decoder_units=(3, 3, 3, 3, 0),
        strides=(2, 8, 10, 12),
    ),
}


@torch.no_grad()
def start_even(layer: nn.Module, fan_in: float) -> None:
    """Begin by keeping the size of what comes in: the posterior's noise must not drown the latent."""
    layer.weight.normal_(std=fan_in**-0.5)
    layer.bias.zero_()


class Snake(nn.Module):
    """``x + sin(a x)^2 / a`` with a learned frequency per channel: periodic, so that tones go on."""

    def __init__(self, channels: int, operations: ModuleType, **factory: Any) -> None:  # noqa: ANN401
        super().__init__()
        self.frequency = operations.Embedding(1, channels, **factory)
        self.frequency.weight.is_table = True
        nn.init.ones_(self.frequency.weight)

    def forward(self, x_BCT: Tensor) -> Tensor:
        """Same shape in and out."""
        row = torch.zeros(1, dtype=torch.int64, device=x_BCT.device)
        a_C1 = self.frequency(row).to(x_BCT.dtype).view(-1, 1)
        return x_BCT + (a_C1 * x_BCT).sin().square() / (a_C1 + 1e-9)


class Down(nn.Module):
    """Strided convolution: every ``stride`` cells become one; the edges are padded with silence."""

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        taps: int,
        stride: int,
        operations: ModuleType,
        *,
        dilation: int = 1,
        **factory: Any,  # noqa: ANN401
    ) -> None:
        super().__init__()
        self.conv = operations.Conv1d(
            channels_in, channels_out, taps, stride=stride, dilation=dilation, **factory
        )
        surplus = dilation * (taps - 1) + 1 - stride
        self.margins = (surplus // 2, surplus - surplus // 2)
        start_even(self.conv, channels_in * taps)

    def forward(self, x_BCT: Tensor) -> Tensor:
        """(B, C, T) -> (B, C', T / stride)."""
        return self.conv(F.pad(x_BCT, self.margins))

    def reach(self, cells: int) -> int:
        """How far beyond a span of input the output within ``cells`` of that span looks."""
        return cells * self.conv.stride[0] + max(self.margins)


class Up(nn.Module):
    """Transposed strided convolution: every cell becomes ``stride``; what reaches past the edges is cut."""

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        taps: int,
        stride: int,
        operations: ModuleType,
        **factory: Any,  # noqa: ANN401
    ) -> None:
        super().__init__()
        self.conv = operations.ConvTranspose1d(channels_in, channels_out, taps, stride=stride, **factory)
        self.taps, self.stride, self.first = taps, stride, (taps - stride) // 2
        start_even(self.conv, channels_in * taps / stride)

    def forward(self, x_BCT: Tensor) -> Tensor:
        """(B, C, T) -> (B, C', T * stride)."""
        return self.conv(x_BCT)[..., self.first : self.first + x_BCT.shape[-1] * self.stride]

    def reach(self, cells: int) -> int:
        """How far beyond a span of input the output within ``cells`` of that span looks."""
        before = cells + self.taps - 1 - self.first
        return max(before, cells + self.stride - 1 + self.first) // self.stride


class ResidualUnit(nn.Module):
    """Snake, dilated convolution, Snake, mix of channels, around a skip; at first it does nothing."""

    def __init__(self, channels: int, dilation: int, operations: ModuleType, **factory: Any) -> None:  # noqa: ANN401
        super().__init__()
        self.snake1 = Snake(channels, operations, **factory)
        self.conv1 = Down(channels, channels, TAPS, 1, operations, dilation=dilation, **factory)
        self.snake2 = Snake(channels, operations, **factory)
        self.conv2 = operations.Conv1d(channels, channels, 1, **factory)
        start_silent(self.conv2)

    def forward(self, x_BCT: Tensor) -> Tensor:
        """Same shape in and out."""
        return x_BCT + self.conv2(self.snake2(self.conv1(self.snake1(x_BCT))))


class Level(nn.Module):
    """Residual units of rising dilation, then the Snake that every change of level begins with."""

    def __init__(self, width: int, num_units: int, operations: ModuleType, **factory: Any) -> None:  # noqa: ANN401
        super().__init__()
        dilations = [DILATIONS[index % len(DILATIONS)] for index in range(num_units)]
        self.units = nn.Sequential(*(ResidualUnit(width, one, operations, **factory) for one in dilations))
        self.snake = Snake(width, operations, **factory)

    def forward(self, x_BCT: Tensor) -> Tensor:
        """Same shape in and out."""
        return self.snake(self.units(x_BCT))

    def reach(self, cells: int) -> int:
        """How far beyond a span of input the output within ``cells`` of that span looks."""
        for unit in self.units:
            cells = unit.conv1.reach(cells)
        return cells


@torch.no_grad()
def lowest_lines(count: int, hop: int) -> Tensor:
    """The lowest lines of a lapped cosine transform (Princen and Bradley, 1986): (count, 2 hop).

    Rows are orthonormal and stay so when shifted by whole hops, so that ``Synthesis`` behind ``Analysis`` is
    a low pass, up to ``count`` times half the frame rate.
    """
    places, lines = torch.arange(2 * hop, dtype=torch.float64), torch.arange(count, dtype=torch.float64)
    window = torch.sin(math.pi / (2 * hop) * (places + 0.5))
    angles = math.pi / hop * (places + 0.5 + hop / 2) * (lines[:, None] + 0.5)
    return ((2 / hop) ** 0.5 * window * angles.cos()).float()


class Analysis(nn.Module):
    """Pieces of the waveform, two hops long and one apart, to lines: linear, at first the lowest ones."""

    def __init__(self, config: AudioCodecConfig, operations: ModuleType, **factory: Any) -> None:  # noqa: ANN401
        super().__init__()
        self.hop, channels, count = config.grid.hop, config.channels, config.linear_channels
        self.lines = operations.Linear(2 * self.hop * channels, count, bias=False, **factory)
        with torch.no_grad():
            self.lines.weight.copy_(lowest_lines(count, self.hop).repeat(1, channels) / channels**0.5)

    def forward(self, waveform_BCS: Tensor) -> Tensor:
        """(B, C, S) -> (B, lines, S / hop)."""
        filled = F.pad(waveform_BCS, (self.hop // 2, self.hop - self.hop // 2))
        pieces_BCFS = filled.unfold(-1, 2 * self.hop, self.hop)
        return self.lines(pieces_BCFS.transpose(1, 2).flatten(2)).transpose(1, 2)


class Synthesis(nn.Module):
    """Lines to pieces of the waveform that overlap by half and add up: linear, the way back at first."""

    def __init__(self, config: AudioCodecConfig, operations: ModuleType, **factory: Any) -> None:  # noqa: ANN401
        super().__init__()
        self.hop, self.channels, count = config.grid.hop, config.channels, config.linear_channels
        self.pieces = operations.Linear(count, 2 * self.hop * self.channels, bias=False, **factory)
        with torch.no_grad():
            lines = lowest_lines(count, self.hop).repeat(1, self.channels) / self.channels**0.5
            self.pieces.weight.copy_(lines.T)

    def forward(self, lines_BCF: Tensor) -> Tensor:
        """(B, lines, F) -> (B, C, F * hop)."""
        pieces_BFCS = self.pieces(lines_BCF.transpose(1, 2)).unflatten(-1, (self.channels, -1))
        first, second = pieces_BFCS.chunk(2, dim=-1)
        both = F.pad(first, (0, 0, 0, 0, 0, 1)) + F.pad(second, (0, 0, 0, 0, 1, 0))
        start = self.hop // 2
        return both.transpose(1, 2).flatten(2)[..., start : start + lines_BCF.shape[-1] * self.hop]


class Encoder(nn.Module):
    """Waveform to the posterior's mean and log variance."""

    def __init__(self, config: AudioCodecConfig, operations: ModuleType, **factory: Any) -> None:  # noqa: ANN401
        super().__init__()
        widths, latent = config.encoder_widths, config.latent_channels
        self.stem = Down(config.channels, widths[0], config.stem_taps, config.patch, operations, **factory)
        self.levels = nn.ModuleList(
            Level(width, units, operations, **factory)
            for width, units in zip(widths, config.encoder_units, strict=True)
        )
        self.downs = nn.ModuleList(
            Down(a, b, 2 * stride, stride, operations, **factory)
            for (a, b), stride in zip(pairwise(widths), config.strides, strict=True)
        )
        self.head = Down(widths[-1], 2 * latent, 3, 1, operations, **factory)
        with torch.no_grad():
            self.head.conv.bias[latent:] = FIRST_LOG_VARIANCE
            self.head.conv.weight[: config.linear_channels] = 0
        self.linear = Analysis(config, operations, **factory) if config.linear_channels else None

    def forward(self, waveform_BCS: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, S), S a multiple of the hop -> mean and log variance, each (B, latent channels, S / hop)."""
        x = self.stem(waveform_BCS * LOUDNESS)
        for level, down in zip(self.levels, self.downs, strict=False):
            x = down(level(x))
        mean, log_variance = self.head(self.levels[-1](x)).chunk(2, dim=1)
        if self.linear is not None:
            lines = self.linear(waveform_BCS * LOUDNESS)
            mean = mean + F.pad(lines, (0, 0, 0, mean.shape[1] - lines.shape[1]))
        return mean, log_variance.clamp(-20, 10)

    @property
    def halo(self) -> int:
        """Samples beyond a latent frame's own that it hears, on either side."""
        reach = self.head.reach(0)
        for level, before in zip(self.levels[::-1], (*self.downs[::-1], self.stem), strict=True):
            reach = before.reach(level.reach(reach))
        return reach if self.linear is None else max(reach, (self.linear.hop + 1) // 2)


class Decoder(nn.Module):
    """Latent to waveform; local in time throughout."""

    def __init__(self, config: AudioCodecConfig, operations: ModuleType, **factory: Any) -> None:  # noqa: ANN401
        super().__init__()
        widths, units = config.decoder_widths[::-1], config.decoder_units[::-1]
        self.stem = Down(config.latent_channels, widths[0], TAPS, 1, operations, **factory)
        self.levels = nn.ModuleList(
            Level(width, count, operations, **factory) for width, count in zip(widths, units, strict=True)
        )
        self.ups = nn.ModuleList(
            Up(a, b, 2 * stride, stride, operations, **factory)
            for (a, b), stride in zip(pairwise(widths), config.strides[::-1], strict=True)
        )
        self.head = Up(widths[-1], config.channels, config.stem_taps, config.patch, operations, **factory)
        self.linear = Synthesis(config, operations, **factory) if config.linear_channels else None
        if self.linear is not None:
            start_silent(self.head.conv)

    def forward(self, latent_BCF: Tensor) -> Tensor:
        """(B, latent channels, F) -> (B, C, F * hop), surplus samples included."""
        x = self.stem(latent_BCF)
        for level, up in zip(self.levels, self.ups, strict=False):
            x = up(level(x))
        output = self.head(self.levels[-1](x))
        if self.linear is not None:
            output = output + self.linear(latent_BCF[:, : self.linear.pieces.in_features])
        return output / LOUDNESS

    @property
    def halo(self) -> int:
        """Latent frames that the sound of a span of them depends on, on either side."""
        reach = 0
        for level, after in zip(self.levels[::-1], (self.head, *self.ups[::-1]), strict=True):
            reach = level.reach(after.reach(reach))
        return max(self.stem.reach(reach), int(self.linear is not None))


class AudioCodec(nn.Module):
    """Waveform to normalized latent and back.

    ``latent_mean``, ``latent_scale`` and the companding (per channel, measured at the end of training) travel
    in the weights file, so that every consumer sees latents of mean 0 and deviation 1; companded ones have
    their middle, not their mean, at 0.
    """

    latent_mean: Tensor
    latent_scale: Tensor

    def __init__(
        self,
        config: AudioCodecConfig,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        operations: ModuleType = nn,  # type: ignore[assignment]
    ) -> None:
        super().__init__()
        factory = {"device": device, "dtype": dtype}
        self.config = config
        self.encoder = Encoder(config, operations, **factory)
        self.decoder = Decoder(config, operations, **factory)
        channels = (config.latent_channels, 1)
        self.register_buffer("latent_mean", torch.zeros(channels, device=device, dtype=torch.float32))
        self.register_buffer("latent_scale", torch.ones(channels, device=device, dtype=torch.float32))
        self.companding = Companding(config.latent_channels, device=device) if config.companded else None

    @property
    def grid(self) -> SoundGrid:
        """Samples per latent frame, and frames per second."""
        return self.config.grid

    def encode(self, waveform: Tensor) -> Tensor:
        """Compress a waveform to its normalized latent (the posterior's mean).

        Args:
            waveform: (B, 1, S), samples in -1..1 at 48 kHz; any S from 1. The last frame is filled up with
                silence.

        Returns:
            (B, 128, ceil(S / 1920)).

        Raises:
            GeometryError: no samples, or not the codec's channels.

        Source: Movie Gen, audio; filling up with silence is our choice.
        """
        channels, num_samples = waveform.shape[-2:]
        if channels != self.config.channels or not num_samples:
            raise GeometryError(
                f"a waveform of {channels} channels and {num_samples} samples cannot be encoded; it takes"
                f" {self.config.channels} and at least one sample: put the channels of stereo in the batch"
            )
        filled = F.pad(waveform, (0, self.grid.surplus_samples(num_samples)))
        return self.normalize(self.encoder(filled)[0])

    def decode(self, latent: Tensor, num_samples: int) -> Tensor:
        """Decompress a normalized latent and drop the surplus samples at the end.

        Args:
            latent: (B, 128, F), as ``encode`` returns it.
            num_samples: of the waveform, from 1920 (F - 1) + 1 to 1920 F.

        Returns:
            (B, 1, num_samples), about -1..1, not clamped.

        Source: Movie Gen, audio; ``check_samples`` refuses another number of samples.
        """
        self.check_samples(latent, num_samples)
        return self.decoder(self.denormalize(latent))[..., :num_samples]

    def check_samples(self, latent: Tensor, num_samples: int) -> None:
        """Refuse a number of samples that a latent does not hold.

        Args:
            latent: (B, 128, F).
            num_samples: from 1920 (F - 1) + 1 to 1920 F.

        Raises:
            GeometryError: fewer or more.
        """
        if self.grid.latent_frames(num_samples) != latent.shape[-1]:
            most = latent.shape[-1] * self.grid.hop
            raise GeometryError(
                f"a latent of {latent.shape[-1]} frames decodes to {most - self.grid.hop + 1}..{most}"
                f" samples, not {num_samples}"
            )

    def decode_span(self, latent: Tensor, start: int, stop: int) -> Tensor:
        """The samples of latent frames ``start`` to ``stop``, the same as if all had been decoded.

        Args:
            latent: (B, 128, F), all of it.
            start: first latent frame.
            stop: one past the last.

        Returns:
            (B, 1, 1920 (stop - start)).
        """
        first, last = max(0, start - self.decoder.halo), min(latent.shape[-1], stop + self.decoder.halo)
        wide = self.decoder(self.denormalize(latent[..., first:last]))
        return wide[..., (start - first) * self.grid.hop : (stop - first) * self.grid.hop]

    def normalize(self, raw_latent: Tensor) -> Tensor:
        """Raw latent to middle 0, deviation 1 per channel."""
        centred = raw_latent - self.latent_mean
        return (centred if self.companding is None else self.companding(centred)) / self.latent_scale

    def denormalize(self, latent: Tensor) -> Tensor:
        """The inverse of ``normalize``."""
        scaled = latent * self.latent_scale
        return (scaled if self.companding is None else self.companding.undo(scaled)) + self.latent_mean

    @torch.no_grad()
    def measure(self, raw_CN: Tensor) -> None:
        """Set the statistics by raw latents of sounds, (C, N)."""
        middle = raw_CN.mean(1) if self.companding is None else raw_CN.median(1).values
        self.latent_mean.copy_(middle[:, None])
        self.latent_scale.fill_(1)
        if self.companding is not None:
            self.companding.measure(raw_CN - self.latent_mean)
        self.latent_scale.copy_(self.normalize(raw_CN).std(1, keepdim=True))
