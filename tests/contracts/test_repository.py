"""What a visitor finds: a README that keeps its word, a licence, small files, no traces of one machine."""

import ast
import re
import shlex
import subprocess
import sys
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
    sizes = {path: path.stat().st_size for path in tracked() if path.suffix == ".safetensors"}
    assert all(size < 15 * MEGABYTE for size in sizes.values())
    nano = [size for path, size in sizes.items() if path.parent.name == "nano"]
    judges = [size for path, size in sizes.items() if path.parent.name == "judge"]
    assert len(nano) + len(judges) == len(sizes)
    assert sum(nano) < 48 * MEGABYTE
    assert sum(judges) < 4 * MEGABYTE


def test_only_weights_and_pictures_are_large():
    for path in tracked():
        limit = 15 * MEGABYTE if path.suffix == ".safetensors" else 2 * MEGABYTE
        assert path.stat().st_size < limit, path.relative_to(ROOT)


def test_no_pickle_and_no_training_run_is_in_the_repository():
    for path in tracked():
        assert path.suffix not in {".pt", ".pth", ".ckpt", ".pkl", ".bin"}, path.relative_to(ROOT)
        assert path.name != "checkpoint.safetensors"


def metadata():
    """What the registry of ComfyUI reads, section by section."""
    text = (ROOT / "pyproject.toml").read_text()
    return dict(re.findall(r"^\[([\w.]+)\]\n(.*?)(?=^\[|\Z)", text, re.M | re.S))


def test_the_registry_learns_who_publishes_for_which_comfyui_and_loads_the_page_part_once():
    entry = metadata()["tool.comfy"]
    assert re.search(r'^PublisherId = "[a-z0-9-]+"$', entry, re.M)
    assert re.search(r'^DisplayName = "[^"]+"$', entry, re.M)
    assert re.search(r'^requires-comfyui = ">=0\.8\.0"$', entry, re.M)
    assert not re.search(r"^web\b", entry, re.M)  # the root module names the folder already
    for picture in re.findall(r'^(?:Icon|Banner) = "(.*)"$', entry, re.M):
        assert (ROOT / picture.rsplit("/main/", 1)[-1]).is_file()


def test_the_pack_asks_comfyuis_manager_for_nothing():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    assert [line for line in lines if line.strip() and not line.startswith("#")] == []


def test_the_nodes_need_no_package_that_comfyui_does_not_bring():
    comfyui = {"torch", "numpy", "safetensors", "av", "PIL"}
    host = {"comfy", "comfy_api", "comfy_execution", "folder_paths", "latent_preview", "server"}
    found = reached_from(sorted((ROOT / "nodes").rglob("*.py")))
    assert found - set(sys.stdlib_module_names) - host <= comfyui


def reached_from(paths):
    """Packages that files import, and the files of the pack that they import in turn."""
    names, seen, left = set(), set(), list(paths)
    while left:
        path = left.pop()
        if path in seen:
            continue
        seen.add(path)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add(node.module.split(".")[0])
            elif isinstance(node, ast.ImportFrom):
                left += imported_files(path, node)
    assert {"cli", "training", "remote"}.isdisjoint(path.parent.name for path in seen)
    return names


def imported_files(path, node):
    """Files that a relative import may mean: a module, a package, or members of one."""
    base = path.parents[node.level - 1] / (node.module or "").replace(".", "/")
    places = [base, *(base / alias.name for alias in node.names)]
    files = [file for place in places for file in (place.with_suffix(".py"), place / "__init__.py")]
    return [file for file in files if file.is_file()]


def test_the_readme_lists_every_template():
    table = set(re.findall(r"^\| `(\w+)` \|", README.read_text(), re.M))
    templates = {path.stem for path in (ROOT / "workflows").glob("*.json")}
    assert templates in (table, set())
