"""What becomes of a drawing; the rules were compared with the page's own prompts."""

import pytest

from moviegen_core.errors import RemoteError, WorkflowError

SAMPLED = [7, "randomize", 30, 5.5, "heun", False]


def sampler(page, number=3, values=SAMPLED, **links):
    """A sampler: ``links`` by input; of its fields only connected ones are listed, as older files do."""
    sockets = [
        page.slot(name, name.upper(), links.pop(name, None)) for name in ("model", "positive", "latent")
    ]
    fields = [page.slot(name, "INT", link, field=True) for name, link in links.items()]
    return page.box(number, "KSampler", sockets + fields, ["LATENT"], values)


def test_values_go_to_the_fields_in_the_pages_order_and_its_seed_control_to_none(page, to_prompt):
    inputs = to_prompt([sampler(page)])["3"]["inputs"]
    wanted = {"seed": 7, "steps": 30, "cfg": 5.5, "sampler_name": "heun", "add_noise": False}
    assert inputs == wanted


def test_a_field_newer_than_the_file_gets_its_first_value(page, to_prompt):
    inputs = to_prompt([sampler(page, values=[7, "fixed"])])["3"]["inputs"]
    assert inputs == {"seed": 7, "steps": 20, "cfg": 8.0, "sampler_name": "euler", "add_noise": True}


def test_a_seed_has_its_control_by_name_alone(page, to_prompt):
    prompt = to_prompt([page.box(1, "Empty", values=[32, 5, "fixed"])])
    assert prompt["1"]["inputs"] == {"width": 32, "noise_seed": 5}


@pytest.mark.parametrize("values", [{"width": 32, "noise_seed": 5}, [99, 99, "fixed"]])
def test_values_that_the_file_names_win_over_their_places(page, to_prompt, values):
    named = {"widgets_values_named": {"noise_seed": 5, "width": 32, "other": 1}}
    assert to_prompt([page.box(1, "Empty", values=values, **named)])["1"]["inputs"] == {
        "width": 32,
        "noise_seed": 5,
    }


def test_a_connected_field_gives_its_value_up_and_the_others_keep_their_places(page, to_prompt):
    nodes = [page.box(9, "Empty", outputs=["INT"]), sampler(page, steps=1)]
    inputs = to_prompt(nodes, [(1, 9, 0, 3, 3, "INT")])["3"]["inputs"]
    assert inputs["steps"] == ["9", 0]
    assert (inputs["seed"], inputs["cfg"]) == (7, 5.5)


def test_a_choice_of_a_dynamic_list_takes_rows_of_its_own(page, to_prompt):
    short, long = ["a", "auto", 11], ["a", "mp4", 40, 12]
    plain, rich = (to_prompt([page.box(1, "Save", values=one)])["1"]["inputs"] for one in (short, long))
    assert (plain["format"], plain["crf"], "format.quality" in plain) == ("auto", 11, False)
    assert (rich["format"], rich["crf"], rich["format.quality"]) == ("mp4", 12, 40)


def test_a_kind_of_field_that_a_pack_invented_is_told_by_the_file(page, to_prompt):
    old = page.box(1, "Packed", [], values=["round", 3])
    as_field = page.box(2, "Packed", [page.slot("wheel", "PACK_WHEEL", field=True)], values=["round", 3])
    as_socket = page.box(3, "Packed", [page.slot("wheel", "PACK_WHEEL")], values=[3])
    prompt = to_prompt([old, as_field, as_socket])
    assert prompt["1"]["inputs"] == prompt["2"]["inputs"] == {"wheel": "round", "size": 3}
    assert prompt["3"]["inputs"] == {"size": 3}


@pytest.mark.parametrize("values", [["-", 3], ["", "-", 3]])
def test_a_place_that_older_pages_kept_for_a_wire_is_skipped(page, to_prompt, values):
    joined = page.box(1, "Join", [page.slot("text", "STRING")], values=values)
    assert to_prompt([joined])["1"]["inputs"] == {"by": "-", "times": 3}


def test_titles_are_the_users_or_else_the_nodes(page, to_prompt):
    prompt = to_prompt([page.box(1, "Save"), page.box(2, "Save", title="My film")])
    assert [prompt[node]["_meta"]["title"] for node in "12"] == ["Save Video", "My film"]


def test_a_list_is_wrapped_because_a_bare_one_is_a_wire(page, to_prompt):
    assert to_prompt([page.box(1, "Pick", values=[["a", "b"]])])["1"]["inputs"] == {
        "names": {"__value__": ["a", "b"]}
    }


def test_braces_are_chosen_from_only_where_the_node_says_so(page, to_prompt):
    nodes = [page.box(1, "Say", values=["{red|blue}"]), page.box(2, "Save", values=["{red|blue}"])]
    said = {to_prompt(nodes, seed=seed)["1"]["inputs"]["text"] for seed in range(20)}
    assert said == {"red", "blue"}
    assert to_prompt(nodes)["2"]["inputs"]["filename_prefix"] == "{red|blue}"


