"""The shipped workflows, read without a ComfyUI: valid, tidy, equal to their API twins."""

import itertools
import json
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "workflows"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
OTHER_FOLDERS = ("example_workflows", "example", "examples", "workflow")
"""Names under which the host would look for workflows too; it serves one folder only."""
AFTER = "control_after_generate"
NOTES = {"MarkdownNote", "Note"}
WIDGETS = ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO")
KINDS = {"INT": int, "FLOAT": (int, float), "STRING": str, "BOOLEAN": bool, "COMBO": str}
TITLE = 30
"""Height of a node's title, which lies above its position."""


def workflow(name):
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def twin(name):
    return json.loads((ROOT / "tests" / "prompts" / f"{name}.json").read_text(encoding="utf-8"))


def ours(graph, pack):
    """(node, schema) of each of our nodes."""
    return [
        (node, pack.classes[node["type"]].GET_SCHEMA())
        for node in graph["nodes"]
        if node["type"] in pack.classes
    ]


def links(graph):
    """The links by id: (origin node, its slot, target node, its slot, type)."""
    return {link[0]: tuple(link[1:]) for link in graph["links"]}


def linked(graph, node):
    """Inputs of a node that a link fills: name to [origin, slot]."""
    every = links(graph)
    found = {one["name"]: every[one["link"]] for one in node.get("inputs", []) if one.get("link") is not None}
    return {name: [str(link[0]), link[1]] for name, link in found.items()}


def widgets(node, schema):
    """Values of our fields, by name; the file has them in the order of the form, and what follows a seed."""
    fields = [one for one in schema.inputs if one.io_type in WIDGETS]
    after = {one.id: [AFTER] if one.control_after_generate else [] for one in fields}
    names = [name for one in fields for name in (one.id, *after[one.id])]
    written = node.get("widgets_values", [])
    assert len(written) == len(names), node["type"]
    values = dict(zip(names, written, strict=True))
    return {name: value for name, value in values.items() if name != AFTER}


def box(node):
    """Left, top, right and bottom of a node with its title."""
    (x, y), (width, height) = node["pos"], node["size"]
    return x, y - TITLE, x + width, y + height


def frames(graph):
    """Left, top, right and bottom of each group."""
    sizes = [one["bounding"] for one in graph["groups"]]
    return [(x, y, x + width, y + height) for x, y, width, height in sizes]


def apart(a, b):
    return a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def inside(small, large):
    return all((small[0] >= large[0], small[1] >= large[1], small[2] <= large[2], small[3] <= large[3]))


def test_the_folder_holds_a_workflow_and_a_picture_for_every_twin_and_nothing_else():
    assert sorted(path.stem for path in (ROOT / "tests" / "prompts").glob("*.json")) == NAMES
    assert {"text_to_video", "text_to_image", "compare_schedules", "video_to_video"} <= set(NAMES)
    assert {path.name for path in FOLDER.iterdir()} == {
        f"{name}.{kind}" for name in NAMES for kind in ("json", "jpg")
    }


def test_the_host_finds_workflows_in_one_folder_only():
    assert [name for name in OTHER_FOLDERS if (ROOT / name).exists()] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_a_small_wide_jpeg_that_shows_something(name):
    path = FOLDER / f"{name}.jpg"
    with Image.open(path) as picture:
        assert picture.format == "JPEG"
        assert picture.width > picture.height >= 300
        assert min(high - low for low, high in picture.convert("RGB").getextrema()) > 100
    assert path.stat().st_size < 100_000


def test_every_node_has_a_workflow(pack):
    shown = {node["type"] for name in NAMES for node in workflow(name)["nodes"]}
    assert not pack.classes.keys() - shown


@pytest.mark.parametrize("name", NAMES)
def test_every_node_of_the_twin_is_on_the_canvas_and_besides_them_only_notes(name):
    nodes = workflow(name)["nodes"]
    assert {str(node["id"]): node["type"] for node in nodes if node["type"] not in NOTES} == {
        key: node["class_type"] for key, node in twin(name).items()
    }
    assert any(node["type"] in NOTES for node in nodes)
    assert all(node["mode"] == 0 for node in nodes)


