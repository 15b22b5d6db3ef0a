import json

import pytest
import torch

from moviegen_core.errors import WeightsError
from moviegen_core.weights.cast import open_cast, write_cast
from moviegen_core.weights.files import save_model


@pytest.fixture
def cast(toy, tmp_path):
    save_model(tmp_path / "toy.safetensors", "toy", toy)
    write_cast(tmp_path, "small", {"toy": "toy.safetensors"})
    return open_cast(tmp_path)


def refused(folder):
    """The sentence with which a cast folder is refused."""
    with pytest.raises(WeightsError) as caught:
        open_cast(folder)
    return str(caught.value)


def test_a_cast_loads_the_models_it_names(cast, toy):
    assert cast.name == "small"
    assert cast.header("toy").role == "toy"
    assert torch.allclose(cast.load("toy").proj.weight, toy.proj.weight, atol=1e-2)


def test_a_cast_cannot_be_changed(cast):
    with pytest.raises(AttributeError):
        cast.name = "other"


def test_other_weights_have_another_fingerprint(cast, toy, tmp_path):
    before = cast.fingerprint(("toy",))
    assert before == open_cast(tmp_path).fingerprint(("toy",))
    torch.nn.init.ones_(toy.proj.weight)
    save_model(tmp_path / "toy.safetensors", "toy", toy)
    assert cast.fingerprint(("toy",)) != before


def test_a_missing_role_names_those_there_are(cast):
    with pytest.raises(WeightsError, match="has no audio; it has toy"):
        cast.load("audio")


def test_a_missing_file_names_those_there_are(cast, tmp_path):
    (tmp_path / "toy.safetensors").rename(tmp_path / "renamed.safetensors")
    with pytest.raises(WeightsError, match=r"does not exist; there is renamed\.safetensors"):
        cast.load("toy")


def test_a_missing_folder_is_refused_with_the_shipped_names(tmp_path):
    assert "nano" in refused(tmp_path / "nowhere")


def test_a_folder_without_cast_json_lists_what_it_holds(tmp_path):
    (tmp_path / "notes.txt").touch()
    assert "has no cast.json; there is notes.txt" in refused(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": "x"}', '{"name": "x", "roles": 3}', "\x00"])
def test_a_broken_cast_json_is_refused(tmp_path, text):
    (tmp_path / "cast.json").write_text(text)
    assert "roles" in refused(tmp_path)


@pytest.mark.parametrize(
    "file",
    [
        "../tae.safetensors",
        "/etc/passwd",
        "a/../../b",
        "C:\\tae.safetensors",
        "..\\tae",
        "\\\\host\\x",
        "",
        3,
        None,
    ],
)
def test_a_file_outside_the_folder_is_refused(tmp_path, file):
    (tmp_path / "cast.json").write_text(json.dumps({"name": "x", "roles": {"tae": file}}))
    assert "inside" in refused(tmp_path)
