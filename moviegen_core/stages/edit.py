"""Edit a video file: work at the model's size, then lay only what changed over the source at its own size."""

# Shape letters: T frame, H row, W column, C channel.

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice, repeat
from pathlib import Path

import torch
from torch import Tensor

from ..geometry import ClipShape, frames_for
from ..media.read import frames
from ..media.resize import resize
from ..media.write import clip_from_frames, frames_from_clip
from ..models.video import VideoTransformerConfig
from .generate import TextToVideo
from .locality.change import find_change
from .locality.files import Composited, Pairs, clip_shape, composite_over, composite_target, read_mask
from .locality.matte import DEFAULTS, MatteSettings, mattes
from .reconstruct import reconstruct

AUTO, EVERYTHING = "auto", "none"
"""What ``keep`` may say beside the path of a mask: find the change, or show the edit everywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Locality:
    """Where an edit shows."""

    keep: str = AUTO
    """"auto", "none", or the path of a mask: white where the edit shows."""
    settings: MatteSettings = DEFAULTS
    """Of the automatic matte."""


def working_shape(models: TextToVideo, source: ClipShape, size: tuple[int, int] | None = None) -> ClipShape:
    """The clip that a model edits in place of a source: its length, at a size the model knows.

    Args:
        models: decide which sizes are legal, and which they have learned.
        source: what was given; longer than MAX_SECONDS is refused with a GeometryError.
        size: (height, width) wanted; the source's aspect at the largest side learned, or smaller, when None.

    Returns:
        Size, length and rate to work at.
    """
    frames_for(source.seconds, source.fps)  # refuses what is too long
    if size is None:
        side = _learned_side(models.video.config) * models.multiple
        scale = min(1.0, side / max(source.height, source.width))
        multiple = models.multiple
        size = tuple(max(1, round(x * scale / multiple)) * multiple for x in (source.height, source.width))  # type: ignore[assignment]
    return replace(source, height=size[0], width=size[1])


def _learned_side(config: VideoTransformerConfig) -> int:
    return max(config.table_sizes[1:])


def edit_file(
    models: TextToVideo,
    source: Path | str,
    path: Path | str,
    change: Callable[[Tensor, ClipShape], Tensor],
    *,
    size: tuple[int, int] | None = None,
    locality: Locality = Locality(),
    on_frame: Callable[[], None] = lambda: None,
) -> Composited:
    """Edit a file with any model and write it at its own size, rate and length, with its sound.

    The change is looked for between the edit and the source's own reconstruction at the working size: what
    the autoencoder loses is in both, so it is not taken for a change.

    Args:
        models: the autoencoder that looks, and the size to work at.
        source: a video or picture of at most 64 seconds.
        path: ends in .mp4, .mkv or .png.
        change: takes a clip (3, T, H, W) in -1..1 and its shape, and returns it edited.
        size: (height, width) to work at; see ``working_shape``.
        locality: where the edit shows.
        on_frame: called after each frame composited and each checked; raising in it stops the work.

    Returns:
        What was written, with its report.
    """
    path, whole = composite_target(path), clip_shape(source)
    shape = working_shape(models, whole, size)
    if locality.keep not in (AUTO, EVERYTHING):
        read_mask(locality.keep, whole, whole.num_frames)  # refuses a wrong one before the work
    clip = _read(source, shape)
    edited = frames_from_clip(change(clip, shape))

    def edits() -> Iterator[Tensor]:
        return (resize(frame[None], whole.height, whole.width)[0] for frame in edited)

    def ways(pairs: Pairs) -> Iterator[Tensor]:  # noqa: ARG001 - the change is found at the working size
        if locality.keep == EVERYTHING:
            return repeat(torch.full((whole.height, whole.width), 255, dtype=torch.uint8))
        if locality.keep != AUTO:
            return read_mask(locality.keep, whole, whole.num_frames)
        before = frames_from_clip(reconstruct(models.tae, clip.to(models.device)).cpu())
        return mattes(find_change(zip(before, edited, strict=True), models.tae), locality.settings)

    return composite_over(
        source, edits, ways, path, num_frames=whole.num_frames, name="edit", on_frame=on_frame
    )


def _read(source: Path | str, shape: ClipShape) -> Tensor:
    """The clip at its working size, (3, T, H, W) in -1..1; frames are shrunk one by one."""
    shown = islice(frames(source, fps=shape.fps), shape.num_frames)
    small = torch.cat([resize(frame[None], shape.height, shape.width) for frame in shown])
    missing = shape.num_frames - len(small)
    small = torch.cat([small, small[-1:].expand(missing, -1, -1, -1)]) if missing else small
    return clip_from_frames(small)[0]
