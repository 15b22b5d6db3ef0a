"""Where weights lie, and reading them through the host so that its memory tricks apply."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import comfy.utils
import folder_paths
from torch import Tensor

from ...moviegen_core.errors import WeightsError
from ...moviegen_core.weights.cast import CAST_FILE, SHIPPED, Cast, open_cast
from ...moviegen_core.weights.files import read_header, read_held

FOLDER = "moviegen"
"""Our own kind of model folder: one folder inside it per cast."""
ROLES = {"diffusion_models": ("video", "edit"), "text_encoders": ("text", "edit_text"), "vae": ("tae",)}
"""Roles of a cast whose files belong into the host's own kinds of model folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A weights file that was checked against its own config."""

    config: Any
    """The role's config."""
    state: dict[str, Tensor]


def register_folder() -> None:
    """Tell the host about our model folder; it may be told twice."""
    folder_paths.add_model_folder_path(FOLDER, str(Path(folder_paths.models_dir) / FOLDER))


def cast_folders() -> dict[str, Path]:
    """Casts that the user has, by name; a folder whose name is shipped or taken is passed over."""
    register_folder()
    roots = [
        Path(root) for kind in (FOLDER, "diffusion_models") for root in folder_paths.get_folder_paths(kind)
    ]
    files = [file for root in roots if root.is_dir() for file in sorted(root.glob(f"*/{CAST_FILE}"))]
    return {file.parent.name: file.parent for file in reversed(files) if file.parent.name not in SHIPPED}


def cast_names() -> list[str]:
    """Every cast that can be chosen, the shipped ones first."""
    return [*SHIPPED, *sorted(cast_folders())]


def find_cast(name: str) -> Cast:
    """Open a cast by the name the user chose.

    Args:
        name: one of ``cast_names``.

    Returns:
        The cast.

    Raises:
        WeightsError: there is none of that name.
    """
    if name in SHIPPED:
        return open_cast(name)
    folders = cast_folders()
    if name not in folders:
        root = folder_paths.get_folder_paths(FOLDER)[0]
        raise WeightsError(
            f"cast {name!r} is not there; choose one of {', '.join(cast_names())}, or put its folder into"
            f" {root}"
        )
    return open_cast(folders[name])


def shipped_files(kind: str) -> dict[str, Path]:
    """Files of the shipped casts that belong into one of the host's model folders, by cast and file name."""
    casts = {name: open_cast(name) for name in SHIPPED}
    return {
        f"{name}/{cast.roles[role]}": cast.path(role)
        for name, cast in casts.items()
        for role in ROLES[kind]
        if role in cast.roles
    }


def role_of(kind: str, name: str) -> str:
    """What a file of one of the host's model folders is loaded as.

    Args:
        kind: such as "diffusion_models".
        name: as ``file_names`` gives it.

    Returns:
        What it says of itself, where that belongs there; of a shipped file with several roles, the first.
    """
    path = find_file(kind, name)
    if name not in shipped_files(kind):
        found = read_header(path).role
        return found if found in ROLES[kind] else ROLES[kind][0]
    cast = next(open_cast(one) for one in SHIPPED if name.startswith(f"{one}/"))
    return next(role for role in ROLES[kind] if cast.roles.get(role) == path.name)


def roles_of(name: str) -> set[str]:
    """Roles of a cast; none when it cannot be read."""
    try:
        return set(find_cast(name).roles)
    except WeightsError:
        return set()


def file_names(kind: str) -> list[str]:
    """Files of one of the host's model folders that could be ours, behind the shipped ones."""
    shipped = list(shipped_files(kind))
    found = [name for name in folder_paths.get_filename_list(kind) if name.endswith(".safetensors")]
    return [*shipped, *(name for name in found if name not in shipped)]


def find_file(kind: str, name: str) -> Path:
    """A file of one of the host's model folders, or a shipped one.

    Args:
        kind: such as "vae".
        name: as ``file_names`` gives it.

    Returns:
        Its path.

    Raises:
        WeightsError: it is gone.
    """
    path = shipped_files(kind).get(name) or folder_paths.get_full_path(kind, name)
    if path is None:
        raise WeightsError(
            f"{name!r} is not in the {kind} folder any more; put it back or choose another file"
        )
    return Path(path)


def stamp(paths: list[Path]) -> tuple[tuple[str, int, int], ...]:
    """What changes when one of these files does."""
    facts = [(path, path.stat()) for path in paths if path.is_file()]
    return tuple((str(path), fact.st_mtime_ns, fact.st_size) for path, fact in facts)


def read_model_file(path: Path, role: str) -> ModelFile:
    """Read a weights file of a role; what the core would refuse is refused here too."""
    held = read_held(path, role)
    found = comfy.utils.load_torch_file(str(path), safe_load=True)
    return ModelFile(config=held.config, state=held.tensors(found))
