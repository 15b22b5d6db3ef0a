"""What a server tells while it works: a small reader of its WebSocket (RFC 6455), for messages in text.

Progress is all that comes this way. Whether a job is finished, the history says; without a WebSocket a run is
only less talkative.
"""

import base64
import hashlib
import json
import os
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""The constant of the protocol's handshake."""
CONTINUED, TEXT, CLOSE, PING, PONG = 0x0, 0x1, 0x8, 0x9, 0xA
CONNECT_SECONDS = 10.0
LARGEST = 256 * 2**20
"""Bytes of one message; previews are the largest, and they are skipped."""


class Listener:
    """Hears the messages of one client of a server; use it in a ``with`` block."""

    def __init__(self, url: str, client: str) -> None:
        self._buffer, self._text = b"", b""
        self._kind = TEXT
        try:
            self._socket: socket.socket | None = self._connect(url, client)
        except (OSError, ValueError):
            self._socket = None

    def __enter__(self) -> "Listener":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._drop()

    def listen(self, seconds: float) -> Iterator[dict[str, Any]]:
        """The messages that come within so many seconds, each as soon as it is there."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._socket is None:
                time.sleep(left)
                return
            if not self._receive(left):
                return
            yield from self._messages()

    def _receive(self, seconds: float) -> bool:
        """Take what has come; returns whether anything may have."""
        try:
            self._socket.settimeout(seconds)
            data = self._socket.recv(2**16)
        except TimeoutError:
            return False
        except OSError:
            data = b""
        if not data:
            self._drop()
        self._buffer += data
        return True

    def _messages(self) -> Iterator[dict[str, Any]]:
        while (frame := self._frame()) is not None:
            final, code, payload = frame
            if code == PING:
                self._answer(payload)
            elif code == CLOSE:
                self._drop()
            elif code != PONG:
                yield from self._joined(final, code, payload)

    def _joined(self, final: bool, code: int, payload: bytes) -> Iterator[dict[str, Any]]:
        """Parts of a message, put together; only text is kept."""
        self._kind = self._kind if code == CONTINUED else code
        self._text = (self._text if code == CONTINUED else b"") + (payload if self._kind == TEXT else b"")
        if not final or self._kind != TEXT:
            return
        try:
            message = json.loads(self._text)
        except ValueError:
            return
        if isinstance(message, dict) and isinstance(message.get("data"), dict):
            yield message

    def _frame(self) -> tuple[bool, int, bytes] | None:
        """Take one whole frame off the buffer: whether it ends a message, its kind, its content."""
        if len(self._buffer) < 2:
            return None
        first, second = self._buffer[:2]
        size, start = second & 0x7F, 2
        if size >= 126:
            width, form = (2, "!H") if size == 126 else (8, "!Q")
            start += width
            if len(self._buffer) < start:
                return None
            size = struct.unpack(form, self._buffer[2:start])[0]
        if second & 0x80 or size > LARGEST:  # servers never mask, and nothing is that long
            self._drop()
            return None
        if len(self._buffer) < start + size:
            return None
        payload, self._buffer = self._buffer[start : start + size], self._buffer[start + size :]
        return bool(first & 0x80), first & 0x0F, payload

    def _answer(self, payload: bytes) -> None:
        """Say that we are still there; clients mask what they send."""
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
        try:
            self._socket.sendall(bytes((0x80 | PONG, 0x80 | len(payload))) + mask + masked)
        except OSError:
            self._drop()

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket, self._buffer = None, b""

    def _connect(self, url: str, client: str) -> socket.socket:
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        line = socket.create_connection((parts.hostname, port), timeout=CONNECT_SECONDS)
        try:
            if secure:
                line = ssl.create_default_context().wrap_socket(line, server_hostname=parts.hostname)
            self._shake_hands(line, f"{parts.path}/ws?clientId={client}", parts.netloc)
        except BaseException:
            line.close()
            raise
        return line

    def _shake_hands(self, line: socket.socket, path: str, host: str) -> None:
        key = base64.b64encode(os.urandom(16))
        request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        line.sendall(
            request.encode() + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + b"\r\n\r\n"
        )
        answer = b""
        while b"\r\n\r\n" not in answer:
            data = line.recv(2**12)
            if not data or len(answer) > 2**16:
                raise ConnectionError("no WebSocket")
            answer += data
        head, _, self._buffer = answer.partition(b"\r\n\r\n")
        accepted = base64.b64encode(hashlib.sha1(key + GUID).digest())
        if b" 101 " not in head.split(b"\r\n")[0] or accepted not in head:
            raise ConnectionError("no WebSocket")
