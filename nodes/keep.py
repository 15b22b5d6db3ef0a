"""Of an edited clip only what changed is taken; the rest stays the source's own, bit for bit."""

# Shape letters: T frame, H row, W column.

import math
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from comfy_api.latest import io, ui
from torch import Tensor

from ..moviegen_core.errors import GeometryError
from ..moviegen_core.media.images import write_image
from ..moviegen_core.media.resize import resize
from ..moviegen_core.stages.locality.files import PASSES, Composited, clip_shape, composite_files
from ..moviegen_core.stages.locality.matte import DEFAULTS, MatteSettings
from .convert import bytes_from_image, image_from_bytes
from .host import exact, report, sampling
from .host import vae as host_vae
from .host import video as host_video

CATEGORY = "Movie Gen/edit"
NANO, PIXELS = "pixels and nano", "pixels alone"
"""Who looks for the change."""
PICTURE_WIDTH = 1536
"""Of the picture of the matte, at most."""
MATTE_VALUES = 2**26
"""A MASK of so many values is given in the clip's own size, 256 MB; mattes of longer clips shrink to it."""
SAVED = (
    "Lossless on the way to other nodes; Save Video makes H.264 of it, which is close and not exact, Save"
    " Video Lossless keeps every bit."
)


class MovieGenKeepRest(io.ComfyNode):
    """Lay what changed in an edited clip over its source."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenKeepRest",
            display_name="Keep What Was Not Asked",
            category=CATEGORY,
            description="Take from a clip that any model edited only what changed; everything else stays the"
            " source's own, bit for bit, with its sound, rate and length. The node shows where the edit is,"
            " and reports what was kept.",
            inputs=keep_fields(),
            outputs=keep_outputs(),
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        source: Any,  # noqa: ANN401
        edited: Any,  # noqa: ANN401
        grow: float,
        feather: float,
        sensitivity: float,
        compare: str,
        mask: Tensor | None = None,
    ) -> io.NodeOutput:
        """Compare, composite, report."""
        settings = MatteSettings(grow=grow, feather=feather, sensitivity=sensitivity)
        files = [exact.exact_file_of(video) for video in (source, edited)]
        eyes = host_vae.nano_eyes() if compare == NANO and mask is None else None
        done = sampling.counter(PASSES * clip_shape(files[0]).num_frames)
        made = composite_files(
            *files,
            host_video.new_file(".mkv"),
            settings=settings,
            mask=None if mask is None else mask_file(mask),
            tae=eyes,
            on_frame=done,
        )
        return composited_output(cls, made)


def keep_fields() -> list[Any]:
    """What the node asks for."""
    return [
        io.Video.Input("source", tooltip="The clip as it was, of any size, rate and length."),
        io.Video.Input(
            "edited", tooltip="What any model or node made of it; frames go through Create Video."
        ),
        *matte_fields(),
        io.Combo.Input(
            "compare",
            options=[NANO, PIXELS],
            default=NANO,
            tooltip="Who looks for the change: pixels together with the eyes of nano, which are not fooled by"
            " softened edges, or pixels alone, which is faster.",
        ),
        mask_field(),
    ]


def matte_fields() -> list[Any]:
    """How a change becomes a matte."""
    return [
        io.Float.Input(
            "grow",
            default=DEFAULTS.grow,
            min=0.0,
            max=0.5,
            step=0.005,
            tooltip="How far the matte reaches over what changed, as a share of the height.",
        ),
        io.Float.Input(
            "feather",
            default=DEFAULTS.feather,
            min=0.0,
            max=0.5,
            step=0.005,
            tooltip="Width of the matte's soft rim, as a share of the height.",
        ),
        io.Float.Input(
            "sensitivity",
            default=DEFAULTS.sensitivity,
            min=0.1,
            max=10.0,
            step=0.1,
            tooltip="Above 1 smaller changes count as changes, below 1 only larger ones.",
        ),
    ]


def mask_field() -> Any:  # noqa: ANN401
    """An artist's own matte."""
    return io.Mask.Input(
        "mask",
        optional=True,
        tooltip="White where the edit shall show, one for the whole clip or one for each frame; it wins over"
        " what is found.",
    )


def keep_outputs() -> list[Any]:
    """What a composite gives."""
    return [
        io.Video.Output(
            display_name="video",
            tooltip=f"The source with the edit in it, its sound, rate and length. {SAVED}",
        ),
        io.Mask.Output(display_name="matte", tooltip="Where the edit shows, a mask for each frame."),
        io.Image.Output(
            display_name="picture",
            tooltip="First, middle and last frame with the matte over them, and below.",
        ),
        io.String.Output(display_name="report", tooltip="Share of the pixels kept, and how exactly."),
    ]


