"""Makes what is in workflows/ anew, and the picture of the frontend that README shows.

Opens each API twin in the real frontend, lays it out, saves it, runs it, and takes its thumbnail from what it
made. Needs a ComfyUI, playwright and a Chromium:

    COMFYUI_PATH=/path/to/ComfyUI python tests/browser/make_workflows.py [NAME ...] [--only PART]

Save with the oldest ComfyUI that the pack supports: newer ones open its files, and not always the other way.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import av
from arrange import arrange
from browser import open_template, opened, run_shown, visit
from comfy import PACK, ROOT, running
from layouts import LAYOUTS
from PIL import Image
from playwright.sync_api import sync_playwright

PARTS = ("workflows", "thumbnails", "screenshot")
THUMBNAIL = (576, 336)
SHOWN = "text_to_video"
PATIENCE = 240
"""Seconds that a run may take."""
NOTE_COLOURS = ("#432", "#653")
WANTED = ("#232", "#353")
COLOURS = {
    **dict.fromkeys(("MovieGenPrompt", "MovieGenEdit", "MovieGenEditPrompt"), WANTED),
    **dict.fromkeys(("MovieGenSoundConditioning", "MovieGenSound"), WANTED),
    "CLIPTextEncode": ("#322", "#533"),
}
"""Title and body of what one writes into: what to show, and what not."""
OPEN = """
async ([prompt, name]) => {
  await app.loadApiJson(prompt, name);
  return Object.fromEntries(app.graph._nodes.map((node) => [node.id, [node.type, node.computeSize()[1]]]));
}"""
PLACE = """
({ boxes, colours, fixed }) => {
  for (const node of app.graph._nodes) {
    const [x, y, width, height] = boxes[node.id];
    node.pos = [x, y];
    node.setSize([width, height]);
    [node.color, node.bgcolor] = colours[node.type] ?? [];
    const after = node.widgets?.find((widget) => widget.name === "control_after_generate");
    if (after) after.value = fixed.includes(String(node.id)) ? "fixed" : "randomize";
  }
}"""
FURNISH = """
({ notes, groups, colours }) => {
  for (const [text, [x, y, width, height]] of notes) {
    const note = LiteGraph.createNode("MarkdownNote");
    app.graph.add(note);
    note.title = "Read Me";
    note.widgets[0].value = text;
    note.pos = [x, y];
    note.setSize([width, height]);
    [note.color, note.bgcolor] = colours;
  }
  for (const [title, [x, y, width, height]] of groups) {
    const group = new LiteGraph.LGraphGroup(title);
    [group.pos, group.size] = [[x, y], [width, height]];
    app.graph.add(group);
  }
}"""
FRAME = """
([left, top, most]) => {
  const view = app.canvas.ds, boxes = app.graph._nodes.map((node) => node.getBounding());
  const edge = (pick, axis, side) => pick(...boxes.map((box) => box[axis] + side * box[axis + 2]));
  const [x0, y0] = [edge(Math.min, 0, 0), edge(Math.min, 1, 0)];
  const [x1, y1] = [edge(Math.max, 0, 1), edge(Math.max, 1, 1)];
  const room = [app.canvas.canvas.clientWidth - left - 60, app.canvas.canvas.clientHeight - top - 110];
  view.scale = Math.min(most, room[0] / (x1 - x0), room[1] / (y1 - y0));
  view.offset = [left / view.scale - x0, top / view.scale - y0 + 50];
  app.canvas.setDirty(true, true);
}"""
"""Shows the whole graph below the menus; the 50 are the title of a group above its first node."""
SAVE = """
() => {
  [app.canvas.ds.scale, app.canvas.ds.offset] = [0.8, [110, 140]];
  return JSON.parse(JSON.stringify(app.graph.serialize()));
}"""


def save_workflow(page, name):
    """Lay the twin out and write it as the frontend saves it."""
    twin = json.loads((ROOT / "tests" / "prompts" / f"{name}.json").read_text())
    layout = LAYOUTS[name]
    canvas = arrange(layout, page.evaluate(OPEN, [twin, name]))
    page.evaluate(PLACE, {"boxes": canvas.nodes, "colours": COLOURS, "fixed": layout.fixed})
    page.evaluate(FURNISH, {"notes": canvas.notes, "groups": canvas.groups, "colours": NOTE_COLOURS})
    text = json.dumps(page.evaluate(SAVE), indent=1, ensure_ascii=False)
    (ROOT / "workflows" / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def save_thumbnail(server, name):
    """Run the twin and write a picture of what it made."""
    twin = json.loads((ROOT / "tests" / "prompts" / f"{name}.json").read_text())
    sheet = thumbnail(server, run(server, twin), LAYOUTS[name].pictures)
    sheet.save(ROOT / "workflows" / f"{name}.jpg", quality=88)


def save_screenshot(page, server):
    """The picture that README shows: text to video, run to its end."""
    open_template(page, server, PACK, SHOWN)
    run_shown(page, server, PATIENCE)
    page.wait_for_function("() => document.querySelector('video')?.readyState >= 2")
    page.evaluate(FRAME, [70, 95, 1.0])
    page.evaluate("() => { document.querySelector('video').pause() }")
    page.wait_for_timeout(1500)  # the canvas and the preview settle
    page.screenshot(path=ROOT / "docs" / "comfyui.jpg", type="jpeg", quality=80)


def run(server, prompt):
    """Run a prompt to its end; what each of its nodes showed."""
    job = server.post("/prompt", {"prompt": prompt})["prompt_id"]
    while not (done := server.get(f"/history/{job}")):
        time.sleep(0.2)
    status = done[job]["status"]
    if status["status_str"] != "success":
        raise RuntimeError(f"the prompt failed: {status['messages'][-1]}")
    return done[job]["outputs"]


def thumbnail(server, outputs, rows):
    """Pictures of what was saved, in rows; a node named several times shows its frames from first to last."""
    pictures = {node: saved_pictures(server, outputs[node]) for row in rows for node in row}
    names = [node for row in rows for node in row]
    spread = {node: iter(evenly(pictures[node], names.count(node))) for node in pictures}
    grid = [[next(spread[node]) for node in row] for row in rows]
    sheet = Image.new("RGB", THUMBNAIL, "white")
    height = THUMBNAIL[1] // len(grid)
    for y, row in enumerate(grid):
        width = THUMBNAIL[0] // len(row)
        for x, picture in enumerate(row):
            sheet.paste(picture.resize((width, height), Image.Resampling.LANCZOS), (x * width, y * height))
    return sheet


def evenly(pictures, count):
    """So many of them, from the first to the last."""
    last = len(pictures) - 1
    return [pictures[round(index * last / max(1, count - 1))] for index in range(count)]


def saved_pictures(server, shown):
    """All frames of what a node saved or showed."""
    return [picture for item in shown["images"] for picture in read(server, item)]


def read(server, item):
    path = server.folder / item["type"] / item["subfolder"] / item["filename"]
    if path.suffix == ".png":
        return [Image.open(path).convert("RGB")]
    with av.open(path) as clip:
        return [frame.to_image() for frame in clip.decode(video=0)]


def make(server, playwright, names, parts):
    """The wanted parts in turn; no browser takes its share of the CPU while thumbnails are sampled."""
    if "workflows" in parts:
        with opened(server, playwright) as page:
            visit(page, server.url)
            for name in names:
                save_workflow(page, name)
    if "thumbnails" in parts:
        for name in names:
            save_thumbnail(server, name)
    if "screenshot" in parts:
        with opened(server, playwright, Comfy__Minimap__Visible=False) as page:
            save_screenshot(page, server)


def main():
    """Make what was asked for, or all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", default=list(LAYOUTS), help="workflows to make (all)")
    parser.add_argument("--only", choices=PARTS, help="one part of the work")
    parser.add_argument("--frontend", help="folder of another frontend than the installed one")
    wanted = parser.parse_args()
    options = ["--front-end-root", wanted.frontend] if wanted.frontend else []
    with (
        tempfile.TemporaryDirectory() as folder,
        running(
            os.environ["COMFYUI_PATH"], Path(folder) / "comfyui", "--preview-method", "auto", *options
        ) as server,
        sync_playwright() as playwright,
    ):
        make(server, playwright, wanted.names, [wanted.only] if wanted.only else PARTS)


if __name__ == "__main__":
    main()
