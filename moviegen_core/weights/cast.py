"""A cast: a folder whose cast.json says which file plays which role."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

import torch
from torch import nn

from ..errors import WeightsError
from .files import Header, load_model, read_header, whole_file

CAST_FILE = "cast.json"
SHIPPED = ("nano",)
"""Casts that come with the package, one folder each beside this file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Models that belong together."""

    name: str
    folder: Path
    roles: Mapping[str, str]
    """Role to file name, relative to the folder."""

    def path(self, role: str) -> Path:
        """Find the file that plays a role.

        Args:
            role: such as "tae".

        Returns:
            The file's path; it exists.

        Raises:
            WeightsError: the cast has no such role, or the file is not there.
        """
        if role not in self.roles:
            raise WeightsError(
                f"cast {self.name} has no {role}; it has {_listing(self.roles)}; name its file in the cast's"
                f" {CAST_FILE}, or take another cast"
            )
        path = self.folder / self.roles[role]
        if not path.is_file():
            there = _listing(file.name for file in self.folder.glob("*.safetensors"))
            raise WeightsError(
                f"cast {self.name} names {path} for its {role}, which does not exist; there is {there}"
            )
        return path

    def header(self, role: str) -> Header:
        """What a role's file says about itself, without its tensors."""
        return read_header(self.path(role))

    def load(
        self, role: str, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
    ) -> nn.Module:
        """The model of a role, in eval mode."""
        return load_model(self.path(role), role, device=device, dtype=dtype)

    def fingerprint(self, roles: tuple[str, ...]) -> str:
        """A hash of the roles' files: what was made with other weights has another fingerprint."""
        digest = hashlib.sha256()
        for role in roles:
            with self.path(role).open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
        return digest.hexdigest()


def open_cast(where: str | Path) -> Cast:
    """Open a shipped cast by name, or any folder that holds a cast.json.

    Args:
        where: "nano", or a folder.

    Returns:
        The cast; its models are loaded only when asked for.

    Raises:
        WeightsError: no such cast, or its cast.json is missing or wrong.
    """
    folder = Path(__file__).parent / where if where in SHIPPED else Path(where)
    if not folder.is_dir():
        raise WeightsError(
            f"cast {str(where)!r} is not a folder; give a folder with a {CAST_FILE}, or {_listing(SHIPPED)}"
        )
    path = folder / CAST_FILE
    if not path.is_file():
        there = _listing(entry.name for entry in folder.iterdir())
        raise WeightsError(f"cast folder {folder} has no {CAST_FILE}; there is {there}")
    return _read_cast(path)


def _read_cast(path: Path) -> Cast:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        name, roles = raw["name"], dict(raw["roles"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise WeightsError(
            f'{path} is not {{"name": ..., "roles": {{"tae": "tae.safetensors", ...}}}}'
        ) from error
    for role, file in roles.items():
        if not isinstance(file, str) or not _stays_inside(file):
            raise WeightsError(f"{path} names {file!r} for {role}; a file must lie inside the cast's folder")
    return Cast(name=str(name), folder=path.parent, roles=roles)


def _stays_inside(file: str) -> bool:
    """Whatever system reads it: no drive, no root, no step upwards."""
    windows, posix = PureWindowsPath(file), PurePosixPath(file)
    return bool(posix.parts) and not windows.anchor and not posix.anchor and ".." not in windows.parts


def write_cast(folder: Path | str, name: str, roles: Mapping[str, str]) -> None:
    """Write a folder's cast.json.

    Args:
        folder: holds the files.
        name: what the cast is called.
        roles: role to file name.

    Raises:
        WeightsError: the file cannot be written.
    """
    path = Path(folder) / CAST_FILE
    try:
        with whole_file(path) as temporary:
            temporary.write_text(
                json.dumps({"name": name, "roles": dict(roles)}, indent=2) + "\n", encoding="utf-8"
            )
    except OSError as error:
        raise WeightsError(
            f"{path} cannot be written ({error.strerror}); choose a folder you may write to"
        ) from error


def _listing(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
