"""The WebSocket side: what arrives, however the server cuts it."""

import json
import time

import pytest

from moviegen_core.remote.events import Listener


@pytest.fixture
def hear(comfy):
    """What a listener gets of frames that the server sends, until a last one."""

    def run(*frames, seconds=2.0):
        found = []
        with Listener(comfy.url, "me") as listener:
            while not comfy.lines:
                time.sleep(0.005)
            for one in frames:
                comfy.lines[-1].put(one)
            for message in listener.listen(seconds):
                found.append(message)
                if message["type"] == "last":
                    break
        return found

    return run


def message(kind, **facts):
    return json.dumps({"type": kind, "data": facts}).encode()


@pytest.mark.parametrize("length", [0, 80, 125, 126, 127, 2**16 - 40, 2**16, 200_000])
def test_messages_of_every_length_arrive_whole(hear, page, length):
    found = hear(page.frame(message("a", text="x" * length)), page.frame(message("last")))
    assert [len(one["data"].get("text", "")) for one in found] == [length, 0]


def test_a_message_in_parts_arrives_as_one_with_a_ping_in_between(hear, page):
    text = message("last", words="in parts")
    frames = [page.frame(text[:9], final=False), page.frame(b"hello?", code=9), page.frame(text[9:], code=0)]
    assert hear(*frames) == [{"type": "last", "data": {"words": "in parts"}}]


def test_one_byte_at_a_time_is_enough(hear, page):
    whole = page.frame(message("a", n=1)) + page.frame(message("last"))
    assert [one["type"] for one in hear(*(whole[i : i + 1] for i in range(len(whole))))] == ["a", "last"]


def test_pictures_and_noise_are_skipped(hear, page):
    noise = [
        page.frame(b"\x00\x00\x00\x01\xff\xd8" * 100, code=2),
        page.frame(b"not json"),
        page.frame(b"[1]"),
    ]
    picture = [page.frame(b"\xff", code=2, final=False), page.frame(message("a"), code=0)]
    assert [one["type"] for one in hear(*noise, *picture, page.frame(message("last")))] == ["last"]


@pytest.mark.parametrize("end", [b"\x88\x00", b"\x81\xff" + b"\xff" * 12, b"\x81\x85aaaaaaaaa"])
def test_after_the_line_is_cut_listening_is_only_waiting(hear, page, end):
    started = time.monotonic()
    found = hear(page.frame(message("a")), end, page.frame(message("last")), seconds=0.2)
    assert [one["type"] for one in found] == ["a"]
    assert time.monotonic() - started >= 0.2


def test_a_server_without_websocket_is_waited_for_in_silence(comfy):
    comfy.speaks = False
    with Listener(comfy.url, "me") as listener:
        assert list(listener.listen(0.02)) == []
