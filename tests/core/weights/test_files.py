import json
import os
import pickle
from dataclasses import asdict

import pytest
import torch
from safetensors.torch import load_file, save_file

from moviegen_core.errors import WeightsError
from moviegen_core.weights.files import load_model, read_header, read_held, save_model, whole_file

pytestmark = pytest.mark.usefixtures("toy")


@pytest.fixture
def file(toy, tmp_path):
    path = tmp_path / "toy.safetensors"
    save_model(path, "toy", toy)
    return path


def write(path, *, header=None, tensors=None, config=None, **changes):
    """A weights file with some of its parts replaced."""
    good = {
        "format": 1,
        "role": "toy",
        "config": {"width": 4, "strides": [1, 2], **(config or {})},
        **changes,
    }
    tensors = tensors or {
        "proj.weight": torch.zeros(4, 4),
        "proj.bias": torch.zeros(4),
        "latent_mean": torch.zeros(3),
        "steps": torch.tensor(0),
    }
    save_file(tensors, path, metadata={"moviegen": json.dumps(good)} if header is None else header)
    return path


def refused(path, role="toy"):
    """The sentence with which a file is refused."""
    with pytest.raises(WeightsError) as caught:
        load_model(path, role)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def test_a_float32_file_gives_back_every_bit(toy, tmp_path):
    save_model(tmp_path / "toy.safetensors", "toy", toy, dtype=torch.float32)
    loaded = load_model(tmp_path / "toy.safetensors", "toy")
    assert loaded.config == toy.config
    assert not loaded.training
    for name, tensor in toy.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)


def test_only_matrices_are_shortened_in_the_file(file):
    dtypes = {name: tensor.dtype for name, tensor in load_file(file).items()}
    assert dtypes.pop("proj.weight") == torch.bfloat16
    assert dtypes == {"proj.bias": torch.float32, "latent_mean": torch.float32, "steps": torch.int64}


def test_loading_in_bfloat16_leaves_buffers_exact(file, toy):
    loaded = load_model(file, "toy", dtype=torch.bfloat16)
    assert {p.dtype for p in loaded.parameters()} == {torch.bfloat16}
    assert torch.equal(loaded.latent_mean, toy.latent_mean)


def test_marks_that_a_model_sets_on_its_parameters_stay(file):
    assert load_model(file, "toy").proj.weight.is_table


def test_saving_twice_gives_equal_bytes(file, toy, tmp_path):
    save_model(tmp_path / "again.safetensors", "toy", toy)
    assert file.read_bytes() == (tmp_path / "again.safetensors").read_bytes()


def test_the_header_holds_role_and_config(file, toy):
    header = read_header(file)
    assert (header.role, header.format) == ("toy", 1)
    assert header.config == json.loads(json.dumps(asdict(toy.config)))


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "kept.txt"
    path.write_text("old")

    def interrupted_write():
        with whole_file(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted_write()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no such modes")
def test_others_may_read_a_saved_file(file):
    assert file.stat().st_mode & 0o444 == 0o444


def test_saving_into_a_missing_folder_is_one_sentence(toy, tmp_path):
    with pytest.raises(WeightsError, match="cannot be written"):
        save_model(tmp_path / "nowhere" / "toy.safetensors", "toy", toy)


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path):
    assert "does not exist" in refused(tmp_path / "none.safetensors")
    assert "is a folder" in refused(tmp_path)


@pytest.mark.parametrize("keep", [9, 40, 300, -1])
def test_a_truncated_file_is_called_cut_short(file, keep):
    file.write_bytes(file.read_bytes()[:keep])
    assert "cut short" in refused(file)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n" + bytes(64), bytes(4096)])
def test_anything_else_is_called_not_safetensors(tmp_path, content):
    path = tmp_path / "toy.safetensors"
    path.write_bytes(content)
    assert "not a safetensors file" in refused(path)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_is_refused_and_its_code_never_runs(tmp_path, zipped):
    path, witness = tmp_path / "toy.safetensors", tmp_path / "ran"

    class Bomb:
        def __reduce__(self):
            return witness.touch, ()

    torch.save(Bomb(), path) if zipped else path.write_bytes(pickle.dumps(Bomb()))
    assert "pickle" in refused(path)
    assert not witness.exists()


def test_another_programs_file_is_refused(tmp_path):
    path = write(tmp_path / "lora.safetensors", header={"format": "pt"})
    assert "another program" in refused(path)


@pytest.mark.parametrize("text", ["{", "[]", "7", '{"format": 1}', '{"format": 1, "role": "toy"}'])
def test_damaged_metadata_is_refused(tmp_path, text):
    assert "damaged" in refused(write(tmp_path / "toy.safetensors", header={"moviegen": text}))


def test_the_wrong_role_is_named_with_the_right_one(file):
    assert "holds a toy model, a other was asked for" in refused(file, "other")


def test_a_role_nobody_knows_is_refused(tmp_path):
    path = write(tmp_path / "toy.safetensors", role="director")
    assert "director" in refused(path, "director")


def test_a_newer_format_asks_for_an_update(tmp_path):
    assert "update moviegen" in refused(write(tmp_path / "toy.safetensors", format=2))


def test_an_unknown_config_field_is_named(tmp_path):
    message = refused(write(tmp_path / "toy.safetensors", config={"depth": 3}))
    assert "'depth'" in message
    assert "width, strides" in message


@pytest.mark.parametrize(
    "config", [{"width": 0}, {"width": "wide"}, {"width": None}, {"width": [4]}, {"width": 4.5}]
)
def test_a_config_that_makes_no_model_is_refused(tmp_path, config):
    refused(write(tmp_path / "toy.safetensors", config=config))


@pytest.mark.parametrize("config", [None, 7, [1], "nano", {}])
def test_a_config_that_is_no_full_object_is_refused(tmp_path, config):
    header = {"moviegen": json.dumps({"format": 1, "role": "toy", "config": config})}
    refused(write(tmp_path / "toy.safetensors", header=header))


def test_a_shape_mismatch_names_the_tensor_and_both_shapes(tmp_path):
    message = refused(write(tmp_path / "toy.safetensors", config={"width": 5}))
    assert "proj." in message
    assert "4x4" in message
    assert "5x5" in message


def test_missing_and_unexpected_tensors_are_counted_and_named(tmp_path):
    tensors = {"proj.weight": torch.zeros(4, 4), **{f"lora.{i}": torch.zeros(1) for i in range(5)}}
    message = refused(write(tmp_path / "toy.safetensors", tensors=tensors))
    assert "3 missing: latent_mean, proj.bias, steps" in message
    assert "5 unexpected: lora.0, lora.1, lora.2, ..." in message


def test_the_config_alone_comes_from_the_same_check(file, toy, tmp_path):
    assert read_held(file, "toy").config == toy.config
    for broken in (write(tmp_path / "other.safetensors", role="tae"), tmp_path / "gone.safetensors"):
        with pytest.raises(WeightsError) as caught:
            read_held(broken, "toy")
        assert str(caught.value) == refused(broken)
