"""``moviegen evaluate``: measure a cast on scenes it never saw."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from ..errors import MediaError
from ..evaluation.report import Report, evaluate
from ..media.target import checked_target
from ..weights.cast import Cast, open_cast
from .output import tell
from .progress import Progress
from .values import parse_device


def run(args: argparse.Namespace) -> int:
    """Do what the options ask for; returns the exit code."""
    path = None if args.report is None else checked_target(args.report, ".md")
    report = _measure(args, open_cast(args.cast))
    files = [] if path is None else _write(report, path)
    if path is None and not args.json:
        sys.stdout.write(report.markdown())
        return 0
    met, missed, unknown = (
        [bar.is_met for bar in report.bars()].count(state) for state in (True, False, None)
    )
    sentence = f"{path}: {met} bars met, {missed} missed, {unknown} not measured"
    tell(args, sentence, json.loads(report.to_json()) | {"files": [str(file) for file in files]})
    return 0


def _measure(args: argparse.Namespace, cast: Cast) -> Report:
    roles, device = _roles(cast, args.roles), parse_device(args.device)
    with Progress(f"measuring {cast.name}", None) as progress:

        def on_progress(done: int, total: int) -> None:
            progress.total = total
            progress.reach(done)

        return evaluate(
            cast, roles, device=device, on_progress=on_progress, count=args.count, footage=args.footage
        )


def _roles(cast: Cast, wanted: Sequence[str]) -> list[str]:
    """Those asked for, or all; each must be there."""
    roles = list(wanted or cast.roles)
    for role in roles:
        cast.path(role)
    return roles


def _write(report: Report, path: Path) -> list[Path]:
    try:
        return report.write(path)
    except OSError as error:
        raise MediaError(f"{path} cannot be written ({error.strerror}); choose another folder") from error
