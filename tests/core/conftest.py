"""A tiny cast with random weights."""

from dataclasses import replace

import pytest
import torch

from moviegen_core.models.tae import TAE_PRESETS
from moviegen_core.models.text import TEXT_PRESETS
from moviegen_core.models.video import VIDEO_PRESETS
from moviegen_core.weights.build import build
from moviegen_core.weights.cast import write_cast
from moviegen_core.weights.files import save_model

TINY = {
    "tae": replace(
        TAE_PRESETS["nano"],
        encoder_widths=(8, 8, 16, 16),
        decoder_widths=(8, 8, 16, 16),
        encoder_blocks=(1, 0, 0, 0),
        decoder_blocks=(1, 0, 0, 0),
        head_width=8,
    ),
    "text": replace(TEXT_PRESETS["nano"], width=16, num_layers=1, num_heads=2, ffn_width=16),
    "video": replace(
        VIDEO_PRESETS["nano"],
        width=16,
        num_layers=1,
        num_heads=2,
        ffn_width=16,
        context_widths=(16,),
        table_sizes=(2, 3, 3),
    ),
}


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    """A cast folder; do not change it."""
    folder = tmp_path_factory.mktemp("tiny-cast")
    for role, config in TINY.items():
        save_model(folder / f"{role}.safetensors", role, random_model(role, config), dtype=torch.float32)
    write_cast(folder, "tiny", {role: f"{role}.safetensors" for role in TINY})
    return folder


def random_model(role, config):
    """No weight is zero, so that every input matters."""
    torch.manual_seed(0)
    model = build(role, config, device="cpu")
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return model
