import subprocess
import sys

import pytest

from moviegen_core.cli.parser import make_parser

COMMANDS = ("generate", "reconstruct", "theatre", "train", "evaluate", "run")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example_that_parses(command, capsys):
    with pytest.raises(SystemExit) as stop:
        make_parser().parse_args([command, "--help"])
    assert stop.value.code == 0
    assert f"example: moviegen {command} " in " ".join(capsys.readouterr().out.split())


def test_the_defaults_are_two_seconds_of_nano():
    args = make_parser().parse_args(["generate", "a ball", "-o", "clip.mp4"])
    found = args.seconds, args.fps, args.size, args.steps, args.cast, args.device
    assert found == ("2", "16", "192x112", 50, "nano", "auto")


def test_help_needs_neither_torch_nor_numpy():
    show = "from moviegen_core.cli.parser import make_parser; make_parser().format_help()"
    script = f"import sys; {show}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"torch", "numpy", "av", "PIL", "safetensors"} & set(run.stdout.split())
