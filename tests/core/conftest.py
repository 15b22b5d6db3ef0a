"""A tiny cast with random weights, and weights that show which inputs a model really uses."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from moviegen_core.models.audio import AUDIO_PRESETS, AUDIO_TEXT_PRESETS
from moviegen_core.models.audio_codec import CODEC_PRESETS
from moviegen_core.models.tae import TAE_PRESETS
from moviegen_core.models.text import TEXT_PRESETS
from moviegen_core.models.video import VIDEO_PRESETS
from moviegen_core.models.vision import VISION_PRESETS
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


TINY_SOUND = {
    "audio_codec": replace(
        CODEC_PRESETS["nano"],
        companded=False,  # random weights would be loud
        latent_channels=4,
        linear_channels=2,
        encoder_widths=(4, 4, 4),
        decoder_widths=(4, 4, 4),
        encoder_units=(0, 0, 0),
        decoder_units=(1, 1, 0),
    ),
    "audio_text": replace(AUDIO_TEXT_PRESETS["nano"], width=8, num_layers=1, num_heads=1, ffn_width=8),
    "vision": replace(
        VISION_PRESETS["nano"], size=16, stem_widths=(4,), patch=4, width=8, ffn_width=8, feature_width=6
    ),
    "audio": replace(
        AUDIO_PRESETS["nano"],
        width=16,
        num_layers=1,
        num_heads=2,
        ffn_width=24,
        context_widths=(8,),
        vision_width=6,
        latent_channels=4,
    ),
}


@pytest.fixture(scope="session")
def sound_folder(tmp_path_factory):
    """A cast folder with every role of sound, and those of pictures; do not change it."""
    return write_tiny(tmp_path_factory.mktemp("sound-cast"), TINY | TINY_SOUND)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    """A cast folder; do not change it."""
    return write_tiny(tmp_path_factory.mktemp("tiny-cast"), TINY)


def write_tiny(folder, configs):
    """Write a cast of random models."""
    for role, config in configs.items():
        save_model(folder / f"{role}.safetensors", role, random_model(role, config), dtype=torch.float32)
    write_cast(folder, "tiny", {role: f"{role}.safetensors" for role in configs})
    return folder


def random_model(role, config):
    """No weight is zero, so that every input matters."""
    torch.manual_seed(0)
    model = build(role, config, device="cpu")
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return model


@pytest.fixture
def randomize():
    """Give a model weights of which none is zero, so that every input matters."""

    def fill(model, std=0.2):
        for parameter in model.parameters():
            nn.init.normal_(parameter, std=std)
        return model.eval().requires_grad_(requires_grad=False)

    return fill
