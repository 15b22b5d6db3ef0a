"""The node modules without a ComfyUI: its node API is a stand-in, and our host layer is left out."""

import asyncio
import importlib
import importlib.util
import sys
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAME = "moviegen_standin_pack"


def standin():
    path = ROOT / "tests" / "standin" / "comfy_api_standin.py"
    spec = importlib.util.spec_from_file_location("comfy_api_standin", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def without_host(said):
    """What schemas and the nodes that need no model ask of our host layer."""
    parts = {
        "files": types.SimpleNamespace(cast_names=lambda: ["nano"], file_names=lambda _kind: []),
        "report": types.SimpleNamespace(say_on_node=lambda _node, text: said.append(text)),
        "clip": types.SimpleNamespace(max_bytes=lambda _clip: 512),
        **{name: types.SimpleNamespace() for name in ("model", "vae", "sound", "frame_encoder")},
        **{name: types.SimpleNamespace() for name in ("edit", "exact", "flow_edit")},
        "movie_edit": types.SimpleNamespace(Editors=object),
        "faces": types.SimpleNamespace(FaceReader=object, LOADER="Load Movie Gen, role face"),
        **{name: types.SimpleNamespace() for name in ("decode", "windows", "resampled", "unfinished")},
        "source": types.SimpleNamespace(Footage=types.SimpleNamespace),
        "upscalers": types.SimpleNamespace(upscaler_names=lambda: ["lanczos", "bicubic", "nano"]),
        "codec": types.SimpleNamespace(codec_of=lambda vae: vae),
        "sampling": types.SimpleNamespace(midpoint_sampler=lambda: "midpoint", OnStep=object),
        "video": types.SimpleNamespace(Clip=types.SimpleNamespace, clip_of=lambda video: video),
    }
    host = types.ModuleType(f"{NAME}.nodes.host")
    host.__dict__.update(parts)
    return host


def load_pack(said):
    spec = importlib.util.spec_from_file_location(
        NAME, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
    )
    sys.modules[NAME] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[NAME])
    sys.modules[f"{NAME}.nodes.host"] = without_host(said)
    sys.modules[NAME].nodes = importlib.import_module(f"{NAME}.nodes")
    return sys.modules[NAME]


@pytest.fixture(scope="session")
def pack():
    """The pack, its ``extension`` as the host gets it, its ``classes`` by id, and what nodes ``said``."""
    said = []
    hidden = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "comfy_api"}
    for name in hidden:
        del sys.modules[name]
    sys.modules.update(standin().modules())
    try:
        root = load_pack(said)
        extension = asyncio.run(root.comfy_entrypoint())
        nodes = asyncio.run(extension.get_node_list())
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == "comfy_api"]:
            del sys.modules[name]
        sys.modules.update(hidden)
    classes = {node.GET_SCHEMA().node_id: node for node in nodes}
    return types.SimpleNamespace(root=root, extension=extension, classes=classes, said=said)
