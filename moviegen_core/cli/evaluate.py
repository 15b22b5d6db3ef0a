"""``moviegen evaluate``: measure a cast on scenes it never saw."""

import argparse
import sys
from pathlib import Path

from ..errors import MediaError
from ..evaluation.report import Report, evaluate
from ..media.target import checked_target, replacing
from ..weights.cast import Cast, open_cast
from .progress import Progress
from .values import parse_device, tell


def run(args: argparse.Namespace) -> int:
    """Do what the options ask for; returns the exit code."""
    path = checked_target(args.report, Path(args.report).suffix.lower()) if args.report is not None else None
    cast, device = open_cast(args.cast), parse_device(args.device)
    report = _measured(cast, _roles(cast, args.roles), str(device))
    if path is None and not args.json:
        sys.stdout.write(report.markdown())
        return 0
    if path is not None:
        _write(path, report.markdown())
    tell(args, f"{path}: cast {cast.name} measured", {"cast": cast.name, "report": report.markdown()})
    return 0


def _measured(cast: Cast, roles: list[str], device: str) -> Report:
    with Progress(f"{cast.name} measured", None) as progress:
        return evaluate(cast, roles, device=device, on_progress=lambda *_: progress.advance())


def _roles(cast: Cast, wanted: list[str]) -> list[str]:
    """Those asked for, or all; each must be there."""
    roles = wanted or list(cast.roles)
    for role in roles:
        cast.path(role)
    return roles


def _write(path: Path, text: str) -> None:
    try:
        with replacing(path) as partial:
            partial.write_text(text, encoding="utf-8")
    except OSError as error:
        raise MediaError(f"{path} cannot be written ({error.strerror}); choose another folder") from error
