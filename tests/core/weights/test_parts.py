from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.errors import WeightsError
from moviegen_core.models.edit import Sourceless, edit_from_video
from moviegen_core.models.text import ByteEncoder, ByteEncoderConfig
from moviegen_core.models.video import VIDEO_PRESETS, VideoTransformer
from moviegen_core.weights.cast import open_cast, write_cast
from moviegen_core.weights.files import load_model, read_held, save_model

TINY = replace(
    VIDEO_PRESETS["nano"],
    width=16,
    num_layers=2,
    num_heads=2,
    ffn_width=16,
    context_widths=(8,),
    table_sizes=(4, 3, 3),
)


@pytest.fixture
def edit(randomize):
    torch.manual_seed(0)
    return randomize(edit_from_video(VideoTransformer(TINY)))


@pytest.fixture
def file(edit, tmp_path):
    save_model(tmp_path / "video.safetensors", "edit", edit, dtype=torch.float32)
    return tmp_path / "video.safetensors"


@pytest.fixture
def asked():
    torch.manual_seed(1)
    return torch.randn(2, 16, 3, 4, 4), torch.rand(2), torch.randn(2, 5, 8)


def test_a_video_model_comes_back_out_of_the_edit_model_made_of_it_bit_for_bit(randomize, tmp_path):
    video = randomize(VideoTransformer(TINY))
    save_model(tmp_path / "edit.safetensors", "edit", edit_from_video(video), dtype=torch.float32)
    found = load_model(tmp_path / "edit.safetensors", "video")
    assert found.config == video.config
    assert type(found) is VideoTransformer
    for name, tensor in video.state_dict().items():
        assert torch.equal(found.state_dict()[name], tensor)


@pytest.mark.parametrize("role", ["video", "personalized"])
def test_without_source_and_task_a_trained_edit_model_is_the_video_model_in_its_file(edit, file, asked, role):
    x, t, features = asked
    video = load_model(file, role)
    whole = Sourceless(edit)
    assert_close(
        whole(x, t, whole.context([features])), video(x, t, video.context([features])), atol=1e-5, rtol=1e-5
    )


def test_marks_on_parameters_stay_in_a_part(edit, file):
    marked = {name for name, one in edit.named_parameters() if getattr(one, "is_table", False)}
    found = {name for name, one in load_model(file, "video").named_parameters() if hasattr(one, "is_table")}
    assert found == marked - {"tasks.weight"}
    assert found


def test_what_is_held_can_be_read_by_others(file):
    held = read_held(file, "video")
    whole = load_model(file, "edit").state_dict()
    model = VideoTransformer(held.config)
    model.load_state_dict(held.tensors(whole))
    assert torch.equal(model.head.project.weight, whole["head.project.weight"])


def test_one_reader_serves_prompts_and_instructions(tmp_path):
    reader = ByteEncoder(ByteEncoderConfig(width=16, num_layers=1, num_heads=1, ffn_width=16))
    save_model(tmp_path / "text.safetensors", "text", reader)
    assert load_model(tmp_path / "text.safetensors", "edit_text").config == reader.config


def test_a_cast_of_one_file_plays_three_roles(file, tmp_path):
    write_cast(tmp_path, "one", dict.fromkeys(("video", "personalized", "edit"), file.name))
    cast = open_cast(tmp_path)
    assert cast.load("video").config.extra_channels == cast.load("personalized").config.extra_channels == 0
    assert cast.load("edit").config.extra_channels == 16


def test_a_video_model_does_not_edit(tmp_path):
    save_model(tmp_path / "video.safetensors", "video", VideoTransformer(TINY))
    with pytest.raises(WeightsError, match="holds a video model, a edit was asked for"):
        load_model(tmp_path / "video.safetensors", "edit")
