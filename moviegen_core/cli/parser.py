"""Every option of every command, in one place and without heavy imports."""

import argparse
from typing import NoReturn

from ..errors import SettingsError
from ..geometry import FITS
from ..stages.settings import SamplingSettings
from ..theatre.sampling import SPLITS
from ..theatre.vocabulary import CAMERAS

DEFAULTS = SamplingSettings()
SECONDS, FPS, SIZE, CAST = "2", "16", "192x112", "nano"
UPSCALER, UPSCALERS = "lanczos", "lanczos, bicubic, a cast such as nano, or an upsampler's weights file"
COLOURS = ("wavelet", "lab", "none")
SERVER = "http://127.0.0.1:8188"
"""Where ComfyUI listens unless it is told otherwise."""


class _Parser(argparse.ArgumentParser):
    """Complains in one sentence, as everything else here does."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line.

        Args:
            message: what argparse found.

        Raises:
            SettingsError: always.
        """
        raise SettingsError(f"{message}; see {self.prog} --help")


def make_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = _Parser(prog="moviegen", description="A sentence becomes a clip, offline, on a laptop.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=_Parser)
    adders = (
        _add_generate,
        _add_reconstruct,
        _add_upscale,
        _add_theatre,
        _add_train,
        _add_evaluate,
        _add_run,
    )
    for add in adders:
        add(commands)
    return parser


def _command(commands: argparse._SubParsersAction, name: str, summary: str, example: str) -> _Parser:
    return commands.add_parser(name, help=summary, description=summary, epilog=f"example: {example}")


def _add_generate(commands: argparse._SubParsersAction) -> None:
    parser = _command(
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
    _add_shape(parser)
    _add_sampling(parser)
    _add_models(parser)
    _add_json(parser)


def _add_sampling(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--steps", type=int, default=DEFAULTS.num_steps, help="solver steps (default %(default)s)"
    )
    parser.add_argument(
        "--guidance",
        type=float,
        default=DEFAULTS.guidance,
        help="pull of the prompt, 1 is none (default %(default)s)",
    )
    parser.add_argument(
        "--seed", type=int, default=DEFAULTS.seed, help="decides the noise (default %(default)s)"
    )
    parser.add_argument("--camera", choices=CAMERAS, metavar="LABEL", help=f"one of {', '.join(CAMERAS)}")


def _add_edit(commands: argparse._SubParsersAction) -> None:
    parser = _command(
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
    parser.add_argument("--caption", help="what CLIP shows (default: its prompt, or what our judge sees)")
    parser.add_argument("--target", help="what it shall show (default: made of caption and instruction)")
    parser.add_argument("--size", metavar="WxH", help="to work at (default: the source's, as large as fits)")
    _add_edit_pulls(parser)
    _add_matte(parser)
    _add_models(parser)
    _add_json(parser)


def _add_personalize(commands: argparse._SubParsersAction) -> None:
    parser = _command(
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
    _add_shape(parser)
    _add_sampling(parser)
    _add_models(parser)
    _add_json(parser)


def _add_edit_pulls(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--strength",
        type=float,
        default=0.85,
        help="without an edit model: share of the way from noise; near 1 layout changes as well"
        " (default %(default)s)",
    )
    parser.add_argument("--steps", type=int, default=24, help="solver steps (default %(default)s)")
    parser.add_argument(
        "--source-pull",
        type=float,
        help="pull of the source (default 1.5 for an edit model, else 2: the pull of the source's caption)",
    )
    parser.add_argument(
        "--text-pull", type=float, help="pull of the instruction (default 4 for an edit model, else 5)"
    )
    parser.add_argument(
        "--averages",
        type=int,
        default=1,
        help="without an edit model: noises to average over (default %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=0, help="decides the noise (default %(default)s)")


def _add_composite(commands: argparse._SubParsersAction) -> None:
    parser = _command(
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
    _add_models(parser)
    _add_json(parser)


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


def _add_reconstruct(commands: argparse._SubParsersAction) -> None:
    parser = _command(
        commands,
        "reconstruct",
        "Pass a video through the autoencoder and back, and measure what is lost (PSNR, SSIM).",
        "moviegen reconstruct holiday.mov -o through.mp4",
    )
    parser.add_argument("input", metavar="IN", help="any video or picture, of any size and length")
    parser.add_argument("-o", "--output", required=True, help="OUT.mp4")
    _add_models(parser)
    _add_json(parser)


def _add_upscale(commands: argparse._SubParsersAction) -> None:
    parser = _command(
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
        help="where shapes differ: crop what stands over, or pad with black (default %(default)s)",
    )
    _add_upscaler(parser)
    parser.add_argument(
        "--resume", action="store_true", help="go on from the finished parts of a run that was stopped"
    )
    _add_device(parser)
    _add_json(parser)


def _add_upscaler(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--upscaler",
        default=UPSCALER,
        metavar="NAME|FILE",
        help=f"{UPSCALERS} (default %(default)s)",
    )
    parser.add_argument(
        "--steps",
        type=int,
        default=4,
        help="solver steps of a model (default %(default)s); 1 is soft",
    )
    parser.add_argument("--seed", type=int, default=0, help="decides a model's detail (default %(default)s)")
    parser.add_argument(
        "--colour",
        choices=COLOURS,
        default=COLOURS[0],
        help="how colours are brought back to the source's (default %(default)s)",
    )


def _add_theatre(commands: argparse._SubParsersAction) -> None:
    parser = _command(
        commands,
        "theatre",
        "Render clips of the small world that nano is trained on, with captions and scenes.",
        "moviegen theatre --seed 7 --count 12 -o clips",
    )
    parser.add_argument(
        "-o", "--output", required=True, metavar="DIR", help="folder for the clips and scenes.jsonl"
    )
    parser.add_argument("--seed", type=int, default=0, help="first scene's seed (default %(default)s)")
    parser.add_argument("--count", type=int, default=1, help="how many clips (default %(default)s)")
    parser.add_argument(
        "--split", choices=SPLITS, default=SPLITS[0], help="held-out scenes are never trained on"
    )
    _add_shape(parser)
    _add_json(parser)


def _add_train(commands: argparse._SubParsersAction) -> None:
    parser = _command(
        commands,
        "train",
        "Train a role of the cast by the recipe that made the shipped one.",
        "moviegen train tae --out runs/tae --minutes 120",
    )
    parser.add_argument(
        "role",
        metavar="tae|video|upsampler|audio_codec|audio|judge",
        help="what to train; video and audio train their text encoders too, audio its frame encoder as well",
    )
    parser.add_argument(
        "--out", required=True, metavar="DIR", help="folder for checkpoints, loss curve and weights"
    )
    parser.add_argument(
        "--minutes", type=float, required=True, help="time budget; training stops and saves after it"
    )
    parser.add_argument(
        "--steps",
        type=int,
        help="length of the whole run, over which the learning rate falls (default: the recipe's)",
    )
    parser.add_argument(
        "--footage",
        metavar="FILE",
        help="for tae and upsampler: real pictures and clips to learn from as well; collected into FILE if it"
        " is not there",
    )
    parser.add_argument(
        "--tae",
        metavar="FILE",
        help="for video: the autoencoder to learn on (default: the shipped one); for judge and upsampler: one"
        " whose faults they meet",
    )
    parser.add_argument(
        "--codec", metavar="FILE", help="for audio: the codec to learn on (default: the shipped one)"
    )
    parser.add_argument("--resume", action="store_true", help="go on where DIR's last checkpoint stands")
    parser.add_argument(
        "--start",
        metavar="CAST",
        help="begin from the weights of a cast, nano or a folder, instead of noise; --resume goes before it",
    )
    _add_device(parser)
    _add_json(parser)


def _add_evaluate(commands: argparse._SubParsersAction) -> None:
    parser = _command(
        commands,
        "evaluate",
        "Measure a cast on held-out scenes.",
        "moviegen evaluate tae video --report REPORT.md",
    )
    parser.add_argument(
        "roles", nargs="*", metavar="ROLE", help="roles to measure (default: all the cast has)"
    )
    parser.add_argument(
        "--report", metavar="FILE.md", help="write the report, its numbers and a contact sheet"
    )
    parser.add_argument(
        "--count", type=int, default=96, help="held-out prompts to generate (default %(default)s)"
    )
    parser.add_argument(
        "--footage", metavar="FILE", help="real clips that the autoencoder is measured on as well"
    )
    _add_models(parser)
    _add_json(parser)


def _add_run(commands: argparse._SubParsersAction) -> None:
    parser = _command(
        commands,
        "run",
        "Run a workflow on a ComfyUI server and fetch what it makes.",
        'moviegen run workflow.json --set "KSampler.seed=7" -o results',
    )
    parser.add_argument("workflow", metavar="WORKFLOW.json", help="as ComfyUI saves it, or exports it (API)")
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="NODE.INPUT=VALUE",
        help="change an input; NODE is a node's id, title or class. A picture, video or sound of this machine"
        " is sent along",
    )
    parser.add_argument("--server", default=SERVER, metavar="URL", help="its address (default %(default)s)")
    parser.add_argument(
        "-o", "--output", default=".", metavar="DIR", help="folder for the results (default: this one)"
    )
    parser.add_argument("--previews", action="store_true", help="fetch what preview nodes show as well")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace files of the same name instead of numbering the new"
    )
    _add_json(parser)


def _add_shape(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", default=SECONDS, help="length (default %(default)s)")
    parser.add_argument(
        "--fps", default=FPS, help="frames a second; 23.976 and 24000/1001 work (default %(default)s)"
    )
    parser.add_argument(
        "--size", default=SIZE, metavar="WxH", help="width x height in pixels (default %(default)s)"
    )


def _add_models(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cast", default=CAST, metavar="NAME|DIR", help="the models to use (default %(default)s)"
    )
    _add_device(parser)


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, ... (default %(default)s)")


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the result as one line of JSON")
