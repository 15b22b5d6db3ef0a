"""Words on a node."""

from typing import Any

from server import PromptServer


def say_on_node(hidden: Any, text: str) -> None:  # noqa: ANN401 - what the host tells a node about itself
    """Show a text on the node that is running, where there is a frontend to show it."""
    node_id = getattr(hidden, "unique_id", None)
    server = getattr(PromptServer, "instance", None)
    if server is not None and node_id is not None:
        server.send_progress_text(text, node_id, server.client_id)
