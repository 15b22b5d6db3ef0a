"""What a visitor finds: a README that keeps its word, a licence, small files, no traces of one machine."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from moviegen_core.cli.parser import make_parser

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
MEGABYTE = 1_000_000
COMMANDS = (
    'pip install -e . && moviegen generate "a red ball bounces on the beach" -o clip.mp4',
    'pip install -e ".[test]" && pytest',
)
MACHINE = re.compile(r"(?<![\w./-])/(?:home|root|work|tmp|Users|mnt|opt)/\w")


def tracked():
    """Files of the repository, or all that lie here where git does not know them (an unpacked archive)."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = [name for name in done.stdout.split("\0") if name]
    paths = [ROOT / name for name in names] or [path for path in ROOT.rglob("*") if ".git" not in path.parts]
    return [path for path in paths if path.is_file()]


def blocks(text):
    """Shell lines of the fenced blocks of a document."""
    return [
        line for block in re.findall(r"```(?:bash|sh)?\n(.*?)```", text, re.S) for line in block.splitlines()
    ]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_readme_has_the_command_that_does_all_its_own_set_up(command):
    assert command in blocks(README.read_text())


def test_continuous_integration_runs_the_readmes_own_test_command():
    assert COMMANDS[1] in (ROOT / ".ci" / "run").read_text()


def commands(text):
    """What a reader could type: lines of the blocks and commands in the tables."""
    lines = [part.strip() for line in blocks(text) for part in line.split("&&")]
    lines += re.findall(r"^\|.*`(moviegen [^`]+)`", text, re.M)
    return [line for line in lines if line.startswith("moviegen ")]


@pytest.mark.parametrize("command", commands(README.read_text()))
def test_the_command_line_understands_every_command_of_the_readme(command):
    make_parser().parse_args(shlex.split(command)[1:])


def test_every_file_the_readme_points_at_is_there():
    targets = re.findall(r"\]\(([^)#:]+)\)", README.read_text())
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_every_file_the_readme_names_in_its_map_is_there():
    text = README.read_text()
    named = re.findall(
        r"`((?:moviegen_core|tests)/[\w./]+|(?:flow|layers|models|stages|theatre|training|weights)/[\w./]+)`",
        text,
    )
    assert named
    assert [
        name for name in named if not (ROOT / name).exists() and not (ROOT / "moviegen_core" / name).exists()
    ] == []


def test_the_licence_is_apache_2_whole():
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_no_document_and_no_code_names_a_folder_of_one_machine():
    suffixes = {".md", ".py", ".toml", ".json", ".txt", ".js"}
    files = [path for path in tracked() if path.suffix in suffixes or path.name == "run"]
    traces = {
        (str(path.relative_to(ROOT)), found[0])
        for path in files
        if path != Path(__file__)
        for found in [MACHINE.search(path.read_text())]
        if found
    }
    assert not traces


def test_weights_stay_small_one_by_one_and_together():
    sizes = [path.stat().st_size for path in tracked() if path.suffix == ".safetensors"]
    assert all(size < 15 * MEGABYTE for size in sizes)
    assert sum(sizes) < 48 * MEGABYTE


def test_only_weights_and_pictures_are_large():
    for path in tracked():
        limit = 15 * MEGABYTE if path.suffix == ".safetensors" else 2 * MEGABYTE
        assert path.stat().st_size < limit, path.relative_to(ROOT)


def test_no_pickle_and_no_training_run_is_in_the_repository():
    for path in tracked():
        assert path.suffix not in {".pt", ".pth", ".ckpt", ".pkl", ".bin"}, path.relative_to(ROOT)
        assert path.name != "checkpoint.safetensors"
