"""Long work in units that survive: each a file that is whole or not there, in a folder that knows its job."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import MediaError, SettingsError
from ..media.target import replacing
from .content import content_key

JOB_FILE = "job.json"
SUFFIX = ".parts"
"""Of the folder beside the result in which the units wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A folder of units, one after the other."""

    folder: Path
    key: str
    notice: str = ""
    """Why work that was there is not used, or that it is; empty when there was none."""

    def unit(self, number: int, suffix: str) -> Path:
        """Where a unit's file of one kind lies."""
        return self.folder / f"{number:06d}{suffix}"

    def num_done(self, suffix: str) -> int:
        """Units finished without a gap, by the file that is written last of each."""
        count = 0
        while self.unit(count, suffix).is_file():
            count += 1
        return count

    def close(self) -> None:
        """The result is written: the units are no longer needed."""
        shutil.rmtree(self.folder, ignore_errors=True)


def open_job(result: Path, facts: Mapping[str, object], *, resume: bool) -> Job:
    """Begin a job, or go on with one that was stopped.

    Args:
        result: the file that the units will become; they wait in a folder beside it.
        facts: everything that decides the units, the content of the input among it; plain values.
        resume: whether to use what is there. Units of other facts are never used.

    Returns:
        The job; its folder exists.

    Raises:
        SettingsError: finished units of this very job are there and ``resume`` was not asked for.
        MediaError: the folder cannot be written, or is no job of ours.
    """
    folder, key = result.with_name(result.name + SUFFIX), content_key(facts)
    before = _facts_of(folder)
    if before == dict(facts) and not resume and any(folder.glob("0*")):
        raise SettingsError(
            f"{folder} holds finished parts of this very job; add --resume to go on from them, or delete it"
        )
    notice = _notice(before, facts, resume)
    try:
        if before is not None and before != dict(facts):
            shutil.rmtree(folder)
        folder.mkdir(exist_ok=True)
        _sweep(folder)
        with replacing(folder / JOB_FILE) as partial:
            partial.write_text(json.dumps({"key": key, "facts": dict(facts)}, indent=1), encoding="utf-8")
    except OSError as error:
        raise MediaError(
            f"folder {folder} for the finished parts cannot be written ({error.strerror}); change its"
            " permissions, free the disk, or write the result elsewhere"
        ) from error
    return Job(folder=folder, key=key, notice=notice)


def _facts_of(folder: Path) -> dict[str, object] | None:
    """The facts of the job that a folder holds; None when there is no folder."""
    if not folder.exists():
        return None
    if folder.is_dir() and not any(folder.iterdir()):
        return None
    try:
        return dict(json.loads((folder / JOB_FILE).read_text(encoding="utf-8"))["facts"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise MediaError(
            f"{folder} is not a folder of parts that we made; move it, or write the result elsewhere"
        ) from error


def _notice(before: Mapping[str, object] | None, facts: Mapping[str, object], resume: bool) -> str:
    if before is None:
        return "there is nothing to resume; starting at the beginning" if resume else ""
    changed = sorted(name for name in {*before, *facts} if before.get(name) != facts.get(name))
    if not changed:
        return ""
    told = (f"{name} {_short(before.get(name))} is now {_short(facts.get(name))}" for name in changed)
    return f"parts of an earlier run are not used: {', '.join(told)}"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 24 else f"{text[:8]}..."


def _sweep(folder: Path) -> None:
    """Remove what a run that was killed left half-written."""
    for stray in folder.glob(".*"):
        stray.unlink(missing_ok=True)
