"""The loss curve of a run as CSV and as a PNG that needs no plotting library."""

import csv
import math
import struct
import zlib
from collections import defaultdict
from pathlib import Path

import numpy as np

Row = dict[str, float]


class Curve:
    """Means of every logged quantity between the steps that are kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: list[Row] = []
        self._pending: dict[str, list[float]] = defaultdict(list)

    def add(self, step: int, values: Row, *, keep: bool) -> None:
        """Take in one step; write a row of means when ``keep``."""
        for name, value in values.items():
            self._pending[name].append(value)
        if keep:
            means = {name: sum(values) / len(values) for name, values in self._pending.items()}
            self.rows.append({"step": step} | means)
            self._pending.clear()

    def load(self, last_step: int) -> None:
        """Take up the rows an earlier session wrote, up to ``last_step``."""
        path = self.folder / "curve.csv"
        if path.exists():
            with path.open(newline="") as file:
                rows = [
                    {name: float(value) for name, value in row.items() if value}
                    for row in csv.DictReader(file)
                ]
            self.rows = [row | {"step": int(row["step"])} for row in rows if row["step"] <= last_step]

    def write(self) -> None:
        """Write ``curve.csv`` and ``curve.png``."""
        if not self.rows:
            return
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        with (self.folder / "curve.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(self.rows)
        points = [(row["step"], row["total"]) for row in self.rows if row.get("total", 0) > 0]
        if len(points) > 1:
            (self.folder / "curve.png").write_bytes(encode_png(draw_curve(points)))


def draw_curve(points: list[tuple[float, float]], width: int = 640, height: int = 320) -> np.ndarray:
    """A log-scale line of (step, positive value) points; grid lines at 1, 2 and 5 times powers of ten."""
    picture = np.full((height, width, 3), 255, np.uint8)
    xs = np.array([x for x, _ in points])
    ys = np.log10([y for _, y in points])
    low, high = ys.min() - 0.02, ys.max() + 0.02
    for exponent in range(math.floor(low), math.ceil(high) + 1):
        for digit in (1, 2, 5):
            level = exponent + math.log10(digit)
            if low < level < high:
                picture[int((high - level) / (high - low) * (height - 1))] = 215
    columns = np.arange(width)
    line = np.interp(columns, (xs - xs.min()) / max(np.ptp(xs), 1) * (width - 1), ys)
    rows = ((high - line) / (high - low) * (height - 1)).astype(int)
    for column, (start, stop) in enumerate(zip(rows, np.append(rows[1:], rows[-1]), strict=True)):
        picture[min(start, stop) : max(start, stop) + 2, column] = (30, 90, 200)
    return picture


def encode_png(picture_HWC: np.ndarray) -> bytes:
    """Minimal PNG of an 8-bit RGB picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, _ = picture_HWC.shape
    lines = b"".join(b"\x00" + row.tobytes() for row in picture_HWC)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(lines))
        + chunk(b"IEND", b"")
    )
