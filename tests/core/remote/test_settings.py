import pytest

from moviegen_core.errors import WorkflowError
from moviegen_core.remote.settings import assign, parse_setting, resolve

PROMPT = {
    "1": {"class_type": "Load", "inputs": {"model_name": "nano"}, "_meta": {"title": "Load a model"}},
    "3": {
        "class_type": "KSampler",
        "inputs": {"seed": 1, "model": ["1", 0]},
        "_meta": {"title": "First pass"},
    },
    "4:2": {"class_type": "KSampler", "inputs": {"seed": 2}, "_meta": {"title": "v1.5 pass"}},
    "5": {"class_type": "Save", "inputs": {"format": "mp4"}, "_meta": {"title": "Save Video"}},
    "6": {"class_type": "LoadImage", "inputs": {"image": "example.png"}, "_meta": {"title": "Face"}},
    "7": {"class_type": "Pick", "inputs": {}},
}


@pytest.fixture
def put(definitions):
    """What a setting would change: node, input, value."""

    def run(text):
        one = resolve(parse_setting(text), PROMPT, definitions)
        return one.node, one.input, one.value

    return run


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("3.seed=7", ("3", "seed", 7)),
        ("4:2.seed=7", ("4:2", "seed", 7)),
        ("First pass.seed=7", ("3", "seed", 7)),
        ("first PASS.seed=7", ("3", "seed", 7)),
        ("v1.5 pass.seed=7", ("4:2", "seed", 7)),
        ("Load.model_name=giant", ("1", "model_name", "giant")),
        ("5.format.quality=3", ("5", "format.quality", 3)),
        ("Save.filename_prefix=a=b.c", ("5", "filename_prefix", "a=b.c")),
        ("3.add_noise=no", ("3", "add_noise", False)),
        ("3.cfg=1e1", ("3", "cfg", 10.0)),
        ("5.filename_prefix=", ("5", "filename_prefix", "")),
        ("6.image=example.png", ("6", "image", "example.png")),
    ],
)
def test_a_node_is_found_by_id_title_or_class_and_the_value_read_by_its_type(put, text, found):
    node, name, value = put(text)
    assert (node, name, value) == found
    assert type(value) is type(found[2])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seed", "write it like"),
        ("seed=7", "write it like"),
        (".seed=7", "write it like"),
        ("Nobody.seed=7", r"there are 1 \(Load a model\), 3 \(First pass\)"),
        ("KSampler.seed=7", r"any of 2 nodes; use the id: 3 \(First pass\), 4:2"),
        ("3.seeds=7", "fields of it are seed, steps, cfg, sampler_name, add_noise"),
        ("3.model=nano", "takes a MODEL from another node"),
        ("3.steps=many", "whole number"),
        ("3.steps=2.5", "whole number"),
        ("3.cfg=warm", "is a number"),
        ("3.add_noise=perhaps", "true or false"),
        ("3.sampler_name=best", "it has euler, heun"),
        ("6.image=nowhere.png", "no such file here to send"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(put, text, words):
    with pytest.raises(WorkflowError, match=words):
        put(text)


def test_a_file_of_this_machine_is_marked_to_be_sent(definitions, tmp_path):
    picture = tmp_path / "face.png"
    picture.write_bytes(b"png")
    found = resolve(parse_setting(f"Face.image={picture}"), PROMPT, definitions)
    assert found.file == picture
    assert found.with_value("face (1).png").file is None


def test_a_path_for_an_input_that_takes_no_files_is_a_text(definitions, tmp_path):
    (tmp_path / "out").write_text("")
    found = resolve(parse_setting(f"5.filename_prefix={tmp_path / 'out'}"), PROMPT, definitions)
    assert (found.file, found.value) == (None, str(tmp_path / "out"))


def test_a_value_takes_the_place_of_a_wire_and_the_prompt_given_stays(definitions):
    prompt = {"3": {"class_type": "KSampler", "inputs": {"steps": ["1", 0], "seed": 1}}}
    changed = assign(prompt, resolve(parse_setting("3.steps=5"), prompt, definitions))
    assert changed["3"]["inputs"] == {"steps": 5, "seed": 1}
    assert prompt["3"]["inputs"]["steps"] == ["1", 0]