def mask_file(mask: Tensor) -> Path:
    """The host's MASK, (T, H, W) or (H, W) in 0..1, as a picture or video that the core reads.

    Args:
        mask: white shows the edit.

    Returns:
        A file in the host's temp folder.

    Raises:
        GeometryError: it holds nothing.
    """
    mask_THW = mask.reshape(-1, *mask.shape[-2:])
    if not mask_THW.numel():
        raise GeometryError("the mask is empty; draw one over a frame of the source, or leave it away")
    frames = (bytes_from_image(one_HW)[:, :, None].expand(-1, -1, 3).cpu() for one_HW in mask_THW)
    if len(mask_THW) == 1:
        return write_image(host_video.new_file(".png"), next(frames).contiguous())
    return exact.write_exact(frames, host_video.rate_of(16))


def composited_output(
    node: type[io.ComfyNode], made: Composited, more: tuple[str, ...] = ()
) -> io.NodeOutput:
    """What a composite gives, shown on the node.

    Args:
        node: that is running.
        made: the composite.
        more: lines of the report before those of the composite.

    Returns:
        VIDEO, matte, picture and report.
    """
    matte, shrunk = matte_mask(made.mattes(), made.report.num_frames)
    words = "\n".join([*more, made.report.sentence(), *made.notes, *shrunk])
    picture = image_from_bytes(_shown(made.picture))[None]
    report.say_on_node(node.hidden, words)
    shown = ui.PreviewImage(picture, cls=node).as_dict() | ui.PreviewText(words).as_dict()
    return io.NodeOutput(exact.ExactVideo(str(made.path)), matte, picture, words, ui=shown)


def _shown(picture_HWC: Tensor) -> Tensor:
    """The picture of a matte at a size that a screen shows."""
    height, width = picture_HWC.shape[:2]
    scale = min(1.0, PICTURE_WIDTH / width)
    return resize(picture_HWC[None], max(1, round(scale * height)), max(1, round(scale * width)))[0]


def matte_mask(mattes: Iterator[Tensor], num_frames: int) -> tuple[Tensor, tuple[str, ...]]:
    """Mattes as the host's MASK, smaller ones where those of a long clip would fill the memory.

    Args:
        mattes: (H, W) uint8 each.
        num_frames: how many.

    Returns:
        (T, h, w) in 0..1, and what to tell.
    """
    first = next(mattes)
    size = matte_size(*first.shape, num_frames)
    stacked = torch.cat([_resized(matte, size) for matte in chain([first], mattes)]).float().div_(255)
    notes = () if size == tuple(first.shape) else (f"the matte is given as {size[1]}x{size[0]}",)
    return stacked, notes


def matte_size(height: int, width: int, num_frames: int) -> tuple[int, int]:
    """(height, width) at which all mattes of a clip stay within ``MATTE_VALUES``."""
    scale = min(1.0, math.sqrt(MATTE_VALUES / (num_frames * height * width)))
    return max(1, int(scale * height)), max(1, int(scale * width))


def _resized(matte_HW: Tensor, size: tuple[int, int]) -> Tensor:
    if matte_HW.shape == size:
        return matte_HW[None]
    return F.interpolate(matte_HW[None, None].float(), size, mode="area")[0].round().to(torch.uint8)


class MovieGenSaveLossless(io.ComfyNode):
    """A clip in a file that holds every bit of it."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenSaveLossless",
            display_name="Save Video Lossless",
            category=CATEGORY,
            description="Save a clip as mkv without any loss: what comes from our edit nodes keeps every bit"
            " (FFV1 and FLAC), what has a file of its own is copied as it is.",
            inputs=[
                io.Video.Input("video", tooltip="Any clip."),
                io.String.Input(
                    "filename_prefix",
                    default="movie-gen/lossless",
                    tooltip="Folder and beginning of the file's name, in ComfyUI's output folder.",
                ),
            ],
            outputs=[io.String.Output(display_name="path", tooltip="Where the file lies.")],
            hidden=[io.Hidden.prompt, io.Hidden.extra_pnginfo, io.Hidden.unique_id],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, video: Any, filename_prefix: str) -> io.NodeOutput:  # noqa: ANN401
        """Copy or write it."""
        path = exact.save_exact(video, filename_prefix, workflow_of(cls.hidden))
        words = f"{path.name}, {path.stat().st_size / 2**20:.1f} MB"
        report.say_on_node(cls.hidden, words)
        return io.NodeOutput(str(path), ui=ui.PreviewText(words))


def workflow_of(hidden: Any) -> dict[str, Any]:  # noqa: ANN401 - what the host tells a node about itself
    """What the host's own save nodes write into their files; nothing where it does not tell."""
    prompt, more = getattr(hidden, "prompt", None), getattr(hidden, "extra_pnginfo", None)
    return ({} if prompt is None else {"prompt": prompt}) | (more or {})


NODES = (MovieGenKeepRest, MovieGenSaveLossless)
