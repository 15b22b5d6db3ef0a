"""Commands run in this process, on a tiny cast."""

import json
from dataclasses import dataclass

import pytest

from moviegen_core.cli import main


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def facts(self):
        """The JSON on stdout."""
        return json.loads(self.out)

    @property
    def refusal(self):
        """The one sentence of a command that could not be done."""
        assert self.code == 2
        assert self.out == ""
        complaint = self.err.splitlines()[-1]
        assert complaint.startswith("moviegen: ")
        assert "Traceback" not in self.err
        return complaint


@pytest.fixture
def moviegen(capsys):
    """Run a command in this process."""

    def run(*words):
        capsys.readouterr()
        code = main([str(word) for word in words])
        return Answer(code, *capsys.readouterr())

    return run


@pytest.fixture
def generate(moviegen, tiny_folder):
    """Run ``moviegen generate`` with the tiny cast; later options win."""
    small = (
        "--cast",
        tiny_folder,
        "--size",
        "32x16",
        "--seconds",
        "0.5",
        "--fps",
        "8",
        "--steps",
        "2",
        "--device",
        "cpu",
    )
    return lambda *words: moviegen("generate", *small, *words)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """Relative paths land in a fresh folder."""
    monkeypatch.chdir(tmp_path)
