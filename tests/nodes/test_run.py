"""``moviegen run`` against a real server: conversion, results, and every way to fail."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from moviegen_core.cli import main
from moviegen_core.media.read import read_clip
from moviegen_core.remote.server import Server
from moviegen_core.remote.workflow import read_workflow

ROOT = Path(__file__).parents[2]
DRAWINGS = sorted((ROOT / "workflows").glob("*.json"))
CLIP = ROOT / "tests" / "prompts" / "text_to_video.json"
SMALL = ["Movie Gen Prompt.seconds=0.8", "MovieGenEmptyLatent.side=72", "Movie Gen Schedule.steps=3"]
SMALLER = [*SMALL, "4.seconds=0.8"]
"""The same with a value where the file has a wire."""
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}


@pytest.fixture
def address(server):
    return f"http://127.0.0.1:{server.port}"


@pytest.fixture
def moviegen(address, tmp_path, capsys):
    """Run the command into a fresh folder; its code and what it said."""

    def run(file, *words, settings=SMALL):
        options = ["--server", address, "-o", str(tmp_path / "out"), "--set", *settings]
        code = main(["run", str(file), *options, *words])
        return code, *capsys.readouterr()

    return run


@pytest.mark.parametrize("path", DRAWINGS, ids=lambda path: path.stem)
def test_a_drawing_becomes_its_twin_and_adds_only_what_a_newer_core_asks_for(path, address):
    definitions = Server(address).definitions()
    found = read_workflow(path).prompt(definitions, random.Random(0))
    twin = json.loads((ROOT / "tests" / "prompts" / path.name).read_text())
    assert found.keys() == twin.keys()
    for node, wanted in twin.items():
        inputs = found[node]["inputs"]
        assert found[node] | {"inputs": {name: inputs.get(name) for name in wanted["inputs"]}} == wanted
        newer = {name: value for name, value in inputs.items() if name not in wanted["inputs"]}
        known = definitions[wanted["class_type"]].inputs_at(inputs)
        assert newer == {one.name: one.initial for one in known if one.name in newer}


@pytest.mark.parametrize(
    ("path", "seconds", "frames"),
    [(CLIP, 0.8, 13), *((path, 0.7, 11) for path in DRAWINGS if path.stem == CLIP.stem)],
)
def test_either_format_makes_a_clip_and_fetches_it(moviegen, path, seconds, frames):
    code, out, _ = moviegen(path, "--json", settings=[*SMALL, f"Movie Gen Prompt.seconds={seconds}"])
    assert code == 0
    facts = json.loads(out)
    (file,) = facts["files"]
    assert len(read_clip(Path(file))[0]) == frames
    assert any(f"{frames} frames" in text for said in facts["texts"].values() for text in said)


def test_a_second_run_leaves_the_first_ones_file(moviegen, tmp_path):
    files = [json.loads(moviegen(CLIP, "--json", settings=SMALLER)[1])["files"] for _ in range(2)]
    there = {str(path) for path in (tmp_path / "out").iterdir()}
    assert set(files[0]) | set(files[1]) == there


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("Sample.cfg=-5", "Value -5.0 smaller than min"),
        ("Sample.cfg=1e9", "bigger than max"),
        ("Movie Gen Schedule.imitated_steps=2", "failed on the server"),
        ("Load Movie Gen.cast=other", "it has nano"),
    ],
)
def test_what_the_server_refuses_or_a_node_cannot_do_is_one_sentence(moviegen, setting, words):
    code, out, err = moviegen(CLIP, settings=[*SMALL, setting])
    assert (code, out) == (2, "")
    assert words in err.splitlines()[-1]
    assert "Traceback" not in err


def test_a_node_that_is_not_installed_is_named(moviegen, tmp_path):
    prompt = json.loads(CLIP.read_text()) | {"99": {"class_type": "NobodysNode", "inputs": {}}}
    (tmp_path / "w.json").write_text(json.dumps(prompt))
    code, _, err = moviegen(tmp_path / "w.json")
    assert code == 2
    assert "the server lacks NobodysNode; install" in err


def test_a_picture_sent_along_is_what_the_server_then_works_on(moviegen, tmp_path):
    image = pytest.importorskip("PIL.Image")
    image.new("RGB", (40, 24), (250, 20, 10)).save(tmp_path / "red.png")
    prompt = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "none.png"}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "copy"}},
    }
    (tmp_path / "w.json").write_text(json.dumps(prompt))
    settings = [f"LoadImage.image={tmp_path / 'red.png'}"]
    (file,) = json.loads(moviegen(tmp_path / "w.json", "--json", settings=settings)[1])["files"]
    with image.open(file) as copy:
        assert (copy.size, copy.convert("RGB").getpixel((3, 3))) == ((40, 24), (250, 20, 10))


def test_control_c_stops_the_run_on_the_server(server, address, tmp_path):
    long = ["--set", "Movie Gen Schedule.steps=900", "Movie Gen Schedule.imitated_steps=1000"]
    words = [sys.executable, "-m", "moviegen_core.cli", "run", str(CLIP), "--server", address, *long]
    process = subprocess.Popen(words, cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    running = wait_for(lambda: server.ask("queue")[1]["queue_running"])
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert running
    assert (process.returncode, said.splitlines()[-1]) == (
        130,
        "moviegen: stopped; what was finished is kept",
    )
    assert wait_for(lambda: not server.ask("queue")[1]["queue_running"])
    record = server.ask(f"history/{running[0][1]}")[1][running[0][1]]
    assert "execution_interrupted" in [kind for kind, _ in record["status"]["messages"]]


def wait_for(something, seconds=60):
    """Its value as soon as it is true."""
    end = time.monotonic() + seconds
    while not (value := something()) and time.monotonic() < end:
        time.sleep(0.1)
    return value
