"""One contract for every upscaler: windows in time, tiles in space, colours of the source, an exact size.

Whatever makes frames larger is wrapped as an ``Upscaler``: our own model, a network of the ESRGAN family, a
generator at low noise, or a plain resampling filter. Everything around it is the same for all of them.
"""

# Shape letters: T frame, H row, W column.

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import GeometryError, SettingsError
from ..flow.windows import tiles
from ..geometry import FrameFit
from ..media.pixels import from_bytes, to_bytes
from ..media.resize import lanczos, place, resize
from .colour import CORRECTIONS
from .steadiness import Steadiness


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Where what an upscaler is given lies in the clip, so that neighbours can agree on their noise."""

    frame: int
    """Number of the first frame in the clip."""
    top: int
    """First row and column in the enlarged frame."""
    left: int
    height: int
    """Size of the enlarged piece."""
    width: int
    whole: tuple[int, int]
    """(height, width) of the whole enlarged frame."""


Enlarge = Callable[[Tensor, Piece], Tensor]
"""(3, T, h, w) in -1..1 and its place -> (3, T, height, width) of the piece."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upscaler:
    """Something that makes frames larger, and how it wants to be fed."""

    name: str
    enlarge: Enlarge
    content: str
    """Equal when the same comes out: name, settings, a hash of the weights."""
    factor: int | None = None
    """How many times larger each side becomes; None for what reaches any size in one go."""
    window: int = 8
    """Frames given at once."""
    overlap: int = 0
    """Frames that two windows share, over which one fades into the other; 0 for what works frame by frame."""
    tile: int = 0
    """Rows and columns given at once; 0 gives whole frames."""
    tile_overlap: int = 16
    """Rows and columns that two tiles share."""
    multiple: int = 1
    """Sides given are multiples of this; what is missing is repeated from the edge and cut off again."""
    bytes_per_pixel: float = 24.0
    """Memory that an enlarged pixel of a piece takes while it is made, roughly."""
    device: torch.device | str = "cpu"

    def __post_init__(self) -> None:
        if not 0 <= self.overlap < self.window:
            raise SettingsError(
                f"an overlap of {self.overlap} does not fit a window of {self.window} frames; use 0 to"
                f" {self.window - 1}"
            )
        if self.tile and not 0 <= self.tile_overlap < self.tile:
            raise SettingsError(
                f"tiles of {self.tile} pixels cannot share {self.tile_overlap}; use 0 to {self.tile - 1}"
            )

    @property
    def hop(self) -> int:
        """Frames from one window to the next."""
        return self.window - self.overlap

    def passes(self, factor: float) -> int:
        """How often it is applied to come nearest to a factor; the rest is resampled."""
        if self.factor is None:
            return 1
        return max(1, round(math.log(factor) / math.log(self.factor)))


def resampler(name: str, device: torch.device | str = "cpu") -> Upscaler:
    """A plain filter as upscaler.

    Args:
        name: "bicubic" or "lanczos".
        device: where it computes.

    Returns:
        It reaches any size, adds no detail and costs next to nothing.

    Raises:
        SettingsError: no such filter.
    """
    if name not in RESAMPLERS:
        raise SettingsError(f"filter {name!r} is unknown; use {' or '.join(RESAMPLERS)}")
    return Upscaler(name=name, enlarge=RESAMPLERS[name], content=name, device=device)


def _bicubic(clip: Tensor, piece: Piece) -> Tensor:
    return plainly(clip, piece.height, piece.width)


def _lanczos(clip: Tensor, piece: Piece) -> Tensor:
    return lanczos(clip, piece.height, piece.width)


RESAMPLERS: dict[str, Enlarge] = {"bicubic": _bicubic, "lanczos": _lanczos}


