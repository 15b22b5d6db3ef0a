"""Tiny casts with random weights that edit by instruction and take faces: every input matters in them."""

from dataclasses import replace

import torch

from moviegen_core.models.edit import edit_config
from moviegen_core.models.identity import IDENTITY_PRESETS
from moviegen_core.models.text import TEXT_PRESETS
from moviegen_core.models.video import VIDEO_PRESETS
from moviegen_core.weights.build import build
from moviegen_core.weights.cast import open_cast, write_cast
from moviegen_core.weights.files import save_model

NAME = "tiny-edit"
VIDEO = replace(
    VIDEO_PRESETS["nano"], width=32, num_layers=1, num_heads=2, ffn_width=48, context_widths=(16,)
)
TEXT = replace(TEXT_PRESETS["nano"], width=16, num_layers=1, num_heads=2, ffn_width=24)
IDENTITY = replace(
    IDENTITY_PRESETS["nano"],
    size=16,
    stem_widths=(4,),
    patch=4,
    width=8,
    ffn_width=12,
    feature_width=6,
    token_width=32,
)
TINY = {
    "edit": edit_config(VIDEO),
    "edit_text": TEXT,
    "text": TEXT,
    "personalized": VIDEO,
    "identity": IDENTITY,
}


def write_edit_cast(root):
    """Write the cast, with nano's autoencoder, into a folder of casts; its own folder."""
    folder = root / NAME
    folder.mkdir(parents=True)
    for seed, (role, config) in enumerate(TINY.items()):
        torch.manual_seed(seed)
        model = build(role, config, device="cpu")
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
        save_model(folder / f"{role}.safetensors", role, model, dtype=torch.float32)
    (folder / "tae.safetensors").write_bytes(open_cast("nano").path("tae").read_bytes())
    write_cast(folder, NAME, {role: f"{role}.safetensors" for role in (*TINY, "tae")})
    return folder
