"""What may import what: the core's order, its packages, its silence."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import moviegen_core

CORE = Path(moviegen_core.__file__).parent
ORDER = (
    *("errors", "geometry"),
    *("flow", "layers"),
    *("models",),
    *("weights", "media"),
    *("stages",),
    *("theatre",),
    *("training", "evaluation"),
    *("remote",),
    *("cli",),
)
EVERYWHERE = {"torch", "numpy", "safetensors"}
PICTURES = {"av", "PIL"}
DRAWING = ("media", "theatre", "evaluation")
"""Parts that read, write or draw picture files themselves."""
HOST = {"comfy", "comfy_api", "comfy_execution", "comfy_extras", "folder_paths", "nodes", "server"}
FILES = sorted(CORE.rglob("*.py"))


@cache
def tree(path):
    return ast.parse(path.read_text())


def part(path):
    """The subpackage or module of the core that a file belongs to."""
    return path.relative_to(CORE).parts[0].removesuffix(".py")


def absolute_imports(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.split(".")[0]


def relative_imports(path):
    """Parts of the core that a file imports."""
    package = path.relative_to(CORE).parts[:-1]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) + 1 - node.level]
            below = tuple(node.module.split(".")) if node.module else ()
            full = base + below
            yield from [full[0]] if full else [alias.name for alias in node.names]


def test_every_part_of_the_core_has_its_place_in_the_order():
    assert {part(path) for path in FILES} - {"__init__"} == set(ORDER)


@pytest.mark.parametrize("name", ORDER)
def test_a_part_imports_only_what_stands_left_of_it(name):
    lower = set(ORDER[: ORDER.index(name) + 1])
    strays = {
        (str(path.relative_to(CORE)), target)
        for path in FILES
        if part(path) == name
        for target in relative_imports(path)
        if target not in lower
    }
    assert not strays


def test_the_core_imports_itself_relatively():
    strays = {str(path.relative_to(CORE)) for path in FILES if "moviegen_core" in set(absolute_imports(path))}
    assert not strays


def test_the_core_imports_only_the_agreed_packages():
    for path in FILES:
        allowed = EVERYWHERE | set(sys.stdlib_module_names) | (PICTURES if part(path) in DRAWING else set())
        assert set(absolute_imports(path)) <= allowed, path.relative_to(CORE)


def test_the_core_knows_nothing_of_comfyui():
    for path in FILES:
        assert not set(absolute_imports(path)) & HOST, path.relative_to(CORE)


def test_only_the_command_line_prints():
    for path in FILES:
        calls = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
        printing = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]
        assert not printing or part(path) == "cli", path.relative_to(CORE)


def test_only_the_part_that_speaks_to_servers_opens_connections():
    for path in FILES:
        names = set(absolute_imports(path))
        assert not names & {"socket", "ssl", "urllib", "http", "ftplib"} or part(path) == "remote", (
            path.relative_to(CORE)
        )


def test_only_the_command_line_speaks_to_servers():
    assert {part(path) for path in FILES if "remote" in relative_imports(path)} <= {"remote", "cli"}


def test_nothing_in_the_core_runs_pickles_or_text_as_code():
    for path in FILES:
        assert not set(absolute_imports(path)) & {"pickle", "shelve", "marshal"}, path.relative_to(CORE)
        calls = {ast.unparse(node.func) for node in ast.walk(tree(path)) if isinstance(node, ast.Call)}
        assert not calls & {"eval", "exec", "torch.load", "torch.save"}, path.relative_to(CORE)


def test_help_and_the_root_module_import_nothing_heavy():
    root = CORE.parent / "__init__.py"
    assert not [node for node in tree(root).body if isinstance(node, (ast.Import, ast.ImportFrom))]
    code = "import sys, moviegen_core.cli; print(sorted({'torch', 'av', 'PIL', 'numpy'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=CORE.parent
    )
    assert done.stdout.strip() == "[]"
