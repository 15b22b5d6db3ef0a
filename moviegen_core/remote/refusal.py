"""Why a server would not run something, or stopped in the middle, in plain words."""

from collections.abc import Mapping
from typing import Any

from .prompt import Prompt, title_of

LONGEST = 300
"""Characters of a detail; the list of all choices can be pages long."""


def refusal(answer: Mapping[str, Any], prompt: Prompt) -> str:
    """Tell what a server found wrong with a prompt.

    Args:
        answer: what ``/prompt`` said.
        prompt: what it was given.

    Returns:
        A sentence that names nodes and inputs; the server's general complaint when it names none.
    """
    found = [
        f"{node} ({title_of(prompt, node)}): {_complaint(one)}"
        for node, report in (answer.get("node_errors") or {}).items()
        for one in report.get("errors") or ()
    ]
    if not found and (error := answer.get("error")):
        found = [_complaint(error) if isinstance(error, dict) else str(error)]
    return f"the server refused the workflow: {'; '.join(found)}; correct it, or use --set"


def _complaint(error: Mapping[str, Any]) -> str:
    details = str(error.get("details") or "")
    details = details if len(details) <= LONGEST else f"{details[:LONGEST]}..."
    return ": ".join(part for part in (str(error.get("message") or ""), details) if part) or str(dict(error))


def failure(record: Mapping[str, Any], prompt: Prompt) -> str | None:
    """Tell why a job did not come to its end.

    Args:
        record: its entry in the history.
        prompt: what it was to run.

    Returns:
        A sentence with the node's own words; None when it ran to its end.
    """
    status = record.get("status") or {}
    if status.get("status_str", "success") == "success":
        return None
    messages = {str(name): facts for name, facts in status.get("messages") or ()}
    if "execution_interrupted" in messages:
        return "the run was stopped on the server; nothing is wrong, start it again"
    error = messages.get("execution_error") or {}
    node = str(error.get("node_id", "?"))
    words = str(error.get("exception_message") or "it gives no reason, look at its log").strip()
    return f"{node} ({title_of(prompt, node)}) failed on the server: {words}"
