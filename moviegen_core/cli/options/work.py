"""Options of the theatre, training, measuring and running workflows."""

import argparse

from ...theatre.sampling import SPLITS
from .shared import add_device, add_json, add_models, add_shape, command

SERVER = "http://127.0.0.1:8188"
"""Where ComfyUI listens unless it is told otherwise."""


def add_theatre(commands: argparse._SubParsersAction) -> None:
    """``moviegen theatre``."""
    parser = command(
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
    add_shape(parser)
    add_json(parser)


def add_train(commands: argparse._SubParsersAction) -> None:
    """``moviegen train``."""
    parser = command(
        commands,
        "train",
        "Train a role of the cast by the recipe that made the shipped one.",
        "moviegen train tae --out runs/tae --minutes 120",
    )
    parser.add_argument(
        "role",
        metavar="tae|video|edit|personalized|shared|upsampler|audio_codec|audio|judge|sound_judge|face_judge",
        help="what to train; video and audio train their text encoders too, audio its frame encoder as well;"
        " shared teaches one model the roles video, edit and personalized",
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
        help="for video, edit, personalized and shared: the autoencoder to learn on (default: the shipped"
        " one); for upsampler and the judges of clips and faces: one whose faults they meet",
    )
    parser.add_argument(
        "--codec",
        metavar="FILE",
        help="for audio: the codec to learn on (default: the shipped one); for sound_judge: one in between",
    )
    parser.add_argument("--resume", action="store_true", help="go on where DIR's last checkpoint stands")
    parser.add_argument(
        "--start",
        metavar="CAST",
        help="begin from the weights of a cast, nano or a folder, instead of noise; --resume goes before it",
    )
    add_device(parser)
    add_json(parser)


def add_evaluate(commands: argparse._SubParsersAction) -> None:
    """``moviegen evaluate``."""
    parser = command(
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
    add_models(parser)
    add_json(parser)


def add_run(commands: argparse._SubParsersAction) -> None:
    """``moviegen run``."""
    parser = command(
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
    add_json(parser)
