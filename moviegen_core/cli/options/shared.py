"""What several commands' options have in common."""

import argparse
from typing import NoReturn

from ...errors import SettingsError
from ...stages.settings import SamplingSettings
from ...theatre.vocabulary import CAMERAS

DEFAULTS = SamplingSettings()
SECONDS, FPS, SIZE, CAST = "2", "16", "192x112", "nano"


class Parser(argparse.ArgumentParser):
    """Complains in one sentence, as everything else here does."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line.

        Args:
            message: what argparse found.

        Raises:
            SettingsError: always.
        """
        raise SettingsError(f"{message}; see {self.prog} --help")


def command(commands: argparse._SubParsersAction, name: str, summary: str, example: str) -> Parser:
    """A command, its summary, which its help repeats, and an example."""
    return commands.add_parser(name, help=summary, description=summary, epilog=f"example: {example}")


def add_shape(parser: argparse.ArgumentParser) -> None:
    """Length, rate and size."""
    parser.add_argument("--seconds", default=SECONDS, help="length (default %(default)s)")
    parser.add_argument(
        "--fps", default=FPS, help="frames a second; 23.976 and 24000/1001 work (default %(default)s)"
    )
    parser.add_argument(
        "--size", default=SIZE, metavar="WxH", help="width x height in pixels (default %(default)s)"
    )


def add_models(parser: argparse.ArgumentParser) -> None:
    """Which cast, and where it computes."""
    parser.add_argument(
        "--cast", default=CAST, metavar="NAME|DIR", help="the models to use (default %(default)s)"
    )
    add_device(parser)


def add_device(parser: argparse.ArgumentParser) -> None:
    """Where models compute."""
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, ... (default %(default)s)")


def add_json(parser: argparse.ArgumentParser) -> None:
    """The result for machines."""
    parser.add_argument("--json", action="store_true", help="print the result as one line of JSON")


def add_sampling(parser: argparse.ArgumentParser) -> None:
    """How a clip is sampled."""
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
