"""Options of what changes clips."""

import argparse

from .shared import add_json, add_models, add_sampling, add_shape, command


def add_edit(commands: argparse._SubParsersAction) -> None:
    """``moviegen edit``."""
    parser = command(
        commands,
        "edit",
        "Change a video by an instruction, and keep everything that was not asked for.",
        'moviegen edit clip.mp4 "make the ball blue" -o blue.mp4',
    )
    parser.add_argument("input", metavar="CLIP", help="a video or picture of at most 64 seconds, any size")
    parser.add_argument("instruction", metavar="INSTRUCTION", help="what to change, in a sentence")
    parser.add_argument(
        "-o", "--output", required=True, help="OUT.mp4 (H.264), OUT.mkv (lossless) or OUT.png (one frame)"
    )
    parser.add_argument(
        "--keep",
        default="auto",
        metavar="auto|MASK.png|none",
        help="what stays the source's own: what did not change (auto), what is black in a mask, or nothing",
    )
    parser.add_argument("--size", metavar="WxH", help="to work at (default: the source's, as large as fits)")
    _add_edit_pulls(parser)
    _add_flow_edit(parser)
    _add_matte(parser)
    add_models(parser)
    add_json(parser)


def _add_flow_edit(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "FlowEdit", "two captions steer the text-to-video model; casts without an edit model edit so anyway"
    )
    group.add_argument("--flow-edit", action="store_true", help="edit so though the cast has an edit model")
    group.add_argument("--caption", help="what CLIP shows (default: its prompt, or what our judge sees)")
    group.add_argument("--target", help="what it shall show (default: made of caption and instruction)")
    group.add_argument(
        "--strength",
        type=float,
        help="share of the way from noise; near 1 layout changes as well (default 0.85)",
    )
    group.add_argument("--averages", type=int, help="noises to average over (default 1)")


def _add_edit_pulls(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--steps", type=int, default=24, help="solver steps (default %(default)s)")
    parser.add_argument(
        "--source-pull",
        type=float,
        help="pull of the source (default 1.5 for an edit model, else 2: the pull of the source's caption)",
    )
    parser.add_argument(
        "--text-pull", type=float, help="pull of the instruction (default 4 for an edit model, else 5)"
    )
    parser.add_argument("--seed", type=int, default=0, help="decides the noise (default %(default)s)")


def add_personalize(commands: argparse._SubParsersAction) -> None:
    """``moviegen personalize``."""
    parser = command(
        commands,
        "personalize",
        "Put the face of a picture into a new clip, and show how like it stays.",
        'moviegen personalize face.png "a person walks on the beach" -o clip.mp4 --best-of 4',
    )
    parser.add_argument("face", metavar="FACE", help="a picture of one person's face")
    parser.add_argument("prompt", metavar="PROMPT", help="what the clip shows; it should speak of a person")
    parser.add_argument("-o", "--output", required=True, help="OUT.mp4")
    parser.add_argument(
        "--face", dest="faces", action="append", default=[], metavar="MORE", help="another picture of them"
    )
    parser.add_argument("--mask", metavar="FILE", help="white where the face is in FACE; nothing is searched")
    parser.add_argument(
        "--best-of", type=int, default=1, metavar="N", help="make N seeds and keep the most like (default 1)"
    )
    parser.add_argument("--curve", metavar="OUT.png", help="write a picture of the likeness, frame by frame")
    add_shape(parser)
    add_sampling(parser)
    add_models(parser)
    add_json(parser)


def add_composite(commands: argparse._SubParsersAction) -> None:
    """``moviegen composite``."""
    parser = command(
        commands,
        "composite",
        "Lay only what changed in a video, edited by any model, over its source; the rest stays bit for bit.",
        "moviegen composite source.mp4 edited.mp4 -o kept.mp4 --matte matte.png",
    )
    parser.add_argument("source", metavar="SOURCE", help="the video or picture as it was")
    parser.add_argument("edited", metavar="EDITED", help="what any model made of it")
    parser.add_argument(
        "-o", "--output", required=True, help="OUT.mp4 (H.264), OUT.mkv (lossless) or OUT.png (one frame)"
    )
    parser.add_argument(
        "--mask",
        metavar="FILE",
        help="a picture or video, white where the edit shows; it replaces the automatic matte",
    )
    _add_matte(parser)
    add_models(parser)
    add_json(parser)


def _add_matte(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--matte", metavar="OUT.png", help="write a picture of where the edit shows")
    parser.add_argument(
        "--grow",
        type=float,
        default=0.03,
        help="how far the matte reaches over the change, as a share of the height (default %(default)s)",
    )
    parser.add_argument(
        "--feather",
        type=float,
        default=0.02,
        help="width of its soft rim, as a share of the height (default %(default)s)",
    )
    parser.add_argument(
        "--sensitivity",
        type=float,
        default=1.0,
        help="above 1 smaller changes count (default %(default)s)",
    )
