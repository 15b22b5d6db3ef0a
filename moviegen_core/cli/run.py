"""``moviegen run``: a workflow of ComfyUI's, run by a server, its results here."""

import argparse
import random
import time
from collections.abc import Mapping
from pathlib import Path

from ..remote.definitions import Definition
from ..remote.job import News, Results, run_job
from ..remote.prompt import Prompt
from ..remote.results import collect
from ..remote.server import Server
from ..remote.settings import Setting, assign, parse_setting, resolve
from ..remote.workflow import read_workflow
from .output import check_folder, tell
from .progress import Progress, clock

SAVED = "output"
"""What a server calls files that a workflow saves; previews are of another kind."""


def run(args: argparse.Namespace) -> int:
    """Do what the options ask for; returns the exit code."""
    started, folder = time.monotonic(), check_folder(args.output)
    workflow, settings = read_workflow(Path(args.workflow)), [parse_setting(text) for text in args.set]
    server = Server(args.server)
    definitions = server.definitions()
    prompt = workflow.prompt(definitions, random.Random())
    drawing = workflow.data if workflow.drawing is not None and not settings else None
    with Progress("sending", None) as progress:
        for setting in settings:
            prompt = _set(server, prompt, definitions, setting, progress)
        results = run_job(
            server, prompt, drawing, lambda news: _show(progress, news), lambda said: _warn(progress, said)
        )
        files = _collect(server, results, folder, args, progress)
    seconds = time.monotonic() - started
    _tell(args, folder, results, files, seconds)
    return 0


def _set(
    server: Server,
    prompt: Prompt,
    definitions: Mapping[str, Definition],
    setting: Setting,
    progress: Progress,
) -> Prompt:
    """Put one value in, and send the file that it names."""
    assignment = resolve(setting, prompt, definitions)
    if assignment.file is not None:
        progress.turn_to(f"sending {assignment.file.name}", None)
        assignment = assignment.with_value(server.upload(assignment.file))
    return assign(prompt, assignment)


def _show(progress: Progress, news: News) -> None:
    progress.turn_to(news.doing, news.total)
    progress.reach(news.done)


def _warn(progress: Progress, sentence: str) -> None:
    progress.say(f"moviegen: a part is left out: {sentence}")


def _collect(
    server: Server, results: Results, folder: Path, args: argparse.Namespace, progress: Progress
) -> list[Path]:
    wanted = [file for file in results.files if args.previews or file.kind == SAVED]
    progress.turn_to("fetching", len(wanted))
    folder.mkdir(exist_ok=True)
    files = []
    for file in wanted:
        files.append(collect(server, file, folder, overwrite=args.overwrite))
        progress.advance()
    return files


def _tell(
    args: argparse.Namespace, folder: Path, results: Results, files: list[Path], seconds: float
) -> None:
    unseen = len(results.files) - len(files)
    made = ", ".join(str(file) for file in files) or f"{folder}: no file was saved"
    hint = f" ({unseen} previews were shown, --previews fetches them)" if unseen and not files else ""
    facts = {"files": [str(file) for file in files], "job": results.job, "texts": results.texts}
    tell(args, f"{made}{hint}, made in {clock(seconds)}", facts | {"seconds_taken": round(seconds, 3)})
