"""A clip as it will roughly look, straight from its latent: one linear map per latent cell.

A cell becomes 8 frames of 2x2 pixels, so that a preview moves at the clip's own rate. The map is fitted to an
autoencoder by least squares on what it makes of colourful moving pictures; another autoencoder, another fit.
"""

# Shape letters: B clip, C channel, T latent frame, H row, W column, F P Q frame, row, column in a cell.

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..moviegen_core.media.pixels import to_bytes
from ..moviegen_core.models.tae import TemporalAutoencoder

DETAIL = 2
"""Preview pixels per side of a latent cell."""
EXAMPLES, EXAMPLE_CELLS = 8, (2, 8, 8)
"""Clips a fit looks at, and their latent (frames, rows, columns)."""
OCTAVES = ((2, 0.8), (8, 0.4), (24, 0.25))
"""Patches down a side, and their strength: without the fine ones a fit sees large shapes in fine texture."""
RIDGE = 1e-3
"""Keeps the fit calm where the examples say little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewFactors:
    """How a latent cell turns into pixels in -1..1."""

    weight: Tensor
    """(C, frames, DETAIL, DETAIL, 3)."""
    bias: Tensor
    """(frames, DETAIL, DETAIL, 3)."""

    def frames(self, latent_CTHW: Tensor) -> Tensor:
        """(C, T, H, W) -> (T * frames, H * DETAIL, W * DETAIL, 3), uint8 on the CPU."""
        weight, bias = self.weight.to(latent_CTHW.device), self.bias.to(latent_CTHW.device)
        x = torch.einsum("cthw,cfpqr->tfhpwqr", latent_CTHW.float(), weight) + bias[:, None, :, None, :]
        return to_bytes(x.flatten(4, 5).flatten(2, 3).flatten(0, 1)).cpu()

    def mean(self) -> tuple[list[list[float]], list[float]]:
        """One colour per cell: red, green and blue of each channel, and those of a zero cell."""
        return self.weight.mean((1, 2, 3)).tolist(), self.bias.mean((0, 1, 2)).tolist()


@torch.no_grad()
def fit_preview(tae: TemporalAutoencoder) -> PreviewFactors:
    """Fit the map to an autoencoder.

    Args:
        tae: any; float32 on the CPU.

    Returns:
        The factors; the same for the same autoencoder.
    """
    grid = tae.grid
    clips_BCTHW = example_clips(grid.frames, grid.height)
    cells_NC = tae.encode(clips_BCTHW).float().permute(0, 2, 3, 4, 1).flatten(0, 3)
    known_NC = torch.cat([cells_NC, torch.ones_like(cells_NC[:, :1])], dim=1).double()
    wanted_NP = _pixels_of_cells(clips_BCTHW, grid.frames, grid.height).double()
    squares = known_NC.T @ known_NC + RIDGE * len(known_NC) * torch.eye(known_NC.shape[1])
    solved = torch.linalg.solve(squares, known_NC.T @ wanted_NP).float()
    table = solved.unflatten(1, (grid.frames, DETAIL, DETAIL, 3))
    return PreviewFactors(weight=table[:-1], bias=table[-1])


def example_clips(frames: int, side: int) -> Tensor:
    """Coloured patches of all sizes that drift, each clip at its own pace: (B, 3, T, H, W) in -1..1."""
    generator = torch.Generator().manual_seed(0)
    T, H, W = EXAMPLE_CELLS[0] * frames, EXAMPLE_CELLS[1] * side, EXAMPLE_CELLS[2] * side
    return torch.stack(
        [
            sum(_drifting(T, H, W, index, octave, generator) for octave in OCTAVES).clamp(-1, 1)
            for index in range(EXAMPLES)
        ]
    )


def _drifting(
    T: int, H: int, W: int, index: int, octave: tuple[int, float], generator: torch.Generator
) -> Tensor:
    patches, strength = octave
    colours = (torch.rand(1, 3, patches, 2 * patches, generator=generator) * 2 - 1) * strength
    mode = "nearest" if index % 2 else "bicubic"
    wide = F.interpolate(colours, size=(H, 2 * W), mode=mode)[0].clamp(-1, 1)
    pace = 2 * index / EXAMPLES
    return torch.stack([wide[:, :, round(pace * t) : round(pace * t) + W] for t in range(T)], dim=1)


def _pixels_of_cells(clips_BCTHW: Tensor, frames: int, side: int) -> Tensor:
    """What each cell should show: (cells, frames * DETAIL * DETAIL * 3)."""
    small = F.avg_pool3d(clips_BCTHW, (1, side // DETAIL, side // DETAIL))
    B, C, T, H, W = small.shape
    cells = small.view(B, C, T // frames, frames, H // DETAIL, DETAIL, W // DETAIL, DETAIL)
    return cells.permute(0, 2, 4, 6, 3, 5, 7, 1).flatten(4).flatten(0, 3)
