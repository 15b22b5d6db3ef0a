"""The HTTP side of a ComfyUI server, as far as a run needs it."""

import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from ..errors import RemoteError, SettingsError
from ..media.target import replacing
from .definitions import Definition, read_definitions
from .prompt import Prompt
from .refusal import refusal

TIMEOUT_SECONDS = 60.0
"""A server that loads a model may be slow to answer."""
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Straight to the server: a proxy for the web knows nothing of the machine next door."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A file that a run left on the server."""

    name: str
    subfolder: str
    kind: str
    """"output" for what was saved, "temp" for previews."""


class Server:
    """Speaks to one server."""

    def __init__(self, address: str) -> None:
        self.url = _checked_url(address)

    def definitions(self) -> dict[str, Definition]:
        """All nodes of the server."""
        return read_definitions(self._json("/object_info"))

    def submit(self, prompt: Prompt, client: str, drawing: Mapping[str, Any] | None) -> tuple[str, str]:
        """Put a prompt into the queue.

        Args:
            prompt: what to run.
            client: who wants to hear of its progress.
            drawing: the workflow as the page saves it, which the results will carry; None when it is not
                what runs.

        Returns:
            The job's id, and what the server refused to run of it (empty when nothing).
        """
        extra = {"extra_pnginfo": {"workflow": drawing}} if drawing is not None else {}
        answer = self._json("/prompt", {"prompt": prompt, "client_id": client, "extra_data": extra}, prompt)
        left_out = refusal(answer, prompt) if answer.get("node_errors") else ""
        return str(answer["prompt_id"]), left_out

    def record(self, job: str) -> dict[str, Any] | None:
        """What became of a finished job; None as long as it is not finished."""
        return self._json(f"/history/{job}").get(job)

    def place(self, job: str) -> int | None:
        """How many jobs are before one in the queue, 0 when it runs; None when it is not in there."""
        queue = self._json("/queue")
        if any(one[1] == job for one in queue["queue_running"]):
            return 0
        waiting = sorted(queue["queue_pending"], key=lambda one: one[0])
        places = (place for place, one in enumerate(waiting, 1) if one[1] == job)
        return next(places, None)

    def cancel(self, job: str) -> None:
        """Take a job out of the queue, or stop it if it runs."""
        self._post("/queue", {"delete": [job]})
        self._post("/interrupt", {"prompt_id": job})

    def upload(self, path: Path) -> str:
        """Give a file to the server's input folder.

        Args:
            path: the file; one of the same name and another content is not replaced.

        Returns:
            What the server calls it.

        Raises:
            RemoteError: it cannot be read or the server refuses it.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise RemoteError(f"{path} cannot be read ({error.strerror}); give another file") from error
        boundary = uuid4().hex
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        answer = json.loads(self._send("/upload/image", _form(boundary, path.name, content), kind))
        return "/".join(part for part in (answer.get("subfolder"), answer["name"]) if part)

    def fetch(self, file: RemoteFile, path: Path) -> None:
        """Write a file of the server's to a path that is whole or not there.

        Args:
            file: which one.
            path: where to, in a folder that exists; replaced if it is there.

        Raises:
            RemoteError: the server does not give it, or it cannot be written.
        """
        query = urlencode({"filename": file.name, "subfolder": file.subfolder, "type": file.kind})
        try:
            with (
                self._open(f"/view?{query}") as answer,
                replacing(path) as partial,
                partial.open("wb") as target,
            ):
                shutil.copyfileobj(answer, target)
        except (OSError, HTTPException) as error:
            raise RemoteError(f"{file.name} could not be fetched to {path} ({error}); try again") from error

    def _json(self, path: str, body: object = None, prompt: Prompt | None = None) -> Any:  # noqa: ANN401
        content = None if body is None else json.dumps(body).encode()
        text = self._send(path, content, {"Content-Type": "application/json"}, prompt)
        try:
            return json.loads(text)
        except ValueError as error:
            raise RemoteError(
                f"{self.url} answers, but not as a ComfyUI does; give another --server"
            ) from error

    def _post(self, path: str, body: object) -> None:
        self._send(path, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def _send(
        self, path: str, body: bytes | None, headers: Mapping[str, str], prompt: Prompt | None = None
    ) -> bytes:
        try:
            with self._open(path, body, headers, prompt) as answer:
                return answer.read()
        except (OSError, HTTPException) as error:
            raise RemoteError(f"{self.url} stopped answering ({error}); look at its log") from error

    def _open(
        self,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        prompt: Prompt | None = None,
    ) -> HTTPResponse:
        request = urllib.request.Request(self.url + path, body, dict(headers or {}))
        try:
            return OPENER.open(request, timeout=TIMEOUT_SECONDS)
        except urllib.error.HTTPError as error:
            raise RemoteError(_rejection(self.url + path, error, prompt)) from error
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise RemoteError(
                f"no ComfyUI answers at {self.url} ({reason}); start it, or give its address with --server"
            ) from error


def _checked_url(address: str) -> str:
    """The address with scheme and without a slash at its end."""
    url = (address if "://" in address else f"http://{address}").rstrip("/")
    parts = urlsplit(url)
    try:
        known = (
            parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        known = False
    if not known:
        raise SettingsError(f"server {address!r} is no address; write it like http://127.0.0.1:8188")
    return url


def _rejection(url: str, error: urllib.error.HTTPError, prompt: Prompt | None) -> str:
    """What the server has against a request, in a sentence."""
    try:
        answer = json.loads(error.read())
    except (OSError, ValueError, HTTPException):
        answer = None
    if prompt is not None and isinstance(answer, dict) and "error" in answer:
        return refusal(answer, prompt)
    return f"{url} answers {error.code} ({error.reason}); check that --server is a ComfyUI"


def _form(boundary: str, name: str, content: bytes) -> bytes:
    """A file as a browser's form sends it."""
    quoted = name.replace("\\", "%5C").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="{quoted}"\r\n\r\n'
    return head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
