"""A real ComfyUI in this process, on the CPU, with the pack loaded by its own loader."""

import asyncio
import os
import sys
import types
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
SMALL = (1, 16, 2, 4, 6)
"""16 frames of 48x32."""


def start(folder):
    """Import a ComfyUI and let it load the pack; its node classes by id, and our modules."""
    sys.path.insert(0, folder)
    import comfy.options

    comfy.options.enable_args_parsing(False)
    from comfy.cli_args import args

    args.cpu = True
    import utils.install_util  # noqa: F401 - before nodes.py puts another utils in front, as main.py does

    import nodes

    assert asyncio.run(nodes.load_custom_node(str(ROOT)))
    for extra in ("nodes_custom_sampler", "nodes_audio", "nodes_ip2p"):
        path = str(Path(folder) / "comfy_extras" / f"{extra}.py")
        assert asyncio.run(nodes.load_custom_node(path, module_parent="comfy_extras"))
    return types.SimpleNamespace(nodes=nodes.NODE_CLASS_MAPPINGS, ours=pack_module)


def pack_module(name):
    """A module of the pack as the host named it."""
    return sys.modules[str(ROOT).replace(".", "_x_") + "." + name]


@pytest.fixture(scope="session")
def comfy_folder():
    folder = os.environ.get("COMFYUI_PATH")
    if not folder:
        pytest.skip("set COMFYUI_PATH to the folder of a ComfyUI to run the tests of its nodes")
    return folder


@pytest.fixture(scope="session")
def comfy_host(comfy_folder):
    return start(comfy_folder)


@pytest.fixture(scope="session")
def new_server(comfy_folder, tmp_path_factory):
    """Makes a ComfyUI in a process of its own, not yet started, with the pack or a copy of it."""
    sys.path.append(str(Path(__file__).parent))  # last, as its neighbours' names are common ones
    from comfy_server import ROOT, Server

    def make(pack=ROOT):
        return Server(Path(comfy_folder), tmp_path_factory.mktemp("comfy"), pack)

    return make


@pytest.fixture(scope="session")
def server(new_server):
    """The one that most tests share."""
    with new_server() as running:
        yield running


@pytest.fixture(scope="session")
def run(comfy_host):
    """Run a node, whichever API it is written in; in inference mode, as the server does."""

    @torch.inference_mode()
    def call(node_id, **inputs):
        node = comfy_host.nodes[node_id]
        if hasattr(node, "define_schema"):
            out = node.execute(**inputs)
            return out.args if hasattr(out, "args") else out
        return getattr(node(), node.FUNCTION)(**inputs)

    return call


@pytest.fixture(scope="session")
def cast(run):
    """MODEL, CLIP and VAE of the shipped cast."""
    return types.SimpleNamespace(
        **dict(zip(("model", "clip", "vae"), run("MovieGenLoadCast", cast="nano", role="video"), strict=True))
    )


@pytest.fixture(scope="session")
def float_model(comfy_host):
    """The shipped transformer, computing in float32 whatever this machine likes best."""
    files, model = comfy_host.ours("nodes.host.files"), comfy_host.ours("nodes.host.model")
    found = files.find_cast("nano")
    return model.load_model(found.path("video"), found.path("tae"), dtype=torch.float32)


@pytest.fixture(scope="session")
def sound_folder(comfy_host, tmp_path_factory):  # noqa: ARG001 - the host comes first
    """A tiny cast that makes sound, in the host's model folders."""
    import folder_paths

    sys.path.append(str(Path(__file__).parent))  # last, as its neighbours' names are common ones
    from sound_cast import write_sound_cast

    root = tmp_path_factory.mktemp("casts")
    folder_paths.add_model_folder_path("moviegen", str(root))
    return write_sound_cast(root)


@pytest.fixture(scope="session")
def edit_folder(comfy_host, tmp_path_factory):  # noqa: ARG001 - the host comes first
    """A tiny cast that edits and takes faces, in the host's model folders."""
    import folder_paths

    sys.path.append(str(Path(__file__).parent))  # last, as its neighbours' names are common ones
    from edit_casts import write_edit_cast

    root = tmp_path_factory.mktemp("casts")
    folder_paths.add_model_folder_path("moviegen", str(root))
    return write_edit_cast(root)


@pytest.fixture
def empty():
    return {"samples": torch.zeros(SMALL), "frames": 13}


@pytest.fixture(scope="session")
def prompts(run, cast):
    """Positive and negative conditioning."""

    def encode(text):
        return run("CLIPTextEncode", clip=cast.clip, text=text)[0]

    return encode("FPS-16. a red ball bounces"), encode("")
