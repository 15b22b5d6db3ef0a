"""What workflows in the world depend on: ids, sockets, and a form that explains itself."""

import asyncio
import json
import logging
import re
import sys
from pathlib import Path

import pytest

CONTRACT = Path(__file__).with_name("nodes.json")
FROZEN = json.loads(CONTRACT.read_text())
HELP = Path(__file__).parents[2] / "web" / "docs"
FIELDS = ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO")
"""Inputs that are filled in on the node itself."""


def sockets(node):
    schema = node.GET_SCHEMA()
    return {
        "inputs": [[one.id, one.io_type, bool(one.optional)] for one in schema.inputs],
        "outputs": [[one.display_name, one.io_type] for one in schema.outputs],
    }


@pytest.mark.parametrize("node_id", FROZEN)
def test_a_node_keeps_its_id_and_its_sockets_for_ever(pack, node_id):
    now, frozen = sockets(pack.classes[node_id]), FROZEN[node_id]
    assert now["outputs"] == frozen["outputs"]
    assert now["inputs"][: len(frozen["inputs"])] == frozen["inputs"]
    assert all(optional for _, _, optional in now["inputs"][len(frozen["inputs"]) :])


def test_every_node_is_in_the_contract(pack):
    assert pack.classes.keys() == FROZEN.keys()


def test_ids_and_categories_are_ours(pack):
    for node_id, node in pack.classes.items():
        schema = node.GET_SCHEMA()
        assert re.fullmatch(r"MovieGen[A-Z][A-Za-z]+", node_id)
        assert node.__name__ == node_id
        assert schema.category.startswith("Movie Gen/")
        assert schema.display_name
        assert schema.description.endswith(".")


def test_every_socket_says_what_it_is_for(pack):
    for node in pack.classes.values():
        schema = node.GET_SCHEMA()
        for one in (*schema.inputs, *schema.outputs):
            assert one.tooltip, (schema.node_id, one.id)


def test_every_node_has_a_help_page_that_speaks_of_every_field(pack):
    pages = {path.stem: path.read_text() for path in HELP.glob("*.md")}
    assert pages.keys() == pack.classes.keys()
    for node_id, node in pack.classes.items():
        schema = node.GET_SCHEMA()
        assert pages[node_id].startswith(f"# {schema.display_name}\n")
        fields = {one.id for one in schema.inputs if one.io_type in FIELDS}
        assert fields <= set(re.findall(r"\*\*(\w+)\*\*", pages[node_id])), node_id


def test_every_choice_and_number_starts_at_a_legal_value(pack):
    for node in pack.classes.values():
        for one in node.GET_SCHEMA().inputs:
            if one.options:
                assert one.default in one.options
            if one.io_type in ("INT", "FLOAT"):
                assert one.min <= one.default <= one.max


def test_execute_takes_exactly_the_inputs_of_the_form(pack):
    for node in pack.classes.values():
        code = node.execute.__func__.__code__
        names = code.co_varnames[1 : code.co_argcount]
        assert set(names) == {one.id for one in node.GET_SCHEMA().inputs}


def test_sockets_carry_native_types_only(pack):
    native = {"MODEL", "CLIP", "VAE", "CONDITIONING", "LATENT", "SIGMAS", "GUIDER", "IMAGE", "MASK"}
    native |= {"AUDIO", "VIDEO", "STRING", "INT", "FLOAT", "BOOLEAN", "COMBO"}
    native |= {"SAMPLER", "CLIP_VISION_OUTPUT", "UPSCALE_MODEL"}
    for node in pack.classes.values():
        schema = node.GET_SCHEMA()
        assert {one.io_type for one in (*schema.inputs, *schema.outputs)} <= native


def test_the_shipped_cast_is_the_first_choice(pack):
    cast = pack.classes["MovieGenLoadCast"].GET_SCHEMA().inputs[0]
    assert cast.options[0] == cast.default == "nano"


def test_a_broken_module_is_named_in_the_log_and_the_rest_still_loads(pack, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, f"{pack.root.__name__}.nodes.decode", None)
    with caplog.at_level(logging.ERROR):
        nodes = asyncio.run(pack.extension.get_node_list())
    missing = pack.classes.keys() - {node.__name__ for node in nodes}
    assert missing == {"MovieGenDecode", "MovieGenTrimFrames"}
    assert "nodes/decode.py" in caplog.text
    assert "ModuleNotFoundError" in caplog.text


def test_only_the_host_layer_imports_the_hosts_internals():
    nodes = CONTRACT.parents[2] / "nodes"
    internal = re.compile(
        r"^\s*(?:import|from) (?:comfy|folder_paths|server|nodes|execution)\b(?!_api)", re.M
    )
    strays = [path.name for path in nodes.glob("*.py") if internal.search(path.read_text())]
    assert strays == []
    assert any(internal.search(path.read_text()) for path in (nodes / "host").glob("*.py"))


def test_nodes_never_import_training_or_the_command_line():
    nodes = CONTRACT.parents[2] / "nodes"
    wrong = re.compile(r"moviegen_core\.(?:training|cli|theatre|evaluation)")
    assert [path.name for path in nodes.rglob("*.py") if wrong.search(path.read_text())] == []
