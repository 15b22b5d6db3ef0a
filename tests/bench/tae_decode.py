"""Frames a second and peak memory of nano's autoencoder decoding 32 and 256 frames of 192x112.

Each length is measured in a process of its own, so that its peak is its own.

    python tests/bench/tae_decode.py
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from statistics import median

import torch

from moviegen_core.cli.memory import keep_freed_memory
from moviegen_core.stages.decode import decode_clip
from moviegen_core.stages.generate import fast_dtype
from moviegen_core.weights.build import build

HEIGHT, WIDTH, LENGTHS = 112, 192, (32, 256)


def peak_megabytes() -> float:
    return (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    )


@torch.no_grad()
def measure(num_frames: int, rounds: int) -> dict[str, float]:
    """Medians of one length, in this process; weights are random, which costs the same."""
    keep_freed_memory()  # as the command line does
    torch.manual_seed(0)
    tae, dtype = build("tae", "nano", device="cpu").eval(), fast_dtype("cpu")
    latent = torch.randn(1, 16, *tae.grid.latent_shape(num_frames, HEIGHT, WIDTH))
    before, seconds = peak_megabytes(), []
    for _ in range(rounds):
        start = time.perf_counter()
        with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            clip = decode_clip(tae, latent, num_frames)
        seconds.append(time.perf_counter() - start)
        assert clip.shape[-3:] == (num_frames, HEIGHT, WIDTH)
    return {
        "fps": num_frames / median(seconds),
        "seconds": median(seconds),
        "before_mb": before,
        "peak_mb": peak_megabytes(),
    }


def measure_apart(num_frames: int, rounds: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--only", str(num_frames), "--rounds", str(rounds)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def report(results: dict[int, dict[str, float]]) -> None:
    print(
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f};"
        f" nano TAE decode at {WIDTH}x{HEIGHT}, {fast_dtype('cpu')}"
    )
    for num_frames, one in results.items():
        print(
            f"{num_frames} frames: {one['seconds']:.2f} s, {one['fps']:.1f} frames a second;"
            f" process peak {one['peak_mb']:.0f} MB,"
            f" {one['peak_mb'] - one['before_mb']:.0f} MB above the loaded model"
        )


def test_a_longer_clip_decodes_at_the_same_speed_in_little_more_memory():
    results = {num_frames: measure_apart(num_frames, 3) for num_frames in LENGTHS}
    report(results)
    short, long = (results[num_frames] for num_frames in LENGTHS)
    assert long["fps"] > short["fps"] / 2
    assert long["peak_mb"] - long["before_mb"] < 4 * (short["peak_mb"] - short["before_mb"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", type=int, help="measure this length here and print JSON")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    if args.only:
        print(json.dumps(measure(args.only, args.rounds)))
    else:
        report({num_frames: measure_apart(num_frames, args.rounds) for num_frames in LENGTHS})
