"""One run on a server, from the queue to its results."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from ..errors import RemoteError
from .events import Listener
from .prompt import Prompt, title_of
from .refusal import failure
from .server import RemoteFile, Server

POLL_SECONDS, LAST_SECONDS = 1.0, 0.1
"""Between two looks at the history, and once the server says that it is done."""
LOST, PATIENCE = 3, 10
"""Looks at a server that knows nothing of the job, and at one that does not answer, before it is given up."""
ENDINGS = frozenset({"execution_success", "execution_error", "execution_interrupted"})


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """How far a run is."""

    doing: str
    """The node that works, or that the job waits."""
    done: int
    total: int | None
    """Steps of that node; None when it counts none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What a run left."""

    job: str
    files: tuple[RemoteFile, ...]
    texts: Mapping[str, tuple[str, ...]]
    """What nodes said, by title."""


def run_job(
    server: Server,
    prompt: Prompt,
    drawing: Mapping[str, Any] | None,
    on_news: Callable[[News], None],
    on_warning: Callable[[str], None],
) -> Results:
    """Run a prompt and wait for it; when the user interrupts, the server is told to stop.

    Args:
        server: where.
        prompt: what.
        drawing: the workflow that the results will carry, or None.
        on_news: called as the run goes on.
        on_warning: called with a sentence when the server leaves out a part of the workflow.

    Returns:
        What came out.

    Raises:
        RemoteError: it failed or was stopped on the server.
        KeyboardInterrupt: the user stopped it.
    """
    client = uuid4().hex
    with Listener(server.url, client) as listener:
        job, left_out = server.submit(prompt, client, drawing)
        try:
            if left_out:
                on_warning(left_out)
            record = _wait(server, listener, job, prompt, on_news)
        except KeyboardInterrupt:
            server.cancel(job)
            raise
    problem = failure(record, prompt)
    if problem is not None:
        raise RemoteError(problem)
    outputs = record.get("outputs") or {}
    return Results(job=job, files=tuple(_files(outputs)), texts=_texts(outputs, prompt))


def _wait(
    server: Server, listener: Listener, job: str, prompt: Prompt, on_news: Callable[[News], None]
) -> dict[str, Any]:
    """The history's record of a job, as soon as there is one."""
    seconds, misses = 0.0, 0
    while True:
        heard = list(_news(listener, job, prompt, seconds, on_news))
        try:
            record = server.record(job)
            place = server.place(job) if record is None and not heard else 0
        except RemoteError:
            if (misses := misses + 1) > PATIENCE:
                raise
            seconds = POLL_SECONDS
            continue
        if record is not None:
            return record
        misses = misses + 1 if place is None else 0
        if misses > LOST:
            raise RemoteError(
                "the server knows nothing of the run any more; was it restarted? start it again"
            )
        if place:
            on_news(News(doing=f"waiting behind {place}", done=0, total=None))
        seconds = LAST_SECONDS if not ENDINGS.isdisjoint(heard) else POLL_SECONDS


def _news(
    listener: Listener, job: str, prompt: Prompt, seconds: float, on_news: Callable[[News], None]
) -> Iterator[str]:
    """Pass on what is heard of a job until it ends or the time is over; the kinds of messages."""
    for message in listener.listen(seconds):
        facts = message["data"]
        if facts.get("prompt_id") != job:
            continue
        yield message["type"]
        if message["type"] in ENDINGS:
            return
        news = read_news(message["type"], facts, prompt)
        if news is not None:
            on_news(news)


def read_news(kind: str, facts: Mapping[str, Any], prompt: Prompt) -> News | None:
    """What a message says about the run; None when it is nothing for people."""
    node = facts.get("node")
    if kind not in ("executing", "progress") or node is None:
        return None
    doing = title_of(prompt, str(facts.get("display_node") or node))
    if kind == "executing":
        return News(doing=doing, done=0, total=None)
    return News(doing=doing, done=int(facts.get("value", 0)), total=int(facts.get("max", 0)) or None)


def _files(outputs: Mapping[str, Any]) -> Iterator[RemoteFile]:
    """Every file that the nodes show, once."""
    shown = [item for node in outputs.values() for items in node.values() for item in _items(items)]
    named = [item for item in shown if isinstance(item, dict) and item.get("filename")]
    found = (
        RemoteFile(
            name=item["filename"], subfolder=item.get("subfolder") or "", kind=item.get("type") or "output"
        )
        for item in named
    )
    yield from dict.fromkeys(found)


def _items(items: object) -> list[Any]:
    return items if isinstance(items, list) else []


def _texts(outputs: Mapping[str, Any], prompt: Prompt) -> dict[str, tuple[str, ...]]:
    said = {
        node: [text for text in _items(shown.get("text")) if isinstance(text, str)]
        for node, shown in outputs.items()
    }
    return {title_of(prompt, node): tuple(texts) for node, texts in said.items() if texts}
