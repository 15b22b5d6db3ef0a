"""What installing the pack does to the environment of a ComfyUI."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_pip_would_install_nothing_for_the_pack(comfy_folder, tmp_path):
    report = tmp_path / "report.json"
    options = [
        "--dry-run",
        "--no-index",
        "--quiet",
        "--report",
        str(report),
        "-r",
        str(ROOT / "requirements.txt"),
    ]
    subprocess.run([sys.executable, "-m", "pip", "install", *options], cwd=comfy_folder, check=True)
    assert not report.exists() or json.loads(report.read_text())["install"] == []
