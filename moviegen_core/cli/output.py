"""Where results go, and how they are told."""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from ..errors import MediaError


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
