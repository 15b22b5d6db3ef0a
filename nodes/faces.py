"""Faces: found in pictures, told to a model, and followed through a clip."""

# Shape letters: N face, T frame, H row, W column, C channel.

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from comfy_api.latest import io, ui
from torch import Tensor

from ..moviegen_core.errors import GeometryError, MediaError, MovieGenError, SettingsError
from ..moviegen_core.media.images import read_image
from ..moviegen_core.stages.faces import Face, crop, find_faces, found_face, kornia_finder, masked_face
from ..moviegen_core.stages.likeness import Likeness, curve_picture, likeness
from ..moviegen_core.stages.personalize import MAX_REFERENCES
from ..moviegen_core.weights.cast import open_cast
from .convert import FACES, image_from_bytes, pixels_from_image, told
from .host import faces as host_faces
from .host import report
from .host import video as host_video

CATEGORY = "Movie Gen/face"
MODEL_TIP = "From Load Movie Gen, role face."
SIZE = 512
"""Of a cropped face when no model says what it reads."""
SEEN_FRAMES = 8
MEASURE = "The measure is our small encoder, trained on drawn people. It is no face recognizer."


class MovieGenFindFace(io.ComfyNode):
    """The face in each picture, cut out."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenFindFace",
            display_name="Find Face",
            category=CATEGORY,
            description="Find the face in a picture and cut it out, as Identity Conditioning wants it. kornia"
            " looks where it and its weights are installed, else the model does; your mask wins over both.",
            inputs=[
                io.Image.Input("images", tooltip="Pictures of one person, such as from Load Image."),
                io.Int.Input(
                    "size",
                    default=0,
                    min=0,
                    max=2048,
                    tooltip=f"Side of the cropped picture; 0 takes what the model reads, or {SIZE}.",
                ),
                io.Model.Input("model", optional=True, tooltip=MODEL_TIP),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="White where the face is; nothing is searched for then. One for all pictures or"
                    " one each.",
                ),
            ],
            outputs=[
                io.Image.Output(display_name="face", tooltip="The square with the face, one per picture."),
                io.Mask.Output(display_name="mask", tooltip="That square in the picture, white."),
                io.String.Output(display_name="report", tooltip="What was found, and where."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        images: Tensor,
        size: int,
        model: Any = None,  # noqa: ANN401
        mask: Tensor | None = None,
    ) -> io.NodeOutput:
        """Look, cut, tell."""
        if not len(images):
            raise MediaError("there is no picture; give one with a face")
        reader = host_faces.reader_of(model)
        side = size or (reader.encoder.config.size if reader else SIZE)
        masks = [None] * len(images) if mask is None else _one_each(mask, len(images))
        found = [
            cut_out(image, one, reader, side, number)
            for number, (image, one) in enumerate(zip(images, masks, strict=True), start=1)
        ]
        words = "\n".join(cut.words for cut in found)
        report.say_on_node(cls.hidden, words)
        faces = torch.stack([cut.face for cut in found])
        squares = torch.stack([cut.square for cut in found])
        shown = ui.PreviewImage(faces, cls=cls).as_dict() | ui.PreviewText(words).as_dict()
        return io.NodeOutput(faces, squares, words, ui=shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A face that was cut out."""

    face: Tensor
    """(S, S, 3) in 0..1."""
    square: Tensor
    """(H, W), 1 where it was."""
    words: str


def _one_each(mask: Tensor, count: int) -> list[Tensor]:
    masks = mask.reshape(-1, *mask.shape[-2:])
    if len(masks) not in (1, count):
        raise GeometryError(
            f"{len(masks)} masks came for {count} pictures; give one for all, or one for each"
        )
    return list(masks.expand(count, -1, -1))


def cut_out(
    image_HWC: Tensor, mask_HW: Tensor | None, reader: host_faces.FaceReader | None, side: int, number: int
) -> Cut:
    """Cut the face out of a picture; where none is found, or nobody can look, an error says so.

    Args:
        image_HWC: of the host.
        mask_HW: where the artist says it is; None to look for it.
        reader: finds faces where kornia does not; None without a model.
        side: of the result.
        number: of the picture, for what is told.

    Returns:
        The face and where it was.
    """
    picture_CHW = pixels_from_image(image_HWC[..., :3].float()).movedim(-1, 0)
    name = f"picture {number}"
    if mask_HW is not None:
        face, notes = masked_face(picture_CHW, mask_HW), ("marked by the mask",)
    else:
        face, notes = found_face(picture_CHW, finders(reader), name)
    made = crop(picture_CHW.cpu(), face, side)
    square = _square(face, *image_HWC.shape[:2])
    words = f"{name}: a square of {face.side:.0f} pixels at {face.left:.0f}, {face.top:.0f}"
    return Cut(
        face=((made + 1) / 2).clamp(0, 1).movedim(0, -1), square=square, words="; ".join([words, *notes])
    )


