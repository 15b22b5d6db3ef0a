"""A small ComfyUI: the nodes that it describes, workflows for them, and a server that speaks its protocol."""

import base64
import contextlib
import hashlib
import json
import queue
import random
import struct
import threading
import types
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from moviegen_core.remote import job as job_module
from moviegen_core.remote.convert import convert
from moviegen_core.remote.definitions import read_definitions
from moviegen_core.remote.graph import read_drawing

FORMATS = [
    {"key": "auto", "inputs": {"required": {}}},
    {"key": "mp4", "inputs": {"required": {"quality": ["INT", {"default": 20}]}, "optional": {}}},
]


def describe(title, required=None, optional=None, output=()):
    """A node as ``/object_info`` describes it."""
    groups = {"required": required or {}, "optional": optional or {}}
    order = {group: list(inputs) for group, inputs in groups.items()}
    return {"input": groups, "input_order": order, "display_name": title, "output": list(output)}


INFO = {
    "Load": describe("Load a model", {"model_name": [["nano", "giant"], {}]}, output=["MODEL", "CLIP"]),
    "Say": describe(
        "Say it",
        {"clip": ["CLIP", {}], "text": ["STRING", {"multiline": True, "dynamicPrompts": True}]},
        output=["CONDITIONING"],
    ),
    "KSampler": describe(
        "KSampler",
        {
            "model": ["MODEL", {}],
            "seed": ["INT", {"default": 0, "control_after_generate": True}],
            "steps": ["INT", {"default": 20, "min": 1}],
            "cfg": ["FLOAT", {"default": 8.0}],
            "sampler_name": ["COMBO", {"options": ["euler", "heun"]}],
            "positive": ["CONDITIONING", {}],
            "latent": ["LATENT", {}],
        },
        {"add_noise": ["BOOLEAN", {"default": True}]},
        ["LATENT"],
    ),
    "Empty": describe("Empty", {"width": ["INT", {"default": 64}], "noise_seed": ["INT", {}]}),
    "Scale": describe("Scale", {"image": ["IMAGE", {}], "by": ["FLOAT", {"default": 2.0}]}),
    "Blend": describe("Blend", {"mask": ["MASK", {}], "image": ["IMAGE", {}]}),
    "Decode": describe("Decode", {"latent": ["LATENT", {}]}, output=["IMAGE"]),
    "LoadImage": describe("Load Image", {"image": [["example.png"], {"image_upload": True}]}),
    "Save": describe(
        "Save Video",
        {
            "images": ["IMAGE", {}],
            "filename_prefix": ["STRING", {"default": "video/out"}],
            "format": ["COMFY_DYNAMICCOMBO_V3", {"options": FORMATS}],
            "crf": ["INT", {"default": 23}],
        },
    ),
    "Join": describe(
        "Join", {"text": ["STRING", {"forceInput": True}], "by": ["STRING", {}], "times": ["INT", {}]}
    ),
    "Pick": describe("Pick", {"names": ["COMBO", {"options": ["a", "b"], "multi_select": True}]}),
    "CustomCombo": describe("Custom Combo", {"choice": ["COMBO", {"options": []}]}),
    "Load3D": describe("Load 3D", {"image": ["LOAD_3D", {}]}),
    "Packed": describe(
        "Packed", {"wheel": ["PACK_WHEEL", {}], "size": ["INT", {}], "many": ["COMFY_AUTOGROW_V3", {}]}
    ),
}


@pytest.fixture
def definitions():
    """What the small server has."""
    return read_definitions(INFO)


@pytest.fixture
def page():
    """Makes workflow files, and frames of a server's messages."""
    return types.SimpleNamespace(slot=slot, box=box, drawing=drawing, frame=frame, told=told)


@pytest.fixture
def to_prompt(definitions):
    """Convert a drawing for the small server."""

    def run(nodes, links=(), subgraphs=(), seed=0):
        return convert(read_drawing(drawing(nodes, links, subgraphs)), definitions, random.Random(seed))

    return run


def slot(name, kind, link=None, field=False):
    """An input as a workflow file holds it."""
    return {"name": name, "type": kind, "link": link} | ({"widget": {"name": name}} if field else {})


def box(number, kind, inputs=(), outputs=(), values=(), **more):
    """A node as a workflow file holds it."""
    return {
        "id": number,
        "type": kind,
        "mode": 0,
        "inputs": list(inputs),
        "outputs": [{"name": one, "type": one} for one in outputs],
        "widgets_values": list(values) if not isinstance(values, dict) else values,
        **more,
    }


