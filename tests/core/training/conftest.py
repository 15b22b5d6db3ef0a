"""Models of a few thousand weights that trainings of clips begin with."""

from dataclasses import replace

import pytest
import torch

from moviegen_core.models.identity import IDENTITY_PRESETS
from moviegen_core.models.tae import TAE_PRESETS, TemporalAutoencoder
from moviegen_core.models.text import ByteEncoder, ByteEncoderConfig
from moviegen_core.models.video import VIDEO_PRESETS, VideoTransformer
from moviegen_core.weights.cast import open_cast, write_cast
from moviegen_core.weights.files import save_model

SMALL = replace(
    IDENTITY_PRESETS["nano"],
    size=16,
    stem_widths=(4, 8),
    width=16,
    num_layers=1,
    num_heads=2,
    ffn_width=16,
    feature_width=8,
    token_width=32,
)
"""An identity encoder whose tokens are read by the video model of ``parts``."""


@pytest.fixture(scope="module")
def tae():
    """A narrow autoencoder."""
    torch.manual_seed(0)
    narrow = {"encoder_widths": (16,) * 4, "decoder_widths": (16,) * 4, "head_width": 16}
    blocks = {"encoder_blocks": (0,) * 4, "decoder_blocks": (0,) * 4}
    return TemporalAutoencoder(replace(TAE_PRESETS["nano"], **narrow, **blocks))


def parts():
    """A reader of prompts and a video model that reads it, none of whose weights is zero."""
    torch.manual_seed(0)
    tiny = replace(VIDEO_PRESETS["nano"], width=32, num_layers=1, ffn_width=32, context_widths=(16,))
    video = VideoTransformer(tiny)
    for parameter in video.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return ByteEncoder(ByteEncoderConfig(width=16, num_layers=1, num_heads=1, ffn_width=16)), video


def start_cast(folder, tae, text, video):
    """A cast of these three."""
    folder.mkdir()
    models = {"tae": tae, "text": text, "video": video}
    for role, model in models.items():
        save_model(folder / f"{role}.safetensors", role, model)
    write_cast(folder, "mine", {role: f"{role}.safetensors" for role in models})
    return open_cast(folder)
