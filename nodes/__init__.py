"""The nodes an artist sees; each module is loaded by itself, so that a broken one leaves the others."""

import logging
from importlib import import_module

from comfy_api.latest import ComfyExtension, io

MODULES = (
    *("load", "prompt", "latent", "denoise", "decode"),
    *("long_clip", "decode_video", "upscale"),
    *("keep", "flow_edit", "edit_prompt", "edit", "faces", "movie_edit"),
    *("sound", "extend_sound", "mix_sound", "judge_sound", "movie_sound"),
)
"""Node modules; each has NODES, its node classes in menu order."""


class MovieGenExtension(ComfyExtension):
    """Every node of the pack that could be loaded."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        """Node classes of all modules; what does not load is named in the log, with the reason."""
        return [node for name in MODULES for node in load_nodes(name)]


def load_nodes(name: str) -> list[type[io.ComfyNode]]:
    """The nodes of one module, none when it is broken."""
    try:
        nodes = list(import_module(f".{name}", __name__).NODES)
        for node in nodes:
            node.GET_SCHEMA()
    except Exception as error:  # whatever is wrong with one file, the rest of the pack must load
        logging.exception(
            "Movie Gen: nodes/%s.py could not be loaded (%s: %s); its nodes are missing, the others work",
            name,
            type(error).__name__,
            error,
        )
        return []
    return nodes
