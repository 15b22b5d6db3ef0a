"""What has to be known of a video before long work on it: what it holds, and what of it cannot be kept."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from PIL import Image

from ..errors import MediaError
from .images import is_picture
from .picture_time import picture_time
from .read import ClipInfo, checked_file, opened, probe, video_stream

HDR_TRANSFERS = {16: "PQ", 18: "HLG"}
"""AVColorTransferCharacteristic numbers of high dynamic range."""
BYTE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A video or picture that is to be worked on."""

    path: Path
    info: ClipInfo
    fps: Fraction
    """Of the frames that ``frames`` gives."""
    start: Fraction
    """Seconds on the container's clock at which the first picture is shown."""
    has_sound: bool
    notes: tuple[str, ...]
    """What is changed or lost when the frames are read as 8-bit RGB, a sentence part each."""

    @property
    def num_frames(self) -> int | None:
        """As far as the container tells."""
        if self.info.num_frames:
            return self.info.num_frames
        return None if self.info.seconds is None else max(1, round(self.info.seconds * self.fps))


def open_source(path: str | Path) -> Source:
    """Look at a video or picture without decoding it all.

    Args:
        path: the file.

    Returns:
        What it is.

    Raises:
        MediaError: not readable, or in high dynamic range, which 8 bits cannot hold.
    """
    path = checked_file(path)
    info = probe(path)
    if is_picture(path):
        return Source(
            path=path, info=info, fps=info.fps, start=Fraction(0), has_sound=False, notes=_picture_notes(path)
        )
    time = picture_time(path)
    with opened(path) as container:
        context = video_stream(container, path).codec_context
        transfer = HDR_TRANSFERS.get(int(context.color_trc or 0))
        if transfer:
            raise MediaError(
                f"{path} is in high dynamic range ({transfer}), which would come out dull; convert it to SDR"
                " (bt709) first"
            )
        notes = _format_notes(context.format)
        has_sound = bool(container.streams.audio)
    if time.fps is None:
        notes += (f"its variable rate becomes constant, {float(info.fps):.5g} frames a second",)
    return Source(path=path, info=info, fps=info.fps, start=time.start, has_sound=has_sound, notes=notes)


def _format_notes(pixel_format: object) -> tuple[str, ...]:
    """What of a pixel format 8-bit RGB cannot hold."""
    components = getattr(pixel_format, "components", ())
    bits = max((component.bits for component in components), default=BYTE)
    notes = (f"its {bits}-bit pictures become 8-bit",) if bits > BYTE else ()
    has_alpha = any(component.is_alpha for component in components)
    return (*notes, "its transparency is dropped") if has_alpha else notes


def _picture_notes(path: Path) -> tuple[str, ...]:
    with Image.open(path) as image:
        has_alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
        notes = ("its transparency is laid over white",) if has_alpha else ()
        return (*notes, "its 16-bit grey becomes 8-bit") if image.mode.startswith("I") else notes
