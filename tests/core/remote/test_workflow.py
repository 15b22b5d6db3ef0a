import json
import random

import pytest

from moviegen_core.errors import RemoteError, WorkflowError
from moviegen_core.remote.workflow import read_workflow

DICE = random.Random(0)


@pytest.fixture
def read(tmp_path):
    """Read a file of that content."""

    def run(content):
        path = tmp_path / "w.json"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return read_workflow(path)

    return run


def test_both_formats_are_told_apart(read, page):
    api = {"1": {"class_type": "Load", "inputs": {"model_name": "nano"}}}
    assert read(api).drawing is None
    assert read(page.drawing([page.box(1, "Load")])).drawing is not None


def test_a_prompt_runs_as_it_is_and_the_file_stays_untouched(read, definitions):
    api = {"1": {"class_type": "Say", "inputs": {"text": "{a|b}", "clip": ["2", 0]}}}
    workflow = read(api)
    prompt = workflow.prompt(definitions, DICE)
    assert prompt == api
    prompt["1"]["inputs"]["text"] = "changed"
    assert workflow.data == api


def test_a_prompt_with_nodes_that_the_server_lacks_is_refused(read, definitions):
    with pytest.raises(RemoteError, match="lacks Alien"):
        read({"1": {"class_type": "Alien", "inputs": {}}}).prompt(definitions, DICE)


def test_a_drawing_of_which_nothing_runs_is_refused(read, page, definitions):
    with pytest.raises(WorkflowError, match="unmute"):
        read(page.drawing([page.box(1, "Load", mode=2)])).prompt(definitions, DICE)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89PNG", "is not JSON"),
        (b"{", "is not JSON"),
        ([], "no workflow"),
        ({}, "no workflow"),
        ({"a": 1}, "no workflow"),
        ({"nodes": [{"id": 1}], "links": []}, "damaged"),
        ({"nodes": [], "links": [[1]]}, "damaged"),
    ],
)
def test_other_files_are_refused(read, content, words):
    with pytest.raises(WorkflowError, match=words):
        read(content)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(WorkflowError, match="cannot be read"):
        read_workflow(tmp_path / "none.json")


def test_a_byte_order_mark_is_no_harm(read):
    assert read(b'\xef\xbb\xbf{"1": {"class_type": "Load", "inputs": {}}}').drawing is None
