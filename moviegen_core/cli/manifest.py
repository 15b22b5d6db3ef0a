"""A folder of numbered results and the file that says which are finished: work that can be resumed."""

import json
from pathlib import Path

from ..errors import MediaError
from ..media.target import replacing

DONE, FAILED = "done", "failed"


class Manifest:
    """One JSON line per result, appended as each is finished."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records = {record["file"]: record for record in _read(path)}

    def is_done(self, file: str, key: str) -> bool:
        """Whether this very result was finished before and is still there."""
        record = self.records.get(file, {})
        same = record.get("status") == DONE and record.get("key") == key
        return same and (self.path.parent / file).is_file()

    def add(self, file: str, key: str, *, error: str | None = None, **facts: object) -> None:
        """Write down a result, or why there is none.

        Args:
            file: the result's name in the folder.
            key: its content key.
            error: what went wrong; None when the file is there.
            **facts: anything else worth knowing.

        Raises:
            MediaError: the manifest cannot be written.
        """
        record = {"file": file, "status": FAILED if error else DONE, "key": key, **facts}
        self.records[file] = record | ({"error": error} if error else {})
        try:
            with self.path.open("a", encoding="utf-8", newline="\n") as lines:
                lines.write(json.dumps(self.records[file]) + "\n")
        except OSError as problem:
            raise MediaError(
                f"{self.path} cannot be written ({problem.strerror}); free the disk"
            ) from problem

    def tidy(self) -> None:
        """Sort the lines by file, the latest of each only."""
        with replacing(self.path) as partial:
            lines = (json.dumps(self.records[file]) + "\n" for file in sorted(self.records))
            partial.write_text("".join(lines), encoding="utf-8", newline="\n")


def _read(path: Path) -> list[dict[str, object]]:
    """The whole lines of a manifest; a last one cut by a crash is left out."""
    if not path.is_file():
        return []
    found = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and isinstance(record.get("file"), str):
            found.append(record)
    return found
