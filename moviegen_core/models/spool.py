"""Chunks of a clip put aside until all are there; beyond a budget they lie in a temporary file."""

# Shape letters: B clip, C channel, T frame, H row, W column.

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO

import torch
from torch import Tensor

from ..errors import MediaError

HELD_BYTES = 2**26
"""What a spool keeps in memory."""


@dataclass(slots=True)
class _Piece:
    """One chunk, rows first, so that a few rows of it lie side by side: in memory, or in the file."""

    shape: tuple[int, ...]
    """(H, B, T, W, C)."""
    offset: int = 0
    held: Tensor | None = None


@dataclass(slots=True)
class Spool:
    """A clip that arrives in chunks along time; then some rows of all frames are read and changed at once."""

    budget: int = HELD_BYTES
    """Bytes kept in memory; what comes later goes to a file."""
    pieces: list[_Piece] = field(default_factory=list)
    _like: Tensor | None = None
    _held_bytes: int = 0
    _file: IO[bytes] | None = None

    def __enter__(self) -> "Spool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def num_frames(self) -> int:
        """Frames put aside."""
        return sum(piece.shape[2] for piece in self.pieces)

    @property
    def num_rows(self) -> int:
        """Rows of each frame."""
        return self.pieces[0].shape[0] if self.pieces else 0

    @property
    def row_values(self) -> int:
        """Values that one row of all frames holds."""
        return sum(piece.shape[1] * piece.shape[2] * piece.shape[3] * piece.shape[4] for piece in self.pieces)

    def append(self, x_BCTHW: Tensor) -> None:
        """Put the next chunk aside."""
        values = x_BCTHW.permute(3, 0, 2, 4, 1).contiguous()
        self._like = values.new_empty(0)
        piece = _Piece(tuple(values.shape))
        size = values.numel() * values.element_size()
        if self._file is None and self._held_bytes + size <= self.budget:
            piece.held, self._held_bytes = values, self._held_bytes + size
        else:
            piece.offset = self._at_end()
            self._write(piece.offset, values)
        self.pieces.append(piece)

    def rows(self, start: int, stop: int) -> Tensor:
        """Some rows of all frames: (B, C, T, stop - start, W)."""
        parts = [self._read(piece, start, stop) for piece in self.pieces]
        return torch.cat(parts, dim=2).permute(1, 4, 2, 0, 3)

    def put_rows(self, start: int, stop: int, x_BCTHW: Tensor) -> None:
        """Overwrite some rows of all frames."""
        values, first = x_BCTHW.permute(3, 0, 2, 4, 1), 0
        for piece in self.pieces:
            part = values[:, :, first : first + piece.shape[2]]
            first += piece.shape[2]
            if piece.held is not None:
                piece.held[start:stop] = part
            else:
                self._write(piece.offset + start * self._row_bytes(piece), part.contiguous())

    def chunks(self) -> Iterator[Tensor]:
        """The chunks in the order in which they came, each given away: a spool is read so only once."""
        while self.pieces:
            yield self._take().permute(1, 4, 2, 0, 3)

    def _take(self) -> Tensor:
        piece = self.pieces.pop(0)
        return self._read(piece, 0, piece.shape[0])

    def _read(self, piece: _Piece, start: int, stop: int) -> Tensor:
        if piece.held is not None:
            return piece.held[start:stop]
        assert self._file is not None
        assert self._like is not None
        values = torch.empty((stop - start, *piece.shape[1:]), dtype=self._like.dtype)
        self._file.seek(piece.offset + start * self._row_bytes(piece))
        self._file.readinto(_bytes(values))  # type: ignore[attr-defined] - typing knows no readable binary file
        return values.to(self._like.device)

    def _write(self, offset: int, values: Tensor) -> None:
        assert self._file is not None
        try:
            self._file.seek(offset)
            self._file.write(_bytes(values.cpu()))
        except OSError as error:
            raise MediaError(
                f"the temporary folder {tempfile.gettempdir()} takes no more ({error.strerror}); free its"
                " disk, or name another folder in TMPDIR"
            ) from error

    def _at_end(self) -> int:
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed when the spool is left
        return self._file.seek(0, 2)

    def _row_bytes(self, piece: _Piece) -> int:
        assert self._like is not None
        return piece.shape[1] * piece.shape[2] * piece.shape[3] * piece.shape[4] * self._like.element_size()


def _bytes(values: Tensor) -> memoryview:
    return memoryview(values.view(torch.uint8).numpy()).cast("B")
