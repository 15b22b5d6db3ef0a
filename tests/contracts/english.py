"""The English texts of the pack, from the schemas themselves; run this file to write them to locales/en."""

import json
import sys
import types
from pathlib import Path

LOCALES = Path(__file__).parents[2] / "locales"


def english(classes):
    """What the frontend reads under "nodeDefs" of a language, by node id."""
    return {node_id: _node(node.GET_SCHEMA()) for node_id, node in classes.items()}


def _node(schema):
    return {
        "display_name": schema.display_name,
        "description": schema.description,
        "inputs": {one.id: {"name": one.id, "tooltip": one.tooltip} for one in schema.inputs},
        "outputs": {
            str(place): {"name": one.display_name, "tooltip": one.tooltip}
            for place, one in enumerate(schema.outputs)
        },
    }


def write(classes):
    """Write the English file anew."""
    text = json.dumps(english(classes), indent=2, ensure_ascii=False)
    (LOCALES / "en" / "nodeDefs.json").write_text(text + "\n", encoding="utf-8")


def main():
    """Load the pack without a ComfyUI and write its texts."""
    sys.path.insert(0, str(Path(__file__).parents[2]))
    sys.path.insert(0, str(Path(__file__).parent))
    import conftest

    loaded: types.SimpleNamespace = conftest.pack.__wrapped__()
    write(loaded.classes)


if __name__ == "__main__":
    main()
