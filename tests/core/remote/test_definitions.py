import pytest

from moviegen_core.errors import RemoteError
from moviegen_core.remote.definitions import read_definitions


def test_lists_come_in_both_of_the_servers_spellings(definitions):
    old, new = definitions["Load"].inputs[0], definitions["KSampler"].inputs[4]
    assert (old.kind, old.choices) == ("COMBO", ("nano", "giant"))
    assert (new.kind, new.choices) == ("COMBO", ("euler", "heun"))


def test_the_servers_order_wins_over_the_order_of_its_json():
    info = {
        "N": {"input": {"required": {"b": ["INT"], "a": ["INT"]}}, "input_order": {"required": ["a", "b"]}}
    }
    assert [one.name for one in read_definitions(info)["N"].inputs] == ["a", "b"]


def test_a_choice_of_a_dynamic_list_brings_its_own_inputs(definitions):
    save = definitions["Save"]
    assert [one.name for one in save.inputs_at({"format": "auto"})][-2:] == ["format", "crf"]
    assert [one.name for one in save.inputs_at({"format": "mp4"})][-3:] == ["format", "format.quality", "crf"]


@pytest.mark.parametrize(("name", "is_field"), [("model", False), ("seed", True), ("add_noise", True)])
def test_values_are_fields_and_models_are_sockets(definitions, name, is_field):
    assert {one.name: one for one in definitions["KSampler"].inputs}[name].is_field is is_field


def test_an_input_that_must_be_connected_is_no_field():
    info = {"N": {"input": {"required": {"a": ["INT", {"forceInput": True}]}}}}
    assert not read_definitions(info)["N"].inputs[0].is_field


@pytest.mark.parametrize(
    "info", [[], "hello", {"N": 3}, {"N": {}}, {"N": {"input": {"required": {"a": []}}}}]
)
def test_what_no_comfyui_says_is_refused(info):
    with pytest.raises(RemoteError, match="give the address of a ComfyUI"):
        read_definitions(info)