def test_notes_and_labels_are_left_out(page, to_prompt):
    nodes = [
        page.box(1, "Note"),
        page.box(2, "MarkdownNote"),
        page.box(3, "Label (pack)"),
        page.box(4, "Load"),
    ]
    assert list(to_prompt(nodes)) == ["4"]


def test_every_node_that_the_server_lacks_is_named(page, to_prompt):
    nodes = [page.box(1, "Alien", outputs=["MODEL"]), page.box(2, "Stranger", outputs=["LATENT"])]
    with pytest.raises(RemoteError, match="lacks Alien, Stranger; install"):
        to_prompt([*nodes, sampler(page, model=1, latent=2)], [(1, 1, 0, 3, 0, "*"), (2, 2, 0, 3, 2, "*")])


def test_a_lacking_node_that_is_muted_is_not_missed(page, to_prompt):
    nodes = [page.box(1, "Alien", outputs=["MODEL"], mode=2), sampler(page, model=1)]
    assert list(to_prompt(nodes, [(1, 1, 0, 3, 0, "MODEL")])) == ["3"]


def through(page, kind, inputs, outputs, mode=0, values=()):
    """A loader, a node in between and a scaler, from left to right."""
    first = page.box(1, "Decode", outputs=["IMAGE"])
    middle = page.box(2, kind, inputs, outputs, values, mode=mode)
    last = page.box(3, "Scale", [page.slot("image", "IMAGE", 20)], ["IMAGE"], [2.0])
    return [first, middle, last], [(10, 1, 0, 2, 0, "IMAGE"), (20, 2, 0, 3, 0, "IMAGE")]


def test_a_reroute_is_a_piece_of_wire(page, to_prompt):
    prompt = to_prompt(*through(page, "Reroute", [page.slot("", "*", 10)], ["*"]))
    assert prompt["3"]["inputs"]["image"] == ["1", 0]
    assert "2" not in prompt


def test_a_muted_node_leaves_its_followers_unconnected(page, to_prompt):
    prompt = to_prompt(*through(page, "Scale", [page.slot("image", "IMAGE", 10)], ["IMAGE"], mode=2))
    assert prompt["3"]["inputs"] == {"by": 2.0}


def test_a_bypassed_node_lets_its_input_through(page, to_prompt):
    prompt = to_prompt(*through(page, "Scale", [page.slot("image", "IMAGE", 10)], ["IMAGE"], mode=4))
    assert prompt["3"]["inputs"]["image"] == ["1", 0]
    assert "2" not in prompt


def test_a_bypassed_node_passes_only_what_fits(page, to_prompt):
    mask = page.slot("mask", "MASK")
    picture = page.slot("image", "IMAGE", 10)
    fitting = to_prompt(*through(page, "Blend", [mask, picture], ["IMAGE"], mode=4))
    assert fitting["3"]["inputs"]["image"] == ["1", 0]
    nothing = to_prompt(*through(page, "Blend", [mask], ["IMAGE"], mode=4))
    assert nothing["3"]["inputs"] == {"by": 2.0}


def test_a_lacking_node_can_be_bypassed(page, to_prompt):
    prompt = to_prompt(*through(page, "Alien", [page.slot("image", "IMAGE", 10)], ["IMAGE"], mode=4))
    assert prompt["3"]["inputs"]["image"] == ["1", 0]


def test_a_primitive_hands_its_value_over(page, to_prompt):
    nodes = [page.box(9, "PrimitiveNode", outputs=["INT"], values=[42, "fixed"]), sampler(page, steps=1)]
    prompt = to_prompt(nodes, [(1, 9, 0, 3, 3, "INT")])
    assert prompt["3"]["inputs"]["steps"] == 42
    assert list(prompt) == ["3"]


def test_a_list_of_ones_own_sends_the_place_of_its_choice(page, to_prompt):
    prompt = to_prompt([page.box(1, "CustomCombo", values=["fine", 1, "draft", "fine", ""])])
    assert prompt["1"]["inputs"] == {"choice": "fine", "index": 1}


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        ("workflow>mine", [], "group node"),
        ("Load3D", [""], "made by ComfyUI's page"),
    ],
)
def test_what_only_the_page_can_make_is_refused(page, to_prompt, kind, values, words):
    nodes = [page.box(1, kind, outputs=["MODEL"], values=values), sampler(page, model=1)]
    with pytest.raises(WorkflowError, match=words):
        to_prompt(nodes, [(1, 1, 0, 3, 0, "MODEL")])


def test_wires_in_a_circle_are_refused(page, to_prompt):
    one = page.box(1, "Reroute", [page.slot("", "*", 20)], ["*"])
    two = page.box(2, "Reroute", [page.slot("", "*", 10)], ["*"])
    last = sampler(page, model=30)
    with pytest.raises(WorkflowError, match="circle"):
        to_prompt([one, two, last], [(10, 1, 0, 2, 0, "*"), (20, 2, 0, 1, 0, "*"), (30, 2, 0, 3, 0, "*")])


def test_a_wire_from_nowhere_is_refused(page, to_prompt):
    with pytest.raises(WorkflowError, match="leads nowhere"):
        to_prompt([sampler(page, model=77)])
