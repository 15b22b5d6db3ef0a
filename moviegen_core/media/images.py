"""Single pictures in and out, by Pillow."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from ..errors import MediaError
from .target import checked_target, replacing

PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})


def is_picture(path: Path) -> bool:
    """Whether a file's name says that it is a single picture."""
    return path.suffix.lower() in PICTURE_SUFFIXES


def read_image(path: str | Path) -> np.ndarray:
    """Read one picture, upright, in RGB; transparency is laid over white, 16-bit grey is brought to 8.

    Args:
        path: a file that Pillow knows; of an animation the first frame.

    Returns:
        (H, W, 3) uint8.

    Raises:
        MediaError: not a picture, cut off, or too large to be one.
    """
    try:
        with Image.open(path) as image:
            return np.array(_flattened(ImageOps.exif_transpose(image)))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise MediaError(
            f"{path} is not a picture that can be read, or is cut off; save it again as png"
        ) from error


def write_image(path: str | Path, frame: Tensor, metadata: Mapping[str, str] | None = None) -> Path:
    """Write one frame as PNG, under a temporary name until it is whole.

    Args:
        path: ends in .png; its folder must exist.
        frame: (H, W, 3) uint8.
        metadata: kept as text chunks, and together as JSON in ``comment``.

    Returns:
        The path written.

    Raises:
        MediaError: the folder does not exist, or the file cannot be written.
    """
    path = checked_target(path, ".png")
    image = Image.fromarray(frame.cpu().contiguous().numpy())
    try:
        with replacing(path) as partial:
            image.save(partial, format="PNG", pnginfo=_text_chunks(metadata or {}))
    except OSError as error:
        raise MediaError(f"{path} cannot be written ({error}); choose another folder") from error
    return path


def image_tags(path: Path) -> dict[str, str]:
    """All text that a picture carries; of files that are no picture, none."""
    try:
        with Image.open(path) as image:
            image.load()
            return {key: str(value) for key, value in getattr(image, "text", {}).items()}
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return {}


def _text_chunks(metadata: Mapping[str, str]) -> PngInfo:
    chunks = PngInfo()
    for key, value in {**metadata, "comment": json.dumps(dict(metadata))}.items():
        chunks.add_itxt(key, value.encode("utf-8", "replace").decode())
    return chunks


def _flattened(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        grey = (np.asarray(image, dtype=np.int64) >> 8).clip(0, 255).astype(np.uint8)
        return Image.fromarray(grey).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return image.convert("RGB")
