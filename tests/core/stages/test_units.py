import pytest
import torch

from moviegen_core.errors import MediaError
from moviegen_core.stages.content import content_key, file_key
from moviegen_core.stages.units import Units, kept


def make_one():
    return {"latent": torch.arange(6.0).view(2, 3).T}


def never():
    raise AssertionError("a finished piece was made again")


def test_a_finished_piece_is_read_and_not_made_again_alike_to_the_bit(tmp_path):
    units = Units(folder=tmp_path / "parts", job="a")
    assert not units.folder.exists()
    made = units.tensors("one", make_one)
    assert made["latent"].equal(make_one()["latent"])
    assert units.tensors("one", never)["latent"].equal(make_one()["latent"])


@pytest.mark.parametrize(("job", "name"), [("b", "one"), ("a", "two")])
def test_a_piece_of_another_job_or_name_is_never_taken(tmp_path, job, name):
    Units(folder=tmp_path / "parts", job="a").tensors("one", make_one)
    other = Units(folder=tmp_path / "parts", job=job).tensors(name, lambda: {"latent": torch.zeros(1)})
    assert other["latent"].tolist() == [0.0]


def test_a_spoilt_piece_is_made_again_and_an_interrupt_leaves_none(tmp_path):
    units = Units(folder=tmp_path / "parts", job="a")
    units.tensors("one", make_one)
    next(units.folder.iterdir()).write_bytes(b"cut off")
    assert units.tensors("one", make_one)["latent"].shape == (3, 2)

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        units.tensors("two", stop)
    assert len(list(units.folder.iterdir())) == 1
    units.clear()
    assert not units.folder.exists()


def test_a_folder_that_cannot_be_made_is_refused_in_one_sentence(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(MediaError, match="cannot be written"):
        Units(folder=tmp_path / "file" / "parts", job="a").tensors("one", make_one)


def test_without_a_folder_nothing_is_kept():
    assert kept(None, "one", make_one)["latent"].shape == (3, 2)


def test_keys_follow_content_and_not_names(tmp_path):
    (tmp_path / "a").write_bytes(b"same")
    (tmp_path / "b").write_bytes(b"same")
    (tmp_path / "c").write_bytes(b"other")
    assert file_key(tmp_path / "a") == file_key(tmp_path / "b") != file_key(tmp_path / "c")
    assert content_key({"x": 1, "y": 2}) == content_key({"y": 2, "x": 1}) != content_key({"x": 1, "y": 3})
