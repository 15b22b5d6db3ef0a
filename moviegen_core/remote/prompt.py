"""The form in which a server takes a workflow: its nodes by id, each with class and inputs."""

from typing import Any

Prompt = dict[str, dict[str, Any]]


def title_of(prompt: Prompt, node: str) -> str:
    """What a node is called, for people."""
    entry = prompt.get(node) or {}
    return str((entry.get("_meta") or {}).get("title") or entry.get("class_type") or node)
