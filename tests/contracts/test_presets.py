"""Every published size of every role can be built where there is no memory for it."""

import time

import pytest
import torch

from moviegen_core.weights.build import ROLES, build

PRESETS = [(role, preset) for role, entry in ROLES.items() for preset in entry.presets]


@pytest.mark.parametrize("role", sorted(ROLES.keys() - {"judge", "sound_judge", "face_judge"}))
def test_every_role_of_the_cast_has_a_nano_and_a_paper_size(role):
    assert {"nano", "paper"} <= set(ROLES[role].presets)


@pytest.mark.parametrize(("role", "preset"), PRESETS)
def test_every_preset_builds_on_meta_in_under_five_seconds(role, preset):
    start = time.monotonic()
    model = build(role, preset, device="meta", dtype=torch.bfloat16)
    assert time.monotonic() - start < 5
    assert all(parameter.is_meta for parameter in model.parameters())
    assert all(parameter.dtype == torch.bfloat16 for parameter in model.parameters())


SIZES = [
    ("tae", 5e6),
    ("text", 3e6),
    ("video", 16e6),
    ("audio_codec", 5e6),
    ("audio", 5e6),
    ("audio_text", 1e6),
    ("vision", 1e6),
]


@pytest.mark.parametrize(("role", "most"), SIZES)
def test_nano_models_keep_to_the_sizes_of_the_design(role, most):
    assert sum(parameter.numel() for parameter in build(role, "nano").parameters()) <= most


@pytest.mark.parametrize("role", ROLES)
def test_no_parameter_is_left_uninitialized_by_a_build(role):
    model = build(role, "nano", device="cpu")
    assert all(parameter.isfinite().all() for parameter in model.parameters())
    assert all(parameter.abs().max() < 100 for parameter in model.parameters())
