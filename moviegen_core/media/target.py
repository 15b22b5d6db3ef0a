"""Where a file is to be written: refused early, and replaced only when the new one is whole."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from ..errors import MediaError


def checked_target(path: str | Path, suffix: str) -> Path:
    """Refuse a path that cannot be written, before any work is spent on it.

    Args:
        path: the file to be.
        suffix: what its name must end in, such as ".mp4".

    Returns:
        The same path.

    Raises:
        MediaError: another ending, a folder, or in a folder that is missing or cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != suffix:
        raise MediaError(f"{path} does not end in {suffix}; name it {path.stem or 'clip'}{suffix}")
    if path.is_dir():
        raise MediaError(f"{path} is a folder; give the name of a file inside it")
    if not path.parent.is_dir():
        raise MediaError(f"folder {path.parent} does not exist; create it or choose another")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise MediaError(f"folder {path.parent} cannot be written; change its permissions or choose another")
    return path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Lend a temporary name in the same folder; it becomes ``path`` on success and vanishes on any exception.

    Args:
        path: the file to be, checked.

    Yields:
        Path: the temporary name to write to.
    """
    partial = path.with_name(f".{uuid4().hex[:12]}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
