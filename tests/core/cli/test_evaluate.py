import json
from pathlib import Path

import pytest

from moviegen_core.cli import evaluate as command
from moviegen_core.evaluation.bars import Bar


class Report:
    """What the command needs of a report."""

    cast = "tiny"

    def bars(self):
        return [Bar(what="x", wanted=1.0, measured=measured, unit="dB") for measured in (2.0, 0.5, None, 0.1)]

    def markdown(self):
        return "# What the tiny cast can do\n"

    def to_json(self):
        return json.dumps({"cast": self.cast})

    def write(self, path):
        path.write_text(self.markdown())
        return [path]


@pytest.fixture
def calls(monkeypatch):
    """Stand in for the measuring itself, which has its own tests; note what it is asked for."""
    found = []

    def evaluate(cast, roles, *, on_progress, **options):
        found.append((cast.name, roles, options["count"]))
        on_progress(1, 2)
        on_progress(2, 2)
        return Report()

    monkeypatch.setattr(command, "evaluate", evaluate)
    return found


@pytest.fixture
def evaluate(moviegen, tiny_folder):
    """Run ``moviegen evaluate`` with the tiny cast."""
    return lambda *words: moviegen("evaluate", *words, "--cast", tiny_folder, "--device", "cpu")


def test_without_a_file_the_report_goes_to_stdout(evaluate, calls):
    answer = evaluate("--count", "4")
    assert answer.out == Report().markdown()
    assert "2/2" in answer.err
    assert calls == [("tiny", ["tae", "text", "video"], 4)]


def test_with_a_file_stdout_has_one_line(evaluate, calls):
    answer = evaluate("tae", "--report", "REPORT.md")
    assert answer.out == "REPORT.md: 1 bars met, 2 missed, 1 not measured\n"
    assert Path("REPORT.md").read_text() == Report().markdown()
    assert calls[0][1] == ["tae"]


def test_json_has_the_numbers_and_the_files(evaluate, calls):
    assert evaluate("--report", "REPORT.md", "--json").facts == {"cast": "tiny", "files": ["REPORT.md"]}
    assert evaluate("--json").facts["files"] == []
    assert len(calls) == 2


def test_what_cannot_be_measured_or_written_is_refused_before_the_work(evaluate, calls):
    assert "has no audio; it has tae, text, video" in evaluate("audio").refusal
    assert ".md" in evaluate("--report", "report.txt").refusal
    assert "does not exist" in evaluate("--report", "no/REPORT.md").refusal
    assert "--count" in evaluate("--count", "many").refusal
    assert not calls


def test_a_full_disk_is_one_sentence(evaluate, calls, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Report, "write", full)
    assert "No space left" in evaluate("--report", "REPORT.md").refusal
    assert len(calls) == 1
