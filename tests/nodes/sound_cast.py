"""Casts to test sound with: a tiny one of random weights, none of them zero, and one that makes none."""

import shutil
from dataclasses import replace

import torch

from moviegen_core.models.audio import AUDIO_PRESETS, AUDIO_TEXT_PRESETS
from moviegen_core.models.audio_codec import CODEC_PRESETS
from moviegen_core.models.vision import VISION_PRESETS
from moviegen_core.weights.build import build
from moviegen_core.weights.cast import open_cast, write_cast
from moviegen_core.weights.files import save_model

NAME = "tiny-sound"
CHANNELS = 4
TINY = {
    "audio_codec": replace(
        CODEC_PRESETS["nano"],
        companded=False,  # random weights would be loud
        latent_channels=CHANNELS,
        linear_channels=2,
        encoder_widths=(4, 4, 4),
        decoder_widths=(4, 4, 4),
        encoder_units=(0, 0, 0),
        decoder_units=(1, 1, 0),
    ),
    "audio_text": replace(AUDIO_TEXT_PRESETS["nano"], width=8, num_layers=1, num_heads=1, ffn_width=8),
    "vision": replace(VISION_PRESETS["nano"], size=16, stem_widths=(4,), patch=4, width=8, feature_width=6),
    "audio": replace(
        AUDIO_PRESETS["nano"],
        width=16,
        num_layers=1,
        num_heads=2,
        ffn_width=24,
        context_widths=(8,),
        vision_width=6,
        latent_channels=CHANNELS,
    ),
}


def write_sound_cast(root):
    """Write the cast into a folder of casts; its own folder."""
    folder = root / NAME
    folder.mkdir(parents=True)
    for role, config in TINY.items():
        torch.manual_seed(0)
        model = build(role, config, device="cpu")
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
        save_model(folder / f"{role}.safetensors", role, model, dtype=torch.float32)
    write_cast(folder, NAME, {role: f"{role}.safetensors" for role in TINY})
    return folder


def write_silent_cast(root):
    """A folder with a cast of nano's text encoder alone."""
    folder = root / "silent"
    folder.mkdir()
    nano = open_cast("nano")
    shutil.copy(nano.path("text"), folder / "text.safetensors")
    write_cast(folder, "silent", {"text": "text.safetensors"})
    return folder