def drawing(nodes, links=(), subgraphs=()):
    """A workflow file: links are (id, from node, from slot, to node, to slot, type)."""
    return {
        "nodes": nodes,
        "links": [list(one) for one in links],
        "definitions": {"subgraphs": list(subgraphs)},
    }


class FakeComfy:
    """A server that does as it is told."""

    def __init__(self):
        self.info, self.speaks = INFO, True
        self.posted, self.uploaded, self.interrupted, self.deleted = [], [], [], []
        self.files, self.records, self.history = {}, {}, {}
        self.refusal, self.warnings = None, {}
        self.record = {"status": {"status_str": "success"}, "outputs": {}}
        self.polls_until_done = 1
        self.waiting = []
        self.forgets = False
        self.lines, self.frames = [], []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                fake.get(self)

            def do_POST(self):
                fake.post(self, self.rfile.read(int(self.headers.get("Content-Length", 0))))

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        for line in self.lines:
            line.put(None)
        self.http.shutdown()
        self.http.server_close()

    def answer(self, handler, body, code=200):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.send_response(code)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def get(self, handler):
        parts = urlsplit(handler.path)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        if parts.path == "/ws" and self.speaks:
            return self.speak(handler)
        if parts.path == "/view":
            key = query["type"], query["subfolder"], query["filename"]
            found = self.files.get(key)
            return self.answer(handler, b"no" if found is None else found, 404 if found is None else 200)
        answers = {"/object_info": self.info, "/queue": self.queue()}
        if parts.path.startswith("/history/"):
            return self.answer(handler, self.look(parts.path.rsplit("/", 1)[1]))
        known = parts.path in answers
        return self.answer(handler, answers.get(parts.path, {}), 200 if known else 404)

    def queue(self):
        jobs = [] if self.forgets else [[0, job] for job in self.records]
        return {
            "queue_running": [] if self.waiting else jobs,
            "queue_pending": self.waiting and [*self.waiting, *jobs],
        }

    def look(self, job):
        self.records[job] -= 1
        return {job: self.record} if self.records[job] < 0 and not self.forgets else {}

    def post(self, handler, body):
        if handler.path == "/upload/image":
            self.uploaded.append(body)
            return self.answer(handler, {"name": "face (1).png", "subfolder": "", "type": "input"})
        data = json.loads(body)
        if handler.path == "/interrupt":
            self.interrupted.append(data)
        if handler.path == "/queue":
            self.deleted += data["delete"]
        if handler.path != "/prompt":
            return self.answer(handler, b"")
        if self.refusal is not None:
            return self.answer(handler, self.refusal, 400)
        job = f"job-{len(self.posted)}"
        self.posted.append(data)
        self.records[job] = self.polls_until_done
        for line in self.lines:
            for frame in self.frames:
                line.put(frame.replace(b"JOB-0", job.encode()))
        return self.answer(handler, {"prompt_id": job, "number": 1, "node_errors": self.warnings})

    def speak(self, handler):
        key = handler.headers["Sec-WebSocket-Key"].encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key).digest()).decode()
        line = queue.Queue()
        self.lines.append(line)  # before the client hears that it may go on
        handler.send_response(101)
        for name, value in (
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", accept),
        ):
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.flush()
        with contextlib.suppress(OSError):
            while (data := line.get()) is not None:
                handler.wfile.write(data)
                handler.wfile.flush()
        handler.close_connection = True


def frame(payload, code=1, final=True):
    """A frame as a server sends it: never masked."""
    size = len(payload)
    head = bytes([(0x80 if final else 0) | code])
    if size < 126:
        return head + bytes([size]) + payload
    wide = size >= 2**16
    return head + bytes([127 if wide else 126]) + struct.pack("!Q" if wide else "!H", size) + payload


def told(kind, **facts):
    """A message of the running job, as a frame."""
    return frame(json.dumps({"type": kind, "data": {"prompt_id": "JOB-0", **facts}}).encode())


@pytest.fixture
def comfy(monkeypatch):
    """A running server, looked at more often than a real one."""
    monkeypatch.setattr(job_module, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(job_module, "LAST_SECONDS", 0.01)
    fake = FakeComfy()
    yield fake
    fake.close()