def plainly(clip: Tensor, height: int, width: int) -> Tensor:
    """Bicubic: what colours and numbers are compared with; (3, T, h, w) -> (3, T, height, width)."""
    if clip.shape[-2:] == (height, width):
        return clip
    frames = F.interpolate(
        clip.transpose(0, 1), (height, width), mode="bicubic", align_corners=False, antialias=True
    )
    return frames.transpose(0, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpscaleSettings:
    """What is made of each frame."""

    fit: FrameFit
    colour: str = "wavelet"
    """How colours are brought back to the source's: "wavelet", "lab" or "none"."""

    def __post_init__(self) -> None:
        if self.colour not in CORRECTIONS:
            raise SettingsError(
                f"colour correction {self.colour!r} is unknown; use one of {', '.join(CORRECTIONS)}"
            )


@torch.no_grad()
def upscale_window(
    upscaler: Upscaler, frames: Tensor, settings: UpscaleSettings, first_frame: int = 0
) -> Tensor:
    """Bring the frames of one window to the target size.

    Args:
        upscaler: makes them larger.
        frames: (T, h, w, 3) uint8.
        settings: target and colours.
        first_frame: number of the first of them in the clip.

    Returns:
        (T, H, W, 3) uint8 of exactly the target's size.
    """
    fit = settings.fit
    source = from_bytes(frames.to(upscaler.device)).permute(3, 0, 1, 2)
    made = source
    for _ in range(upscaler.passes(fit.factor)):
        made = enlarge_in_tiles(upscaler, made, fit.scaled, first_frame)
    pairs = zip(made.split(1, dim=1), source.split(1, dim=1), strict=True)
    return torch.cat([_finished(*pair, settings) for pair in pairs])


def _finished(made: Tensor, source: Tensor, settings: UpscaleSettings) -> Tensor:
    """One frame brought to size and colour: a window of large floats is the most that is worth holding."""
    fit, correct = settings.fit, CORRECTIONS[settings.colour]
    made = plainly(made, *fit.scaled)
    if correct is not None:
        made = correct(made, plainly(source, *fit.scaled))
    return to_bytes(place(made, *fit.target)).permute(1, 2, 3, 0).cpu().contiguous()


def enlarge_in_tiles(
    upscaler: Upscaler, clip: Tensor, scaled: tuple[int, int], first_frame: int = 0
) -> Tensor:
    """Apply an upscaler once, tile by tile where it asks for tiles.

    Args:
        upscaler: makes it larger.
        clip: (3, T, h, w) in -1..1.
        scaled: the size for an upscaler that reaches any; others give their factor's.
        first_frame: number of the first frame.

    Returns:
        (3, T, H, W), about -1..1.
    """
    height, width = clip.shape[-2:]
    if upscaler.factor is None:
        piece = Piece(frame=first_frame, top=0, left=0, height=scaled[0], width=scaled[1], whole=scaled)
        return _checked(upscaler, upscaler.enlarge(clip, piece), clip.shape[1], piece)
    side = upscaler.tile or max(height, width)
    factor, whole = upscaler.factor, None
    overlap = min(upscaler.tile_overlap, side - 1)
    for tile in tiles(height, width, side, overlap, scale=factor):
        part = _padded_enlarge(
            upscaler, tile.cut(clip), (tile.rows.start, tile.columns.start), first_frame, clip
        )
        whole = part.new_zeros(3, clip.shape[1], factor * height, factor * width) if whole is None else whole
        tile.add(whole, part)
    assert whole is not None
    return whole


def _padded_enlarge(
    upscaler: Upscaler, part: Tensor, corner: tuple[int, int], first_frame: int, clip: Tensor
) -> Tensor:
    """One tile, made up to whole multiples and cut back."""
    assert upscaler.factor is not None
    factor, (rows, columns) = upscaler.factor, part.shape[-2:]
    padding = (0, -columns % upscaler.multiple, 0, -rows % upscaler.multiple)
    padded = F.pad(part, padding, mode="replicate") if any(padding) else part
    piece = Piece(
        frame=first_frame,
        top=factor * corner[0],
        left=factor * corner[1],
        height=factor * padded.shape[-2],
        width=factor * padded.shape[-1],
        whole=(factor * clip.shape[-2], factor * clip.shape[-1]),
    )
    made = _checked(upscaler, upscaler.enlarge(padded, piece), clip.shape[1], piece)
    return made[..., : factor * rows, : factor * columns]


def _checked(upscaler: Upscaler, made: Tensor, num_frames: int, piece: Piece) -> Tensor:
    wanted = (3, num_frames, piece.height, piece.width)
    if tuple(made.shape) != wanted:
        raise GeometryError(
            f"the upscaler {upscaler.name} gave {tuple(made.shape)} where {wanted} was asked for; its factor"
            f" is said to be {upscaler.factor}"
        )
    return made.float()


@dataclass(slots=True, kw_only=True)
class Place:
    """How far a clip is upscaled: all that is needed to go on from there."""

    start: int = 0
    """Source frame with which the next window begins."""
    made: int = 0
    """Frames finished."""
    tail: Tensor | None = None
    """Frames of the last window that still fade into the next one: (T, H, W, 3) uint8."""
    steadiness: Steadiness
    is_done: bool = False

    @classmethod
    def begin(cls) -> "Place":
        """At the first frame."""
        return cls(steadiness=Steadiness())


def upscale_stream(
    upscaler: Upscaler, frames: Iterable[Tensor], settings: UpscaleSettings, at: Place | None = None
) -> Iterator[tuple[Tensor, Place]]:
    """Upscale a clip window by window; what is in memory does not depend on its length.

    Args:
        upscaler: makes frames larger.
        frames: (h, w, 3) uint8 each, from source frame ``at.start`` on.
        settings: target and colours.
        at: how far the clip is upscaled already; it is not changed. The beginning when None.

    Yields:
        Finished frames, (T, H, W, 3) uint8, and the place behind them.
    """
    at = at or Place.begin()
    for window, is_last in windows_of(frames, upscaler.window, upscaler.overlap):
        made = _faded(at.tail, upscale_window(upscaler, window, settings, at.start))
        count = len(made) if is_last else upscaler.hop
        finished = made[:count]
        steadiness = replace(at.steadiness, sums={k: replace(v) for k, v in at.steadiness.sums.items()})
        edges = tile_edges(upscaler, settings.fit)
        _compare(steadiness, finished, window[:count], settings.fit, edges, is_first=at.made == 0)
        at = Place(
            start=at.start + upscaler.hop,
            made=at.made + count,
            tail=None if is_last or not upscaler.overlap else made[count:].clone(),
            steadiness=steadiness,
            is_done=is_last,
        )
        yield finished, at


def tile_edges(upscaler: Upscaler, fit: FrameFit) -> tuple[list[int], list[int]]:
    """Rows and columns of the source with which a tile begins, or after which one ends."""
    if upscaler.factor is None or not upscaler.tile:
        return [], []
    places = tiles(*fit.source, upscaler.tile, min(upscaler.tile_overlap, upscaler.tile - 1))
    rows = {edge for tile in places for edge in (tile.rows.start, tile.rows.stop)}
    columns = {edge for tile in places for edge in (tile.columns.start, tile.columns.stop)}
    return sorted(rows - {0, fit.source[0]}), sorted(columns - {0, fit.source[1]})


def windows_of(frames: Iterable[Tensor], window: int, overlap: int) -> Iterator[tuple[Tensor, bool]]:
    """Overlapping windows of a stream, and whether one is the last; that one too brings a new frame."""
    source, held = iter(frames), []
    while True:
        held += islice(source, window - len(held))
        following = next(source, None)
        if held:
            yield torch.stack(held), following is None
        if following is None:
            return
        held = [*held[window - overlap :], following]


def _faded(tail: Tensor | None, made: Tensor) -> Tensor:
    """Let the frames of the window before fade into those of this one, over all that they share."""
    if tail is None:
        return made
    count = len(tail)
    rising = (torch.arange(1, count + 1) / (count + 1)).view(-1, 1, 1, 1)
    mixed = tail.float() * (1 - rising) + made[:count].float() * rising
    return torch.cat([mixed.round().to(torch.uint8), made[count:]])


def _compare(
    steadiness: Steadiness,
    made: Tensor,
    source: Tensor,
    fit: FrameFit,
    edges: tuple[list[int], list[int]],
    *,
    is_first: bool,
) -> None:
    """Count finished frames, brought back to the source's size; borders of a padded frame are left out."""
    inner = _inside(made, fit)
    rows, columns = (
        round(side * min(1.0, want / have))
        for side, want, have in zip(fit.source, fit.target, fit.scaled, strict=True)
    )
    top, left = (fit.source[0] - rows) // 2, (fit.source[1] - columns) // 2
    seen = _there_and_back(source)[:, top : top + rows, left : left + columns]
    shown = [edge - top for edge in edges[0]], [edge - left for edge in edges[1]]
    steadiness.add(resize(inner, rows, columns), seen, borders=() if is_first else (0,), edges=shown)


def _there_and_back(frames: Tensor) -> Tensor:
    """Enlarged plainly and shrunk again, which alone makes pictures a little softer, and so steadier."""
    height, width = frames.shape[1:3]
    return resize(resize(frames, 2 * height, 2 * width), height, width)


def _inside(made: Tensor, fit: FrameFit) -> Tensor:
    for dim, have, want in ((1, fit.scaled[0], fit.target[0]), (2, fit.scaled[1], fit.target[1])):
        made = made.narrow(dim, (want - have) // 2, have) if have < want else made
    return made