@pytest.mark.parametrize("name", NAMES)
def test_our_nodes_have_the_links_and_values_of_the_twin(pack, name):
    graph, prompt = workflow(name), twin(name)
    for node, schema in ours(graph, pack):
        held = widgets(node, schema) | linked(graph, node)
        assert held == prompt[str(node["id"])]["inputs"], node["type"]


@pytest.mark.parametrize("name", NAMES)
def test_stock_nodes_have_the_links_of_the_twin(name):
    graph, prompt = workflow(name), twin(name)
    for node in graph["nodes"]:
        if node["type"] not in NOTES:
            inputs = prompt[str(node["id"])]["inputs"]
            assert linked(graph, node) == {
                key: value for key, value in inputs.items() if isinstance(value, list)
            }


@pytest.mark.parametrize("name", NAMES)
def test_our_nodes_have_the_sockets_of_their_schemas(pack, name):
    for node, schema in ours(workflow(name), pack):
        types = {one.id: one.io_type for one in schema.inputs}
        assert all(types[one["name"]] == one["type"] for one in node["inputs"])
        assert {one["name"] for one in node["inputs"]} >= {
            one.id for one in schema.inputs if one.io_type not in WIDGETS
        }
        assert [(one["name"], one["type"]) for one in node["outputs"]] == [
            (one.display_name, one.io_type) for one in schema.outputs
        ]


@pytest.mark.parametrize("name", NAMES)
def test_every_link_joins_sockets_of_its_type_and_both_know_it(name):
    graph = workflow(name)
    nodes = {node["id"]: node for node in graph["nodes"]}
    for key, (origin, out, target, into, kind) in links(graph).items():
        given, taken = nodes[origin]["outputs"][out], nodes[target]["inputs"][into]
        assert key in given["links"]
        assert key == taken["link"]
        assert given["type"] == taken["type"] == kind
    known = {one["link"] for node in graph["nodes"] for one in node.get("inputs", [])} - {None}
    assert known == links(graph).keys()


@pytest.mark.parametrize("name", NAMES)
def test_every_value_on_our_nodes_is_of_its_kind_and_in_its_range(pack, name):
    for node, schema in ours(workflow(name), pack):
        values = widgets(node, schema)
        for one in (one for one in schema.inputs if one.id in values):
            value = values[one.id]
            assert isinstance(value, KINDS[one.io_type]), one.id
            assert not one.options or value in one.options
            assert one.min is None or one.min <= value <= one.max


@pytest.mark.parametrize("name", NAMES)
def test_nothing_lies_on_anything_and_every_node_but_a_note_is_in_one_group(name):
    graph = workflow(name)
    boxes = {node["id"]: box(node) for node in graph["nodes"]}
    free = {node["id"] for node in graph["nodes"] if node["type"] in NOTES}
    for (one, a), (other, b) in itertools.combinations(boxes.items(), 2):
        assert apart(a, b), (one, other)
    for a, b in itertools.combinations(frames(graph), 2):
        assert apart(a, b)
    for key, small in boxes.items():
        assert sum(inside(small, large) for large in frames(graph)) == (key not in free), key


@pytest.mark.parametrize("name", NAMES)
def test_the_work_flows_to_the_right_or_into_a_group_further_down(name):
    graph = workflow(name)
    boxes = {node["id"]: box(node) for node in graph["nodes"]}
    tops = {
        key: [large[1] for large in frames(graph) if inside(small, large)] for key, small in boxes.items()
    }
    for origin, _, target, _, _ in links(graph).values():
        assert boxes[origin][0] <= boxes[target][0] or tops[origin] < tops[target], (origin, target)


@pytest.mark.parametrize("name", NAMES)
def test_no_workflow_promises_a_download(name):
    text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert "http" not in text


@pytest.mark.parametrize("name", NAMES)
def test_the_note_names_fields_that_are_on_the_canvas(pack, name):
    """What a note sets in bold with small letters is a field of a node, so that one finds it."""
    graph = workflow(name)
    notes = "\n".join(node["widgets_values"][0] for node in graph["nodes"] if node["type"] in NOTES)
    fields = {key for node in twin(name).values() for key in node["inputs"]}
    schemas = {one.id for _, schema in ours(graph, pack) for one in schema.inputs}
    named = {word for word in notes.split("**")[1::2] if word.islower() and word.isidentifier()}
    assert named
    assert named - fields - schemas == set()
