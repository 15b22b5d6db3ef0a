"""Single pictures in, by Pillow."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from ..errors import MediaError

PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})


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


def _flattened(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        return Image.fromarray(
            (np.asarray(image, dtype=np.int64) >> 8).clip(0, 255).astype(np.uint8)
        ).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return image.convert("RGB")
