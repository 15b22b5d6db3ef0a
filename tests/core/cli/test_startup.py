import subprocess
import sys

SCRIPT = """
import sys
from moviegen_core.cli import main
code = main(sys.argv[1:])
print("MODULES", *sys.modules)
sys.exit(code)
"""
SLOW = {"torch._dynamo", "torchvision", "sympy.core"}
"""Torch's compiler takes seconds to import, and a stray meta initialiser is enough to wake it."""


def test_generating_wakes_neither_the_compiler_nor_theatre_nor_training(tiny_folder, tmp_path):
    words = [
        "generate",
        "a ball",
        "-o",
        tmp_path / "clip.mp4",
        "--cast",
        tiny_folder,
        "--size",
        "16x16",
        "--steps",
        "1",
    ]
    run = subprocess.run([sys.executable, "-c", SCRIPT, *words], capture_output=True, text=True, check=True)
    modules = set(run.stdout.rsplit("MODULES", 1)[1].split())
    assert not SLOW & modules
    ours = {name.split(".")[1] for name in modules if name.startswith("moviegen_core.")}
    assert not {"training", "evaluation"} & ours
    assert "moviegen_core.theatre.render" not in modules