def finders(reader: host_faces.FaceReader | None) -> list[Any]:
    """Who looks for faces, the best first.

    Args:
        reader: of a model; None without one.

    Returns:
        At least one.

    Raises:
        MovieGenError: there is nobody.
    """
    found = [one for one in (kornia_finder(),) if one is not None]
    if reader is not None:
        found.append(
            lambda picture_CHW: find_faces(reader.encoder, picture_CHW.to(reader.device), is_portrait=True)
        )
    if not found:
        raise MovieGenError(
            f"nobody is there to find a face: connect the model of {host_faces.LOADER}, install"
            " kornia with its YuNet weights, or mark the face with a mask"
        )
    return found


def _square(face: Face, height: int, width: int) -> Tensor:
    square = torch.zeros(height, width)
    rows = slice(max(0, round(face.top)), max(0, round(face.top + face.side)))
    square[rows, max(0, round(face.left)) : max(0, round(face.left + face.side))] = 1
    return square


class MovieGenIdentityConditioning(io.ComfyNode):
    """A face beside the words."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenIdentityConditioning",
            display_name="Identity Conditioning",
            category=CATEGORY,
            description="Tell a model who the person in its clip is: up to five pictures of one face stand"
            " beside the words. Needs a cast with the role face.",
            inputs=[
                io.Model.Input("model", tooltip=MODEL_TIP),
                io.Conditioning.Input("positive", tooltip="The words; they should speak of a person."),
                io.Conditioning.Input("negative", tooltip="What guidance pulls away from; it sees no face."),
                io.Image.Input("faces", tooltip="Of one person, from Find Face."),
            ],
            outputs=[
                io.Conditioning.Output(display_name="positive", tooltip="Words and face, for any sampler."),
                io.Conditioning.Output(
                    display_name="negative", tooltip="As it was, ready to be sampled together."
                ),
            ],
        )

    @classmethod
    def execute(cls, model: Any, positive: Any, negative: Any, faces: Tensor) -> io.NodeOutput:  # noqa: ANN401
        """Read the faces and put them beside the words."""
        reader = host_faces.needed_reader(model)
        tokens_BKC = reader.tokens(face_pictures(faces, reader.model.config.size))
        marked, unseen = (F.pad(tokens_BKC, (0, 1), value=float(counts)) for counts in (True, False))
        return io.NodeOutput(told(positive, **{FACES: marked}), told(negative, **{FACES: unseen}))


def face_pictures(images_NHWC: Tensor, side: int) -> Tensor:
    """Cropped faces as the identity encoder reads them.

    Args:
        images_NHWC: of the host, one person's.
        side: of the encoder's pictures.

    Returns:
        (N, 3, side, side) in -1..1.

    Raises:
        SettingsError: none, or too many.
    """
    if not 1 <= len(images_NHWC) <= MAX_REFERENCES:
        raise SettingsError(f"{len(images_NHWC)} pictures of the face are given; give 1 to {MAX_REFERENCES}")
    faces_NCHW = pixels_from_image(images_NHWC[..., :3].float()).movedim(-1, 1).cpu()
    if faces_NCHW.shape[-2:] == (side, side):
        return faces_NCHW
    return F.interpolate(faces_NCHW, (side, side), mode="bilinear", antialias=True)


class MovieGenLikeness(io.ComfyNode):
    """How like its picture a face stays."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenLikeness",
            display_name="Likeness",
            category=CATEGORY,
            description="Follow a face through a clip: how like its pictures it is, frame by frame, as a"
            " curve and as numbers. Of several clips, such as of several seeds, the most like goes on."
            f" {MEASURE}",
            inputs=[
                io.Model.Input("model", tooltip=MODEL_TIP),
                io.Image.Input("faces", tooltip="Of the person, from Find Face."),
                io.Int.Input(
                    "frames_each",
                    default=0,
                    min=0,
                    max=100_000,
                    tooltip="Frames of each clip in images, as Movie Gen Decode counts them: of N clips in a"
                    " row the best is chosen. 0 takes all for one clip.",
                ),
                io.Image.Input("images", optional=True, tooltip="The frames of one clip, or of several."),
                io.Video.Input("video", optional=True, tooltip="A clip, in the place of images."),
            ],
            outputs=[
                io.Image.Output(display_name="curve", tooltip="1 at the top, red where no face is found."),
                io.Image.Output(display_name="images", tooltip="Frames of the clip that is most like."),
                io.Int.Output(display_name="number", tooltip="Which it is, counted from 1."),
                io.Float.Output(display_name="mean", tooltip="Over its frames; one without a face is 0."),
                io.Float.Output(display_name="minimum", tooltip="The worst frame."),
                io.Float.Output(
                    display_name="drift", tooltip="How much the end is less like than the start."
                ),
                io.String.Output(display_name="report", tooltip="The numbers of every clip."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        model: Any,  # noqa: ANN401
        faces: Tensor,
        frames_each: int,
        images: Tensor | None = None,
        video: Any = None,  # noqa: ANN401
    ) -> io.NodeOutput:
        """Follow, compare, choose."""
        reader = host_faces.needed_reader(model)
        references = face_pictures(faces, reader.model.config.size)
        clips = given_clips(images, video, frames_each)
        curves = [follow(reader, clip, references) for clip in clips]
        best = max(range(len(curves)), key=lambda place: curves[place].mean)
        words = told_likeness(curves, best)
        report.say_on_node(cls.hidden, words)
        curve, drawn = curves[best], image_from_bytes(curve_picture(curves[best]))[None]
        shown = ui.PreviewImage(drawn, cls=cls).as_dict() | ui.PreviewText(words).as_dict()
        numbers = (curve.mean, curve.minimum, curve.drift)
        return io.NodeOutput(drawn, clips[best], best + 1, *numbers, words, ui=shown)


class MovieGenPortrait(io.ComfyNode):
    """A drawn person to try a face with."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenPortrait",
            display_name="Nano Portrait",
            category=CATEGORY,
            description="A drawn person of nano's small world, to try the role face with: nano knows no other"
            " people. With a model that knows yours, take Load Image.",
            inputs=[
                io.Combo.Input(
                    "person",
                    options=list(portraits()),
                    default="red-long-hair-glasses",
                    tooltip="Who it is: hair and what is worn.",
                )
            ],
            outputs=[io.Image.Output(display_name="image", tooltip="The portrait, for Find Face.")],
        )

    @classmethod
    def execute(cls, person: str) -> io.NodeOutput:
        """Read it."""
        return io.NodeOutput(image_from_bytes(torch.from_numpy(read_image(portraits()[person])))[None])


def portraits() -> dict[str, Path]:
    """The portraits that came with nano, by name."""
    return {path.stem: path for path in sorted((open_cast("nano").folder / "portraits").glob("*.png"))}


def given_clips(images: Tensor | None, video: Any, frames_each: int) -> list[Tensor]:  # noqa: ANN401
    """The clips to look at, (T, H, W, 3) in 0..1 each.

    Args:
        images: frames of one clip or of several in a row.
        video: a clip in their place, of which a few frames are enough.
        frames_each: of each clip in ``images``; 0 for one clip.

    Returns:
        At least one.

    Raises:
        GeometryError: neither, both, or frames that are no whole clips.
    """
    if (images is None) == (video is None):
        raise GeometryError("give a clip either as images or as a video")
    if video is not None:
        return [torch.stack(host_video.evenly_seen(video, SEEN_FRAMES))]
    count = frames_each or len(images)
    if not len(images) or len(images) % count:
        raise GeometryError(
            f"{len(images)} frames are no whole clips of {count}; connect the frames of Movie Gen Decode, or"
            " give 0 for one clip"
        )
    return list(images.split(count))


def follow(reader: host_faces.FaceReader, images_THWC: Tensor, references_NCHW: Tensor) -> Likeness:
    """The likeness of a clip's face."""
    places = torch.linspace(0, len(images_THWC) - 1, min(SEEN_FRAMES, len(images_THWC))).round().long()
    clip_CTHW = pixels_from_image(images_THWC[places][..., :3].float()).permute(3, 0, 1, 2)
    references = references_NCHW.to(reader.device)
    return likeness(reader.encoder, clip_CTHW.to(reader.device), references, SEEN_FRAMES)


def told_likeness(curves: Sequence[Likeness], best: int) -> str:
    """Every clip's numbers, the chosen one marked where there are several."""
    if len(curves) == 1:
        return curves[0].sentence()
    return "\n".join(
        f"{'> ' if place == best else ''}{place + 1}: {curve.sentence()}"
        for place, curve in enumerate(curves)
    )


NODES = (MovieGenPortrait, MovieGenFindFace, MovieGenIdentityConditioning, MovieGenLikeness)
