"""The HTTP side, against a small server of our own."""

import socket

import pytest

from moviegen_core.errors import RemoteError, SettingsError
from moviegen_core.remote.results import collect, local_name
from moviegen_core.remote.server import RemoteFile, Server

CLIP = RemoteFile(name="clip_00001_.mp4", subfolder="video", kind="output")
PROMPT = {"3": {"class_type": "KSampler", "inputs": {}, "_meta": {"title": "First pass"}}}


@pytest.fixture
def server(comfy):
    """Our side."""
    comfy.files["output", "video", "clip_00001_.mp4"] = b"film"
    return Server(comfy.url)


@pytest.mark.parametrize("address", ["127.0.0.1:8188", "http://127.0.0.1:8188/", "https://host/comfy/"])
def test_an_address_needs_no_scheme_and_no_slash(address):
    assert Server(address).url in ("http://127.0.0.1:8188", "https://host/comfy")


@pytest.mark.parametrize("address", ["", "ftp://host", "http://", "http://host:port", "http://host:99999"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(SettingsError, match="write it like"):
        Server(address)


def test_where_nobody_listens_the_sentence_says_what_to_start():
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{line.getsockname()[1]}"
        with pytest.raises(RemoteError, match=r"no ComfyUI answers at .* start it"):
            Server(address).definitions()


def test_another_kind_of_server_is_told_from_a_comfyui(comfy):
    comfy.info = ["hello"]
    with pytest.raises(RemoteError, match="address of a ComfyUI"):
        Server(comfy.url).definitions()
    with pytest.raises(RemoteError, match="404"):
        Server(f"{comfy.url}/elsewhere").definitions()


def test_a_proxy_for_the_web_is_not_asked_for_the_machine_next_door(comfy, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert "Load" in Server(comfy.url).definitions()


def test_what_the_server_finds_wrong_is_told_by_node_and_input(comfy, server):
    error = {"message": "Value not in list", "details": "sampler_name: 'best' not in ['euler']"}
    comfy.refusal = {
        "error": {"message": "Prompt outputs failed validation"},
        "node_errors": {"3": {"errors": [error], "class_type": "KSampler"}},
    }
    with pytest.raises(
        RemoteError, match=r"3 \(First pass\): Value not in list: sampler_name: 'best' not in"
    ):
        server.submit(PROMPT, "me", None)


def test_a_refusal_without_nodes_gives_the_servers_words(comfy, server):
    comfy.refusal = {"error": {"message": "Prompt has no outputs", "details": ""}, "node_errors": {}}
    with pytest.raises(RemoteError, match="refused the workflow: Prompt has no outputs"):
        server.submit(PROMPT, "me", None)


def test_a_page_of_choices_is_cut_short(comfy, server):
    error = {"message": "Value not in list", "details": "x" * 5000}
    comfy.refusal = {"error": {}, "node_errors": {"3": {"errors": [error]}}}
    with pytest.raises(RemoteError) as caught:
        server.submit(PROMPT, "me", None)
    assert len(str(caught.value)) < 600


def test_a_part_that_cannot_run_is_told_when_the_rest_does(comfy, server):
    assert server.submit(PROMPT, "me", None)[1] == ""
    comfy.warnings = {"3": {"errors": [{"message": "Required input is missing", "details": "model"}]}}
    assert "3 (First pass): Required input is missing: model" in server.submit(PROMPT, "me", None)[1]


def test_results_carry_the_drawing_only_when_it_is_what_ran(comfy, server):
    server.submit(PROMPT, "me", {"nodes": []})
    server.submit(PROMPT, "me", None)
    extras = [one["extra_data"] for one in comfy.posted]
    assert extras == [{"extra_pnginfo": {"workflow": {"nodes": []}}}, {}]
    assert [one["client_id"] for one in comfy.posted] == ["me", "me"]


def test_the_place_in_the_queue_counts_those_before(comfy, server):
    job, _ = server.submit(PROMPT, "me", None)
    assert server.place(job) == 0
    comfy.waiting = [[-2, "other"], [-1, "third"]]
    assert server.place(job) == 3
    assert server.place("unknown") is None


def test_a_file_is_sent_as_a_browsers_form_does(comfy, server, tmp_path):
    picture = tmp_path / 'my "face".png'
    picture.write_bytes(b"\x89PNG\r\n\x00")
    assert server.upload(picture) == "face (1).png"
    body = comfy.uploaded[0]
    assert b'name="image"; filename="my %22face%22.png"' in body
    assert b"\r\n\r\n\x89PNG\r\n\x00\r\n--" in body


def test_a_result_is_fetched_whole(server, tmp_path):
    path = collect(server, CLIP, tmp_path, overwrite=False)
    assert path == tmp_path / "clip_00001_.mp4"
    assert path.read_bytes() == b"film"


def test_a_file_of_that_name_stays_and_the_new_one_gets_a_number(server, tmp_path):
    (tmp_path / CLIP.name).write_bytes(b"mine")
    path = collect(server, CLIP, tmp_path, overwrite=False)
    assert path.name == "clip_00001_-2.mp4"
    assert (tmp_path / CLIP.name).read_bytes() == b"mine"
    assert collect(server, CLIP, tmp_path, overwrite=False) == path
    assert len(list(tmp_path.iterdir())) == 2


def test_a_file_of_that_name_is_replaced_when_asked(server, tmp_path):
    (tmp_path / CLIP.name).write_bytes(b"mine")
    collect(server, CLIP, tmp_path, overwrite=True)
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"film"]


def test_a_file_that_the_server_lost_leaves_nothing_here(comfy, server, tmp_path):
    comfy.files.clear()
    with pytest.raises(RemoteError, match="404"):
        collect(server, CLIP, tmp_path, overwrite=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "local"), [("../../etc/passwd", "passwd"), (r"a\b.png", "b.png"), ("a:b?.png", "a_b_.png")]
)
def test_no_name_leads_out_of_the_folder(name, local):
    assert local_name(name) == local


@pytest.mark.parametrize("name", ["", "..", "a/..", "a/"])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(RemoteError, match="no name"):
        local_name(name)
