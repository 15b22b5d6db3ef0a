"""Names for content: what decides a result, and what a file holds."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path


def content_key(facts: Mapping[str, object]) -> str:
    """A name for everything that decides a result: equal facts, equal key."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def file_key(path: Path) -> str:
    """A name for what a file holds, whatever it is called."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()[:32]
