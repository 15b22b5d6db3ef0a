"""What the words of a command line stand for (lengths, devices, folders), and how a result is told."""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import torch

from ..errors import GeometryError, MediaError, SettingsError
from ..geometry import ClipShape, frames_for, parse_fps, parse_size


def clip_shape(args: argparse.Namespace) -> ClipShape:
    """Read --seconds, --fps and --size."""
    height, width = parse_size(args.size)
    fps = parse_fps(args.fps)
    return ClipShape(
        num_frames=frames_for(parse_seconds(args.seconds), fps), fps=fps, height=height, width=width
    )


def parse_seconds(text: str) -> float:
    """Read a length.

    Args:
        text: such as "2" or "2.5".

    Returns:
        Seconds, unchecked.

    Raises:
        GeometryError: not a number.
    """
    try:
        return float(text)
    except ValueError as error:
        raise GeometryError(f"seconds {text!r} is not a number; write it like 2 or 2.5") from error


def parse_device(text: str) -> torch.device:
    """Read --device and make sure that it computes.

    Args:
        text: "auto" for the GPU if there is one and else the CPU, or what torch calls a device.

    Returns:
        The device.

    Raises:
        SettingsError: no such device here.
    """
    name = ("cuda" if torch.cuda.is_available() else "cpu") if text == "auto" else text
    try:
        torch.zeros(1, device=name).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise SettingsError(
            f"device {text!r} cannot compute here; use auto, or cpu, which always works"
        ) from error
    return torch.device(name)


def check_folder(text: str, *, levels: int = 1) -> Path:
    """Refuse an output folder that neither exists nor can be made; touch nothing.

    Args:
        text: the folder.
        levels: how many folders may be missing at the end of its path; more look like a typing error.

    Returns:
        Its path.

    Raises:
        MediaError: it is a file, lies in a folder that does not exist, or cannot be written.
    """
    folder = Path(text)
    if folder.exists() and not folder.is_dir():
        raise MediaError(f"{folder} is a file; give a folder for the results")
    home = folder.absolute()
    for _ in range(levels):
        home = home if home.is_dir() else home.parent
    if not home.is_dir():
        raise MediaError(f"folder {home} does not exist; create it or choose another")
    if not os.access(home, os.W_OK | os.X_OK):
        raise MediaError(f"folder {home} cannot be written; change its permissions or choose another")
    return folder


def tell(args: argparse.Namespace, sentence: str, facts: Mapping[str, object]) -> None:
    """The result on stdout, one line: a sentence for people, the facts for machines."""
    sys.stdout.write((json.dumps(dict(facts)) if args.json else sentence) + "\n")
