"""Where an edited clip differs from its source: by pixels and by what an autoencoder sees.

A pixel difference is sharp but fooled by every softening that another model's decoder leaves on edges; a
difference of latents is coarse but hardly sees those. The square root of their product has the sharpness of
the one and the calm of the other (both scales and the product are our choice, found on theatre edits).
"""

# Shape letters: T frame, H row, W column, C channel.

import math
import tempfile
from collections.abc import Iterable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from ...errors import GeometryError
from ...media.pixels import from_bytes
from ...media.resize import pad_to_multiple
from ...models.tae import TemporalAutoencoder

ANALYSIS_SIDE = 320
"""Frames are compared at this long side at most: mattes are smooth, and memory stays small."""
LATENT_SIDE = 192
"""Long side at which the autoencoder looks: what nano learned on."""
WINDOW_FRAMES = 32
"""Frames that are compared at once; a multiple of what a latent frame holds."""
MAX_DRIFT = 0.03
"""Shift of a colour channel, of 0..1, that is taken for a decoder's drift and not for a change."""
DRIFT_PIXELS = 4096
ALIKE = 8.0
"""A latent difference per pixel difference, as it is inside of changes: what stands in without a TAE."""


def analysis_size(height: int, width: int, long_side: int = ANALYSIS_SIDE) -> tuple[int, int]:
    """(height, width) with the same aspect whose longer side is at most ``long_side``."""
    scale = min(1.0, long_side / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def shrunk(frames_THWC: Tensor, size: tuple[int, int]) -> Tensor:
    """Frames of (T, H, W, 3) uint8 at a smaller size, antialiased, as (T, 3, h, w) uint8."""
    frames_TCHW = frames_THWC.movedim(-1, 1)
    if frames_TCHW.shape[-2:] == size:
        return frames_TCHW
    return F.interpolate(frames_TCHW, size, mode="bilinear", align_corners=False, antialias=True)


def pixel_change(source_TCHW: Tensor, edited_TCHW: Tensor) -> Tensor:
    """Largest difference of the colour channels, drift taken off, lightly smoothed.

    Args:
        source_TCHW: (T, 3, H, W) uint8.
        edited_TCHW: the same shape.

    Returns:
        (T, H, W) in 0..1.
    """
    difference = (edited_TCHW.float() - source_TCHW.float()) / 255
    difference = difference - _drift(difference)
    padded = F.pad(difference, (1, 1, 1, 1), mode="replicate")
    return F.avg_pool2d(padded, 3, 1).abs().amax(1)


def _drift(difference_TCHW: Tensor) -> Tensor:
    """Mean shift of the half of each frame that changed least, (T, 3, 1, 1), small or cut off."""
    values = difference_TCHW.flatten(2)
    values = values[:, :, :: max(1, values.shape[2] // DRIFT_PIXELS)]
    order = values.abs().sum(1, keepdim=True).argsort(dim=2)[:, :, : max(1, values.shape[2] // 2)]
    calm = values.gather(2, order.expand(-1, values.shape[1], -1))
    return calm.mean(2)[:, :, None, None].clamp(-MAX_DRIFT, MAX_DRIFT)


@torch.no_grad()
def latent_change(tae: TemporalAutoencoder, source_TCHW: Tensor, edited_TCHW: Tensor) -> Tensor:
    """Root mean square difference of the latents, whose channels have a spread of one.

    Args:
        tae: sees the clips; on any device.
        source_TCHW: (T, 3, H, W) uint8.
        edited_TCHW: the same shape.

    Returns:
        (T, H, W), float32 on the CPU; 0 where both are the same.
    """
    height, width = source_TCHW.shape[-2:]
    size = analysis_size(height, width, LATENT_SIDE)
    first, second = (_latent(tae, clip, size) for clip in (source_TCHW, edited_TCHW))
    cells_THW = (first - second).square().mean(1).sqrt()[0].cpu()
    rows, columns = (side * tae.grid.height for side in cells_THW.shape[1:])
    wide = F.interpolate(cells_THW[:, None], (rows, columns), mode="bilinear", align_corners=False)
    wide = wide[:, :, : size[0], : size[1]]
    wide = F.interpolate(wide, (height, width), mode="bilinear", align_corners=False)[:, 0]
    return wide.repeat_interleave(tae.grid.frames, dim=0)[: source_TCHW.shape[0]]


def _latent(tae: TemporalAutoencoder, frames_TCHW: Tensor, size: tuple[int, int]) -> Tensor:
    clip = from_bytes(shrunk(frames_TCHW.movedim(1, -1), size)).movedim(0, 1)[None]
    device = next(tae.parameters()).device
    return tae.encode(pad_to_multiple(clip.to(device), tae.grid.height)).float()


def change(source_THWC: Tensor, edited_THWC: Tensor, tae: TemporalAutoencoder | None = None) -> Tensor:
    """How much each place of a window of frames differs.

    Args:
        source_THWC: (T, H, W, 3) uint8.
        edited_THWC: the same shape.
        tae: looks along; without one pixels decide alone.

    Returns:
        (T, h, w) uint8 at analysis size, 0 for no difference and 255 for the largest.

    Raises:
        GeometryError: the two have different shapes.
    """
    if source_THWC.shape != edited_THWC.shape:
        raise GeometryError(
            f"frames of {tuple(source_THWC.shape)} and {tuple(edited_THWC.shape)} cannot be compared;"
            " align the clips first"
        )
    size = analysis_size(*source_THWC.shape[1:3])
    source, edited = shrunk(source_THWC, size), shrunk(edited_THWC, size)
    pixels = pixel_change(source, edited)
    latents = ALIKE * pixels if tae is None else latent_change(tae, source, edited)
    return ((pixels * latents).sqrt() * 255).round_().clamp_(0, 255).to(torch.uint8)


class ChangeMaps:
    """The change of every frame of a clip, kept in a temporary file: memory does not grow with length."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the maps
        self._size = (0, 0)
        self.num_frames = 0

    def add(self, maps_THW: Tensor) -> None:
        """Append the maps of the next frames."""
        self._size = tuple(maps_THW.shape[1:])  # type: ignore[assignment]
        self._file.seek(0, 2)
        self._file.write(maps_THW.contiguous().numpy().tobytes())
        self.num_frames += len(maps_THW)

    def window(self, start: int, stop: int) -> Tensor:
        """Maps of frames ``start`` to ``stop`` that there are, (T, h, w) uint8."""
        start, stop = max(0, start), min(stop, self.num_frames)
        frame = math.prod(self._size)
        self._file.seek(start * frame)
        raw = bytearray(self._file.read((stop - start) * frame))
        return torch.frombuffer(raw, dtype=torch.uint8).view(stop - start, *self._size)

    def histogram(self) -> Tensor:
        """How often each of the 256 values occurs in all frames."""
        counts = torch.zeros(256, dtype=torch.int64)
        for start in range(0, self.num_frames, WINDOW_FRAMES):
            counts += torch.bincount(self.window(start, start + WINDOW_FRAMES).flatten(), minlength=256)
        return counts


def find_change(pairs: Iterable[tuple[Tensor, Tensor]], tae: TemporalAutoencoder | None = None) -> ChangeMaps:
    """Compare two clips frame by frame, a window at a time.

    Args:
        pairs: a source frame and the edited one each, (H, W, 3) uint8 of one size.
        tae: looks along; without one pixels decide alone.

    Returns:
        The maps.

    Raises:
        GeometryError: there is no frame, or sizes differ.
    """
    maps = ChangeMaps()
    for source, edited in _windows(pairs):
        maps.add(change(source, edited, tae))
    if not maps.num_frames:
        raise GeometryError("there is no frame to compare; give clips of at least one")
    return maps


def _windows(pairs: Iterable[tuple[Tensor, Tensor]]) -> Iterator[tuple[Tensor, Tensor]]:
    held: list[tuple[Tensor, Tensor]] = []
    for pair in pairs:
        held.append(pair)
        if len(held) == WINDOW_FRAMES:
            yield _stacked(held)
            held = []
    if held:
        yield _stacked(held)


def _stacked(pairs: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    sources, edits = zip(*pairs, strict=True)
    if len({frame.shape for frame in (*sources, *edits)}) > 1:
        raise GeometryError(
            f"frames of {tuple(sources[0].shape)} and {tuple(edits[0].shape)} cannot be compared;"
            " align the clips first"
        )
    return torch.stack(sources), torch.stack(edits)
