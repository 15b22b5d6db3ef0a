"""What the words of a command line stand for: lengths, devices."""

import argparse

import torch

from ..errors import GeometryError, SettingsError
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
