"""Finished pieces of long work on disk, named by what they were made of: an interrupted job goes on."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..errors import MediaError
from ..media.target import replacing
from .content import content_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """A folder of finished pieces; it is made with the first of them."""

    folder: Path
    job: str
    """Key of what all pieces have in common; pieces of another job are never taken."""

    def tensors(self, name: str, make: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
        """A piece from disk, or made now and written whole or not at all.

        Args:
            name: of the piece within the job.
            make: makes it.

        Returns:
            The piece, alike both ways.

        Raises:
            MediaError: the folder cannot be written.
        """
        path = self.folder / f"{content_key({'job': self.job, 'piece': name})}.safetensors"
        try:
            return load_file(path)
        except (OSError, SafetensorError):  # not there, or spoilt: made again
            made = {key: one.detach().cpu().contiguous() for key, one in make().items()}
        try:
            self.folder.mkdir(exist_ok=True)
            with replacing(path) as partial:
                save_file(made, partial)
        except OSError as error:
            raise MediaError(f"{self.folder} cannot be written ({error.strerror}); free the disk") from error
        return made

    def clear(self) -> None:
        """Throw all pieces away, once the whole is made."""
        shutil.rmtree(self.folder, ignore_errors=True)


def kept(units: Units | None, name: str, make: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """A piece of ``units``, or just made where nothing is to be kept."""
    return make() if units is None else units.tensors(name, make)
