"""Where long work keeps its finished parts: in the output folder, which outlives the host's temp folder."""

import shutil
import time
from pathlib import Path
from typing import Any

import folder_paths
from comfy_api.latest import InputImpl

from ...moviegen_core.errors import MediaError
from ...moviegen_core.stages.jobs import SUFFIX
from .video import new_file

FOLDER = ("movie-gen", "unfinished")
"""Inside the output folder."""
DAYS = 30
"""After so many without a change, parts that nobody went on with are deleted."""
WAY_ON = "press Run again to go on"


def unfinished_folder() -> Path:
    """The folder, made if it is not there; forgotten parts in it are swept away.

    Returns:
        Its path.

    Raises:
        MediaError: it cannot be written.
    """
    folder = Path(folder_paths.get_output_directory()).joinpath(*FOLDER)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
    except OSError as error:
        raise MediaError(
            f"folder {folder} for the finished parts cannot be written ({error.strerror}); change its"
            " permissions, or start ComfyUI with another --output-directory"
        ) from error
    return folder


def _sweep(folder: Path) -> None:
    oldest = time.time() - DAYS * 24 * 3600
    for parts in folder.glob(f"*{SUFFIX}"):
        if parts.stat().st_mtime < oldest:
            shutil.rmtree(parts, ignore_errors=True)


def handed_over(path: Path) -> Any:  # noqa: ANN401 - the host's VIDEO
    """A whole file taken out of the folder, as VIDEO in the host's temp folder."""
    target = new_file(path.suffix)
    try:
        shutil.move(path, target)
        if not any(path.parent.iterdir()):
            path.parent.rmdir()
    except OSError as error:
        raise MediaError(
            f"{target} cannot be written ({error.strerror}); free the disk, the finished video is {path}"
        ) from error
    return InputImpl.VideoFromFile(str(target))
