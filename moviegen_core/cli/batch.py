"""``moviegen generate --prompts``: one clip a line, in one process, resumable."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import Interrupted, MediaError, MovieGenError, PromptError, SettingsError
from .manifest import Manifest
from .output import check_folder, tell
from .progress import Progress
from .studio import SUFFIXES, Studio, open_studio, requested

MANIFEST = "manifest.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One prompt of the file and the clip it becomes."""

    number: int
    """From 1, as editors count; blank lines count too."""
    raw: bytes

    @property
    def file(self) -> str:
        """The clip's name: the line's number from 0."""
        return f"{self.number - 1:04}.mp4"

    def prompt(self) -> str:
        """The line's text; a line that is not UTF-8 is refused, the others are not its concern."""
        try:
            return self.raw.decode("utf-8").strip()
        except UnicodeDecodeError as error:
            raise PromptError(f"line {self.number} is not UTF-8 text; save the file as UTF-8") from error


def read_lines(text: str) -> list[Line]:
    """Read a file of prompts.

    Args:
        text: its path.

    Returns:
        Its lines but the blank ones.

    Raises:
        MediaError: it cannot be read.
        SettingsError: there is no prompt in it.
    """
    try:
        content = Path(text).read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise MediaError(
            f"prompts file {text} cannot be read ({error.strerror}); give a text file"
        ) from error
    lines = [
        Line(number=number, raw=raw) for number, raw in enumerate(content.splitlines(), 1) if raw.strip()
    ]
    if not lines:
        raise SettingsError(f"prompts file {text} holds no prompt; write one a line")
    return lines


def run_batch(args: argparse.Namespace) -> int:
    """Make every clip that is not there yet.

    Args:
        args: parsed options of ``generate``.

    Returns:
        0, or 1 when a line failed.

    Raises:
        SettingsError: the output is named like a file.
    """
    if Path(args.output).suffix.lower() in SUFFIXES:
        raise SettingsError(
            f"output {args.output!r} is a file name; --prompts makes many clips, give a folder"
        )
    folder, lines = check_folder(args.output), read_lines(args.prompts)
    studio = open_studio(args, *requested(args))
    folder.mkdir(exist_ok=True)
    manifest = Manifest(folder / MANIFEST)
    counts = make_clips(studio, manifest, lines)
    tell(args, _summary(folder, counts), {"folder": str(folder), "manifest": str(manifest.path)} | counts)
    return 1 if counts["failed"] else 0


def make_clips(studio: Studio, manifest: Manifest, lines: Sequence[Line]) -> dict[str, int]:
    """Make the clips that the manifest does not call done; a line that fails does not stop the rest."""
    counts = {"made": 0, "kept": 0, "failed": 0}
    manifest.tidy()
    with Progress(f"{len(lines)} clips", len(lines) * studio.num_steps) as progress:
        for position, line in enumerate(lines, 1):
            outcome = _make_clip(studio, manifest, line, progress)
            counts[outcome] += 1
            progress.reach(position * studio.num_steps)
    manifest.tidy()
    return counts


def _make_clip(studio: Studio, manifest: Manifest, line: Line, progress: Progress) -> str:
    key, facts = "", {"line": line.number}
    try:
        prompt = line.prompt()
        key, facts = studio.key(prompt), facts | {"prompt": prompt} | studio.facts
        if manifest.is_done(line.file, key):
            return "kept"
        studio.make(prompt, manifest.path.parent / line.file, progress.advance)
    except Interrupted:
        raise
    except MovieGenError as error:
        progress.say(f"moviegen: line {line.number}: {error}")
        manifest.add(line.file, key, error=str(error), **facts)
        return "failed"
    manifest.add(line.file, key, **facts)
    return "made"


def _summary(folder: Path, counts: dict[str, int]) -> str:
    parts = [f"{counts['made']} clips made"]
    parts += [f"{counts['kept']} already there"] if counts["kept"] else []
    parts += [f"{counts['failed']} failed, see {MANIFEST}"] if counts["failed"] else []
    return f"{folder}: {', '.join(parts)}"
