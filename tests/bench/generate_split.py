"""Where the time of ``moviegen generate`` goes: load, text, denoise, decode, encode.

A fresh process for every round, as a user starts it; two seconds at 192x112, 16 frames a second, 50 guided
steps.

    python tests/bench/generate_split.py [--cast nano|DIR]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from statistics import median

STARTED = time.perf_counter()
PROMPT = "a red ball bounces on the beach"
PARTS = ("import", "load", "text", "denoise", "decode", "encode")


def measure(cast: str) -> dict[str, float]:
    """Seconds of every part of one clip, in this process."""
    seconds: dict[str, float] = {}

    @contextmanager
    def part(name: str):
        start = time.perf_counter()
        yield
        seconds[name] = time.perf_counter() - start

    with part("import"):
        import torch

        from moviegen_core.cli.memory import keep_freed_memory
        from moviegen_core.geometry import ClipShape
        from moviegen_core.media.write import frames_from_clip, write_clip
        from moviegen_core.stages import generate as stage
        from moviegen_core.stages.settings import SamplingSettings
        from moviegen_core.weights.cast import open_cast

        keep_freed_memory()
    shape, settings = ClipShape(num_frames=32, fps=Fraction(16), height=112, width=192), SamplingSettings()
    with torch.no_grad():
        with part("load"):
            models = stage.load_text_to_video(open_cast(cast), dtype=stage.fast_dtype("cpu"))
        with part("text"):
            text = stage.full_prompt(models, PROMPT, shape, None)
            context = stage.encode_prompts(models, [text], guided=True)
            noise = stage.draw_noise(models, shape, [settings.seed])
        with part("denoise"):
            latent = stage.denoise(models, context, noise, settings)
        with part("decode"):
            clip = stage.decode(models, latent, shape.num_frames)[0]
        with part("encode"), tempfile.TemporaryDirectory() as folder:
            write_clip(Path(folder) / "clip.mp4", frames_from_clip(clip), shape.fps)
    return seconds | {"whole": time.perf_counter() - STARTED}


def measure_apart(cast: str, rounds: int) -> dict[str, float]:
    """Medians over fresh processes."""
    command = [sys.executable, __file__, "--here", "--cast", cast]
    runs = [
        json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for _ in range(rounds)
    ]
    return {name: median(run[name] for run in runs) for name in runs[0]}


def report(result: dict[str, float], rounds: int) -> None:
    print(
        f"generate, 32 frames of 192x112, 50 guided steps, medians of {rounds} fresh processes,"
        f" {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    for name in PARTS:
        print(f"{name:>8}: {result[name]:6.2f} s")
    print(f"{'whole':>8}: {result['whole']:6.2f} s")


def test_a_two_second_clip_is_made_in_well_under_twenty_seconds():
    result = measure_apart("nano", 1)
    report(result, 1)
    assert result["whole"] < 15


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cast", default="nano")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--here", action="store_true", help="measure one clip in this process and print JSON")
    args = parser.parse_args()
    if args.here:
        print(json.dumps(measure(args.cast)))
    else:
        report(measure_apart(args.cast, args.rounds), args.rounds)
