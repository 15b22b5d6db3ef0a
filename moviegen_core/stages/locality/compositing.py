"""A whole clip composited frame by frame, in memory or streamed, and what was kept of the source."""

# Shape letters: T frame, H row, W column, C channel.

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ...models.tae import TemporalAutoencoder
from .change import find_change
from .composite import composite, matte_bytes
from .matte import DEFAULTS, MatteSettings, mattes
from .report import LocalityReport, OutsideError, matte_picture


class Compositing:
    """Source and edit under their mattes, to be streamed once; mattes are kept packed for a second look."""

    def __init__(
        self, pairs: Iterable[tuple[Tensor, Tensor]], ways: Iterable[Tensor], num_frames: int
    ) -> None:
        self._pairs, self._ways, self._picked = pairs, ways, {0, num_frames // 2, num_frames - 1}
        self._alone, self._together = OutsideError(), OutsideError()
        self._packed: list[tuple[bytes, torch.Size]] = []
        self._shown: list[tuple[Tensor, Tensor]] = []

    def frames(self) -> Iterator[Tensor]:
        """Composite, one frame after the other, (H, W, 3) uint8."""
        for (source, edit), way in zip(self._pairs, self._ways, strict=False):
            matte = way if way.dtype == torch.uint8 else matte_bytes(way, *source.shape[:2])
            result = composite(source, edit, matte)
            self._alone.add(source, edit, matte)
            self._together.add(source, result, matte)
            if len(self._packed) in self._picked:
                self._shown.append((result, matte))
            self._packed.append((zlib.compress(matte.numpy().tobytes(), 1), matte.shape))
            yield result

    def mattes(self) -> Iterator[Tensor]:
        """The mattes of the frames composited so far, in order, (H, W) uint8."""
        for packed, size in self._packed:
            yield torch.frombuffer(bytearray(zlib.decompress(packed)), dtype=torch.uint8).view(size)

    def report(self) -> LocalityReport:
        """Of the frames composited so far; as if no codec lost anything."""
        return LocalityReport(
            num_frames=len(self._packed),
            share_kept=self._together.share_kept,
            psnr_outside_before=self._alone.psnr,
            psnr_outside=self._together.psnr,
            psnr_outside_file=self._together.psnr,
        )

    def picture(self) -> Tensor:
        """The first, the middle and the last frame with their mattes; see ``matte_picture``."""
        return matte_picture(*(list(part) for part in zip(*self._shown, strict=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalClip:
    """A composited clip in memory."""

    frames: Tensor
    """(T, H, W, 3) uint8."""
    mattes: Tensor
    """(T, H, W) uint8, 0 where the source stays."""
    report: LocalityReport
    picture: Tensor


def composite_clip(
    source_THWC: Tensor,
    edited_THWC: Tensor,
    *,
    settings: MatteSettings = DEFAULTS,
    mask_THW: Tensor | None = None,
    tae: TemporalAutoencoder | None = None,
) -> LocalClip:
    """Lay what changed in an edited clip over its source.

    Clips of different shapes are refused with a GeometryError.

    Args:
        source_THWC: (T, H, W, 3) uint8.
        edited_THWC: the same shape.
        settings: of the automatic matte.
        mask_THW: (T, H, W) uint8 of the artist's, 0 where the source stays; it replaces the automatic matte.
        tae: looks for the change along with the pixels.

    Returns:
        The clip, its mattes and the report.
    """
    pairs = list(zip(source_THWC, edited_THWC, strict=True))
    ways = mattes(find_change(pairs, tae), settings) if mask_THW is None else mask_THW
    whole = Compositing(pairs, ways, len(pairs))
    frames = torch.stack(list(whole.frames()))
    return LocalClip(
        frames=frames,
        mattes=torch.stack(list(whole.mattes())),
        report=whole.report(),
        picture=whole.picture(),
    )
