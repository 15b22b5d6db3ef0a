"""A ComfyUI in a process of its own: started, asked over HTTP, watched over its WebSocket, stopped.

The pack lies in a temporary base directory under a name that no identifier could have, as users name folders.
"""

import asyncio
import io
import json
import queue
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from PIL import Image

ROOT = Path(__file__).parents[2]
PACK = "movie-gen.x"
CLIENT = "moviegen-tests"
START_SECONDS, RUN_SECONDS = 180, 300
ENDINGS = ("execution_success", "execution_error", "execution_interrupted")
PREVIEW, PREVIEW_WITH_METADATA = 1, 4
"""Kinds of binary messages that carry a picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One message of the server."""

    name: str
    """Its type, or "preview" for a picture."""
    data: dict[str, Any]
    """Of a picture: whose it is."""
    seconds: float
    """When it came, on the monotonic clock."""
    picture: Image.Image | None = None


@dataclass(slots=True, kw_only=True)
class Run:
    """What became of one prompt."""

    base: Path
    prompt_id: str = ""
    refusal: dict[str, Any] | None = None
    """The server's answer when it did not even start."""
    events: list[Event] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    """What the history has for each node."""

    def named(self, name: str) -> list[Event]:
        """The events of one kind, in order."""
        return [event for event in self.events if event.name == name]

    @property
    def succeeded(self) -> bool:
        """Whether it came to its end."""
        return bool(self.named("execution_success"))

    @property
    def error(self) -> str | None:
        """What the failing node said, without the empty line that hosts put behind it."""
        errors = self.named("execution_error")
        return errors[0].data["exception_message"].rstrip("\n") if errors else None

    def steps(self, node: str) -> list[int]:
        """Steps done, as a node counted them aloud."""
        return [event.data["value"] for event in self.named("progress") if event.data["node"] == node]

    def files(self, node: str) -> list[Path]:
        """What a node saved."""
        lists = [value for value in self.outputs[node].values() if isinstance(value, (list, tuple))]
        found = [one for value in lists for one in value if isinstance(one, dict) and "filename" in one]
        return [self.base / one["type"] / one["subfolder"] / one["filename"] for one in found]


class Server:
    """One running ComfyUI; entering starts it and waits until it answers, leaving stops it."""

    def __init__(self, comfy: Path, base: Path, pack: Path = ROOT, arguments: tuple[str, ...] = ()) -> None:
        self.comfy, self.base, self.arguments = comfy, base, arguments
        self.log_file, self.port = base / "log.txt", free_port()
        self.messages: queue.Queue[tuple[float, str | bytes]] = queue.Queue()
        for folder in ("custom_nodes", "input", "models", "user"):
            (base / folder).mkdir(parents=True, exist_ok=True)
        if not (base / "custom_nodes" / PACK).exists():  # a server may be started again in its folder
            (base / "custom_nodes" / PACK).symlink_to(pack, target_is_directory=True)

    def __enter__(self) -> "Server":
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends us ends the server too
        command = [sys.executable, str(self.comfy / "main.py"), "--cpu", "--port", str(self.port)]
        command += ["--base-directory", str(self.base), "--database-url", "sqlite:///:memory:"]
        command += ["--disable-api-nodes", "--disable-auto-launch", "--preview-method", "auto"]
        with self.log_file.open("w") as log:
            self.process = subprocess.Popen(
                [*command, *self.arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            self._wait_until_it_answers()
            self._watch()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it, gently first."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def log(self) -> str:
        """What it printed so far."""
        return self.log_file.read_text(errors="replace")

    def ask(self, path: str, body: object = None) -> tuple[int, Any]:
        """Status and answer; with a body it is a POST."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/{path}", data, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        return status, json.loads(text) if text[:1] in (b"{", b"[") else text

    def run(
        self,
        prompt: dict[str, Any],
        on_event: Callable[[Event], None] | None = None,
        previews: str = "auto",
    ) -> Run:
        """Send a prompt in API format and wait for its end; ``on_event`` sees every message as it comes."""
        extra = {"preview_method": previews}
        status, answer = self.ask("prompt", {"prompt": prompt, "client_id": CLIENT, "extra_data": extra})
        if status != 200:
            return Run(base=self.base, refusal=answer)
        run = Run(base=self.base, prompt_id=answer["prompt_id"])
        for event in self._events(run.prompt_id):
            run.events.append(event)
            if on_event is not None:
                on_event(event)
            if event.name in ENDINGS:
                break
        run.outputs = self._history(run.prompt_id)["outputs"]
        return run

    def interrupt(self) -> None:
        """Stop what runs."""
        self.ask("interrupt", {})

    def forget(self) -> None:
        """Drop all results and models, so that the next prompt does everything again."""
        self.ask("free", {"unload_models": True, "free_memory": True})
        time.sleep(1.5)  # the server does so in its own time, and looks about once a second

    def _wait_until_it_answers(self) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                self.ask("system_stats")
            except OSError:
                time.sleep(0.2)
            else:
                return
        raise RuntimeError(f"the server did not start:\n{self.log()[-3000:]}")

    def _watch(self) -> None:
        ready = threading.Event()

        async def listen() -> None:
            address = f"ws://127.0.0.1:{self.port}/ws?clientId={CLIENT}"
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(address, max_msg_size=0) as connection,
            ):
                flags = {"supports_preview_metadata": True}
                await connection.send_json({"type": "feature_flags", "data": flags})
                ready.set()
                async for message in connection:
                    self.messages.put((time.monotonic(), message.data))

        threading.Thread(target=lambda: asyncio.run(listen()), daemon=True).start()
        if not ready.wait(30):
            raise RuntimeError("the server's WebSocket did not open")

    def _events(self, prompt_id: str) -> Iterator[Event]:
        """What comes from now on and is about one prompt."""
        end = time.monotonic() + RUN_SECONDS
        while True:
            try:
                seconds, message = self.messages.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise RuntimeError(f"the prompt did not end:\n{self.log()[-3000:]}") from None
            event = parsed(message, seconds)
            if event is not None and event.data.get("prompt_id", prompt_id) == prompt_id:
                yield event

    def _history(self, prompt_id: str) -> dict[str, Any]:
        """It is written a moment after the last event."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            answer = self.ask(f"history/{prompt_id}")[1]
            if prompt_id in answer:
                return answer[prompt_id]
            time.sleep(0.05)
        raise RuntimeError("the history has no such prompt")


def parsed(message: str | bytes, seconds: float) -> Event | None:
    """A message as an event; None when it is neither JSON nor a picture."""
    if isinstance(message, str):
        raw = json.loads(message)
        return Event(name=raw["type"], data=raw["data"] or {}, seconds=seconds)
    kind, length = struct.unpack(">II", message[:8])
    if kind == PREVIEW_WITH_METADATA:
        data, picture = json.loads(message[8 : 8 + length]), message[8 + length :]
    elif kind == PREVIEW:
        data, picture = {}, message[8:]
    else:
        return None
    return Event(
        name="preview", data=data, seconds=seconds, picture=Image.open(io.BytesIO(picture)).convert("RGB")
    )


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
