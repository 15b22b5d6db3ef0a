"""What an artist meets: templates, workflows on the canvas, a run, the help, the languages."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACK = "movie-gen"
NAMES = sorted(path.stem for path in (ROOT / "tests" / "prompts").glob("*.json"))
NODES = json.loads((ROOT / "tests" / "contracts" / "nodes.json").read_text())
GROWN = {"CreateVideo", "SaveVideo", "SaveAudio"}
"""Stock nodes that send more than the twin: fields of newer ComfyUIs, the player of older frontends."""
RUN_TIME = 240
"""Seconds that a run of text to video may take on a slow machine."""


def twin(name):
    return json.loads((ROOT / "tests" / "prompts" / f"{name}.json").read_text())


@pytest.fixture
def open_template(page, server, browser):
    """Open a shipped workflow by the template browser's own address."""

    def call(name):
        browser.open_template(page, server, PACK, name)
        return page

    return call


def ours(complaints):
    """Complaints that name this pack."""
    return [
        text for text in complaints if any(word in text.lower() for word in ("movie", "moviegen", "missing"))
    ]


def asked(page):
    """What the frontend would send to the server."""
    return page.evaluate("async () => (await app.graphToPrompt()).output")


def test_the_template_browser_offers_every_workflow_with_its_picture(server, page):
    assert sorted(server.get("/workflow_templates")[PACK]) == NAMES
    for name in NAMES:
        for kind in ("json", "jpg"):
            answer = page.request.get(f"{server.url}/api/workflow_templates/{PACK}/{name}.{kind}")
            assert answer.ok, (name, kind)


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_opens_without_a_missing_node_or_a_complaint(open_template, name):
    page = open_template(name)
    known = page.evaluate(
        "() => app.graph.nodes.filter((n) => !LiteGraph.registered_node_types[n.type]).length"
    )
    assert known == 0
    assert ours(page.complaints) == []


@pytest.mark.parametrize("name", NAMES)
def test_what_the_frontend_sends_is_the_api_twin(open_template, name):
    prompt = asked(open_template(name))
    assert prompt.keys() == twin(name).keys()
    for node_id, node in twin(name).items():
        assert prompt[node_id]["class_type"] == node["class_type"]
        sent = prompt[node_id]["inputs"]
        assert {name: sent.get(name) for name in node["inputs"]} == node["inputs"], node["class_type"]
        assert sent.keys() == node["inputs"].keys() or node["class_type"] in GROWN


@pytest.mark.parametrize("name", NAMES)
def test_no_node_lies_on_another_as_the_frontend_draws_them(open_template, name):
    overlaps = open_template(name).evaluate(
        """() => {
          const boxes = app.graph.nodes.map((node) => [node.type, node.pos[0], node.pos[1] - 30,
            node.pos[0] + node.size[0], node.pos[1] + node.size[1]]);
          return boxes.flatMap((a, i) => boxes.slice(i + 1).filter((b) =>
            a[1] < b[3] && b[1] < a[3] && a[2] < b[4] && b[2] < a[4]).map((b) => [a[0], b[0]]));
        }"""
    )
    assert overlaps == []


def test_text_to_video_runs_to_its_end_and_the_clip_is_on_the_node(open_template, server, browser):
    page = open_template("text_to_video")
    browser.run_shown(page, server, RUN_TIME)
    assert ours(page.complaints) == []
    shown = page.evaluate(
        """() => app.graph.nodes.find((n) => n.type === "MovieGenEmptyLatent").widgets
          .map((widget) => widget.value).join(" ")"""
    )
    assert "192x112, 32 frames at 16 fps = 2 s" in shown
    clip = page.locator("video").first
    clip.wait_for(state="attached", timeout=30_000)
    if not page.evaluate(
        "() => document.createElement('video').canPlayType('video/mp4; codecs=\"avc1.42E01E\"')"
    ):
        pytest.skip("this Chromium plays no H.264; the clip is on the node, its frames were not looked at")
    page.wait_for_function("() => document.querySelector('video').videoWidth === 192", timeout=30_000)
    assert page.evaluate("() => Math.round(document.querySelector('video').duration * 16)") == 32


@pytest.mark.parametrize("node_id", NODES)
def test_a_help_page_is_served_where_the_frontend_looks_for_it(server, page, node_id):
    answer = page.request.get(f"{server.url}/extensions/{PACK}/docs/{node_id}.md")
    assert answer.ok
    assert answer.text().startswith("# ")


def test_the_help_page_opens_in_the_frontend(open_template):
    page = open_template("text_to_video")
    page.evaluate(
        """() => {
          const node = app.graph.nodes.find((n) => n.type === "MovieGenPrompt");
          app.canvas.selectNode(node);
        }"""
    )
    page.locator("[data-testid=info-button]").first.click()
    page.get_by_text("Writes the prompt in the form the models were trained on").wait_for(timeout=20_000)


def test_another_language_changes_the_names_on_the_nodes(server, playwright, browser):
    try:
        with browser.opened(server, playwright, Comfy__Locale="zh") as page:
            browser.open_template(page, server, PACK, "text_to_video")
            title = "() => LiteGraph.registered_node_types.MovieGenPrompt.title"
            assert page.evaluate(title) == "Movie Gen 提示词"
            labels = page.evaluate(
                """() => app.graph.nodes.find((n) => n.type === "MovieGenPrompt")
                  .widgets.map((widget) => widget.label)"""
            )
            assert {"文本", "镜头", "帧率", "秒数"} <= set(labels)
    finally:
        server.post("/settings", {"Comfy.Locale": "en"})
