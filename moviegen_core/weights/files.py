"""Safetensors files that rebuild their model alone: tensors, and role and config as JSON metadata."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ..errors import WeightsError
from .build import build, config_from_json
from .parts import Part, find_part

METADATA_KEY = "moviegen"
FORMAT = 1
NAMES_SHOWN = 3
READABLE = 0o644
"""Safetensors writes files that only their owner may read; a cast is there to be shared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a weights file says about itself."""

    role: str
    config: dict[str, Any]
    """The model's config as JSON made it."""
    format: int = FORMAT


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside ``path``; it becomes ``path`` if the block succeeds, else it goes."""
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def save_model(path: Path | str, role: str, model: nn.Module, *, dtype: torch.dtype = torch.bfloat16) -> None:
    """Write a model so that the file alone rebuilds it; nothing half-written is ever seen under ``path``.

    Args:
        path: the safetensors file to write; its folder must exist.
        role: the part the model plays in the cast, such as "tae".
        model: has ``config``, a frozen dataclass of plain values.
        dtype: type of the weight matrices; gains, biases and buffers keep their own.

    Raises:
        WeightsError: the file cannot be written.
    """
    path = Path(path)
    header = {"format": FORMAT, "role": role, "config": asdict(model.config)}
    try:
        with whole_file(path) as temporary:
            save_file(_stored_tensors(model, dtype), temporary, metadata={METADATA_KEY: json.dumps(header)})
            temporary.chmod(READABLE)
    except (OSError, SafetensorError) as error:
        raise WeightsError(
            f"{path} cannot be written ({_first_line(error)}); choose a folder you may write to"
        ) from error


def _stored_tensors(model: nn.Module, dtype: torch.dtype) -> dict[str, Tensor]:
    """Only matrices and kernels are shortened: vectors and buffers weigh little and are sensitive."""
    large = {name for name, parameter in model.named_parameters() if parameter.dim() > 1}
    return {
        name: tensor.detach().to("cpu", dtype if name in large else tensor.dtype).contiguous()
        for name, tensor in model.state_dict().items()
    }


def read_header(path: Path | str) -> Header:
    """Read what a weights file says about itself, without its tensors."""
    path = Path(path)
    with _opened(path) as file:
        return _parse_header(path, file.metadata() or {})


def load_model(
    path: Path | str, role: str, *, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
) -> nn.Module:
    """Rebuild the model a file holds; every tensor must fit and none may be missing or left over.

    A file of another role serves where it holds the one wanted (``weights/parts.py``). A file that is
    missing, broken, of no use for the role or at odds with itself is refused with a WeightsError.

    Args:
        path: a safetensors file that ``save_model`` wrote.
        role: the role wanted.
        device: where the model goes.
        dtype: type of the parameters; buffers keep their own.

    Returns:
        The model in eval mode.
    """
    with _checked(Path(path), role) as (model, file, part):
        _fill(model, file, dtype)
    return part.model(role, model).to(device).eval()


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldModel:
    """What a file holds for a role, its tensors not yet read."""

    config: Any
    """The role's config."""
    part: Part

    def tensors(self, found: dict[str, Tensor]) -> dict[str, Tensor]:
        """The role's tensors, of all that the file holds."""
        return self.part.tensors(found)


def read_held(path: Path | str, role: str) -> HeldModel:
    """What a weights file makes of a role, for who reads the tensors in a way of their own.

    A file that ``load_model`` would refuse is refused in the same words.

    Args:
        path: a safetensors file that ``save_model`` wrote.
        role: the role wanted.

    Returns:
        The role's config and tensors; those of the file were checked against its own config, not read.
    """
    with _checked(Path(path), role) as (model, _file, part):
        return HeldModel(config=part.config(model.config), part=part)


