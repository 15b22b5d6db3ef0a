"""Options of what makes clips and of what takes them through the autoencoder."""

import argparse

from ...geometry import FITS
from ...stages.settings import UpsampleSettings
from .shared import add_device, add_json, add_models, add_sampling, add_shape, command

UPSCALER, UPSCALERS = "lanczos", "lanczos, bicubic, a cast such as nano, or an upsampler's weights file"
COLOURS = ("wavelet", "lab", "none")


def add_generate(commands: argparse._SubParsersAction) -> None:
    """``moviegen generate``."""
    parser = command(
        commands,
        "generate",
        "Make a clip from a sentence, or a folder of clips from a file of sentences.",
        'moviegen generate "a red ball bounces on the beach" -o clip.mp4',
    )
    parser.add_argument("prompt", nargs="?", metavar="PROMPT", help="what the clip shows")
    parser.add_argument("--prompts", metavar="FILE", help="instead of PROMPT: a text file, one prompt a line")
    parser.add_argument(
        "-o", "--output", required=True, help="OUT.mp4, or OUT.png for one frame; with --prompts a folder"
    )
    add_shape(parser)
    add_sampling(parser)
    parser.add_argument(
        "--silent", action="store_true", help="no sound (default: sound, where the cast can make it)"
    )
    parser.add_argument(
        "--upscale",
        metavar="WxH|H",
        help="make the finished clip larger, such as 1920x1080, or 1080 for rows alone",
    )
    _add_upscaler_name(parser)
    add_models(parser)
    add_json(parser)


def add_reconstruct(commands: argparse._SubParsersAction) -> None:
    """``moviegen reconstruct``."""
    parser = command(
        commands,
        "reconstruct",
        "Pass a video through the autoencoder and back, and measure what is lost (PSNR, SSIM).",
        "moviegen reconstruct holiday.mov -o through.mp4",
    )
    parser.add_argument("input", metavar="IN", help="any video or picture, of any size and length")
    parser.add_argument("-o", "--output", required=True, help="OUT.mp4")
    add_models(parser)
    add_json(parser)


def add_upscale(commands: argparse._SubParsersAction) -> None:
    """``moviegen upscale``."""
    parser = command(
        commands,
        "upscale",
        "Make a video or picture larger, to an exact size, in flat memory; its sound is copied untouched.",
        "moviegen upscale clip.mp4 -o large.mp4 --height 1080",
    )
    parser.add_argument("input", metavar="IN", help="any video or picture, of any length")
    parser.add_argument("-o", "--output", required=True, help="OUT.mp4, .mov or .mkv; OUT.png for a picture")
    parser.add_argument("--height", type=int, default=1080, help="rows of the result (default %(default)s)")
    parser.add_argument(
        "--width", type=int, help="columns of the result (default: what the shape of the source asks for)"
    )
    parser.add_argument(
        "--fit",
        choices=FITS,
        default=FITS[0],
        help="where shapes differ: crop what stands over, pad with black, or stretch (default %(default)s)",
    )
    _add_upscaler(parser)
    parser.add_argument(
        "--resume", action="store_true", help="go on from the finished parts of a run that was stopped"
    )
    add_device(parser)
    add_json(parser)


def _add_upscaler_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--upscaler",
        default=UPSCALER,
        metavar="NAME|FILE",
        help=f"{UPSCALERS} (default %(default)s)",
    )


def _add_upscaler(parser: argparse.ArgumentParser) -> None:
    _add_upscaler_name(parser)
    parser.add_argument(
        "--steps",
        type=int,
        default=UpsampleSettings().num_steps,
        help="solver steps of a model (default %(default)s): 1 gives the likeliest picture, more draw detail"
        " that could be there",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        help="decides a model's detail, with 2 steps and more (default %(default)s)",
    )
    parser.add_argument(
        "--colour",
        choices=COLOURS,
        default=COLOURS[0],
        help="how colours are brought back to the source's (default %(default)s)",
    )
