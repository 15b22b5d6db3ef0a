"""What becomes of boxes that hold a graph of their own."""

import pytest


@pytest.fixture
def inner(page):
    """A subgraph: latent and steps go in, into two samplers in a row; their latent comes out."""

    def sampler(number, latent, steps, values):
        slots = [page.slot("latent", "LATENT", latent), page.slot("steps", "INT", steps, field=True)]
        return page.box(number, "KSampler", slots, ["LATENT"], values)

    nodes = [sampler(1, 11, 12, [1, "fixed", 10]), sampler(2, 13, 14, [2, "fixed", 20])]
    links = [
        {"id": 11, "origin_id": -10, "origin_slot": 0, "target_id": 1, "target_slot": 0},
        {"id": 12, "origin_id": -10, "origin_slot": 1, "target_id": 1, "target_slot": 1},
        {"id": 13, "origin_id": 1, "origin_slot": 0, "target_id": 2, "target_slot": 0},
        {"id": 14, "origin_id": -10, "origin_slot": 1, "target_id": 2, "target_slot": 1},
        {"id": 15, "origin_id": 2, "origin_slot": 0, "target_id": -20, "target_slot": 0},
    ]
    return {"id": "inner", "inputs": [{"name": "latent"}, {"name": "steps"}], "nodes": nodes, "links": links}


def box(page, number=5, values=(), steps=None, kind="inner", **more):
    slots = [page.slot("latent", "LATENT", 21), page.slot("steps", "INT", steps, field=True)]
    return page.box(number, kind, slots, ["LATENT"], values, **more)


@pytest.fixture
def around(page, inner, to_prompt):
    """Put a latent before a box and a decoder behind it; the prompt of it all."""

    def run(one, *others, subgraphs=()):
        first = page.box(4, "Empty", outputs=["LATENT"])
        last = page.box(6, "Decode", [page.slot("latent", "LATENT", 22)])
        links = [(21, 4, 0, 5, 0, "LATENT"), (22, 5, 0, 6, 0, "LATENT"), (23, 7, 0, 5, 1, "INT")]
        return to_prompt([first, one, last, *others], links, [inner, *subgraphs])

    return run


def steps(prompt, *nodes):
    return [prompt[node]["inputs"]["steps"] for node in nodes]


def test_nodes_inside_are_named_by_the_way_to_them(page, around):
    assert set(around(box(page))) == {"4", "5:1", "5:2", "6"}


def test_wires_pass_through_the_walls(page, around):
    prompt = around(box(page))
    assert prompt["5:1"]["inputs"]["latent"] == ["4", 0]
    assert prompt["5:2"]["inputs"]["latent"] == ["5:1", 0]
    assert prompt["6"]["inputs"]["latent"] == ["5:2", 0]


def test_a_row_on_the_box_reaches_every_field_behind_it(page, around):
    assert steps(around(box(page, values=[33])), "5:1", "5:2") == [33, 33]


def test_a_box_without_values_takes_the_first_field_inside(page, around):
    assert steps(around(box(page)), "5:1", "5:2") == [10, 10]


def test_values_by_name_reach_the_fields_too(page, around):
    named = {"widgets_values_named": {"steps": 34}}
    assert steps(around(box(page, values=[], **named)), "5:1", "5:2") == [34, 34]


def test_an_older_box_says_which_fields_its_values_are_for(page, around):
    proxies = {"properties": {"proxyWidgets": [["2", "seed"], ["1", "steps"]]}}
    prompt = around(box(page, values=[99, 44], **proxies))
    assert steps(prompt, "5:1", "5:2") == [44, 44]
    assert [prompt[node]["inputs"]["seed"] for node in ("5:1", "5:2")] == [1, 99]


def test_a_wire_to_the_box_wins_over_its_row(page, around):
    number = page.box(7, "Empty", outputs=["INT"])
    assert steps(around(box(page, values=[33], steps=23), number), "5:1", "5:2") == [["7", 0], ["7", 0]]


def test_two_boxes_of_one_graph_keep_their_own_values(page, around):
    other = page.box(8, "inner", [page.slot("steps", "INT", None, field=True)], ["LATENT"], [55])
    assert steps(around(box(page, values=[33]), other), "5:1", "8:1", "8:2") == [33, 55, 55]


def test_a_box_may_hold_a_box(page, around):
    held = page.box(
        3, "inner", [page.slot("latent", "LATENT", 1), page.slot("steps", "INT", 2, True)], ["LATENT"]
    )
    links = [
        {"id": 1, "origin_id": -10, "origin_slot": 0, "target_id": 3, "target_slot": 0},
        {"id": 2, "origin_id": -10, "origin_slot": 1, "target_id": 3, "target_slot": 1},
        {"id": 3, "origin_id": 3, "origin_slot": 0, "target_id": -20, "target_slot": 0},
    ]
    outer = {
        "id": "outer",
        "inputs": [{"name": "latent"}, {"name": "steps"}],
        "nodes": [held],
        "links": links,
    }
    prompt = around(box(page, values=[66], kind="outer"), subgraphs=[outer])
    assert steps(prompt, "5:3:1", "5:3:2") == [66, 66]
    assert prompt["5:3:1"]["inputs"]["latent"] == ["4", 0]
    assert prompt["6"]["inputs"]["latent"] == ["5:3:2", 0]
    assert steps(around(box(page, kind="outer"), subgraphs=[outer]), "5:3:1") == [10]


def test_a_muted_box_runs_nothing_and_a_bypassed_one_passes_its_input_on(page, around):
    muted, bypassed = around(box(page, mode=2)), around(box(page, mode=4))
    assert set(muted) == set(bypassed) == {"4", "6"}
    assert muted["6"]["inputs"] == {}
    assert bypassed["6"]["inputs"] == {"latent": ["4", 0]}
