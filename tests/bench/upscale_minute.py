"""Upscaling a long clip: frames a second, peak memory, and the same after a kill at half time.

Each run is a process of its own. The clip is rendered from the theatre, with sound.

    python tests/bench/upscale_minute.py --seconds 60 --upscaler lanczos
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import torch

from moviegen_core.geometry import parse_size
from moviegen_core.media.mux import add_sound
from moviegen_core.media.read import frames
from moviegen_core.media.sound import sound_from
from moviegen_core.media.write import frames_from_clip, write_clip
from moviegen_core.theatre.render import render
from moviegen_core.theatre.sampling import sample_scenes

FPS = 16


def make_clip(path: Path, seconds: int, height: int, width: int) -> None:
    """Scenes of two seconds, one after the other."""

    def shots():
        for scene in sample_scenes(9_000_000, -(-seconds // 2)):
            clip = render([scene], num_frames=2 * FPS, fps=FPS, height=height, width=width)[0]
            yield from frames_from_clip(clip)

    write_clip(path, shots(), Fraction(FPS))
    tone = torch.sin(torch.arange(48000 * seconds) / 15)[None] * 0.3
    add_sound(path, sound_from(tone), path)


def command(source: Path, out: Path, upscaler: str, height: int, *more: str) -> list[str]:
    words = [
        "upscale",
        str(source),
        "-o",
        str(out),
        "--upscaler",
        upscaler,
        "--height",
        str(height),
        "--json",
    ]
    words += more
    return [sys.executable, "-m", "moviegen_core.cli", *words]


def run(words: list[str]) -> tuple[dict, float]:
    started = time.monotonic()
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return json.loads(done.stdout), time.monotonic() - started


def run_killed(words: list[str], parts: Path, num_units: int) -> float:
    """Kill the run, as hard as a power cut, once half of its units are there."""
    started = time.monotonic()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(list(parts.glob("0*.mp4"))) < num_units and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return time.monotonic() - started


def main(seconds: int, upscaler: str, size: str, height: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source, whole, again = (Path(folder) / f"{name}.mp4" for name in ("in", "whole", "again"))
        make_clip(source, seconds, *parse_size(size))
        facts, spent = run(command(source, whole, upscaler, height))
        print(
            f"torch {torch.__version__}, {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f};"
            f" {facts['num_frames']} frames of {size} to {facts['width']}x{facts['height']}, {upscaler}"
        )
        print(
            f"{facts['num_frames'] / spent:.2f} frames a second, peak {facts['peak'] / 1e6:.0f} MB,"
            f" {facts['report']}, sound {facts['sound']}"
        )
        half = seconds * FPS // (2 * FPS) // 2
        first = run_killed(command(source, again, upscaler, height), again.with_name("again.mp4.parts"), half)
        resumed, rest = run(command(source, again, upscaler, height, "--resume"))
        same = all(torch.equal(a, b) for a, b in zip(frames(whole), frames(again), strict=True))
        print(
            f"killed after {first:.1f} s with {resumed['resumed_frames']} frames done; then {rest:.1f} s:"
            f" {(first + rest) / spent:.3f} of the work, frames {'equal' if same else 'DIFFERENT'}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--upscaler", default="lanczos")
    parser.add_argument("--size", default="768x432", help="of the source")
    parser.add_argument("--height", type=int, default=1080)
    args = parser.parse_args()
    main(args.seconds, args.upscaler, args.size, args.height)
