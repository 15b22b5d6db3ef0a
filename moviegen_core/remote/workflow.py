"""A workflow file in either of ComfyUI's two formats."""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import WorkflowError
from .convert import convert, refuse_missing
from .definitions import Definition
from .graph import Drawing, read_drawing
from .prompt import Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """What a file holds: a drawing as the page saves it, or else a prompt as it exports it for the API."""

    data: Mapping[str, Any]
    drawing: Drawing | None

    def prompt(self, definitions: Mapping[str, Definition], dice: random.Random) -> Prompt:
        """What the server is to run.

        Args:
            definitions: its nodes.
            dice: choose among ``{red|blue}`` in texts of a drawing; a prompt is taken as it is.

        Returns:
            Nodes by id; the file's own prompt is copied. A server that lacks some is refused.

        Raises:
            WorkflowError: nothing is left to run.
        """
        prompt = self._converted(definitions, dice)
        refuse_missing({str(node["class_type"]) for node in prompt.values()} - definitions.keys())
        if not prompt:
            raise WorkflowError("no node of the workflow would run; unmute one, or choose another file")
        return prompt

    def _converted(self, definitions: Mapping[str, Definition], dice: random.Random) -> Prompt:
        if self.drawing is None:
            return json.loads(json.dumps(self.data))
        return convert(self.drawing, definitions, dice)


def read_workflow(path: Path) -> Workflow:
    """Read a workflow file.

    Args:
        path: a JSON file that ComfyUI saved or exported.

    Returns:
        What it holds.

    Raises:
        WorkflowError: it cannot be read, or is something else.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise WorkflowError(
            f"workflow {path} cannot be read ({error.strerror}); give a JSON file that ComfyUI saved"
        ) from error
    except ValueError as error:
        raise WorkflowError(f"{path} is not JSON; give a workflow that ComfyUI saved or exported") from error
    return _workflow(path, data)


def _workflow(path: Path, data: object) -> Workflow:
    if isinstance(data, dict) and isinstance(data.get("nodes"), list):
        return Workflow(data=data, drawing=read_drawing(data))
    if isinstance(data, dict) and data and all(_is_node(node) for node in data.values()):
        return Workflow(data=data, drawing=None)
    raise WorkflowError(
        f"{path} is JSON but no workflow; save it in ComfyUI with Save or Export (API), and give that file"
    )


def _is_node(data: object) -> bool:
    return isinstance(data, dict) and "class_type" in data and isinstance(data.get("inputs"), dict)
