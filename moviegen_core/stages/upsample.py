"""Our own upsampler behind the contract of all upscalers: few steps, windows blended at every one of them."""

# Shape letters: B clip, C channel, T frame, H row, W column.

from collections import OrderedDict
from pathlib import Path

import torch
from torch import Tensor

from ..flow.schedule import linear_times
from ..flow.solver import integrate_euler
from ..flow.windows import multi_diffusion, spread_windows
from ..models.upsampler import Upsampler
from ..weights.files import load_model
from .content import file_key
from .generate import fast_dtype
from .settings import UpsampleSettings
from .upscale import Piece, Upscaler

OVERLAP = 4
"""Frames that two windows share (Movie Gen)."""
WINDOWS_AT_ONCE = 2
"""Windows blended at every step; beyond them finished frames fade into each other."""
TILE_OVERLAP = 4
"""Source pixels that two tiles share; 8 cost a third more time for 0.05 dB."""
LIVE_TENSORS = 8
"""How many tensors of the widest layers live at once at the peak, about."""
NOISE_KEPT = 32
"""Frames of noise kept for the next tile."""


class FrameNoise:
    """Noise that belongs to places of a clip: every tile and window that sees a cell sees the same there."""

    def __init__(self, channels: int, seed: int) -> None:
        self.channels, self.seed = channels, seed
        self.kept: OrderedDict[tuple[int, int, int], Tensor] = OrderedDict()

    def cut(self, first: int, count: int, whole: tuple[int, int], rows: slice, columns: slice) -> Tensor:
        """(C, count, rows, columns) of a clip whose frames have ``whole`` cells; past the edge it repeats."""
        down = torch.arange(rows.start, rows.stop) % whole[0]
        across = torch.arange(columns.start, columns.stop) % whole[1]
        frames = [self._frame(first + index, whole)[:, down][:, :, across] for index in range(count)]
        return torch.stack(frames, dim=1)

    def _frame(self, number: int, whole: tuple[int, int]) -> Tensor:
        key = (number, *whole)
        if key not in self.kept:
            generator = torch.Generator().manual_seed(hash((self.seed, number)) % 2**63)
            self.kept[key] = torch.randn(self.channels, *whole, generator=generator)
        self.kept.move_to_end(key)
        while len(self.kept) > NOISE_KEPT:
            self.kept.popitem(last=False)
        return self.kept[key]


def neural_upscaler(
    model: Upsampler, *, name: str, content: str, settings: UpsampleSettings | None = None
) -> Upscaler:
    """Our upsampler as one of the upscalers that the contract drives.

    Args:
        model: loaded, on its device.
        name: what to call it.
        content: a hash of its weights.
        settings: steps and seed.

    Returns:
        It doubles (its config's factor), tile by tile, some windows at once.
    """
    settings, config = settings or UpsampleSettings(), model.config
    span, rows = config.table_sizes[0], config.table_sizes[1] * config.token_patch[1]
    noise = FrameNoise(config.latent_channels, settings.seed)
    pixels = config.frames.grid.height * config.frames.grid.width
    return Upscaler(
        name=name,
        enlarge=lambda clip, piece: add_detail(model, clip, piece, noise, settings.num_steps),
        content=f"{content} {settings.num_steps} {settings.seed}",
        factor=config.factor,
        window=span + (WINDOWS_AT_ONCE - 1) * (span - OVERLAP),
        overlap=OVERLAP,
        tile=rows * config.frames.grid.height // config.factor,
        tile_overlap=TILE_OVERLAP,
        multiple=config.multiple,
        bytes_per_pixel=4.0 * LIVE_TENSORS * (max(config.decoder_widths) + config.width) / pixels,
        device=model.residual_scale.device,
    )


@torch.no_grad()
def add_detail(model: Upsampler, clip: Tensor, piece: Piece, noise: FrameNoise, num_steps: int) -> Tensor:
    """Enlarge one tile: plainly, to latents, from noise to what could have been, back to pixels.

    Args:
        model: the upsampler.
        clip: (3, T, h, w) in -1..1.
        piece: where it lies.
        noise: of the whole clip.
        num_steps: of the solver.

    Returns:
        (3, T, factor h, factor w).

    Source: Movie Gen, spatial upsampler.
    """
    grid, length = model.config.frames.grid, clip.shape[1]
    with in_fast_dtype(clip.device):
        low = model.frames.encode(model.enlarged(clip[None])).float()
    rows = slice(piece.top // grid.height, (piece.top + piece.height) // grid.height)
    columns = slice(piece.left // grid.width, (piece.left + piece.width) // grid.width)
    whole = (-(-piece.whole[0] // grid.height), -(-piece.whole[1] // grid.width))
    start = noise.cut(piece.frame, length, whole, rows, columns)[None].to(low)

    def velocity(x_BCTHW: Tensor, t_B: Tensor, place: slice) -> Tensor:
        return model(x_BCTHW, t_B, low[:, :, place])

    windows = spread_windows(length, model.config.table_sizes[0], OVERLAP)
    steps = linear_times(num_steps)
    with in_fast_dtype(clip.device):
        latent = integrate_euler(multi_diffusion(velocity, windows, length, dim=-3), start, steps)
        return model.frames.decode(latent, length)[0].float()


def in_fast_dtype(device: torch.device) -> torch.autocast:
    """Matrix products and convolutions in what the device is fastest at; latents and sums stay float32."""
    dtype = fast_dtype(device)
    return torch.autocast(device.type, dtype, enabled=dtype != torch.float32)


def open_upscaler(path: Path, *, device: torch.device | str, settings: UpsampleSettings) -> Upscaler:
    """An upscaler of a weights file of ours; a broken file, or one of another role, is refused."""
    model = load_model(path, "upsampler", device=device)
    return neural_upscaler(model, name=path.stem, content=file_key(path), settings=settings)  # type: ignore[arg-type]
