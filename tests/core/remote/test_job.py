"""A run from the queue to its end, with a server that tells much, little or nothing."""

import json

import pytest

from moviegen_core.errors import RemoteError
from moviegen_core.remote import job as job_module
from moviegen_core.remote.job import News, run_job
from moviegen_core.remote.server import Server

PROMPT = {
    "3": {"class_type": "KSampler", "inputs": {}, "_meta": {"title": "First pass"}},
    "5": {"class_type": "Save", "inputs": {}, "_meta": {"title": "Save Video"}},
}
CLIP = {"filename": "clip.mp4", "subfolder": "video", "type": "output"}
PREVIEW = {"filename": "p.png", "subfolder": "", "type": "temp"}


@pytest.fixture
def go(comfy):
    """Run the prompt; its results and what was told on the way."""

    def run(on_news=None):
        news, warnings = [], []
        results = run_job(Server(comfy.url), PROMPT, None, on_news or news.append, warnings.append)
        return results, news, warnings

    return run


@pytest.mark.parametrize("speaks", [True, False])
def test_the_history_alone_decides_that_a_run_is_done(comfy, go, speaks):
    comfy.speaks, comfy.polls_until_done = speaks, 3
    comfy.record["outputs"] = {"5": {"images": [CLIP, CLIP], "animated": [True]}, "3": {"images": [PREVIEW]}}
    results, _, warnings = go()
    assert [(one.name, one.kind) for one in results.files] == [("clip.mp4", "output"), ("p.png", "temp")]
    assert warnings == []


def test_nodes_and_their_steps_are_told_and_other_jobs_are_not(comfy, go, page):
    foreign = page.frame(json.dumps({"type": "progress", "data": {"prompt_id": "x", "node": "3"}}).encode())
    comfy.frames = [
        page.told("execution_start"),
        page.told("executing", node="3"),
        foreign,
        page.told("progress", node="3", value=1, max=2),
        page.told("executing", node="5"),
        page.told("executing", node=None),
        page.told("execution_success"),
    ]
    comfy.polls_until_done = 2
    _, news, _ = go()
    assert news == [
        News(doing="First pass", done=0, total=None),
        News(doing="First pass", done=1, total=2),
        News(doing="Save Video", done=0, total=None),
    ]


def test_texts_that_nodes_show_come_back_by_title(comfy, go):
    comfy.record["outputs"] = {"3": {"text": ["192x112, 32 frames"]}, "5": {"images": []}}
    assert go()[0].texts == {"First pass": ("192x112, 32 frames",)}


def test_waiting_is_told_with_the_number_of_jobs_before(comfy, go):
    comfy.waiting, comfy.polls_until_done = [[-1, "other"]], 2
    assert News(doing="waiting behind 2", done=0, total=None) in go()[1]


def test_a_part_left_out_is_a_warning(comfy, go):
    comfy.warnings = {"3": {"errors": [{"message": "Required input is missing", "details": "model"}]}}
    assert "Required input is missing: model" in go()[2][0]


def test_a_nodes_own_words_are_the_error(comfy, go):
    facts = {
        "node_id": "3",
        "exception_message": "the latent has 4 channels\n",
        "exception_type": "ValueError",
    }
    comfy.record["status"] = {"status_str": "error", "messages": [["execution_error", facts]]}
    with pytest.raises(
        RemoteError, match=r"^3 \(First pass\) failed on the server: the latent has 4 channels$"
    ):
        go()


def test_a_run_that_somebody_stopped_is_no_failure_of_a_node(comfy, go):
    comfy.record["status"] = {
        "status_str": "error",
        "messages": [["execution_interrupted", {"node_id": "3"}]],
    }
    with pytest.raises(RemoteError, match="was stopped on the server"):
        go()


def test_a_run_that_the_server_forgot_is_given_up(comfy, go):
    comfy.forgets = True
    with pytest.raises(RemoteError, match="knows nothing of the run"):
        go()


def test_a_server_that_dies_is_given_up_after_a_while(comfy, go, monkeypatch):
    monkeypatch.setattr(job_module, "PATIENCE", 2)
    monkeypatch.setattr(comfy, "look", lambda _job: comfy.http.server_close() or {}["gone"])
    with pytest.raises(RemoteError, match="answer"):
        go()


def test_a_server_that_stumbles_once_is_waited_for(comfy, go, monkeypatch):
    look, stumbles = comfy.look, iter([True])
    monkeypatch.setattr(comfy, "look", lambda job: {}["gone"] if next(stumbles, False) else look(job))
    assert go()[0].job == "job-0"


def test_an_interrupt_here_stops_the_run_there(comfy, go):
    comfy.waiting, comfy.polls_until_done = [[-1, "other"]], 50

    def stop(_news):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        go(stop)
    assert (comfy.deleted, comfy.interrupted) == (["job-0"], [{"prompt_id": "job-0"}])
