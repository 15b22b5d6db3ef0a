"""``moviegen run`` from the command line."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import moviegen_core
from moviegen_core.cli import main

CLIP = {"filename": "clip_00001_.mp4", "subfolder": "video", "type": "output"}
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(moviegen_core.__file__).parents[1])}
PREVIEW = {"filename": "p.png", "subfolder": "", "type": "temp"}


@pytest.fixture
def workflow(tmp_path, page):
    """A drawing of two nodes."""
    path = tmp_path / "w.json"
    nodes = [
        page.box(1, "Load", outputs=["MODEL"], values=["nano"]),
        page.box(2, "LoadImage", values=["example.png"]),
    ]
    path.write_text(json.dumps(page.drawing(nodes)))
    return path


@pytest.fixture
def run(comfy, workflow, tmp_path, capsys):
    """Run it into a fresh folder; code, stdout and stderr."""
    comfy.record["outputs"] = {"2": {"images": [CLIP, PREVIEW]}}
    comfy.files["output", "video", CLIP["filename"]] = b"film"
    comfy.files["temp", "", PREVIEW["filename"]] = b"look"

    def call(*words, file=workflow, folder=tmp_path / "results"):
        options = ["--server", comfy.url, "-o", str(folder)]
        code = main(["run", str(file), *options, *map(str, words)])
        return code, *capsys.readouterr()

    return call


def test_what_the_workflow_saved_is_here_and_told_on_one_line(run, tmp_path):
    code, out, _ = run()
    target = tmp_path / "results" / CLIP["filename"]
    assert code == 0
    assert out.startswith(f"{target}, made in ")
    assert out.count("\n") == 1
    assert [one.name for one in target.parent.iterdir()] == [CLIP["filename"]]


def test_previews_come_when_asked_for(run, tmp_path):
    run("--previews")
    assert {one.name for one in (tmp_path / "results").iterdir()} == {CLIP["filename"], PREVIEW["filename"]}


def test_a_run_that_saved_nothing_says_so_and_how_to_see_more(run, comfy):
    comfy.record["outputs"] = {"2": {"images": [PREVIEW]}}
    code, out, _ = run()
    assert code == 0
    assert "no file was saved (1 previews were shown, --previews fetches them)" in out


def test_facts_for_machines_are_one_line_of_json(run, tmp_path):
    facts = json.loads(run("--json")[1])
    assert facts["files"] == [str(tmp_path / "results" / CLIP["filename"])]
    assert facts["job"] == "job-0"
    assert facts["seconds_taken"] >= 0


def test_settings_reach_the_server_and_the_stale_drawing_does_not(run, comfy):
    run("--set", "Load.model_name=giant", "2.image=example.png", "--set", "Load a model.model_name=nano")
    run("--set", "Load.model_name=giant")
    run()
    models = [one["prompt"]["1"]["inputs"]["model_name"] for one in comfy.posted]
    assert models == ["nano", "giant", "nano"]
    assert ["extra_pnginfo" in one["extra_data"] for one in comfy.posted] == [False, False, True]


def test_a_picture_of_this_machine_is_sent_before_the_run(run, comfy, tmp_path):
    (tmp_path / "face.png").write_bytes(b"face")
    code, _, _ = run("--set", f"2.image={tmp_path / 'face.png'}")
    assert code == 0
    assert b"face" in comfy.uploaded[0]
    assert comfy.posted[0]["prompt"]["2"]["inputs"]["image"] == "face (1).png"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--set", "Load.model_name=huge"], "it has nano, giant"),
        (["--set", "huge"], "write it like"),
        (["--server", "127.0.0.1:1"], "no ComfyUI answers"),
        (["--server", "a b"], "no ComfyUI answers|is no address"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_exit_code_2(run, comfy, words, complaint):
    code, out, err = run(*words)
    assert (code, out, comfy.posted) == (2, "", [])
    assert err.startswith("moviegen: ")
    assert any(part in err for part in complaint.split("|"))
    assert err.count("\n") == 1


def test_a_failing_node_is_exit_code_2(run, comfy):
    facts = {"node_id": "1", "exception_message": "out of ideas"}
    comfy.record["status"] = {"status_str": "error", "messages": [["execution_error", facts]]}
    code, _, err = run()
    assert code == 2
    assert err.endswith("moviegen: 1 (Load a model) failed on the server: out of ideas\n")


def test_control_c_stops_the_server_too(comfy, workflow, tmp_path):
    comfy.polls_until_done = 10_000
    words = [sys.executable, "-m", "moviegen_core.cli", "run", str(workflow), "--server", comfy.url]
    process = subprocess.Popen(words, cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 20
    while all(left == 10_000 for left in comfy.records.values()) and time.monotonic() < until:
        time.sleep(0.01)  # until it asks for its job, so that it knows which to stop
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=20)[1]
    assert process.returncode == 130
    assert said.endswith("moviegen: stopped; what was finished is kept\n")
    assert comfy.interrupted == [{"prompt_id": "job-0"}]


def test_running_a_workflow_needs_no_torch_here(comfy, workflow, tmp_path):
    script = "import sys; from moviegen_core.cli import main; main(sys.argv[1:]); print(*sys.modules)"
    words = [sys.executable, "-c", script, "run", str(workflow), "--server", comfy.url]
    done = subprocess.run(words, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert not {"torch", "numpy", "av", "PIL"} & set(done.stdout.split())
