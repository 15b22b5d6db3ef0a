"""A real ComfyUI in a process of its own, with nothing but this pack."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACK = "movie-gen"
"""Name of the pack's folder in custom_nodes, as the registry would give it."""
PATIENCE = 180
"""Seconds a server may take to start."""


class Server:
    """A running ComfyUI."""

    def __init__(self, url, folder, process):
        self.url, self.folder, self.process = url, folder, process

    def get(self, path):
        """Answer of the server, read as JSON."""
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return json.load(answer)

    def post(self, path, body):
        """Answer of the server to a JSON body."""
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or "null")

    def log(self):
        """All the server has said so far."""
        return (self.folder / "server.log").read_text()


@contextlib.contextmanager
def running(comfyui, folder, *options):
    """Start a ComfyUI on a free port with its own empty folders, and end it afterwards.

    Args:
        comfyui: folder of the checkout.
        folder: where its input, output, user and custom node folders go.
        options: more of its command line.

    Yields:
        The server, ready.
    """
    (folder / "custom_nodes").mkdir(parents=True)
    (folder / "custom_nodes" / PACK).symlink_to(ROOT, target_is_directory=True)
    port = free_port()
    command = [sys.executable, "main.py", "--cpu", "--port", str(port), "--base-directory", str(folder)]
    database = f"sqlite:///{folder / 'comfyui.db'}"
    command += ["--disable-auto-launch", "--disable-api-nodes", "--database-url", database, *options]
    environment = os.environ | {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(command, cwd=comfyui, stdout=log, stderr=log, env=environment)
        try:
            server = Server(f"http://127.0.0.1:{port}", folder, process)
            wait_until_ready(server)
            yield server
        finally:
            process.terminate()
            process.wait(20)


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until_ready(server):
    """Return when the server answers; raise with its log when it ends before that, or never does."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and server.process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            server.get("/system_stats")
            return
        time.sleep(0.2)
    raise RuntimeError(f"ComfyUI did not start; its log ends with\n{server.log()[-3000:]}")
