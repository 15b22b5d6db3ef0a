"""Files of a server come into a folder here, and nothing that is there is lost."""

import filecmp
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from ..errors import RemoteError
from .server import RemoteFile, Server

UNSAFE = re.compile(r'[<>:"|?*\x00-\x1f]')
"""What a file name may not hold on one system or another."""


def collect(server: Server, file: RemoteFile, folder: Path, *, overwrite: bool) -> Path:
    """Fetch a file.

    Args:
        server: who has it.
        file: which one.
        folder: where to, existing.
        overwrite: replace a file of its name; else that one stays and this one gets a number, unless the two
            are the same.

    Returns:
        Where it is.
    """
    target = folder / local_name(file.name)
    if overwrite or not target.exists():
        server.fetch(file, target)
        return target
    fresh = folder / f".{uuid4().hex[:12]}.fetched"
    try:
        server.fetch(file, fresh)
        path = next(name for name in _names(target) if not name.exists() or _same(fresh, name))
        return path if path.exists() else fresh.rename(path)
    finally:
        fresh.unlink(missing_ok=True)


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and filecmp.cmp(one, other, shallow=False)


def local_name(name: str) -> str:
    """A file's name without folders and without signs that a system here does not allow.

    Args:
        name: what the server calls it.

    Returns:
        A plain name.

    Raises:
        RemoteError: nothing is left of it.
    """
    plain = UNSAFE.sub("_", re.split(r"[/\\]", name)[-1]).strip()
    if plain.strip(".") == "":
        raise RemoteError(
            f"the server calls a file {name!r}, which is no name; fetch it from its output folder"
        )
    return plain


def _names(path: Path) -> Iterator[Path]:
    """The name itself, then the name with 2, 3, 4 and so on."""
    yield path
    number = 2
    while True:
        yield path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
