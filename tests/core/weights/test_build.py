import json
from dataclasses import asdict

import pytest
import torch

from moviegen_core.errors import WeightsError
from moviegen_core.weights.build import ROLES, build, config_from_json


@pytest.mark.parametrize("role", [role for role in ROLES if not role.endswith("judge")])
def test_every_role_of_the_paper_has_a_nano_and_a_paper_preset(role):
    assert {"nano", "paper"} <= set(ROLES[role].presets)


@pytest.mark.parametrize("role", ROLES)
def test_building_on_meta_takes_no_memory(role):
    assert {p.device.type for p in build(role, "nano").parameters()} == {"meta"}


@pytest.mark.parametrize("role", ROLES)
def test_building_on_a_device_draws_random_weights(role):
    one, two = (dict(build(role, "nano", device="cpu").named_parameters()) for _ in range(2))
    assert any(not torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("role", ROLES)
def test_every_preset_survives_json(role):
    for config in ROLES[role].presets.values():
        assert config_from_json(role, json.loads(json.dumps(asdict(config)))) == config


def test_unknown_roles_and_presets_name_the_known_ones():
    with pytest.raises(WeightsError, match="tae, text, video"):
        build("director", "nano")
    with pytest.raises(WeightsError, match="nano"):
        build("tae", "pico")