@contextmanager
def _checked(path: Path, role: str) -> Iterator[tuple[Any, Any, Part]]:
    """A file's model, still empty, the open file, which holds exactly its tensors, and the part wanted."""
    with _opened(path) as file:
        header = _parse_header(path, file.metadata() or {})
        part = find_part(header.role, role)
        if part is None:
            raise WeightsError(
                f"{path} holds a {header.role} model, a {role} was asked for; give the {role} file"
            )
        model = _empty_model(path, header)
        _check_tensors(path, model, {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()})  # noqa: SIM118
        yield model, file, part


def _empty_model(path: Path, header: Header) -> nn.Module:
    try:
        return build(header.role, config_from_json(header.role, header.config), device="meta")
    except WeightsError as error:
        raise WeightsError(f"{path} is refused: {error}") from error
    except (TypeError, ValueError, ArithmeticError, RuntimeError) as error:
        raise WeightsError(f"{path} is refused: its config cannot be built ({_first_line(error)})") from error


def _fill(model: nn.Module, file: Any, dtype: torch.dtype) -> None:  # noqa: ANN401 - safetensors has no public type
    parameters = dict(model.named_parameters())
    tensors = {
        name: file.get_tensor(name).to(dtype if name in parameters else tensor.dtype)
        for name, tensor in model.state_dict().items()
    }
    model.load_state_dict(tensors, strict=True, assign=True)
    for name, parameter in model.named_parameters():
        parameter.__dict__.update(parameters[name].__dict__)  # marks that a model sets on its parameters stay


def _check_tensors(path: Path, model: nn.Module, found: Mapping[str, tuple[int, ...]]) -> None:
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    missing = [name for name in wanted if name not in found]
    strangers = [name for name in found if name not in wanted]
    if missing or strangers:
        faults = [f"{len(missing)} missing: {_few(missing)}"] if missing else []
        faults += [f"{len(strangers)} unexpected: {_few(strangers)}"] if strangers else []
        raise WeightsError(f"{path} does not hold the tensors its config asks for ({'; '.join(faults)})")
    for name, shape in wanted.items():
        if found[name] != shape:
            both = f"{_shape(found[name])}, its config asks for {_shape(shape)}"
            raise WeightsError(f"{path} contradicts itself: tensor {name} is {both}")


def _few(names: list[str]) -> str:
    return ", ".join(sorted(names)[:NAMES_SHOWN]) + (", ..." if len(names) > NAMES_SHOWN else "")


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "a single number"


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    if not path.is_file():
        raise WeightsError(
            f"{path} {'is a folder' if path.is_dir() else 'does not exist'}; give a .safetensors file"
        )
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            yield file
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} {_why_unreadable(path, error)}") from error


def _why_unreadable(path: Path, error: Exception) -> str:
    """Judge by the first bytes: safetensors has "{" as its ninth, pickles open with a mark of their own."""
    try:
        with path.open("rb") as file:
            head = file.read(9)
    except OSError:
        return f"cannot be read ({_first_line(error)})"
    if head[8:] == b"{":
        return f"is cut short or damaged ({_first_line(error)}); copy or download it again"
    if head.startswith(b"PK\x03\x04") or (head[:1] == b"\x80" and head[1:2] <= b"\x05"):
        return "is a pickle, not safetensors; pickles are refused because loading one can run code in it"
    return "is not a safetensors file; give one that moviegen wrote"


def _parse_header(path: Path, metadata: Mapping[str, str]) -> Header:
    if METADATA_KEY not in metadata:
        raise WeightsError(
            f"{path} is another program's file: it has no {METADATA_KEY!r} metadata; convert it first"
        )
    try:
        raw = json.loads(metadata[METADATA_KEY])
        written, role, config = raw["format"], raw["role"], raw["config"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise WeightsError(
            f"{path} has damaged {METADATA_KEY!r} metadata; write it again with save_model"
        ) from error
    if written != FORMAT:
        raise WeightsError(f"{path} has format {written!r} and this version reads {FORMAT}; update moviegen")
    return Header(role=str(role), config=config)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
