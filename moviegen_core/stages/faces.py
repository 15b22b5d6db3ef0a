"""Faces in pictures: found by our own small encoder or, where it is installed with its weights, by kornia."""

# Shape letters: N square or crop, C channel, H row, W column.

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import MediaError
from ..models.face_judge import FaceJudge
from ..models.identity import IdentityEncoder

SCALES = (1.0, 0.7, 0.5, 0.35, 0.25)
"""Sides of the squares that are looked at, as shares of the picture's shorter side."""
STRIDE = 0.3
"""From one square to the next, as a share of its side."""
BATCH = 32
"""Squares looked at together."""
SURE = 0.0
"""Logit above which a square counts as a face."""
BELIEVED = (-3.0, 8.0)
"""Logits are held within these before they are averaged: no square outvotes all others."""
PLACE_REACH, SIZE_REACH = 0.22, 0.35
"""How far a square's neighbours lie, as a share of its side, and how much larger they are, as a logarithm."""
BESIDE = 0.6
"""How far above and to both sides of a face, as a share of its side, nothing may look like one."""
EMPTY = 0.2
"""Weight of the lowest logit beside a square: where the picture ends nothing looks like a face."""
ALONE = 0.75
"""Part of what is believed beside a square that is taken off what is believed of it."""
STANDS_OUT = 1.5
"""What is left of a face then, at least, in logits."""
CONTRAST = 4.0
"""What a square that is e times as rich in contrast gains: even ground looks like a face, but is none."""
PORTRAIT_PULL = 1.0
"""What a square of a portrait that is e times as large gains: its face fills it more or less."""
MAX_SIDE = 512
"""Pictures are looked at with this longer side at most: huge photos cost no more."""
ROOM = 1.7
"""Side of a face's square, as a multiple of the head's diameter."""
KORNIA_WEIGHTS = "checkpoints/yunet_final.pth"
"""In torch's hub folder; kornia would download it, and nothing here does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """A square of a picture that holds a face."""

    top: float
    left: float
    side: float
    sureness: float

    def scaled(self, factor: float, sureness: float) -> "Face":
        """The same square in a picture so many times as large."""
        return Face(
            top=factor * self.top, left=factor * self.left, side=factor * self.side, sureness=sureness
        )

    def overlaps(self, other: "Face") -> bool:
        """Whether the middle of one lies in the other."""
        off = max(
            abs(self.top + self.side / 2 - other.top - other.side / 2),
            abs(self.left + self.side / 2 - other.left - other.side / 2),
        )
        return off < max(self.side, other.side) / 2


def around_head(row: float, column: float, radius: float, size: float = 1.0) -> Face:
    """The square around a head at a place, or one ``size`` times as large."""
    side = 2 * radius * ROOM * size
    return Face(top=row - side / 2, left=column - side / 2, side=side, sureness=0.0)


Finder = Callable[[Tensor], list[Face]]
"""Takes (3, H, W) in -1..1, returns faces, the surest first."""


def squares(height: int, width: int) -> list[Face]:
    """Squares of several sizes all over a picture."""
    found = []
    for scale in SCALES:
        side = scale * min(height, width)
        rows, columns = (_starts(length - side, STRIDE * side) for length in (height, width))
        found += [Face(top=t, left=x, side=side, sureness=0.0) for t in rows for x in columns]
    return found


def _starts(room: float, stride: float) -> list[float]:
    count = 1 + max(0, round(room / stride))
    return [room * step / max(1, count - 1) for step in range(count)]


def crop(picture_CHW: Tensor, face: Face, size: int) -> Tensor:
    """A square of a picture at a size, (3, size, size); what lies outside repeats the edge."""
    return crops(picture_CHW, [face], size)[0]


def crops(picture_CHW: Tensor, faces: Sequence[Face], size: int) -> Tensor:
    """Squares of a picture, (N, 3, size, size); those of one side at once."""
    parts = [
        _crops_alike(picture_CHW, list(alike), size) for _, alike in groupby(faces, lambda face: face.side)
    ]
    return torch.cat(parts)


def _crops_alike(picture_CHW: Tensor, faces: Sequence[Face], size: int) -> Tensor:
    """Sampled finer than wanted where they shrink, and averaged."""
    (height, width), side = picture_CHW.shape[-2:], faces[0].side
    finer = max(1, int(side / size))
    steps = (torch.arange(size * finer, device=picture_CHW.device) + 0.5) / (size * finer) * side
    corners = torch.tensor([(face.top, face.left) for face in faces], device=picture_CHW.device)
    rows_NS, columns_NS = (
        (corners[:, axis, None] + steps) / length * 2 - 1 for axis, length in enumerate((height, width))
    )
    count = len(steps)
    grid = torch.stack(
        [
            columns_NS[:, None].expand(-1, count, -1),
            rows_NS[:, :, None].expand(-1, -1, count),
        ],
        dim=-1,
    )
    whole = picture_CHW.expand(len(faces), -1, -1, -1)
    seen = F.grid_sample(whole, grid, padding_mode="border", align_corners=False)
    return F.avg_pool2d(seen, finer)


@torch.no_grad()
def find_faces(
    encoder: IdentityEncoder | FaceJudge, picture_CHW: Tensor, *, is_portrait: bool = False
) -> list[Face]:
    """Look for faces all over a picture.

    Args:
        encoder: says what is a face, as evaluation's judge does as well; both know drawn people best.
        picture_CHW: (3, H, W) in -1..1, of any size.
        is_portrait: a face may fill the picture, so that its parts are as large as faces elsewhere.

    Returns:
        Faces that do not overlap, the surest first.
    """
    height, width = picture_CHW.shape[-2:]
    shrink = min(1.0, MAX_SIDE / max(height, width))
    small_CHW = picture_CHW
    if shrink < 1:
        size = [max(1, round(side * shrink)) for side in (height, width)]
        small_CHW = F.interpolate(picture_CHW[None], size, mode="bilinear", antialias=True)[0]
    places = squares(*small_CHW.shape[-2:])
    sure_N, contrast_N = _looked_at(encoder, small_CHW, places)
    apart_N = standing_out(places, sure_N)
    ranks_N = apart_N + CONTRAST * contrast_N.log()
    if is_portrait:
        ranks_N += PORTRAIT_PULL * torch.tensor([face.side for face in places]).log()
    faces = [
        places[index].scaled(1 / shrink, sure_N[index].item())
        for index in ranks_N.argsort(descending=True, stable=True).tolist()
        if sure_N[index] > SURE and apart_N[index] > STANDS_OUT
    ]
    return _apart(faces)


def _looked_at(
    encoder: IdentityEncoder | FaceJudge, picture_CHW: Tensor, places: Sequence[Face]
) -> tuple[Tensor, Tensor]:
    """Logits of squares, (N,), and how far their pixels lie apart, (N,) above 0."""
    sure, contrast = [], []
    for start in range(0, len(places), BATCH):
        shown = crops(picture_CHW, places[start : start + BATCH], encoder.config.size)
        sure.append(encoder.look(shown)[1])
        contrast.append(shown.flatten(2).std(2).mean(1).clamp_min(1e-3))
    return torch.cat(sure).cpu(), torch.cat(contrast).cpu()


def standing_out(places: Sequence[Face], sure_N: Tensor) -> Tensor:
    """How much surer a square and its neighbours are than what lies above and to both sides of them.

    The encoder takes the body below a face for one as well, so that the face is what nothing lies above; and
    it takes whole stretches of even ground for faces, which no square of them stands out of.

    Args:
        places: the squares.
        sure_N: logits of each.

    Returns:
        (N,) differences of means.
    """
    sides = ((-BESIDE, 0.0), (0.0, -BESIDE), (0.0, BESIDE))
    beside_3N = torch.stack([confirmed(places, sure_N, off, EMPTY) for off in sides])
    return confirmed(places, sure_N) - ALONE * beside_3N.amax(0)


def confirmed(
    places: Sequence[Face], sure_N: Tensor, off: tuple[float, float] = (0.0, 0.0), empty: float = 0.0
) -> Tensor:
    """The mean verdict on each square and its neighbours in place and size, or on what lies beside it.

    A face is one to whoever looks a little beside it; what merely looks like one rarely is.

    Args:
        places: the squares.
        sure_N: logits of each.
        off: how far below and to the right of each square to look, as shares of its side.
        empty: weight of the lowest logit, which is all there is where no square lies.

    Returns:
        (N,) means, weighted by nearness.
    """
    middles_N2 = torch.tensor([(face.top + face.side / 2, face.left + face.side / 2) for face in places])
    sides_N = torch.tensor([face.side for face in places])
    away_NN2 = (middles_N2 - middles_N2[:, None]) / sides_N[:, None, None] - torch.tensor(off)
    larger_NN = (sides_N / sides_N[:, None]).log()
    near_NN = torch.exp(-((away_NN2.abs().amax(2) / PLACE_REACH) ** 2) - (larger_NN / SIZE_REACH) ** 2)
    return (near_NN @ sure_N.clamp(*BELIEVED) + empty * BELIEVED[0]) / (near_NN.sum(1) + empty)


def _apart(faces: list[Face]) -> list[Face]:
    kept: list[Face] = []
    for face in faces:
        if not any(face.overlaps(other) for other in kept):
            kept.append(face)
    return kept


def kornia_finder() -> Finder | None:
    """Find real faces with kornia; None where it, or its weights, are not there. Nothing is downloaded."""
    weights = Path(torch.hub.get_dir()) / KORNIA_WEIGHTS
    if not weights.is_file():
        return None
    try:
        contrib = importlib.import_module("kornia.contrib")
    except ImportError:
        return None
    detector = contrib.FaceDetector()

    def find(picture_CHW: Tensor) -> list[Face]:
        boxes = detector((picture_CHW[None] + 1) * 127.5)[0]
        faces = [_square(*contrib.FaceDetectorResult(box).data.tolist()[:4], float(box[-1])) for box in boxes]
        return _apart(sorted(faces, key=lambda face: -face.sureness))

    return find


def _square(left: float, top: float, right: float, bottom: float, sureness: float) -> Face:
    side = max(right - left, bottom - top) * 1.4
    return Face(top=(top + bottom - side) / 2, left=(left + right - side) / 2, side=side, sureness=sureness)


def reference_face(
    encoder: IdentityEncoder, picture_CHW: Tensor, mask_HW: Tensor | None = None, name: str = "the picture"
) -> tuple[Tensor, tuple[str, ...]]:
    """Cut the face out of a reference picture; without one, or with a wrong mask, it is a MediaError.

    Args:
        encoder: finds the face where kornia does not.
        picture_CHW: (3, H, W) in -1..1.
        mask_HW: where the artist says the face is, above 0; nothing is searched for then.
        name: of the picture, for complaints.

    Returns:
        (3, size, size) as the encoder reads it, and what the user should know.
    """
    size = encoder.config.size
    if mask_HW is not None:
        return crop(picture_CHW, masked_face(picture_CHW, mask_HW), size), ()
    kornia = kornia_finder()
    ours: Finder = lambda picture: find_faces(encoder, picture, is_portrait=True)  # noqa: E731
    face, notes = found_face(picture_CHW, [kornia, ours] if kornia else [ours], name)
    return crop(picture_CHW, face, size), notes


def found_face(
    picture_CHW: Tensor, finders: Sequence[Finder], name: str = "the picture"
) -> tuple[Face, tuple[str, ...]]:
    """Look for the one face of a reference picture.

    Args:
        picture_CHW: (3, H, W) in -1..1.
        finders: who looks, one after the other until one finds something.
        name: of the picture, for complaints.

    Returns:
        The surest face, and what the user should know.

    Raises:
        MediaError: there is none.
    """
    faces = next(filter(None, (finder(picture_CHW) for finder in finders)), [])
    if not faces:
        raise MediaError(f"no face is found in {name}; give a closer picture, or mark the face with a mask")
    notes = ()
    if len(faces) > 1:
        notes = (f"{len(faces)} faces are found in {name}; the surest is taken, a mask picks another",)
    return faces[0], notes


def masked_face(picture_CHW: Tensor, mask_HW: Tensor) -> Face:
    """The square that an artist marked.

    Args:
        picture_CHW: (3, H, W).
        mask_HW: of its size, above 0 where the face is.

    Returns:
        The smallest square around it.

    Raises:
        MediaError: the mask is empty or of another size.
    """
    if mask_HW.shape != picture_CHW.shape[-2:]:
        sizes = [f"{x.shape[-1]}x{x.shape[-2]}" for x in (mask_HW, picture_CHW)]
        raise MediaError(f"the mask is {sizes[0]} and the picture {sizes[1]}; draw it over the picture")
    rows, columns = ((mask_HW > 0).any(dim).nonzero()[:, 0] for dim in (1, 0))
    if not len(rows):
        raise MediaError("the mask is black everywhere; paint the face white in it")
    top, bottom = float(rows[0]), float(rows[-1]) + 1
    left, right = float(columns[0]), float(columns[-1]) + 1
    side = max(bottom - top, right - left)
    return Face(top=(top + bottom - side) / 2, left=(left + right - side) / 2, side=side, sureness=0.0)
