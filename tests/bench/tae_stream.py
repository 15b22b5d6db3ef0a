"""What streaming through the autoencoder costs over doing it whole, and how equal the results are.

Whole and streamed take turns in one process; the ratio is that of medians. In float32 nothing but rounding
may differ; the speeds told are of the type the machine is fastest at, as the product runs.

    python tests/bench/tae_stream.py --size 192x112 --frames 128
"""

import argparse
import os
import time
from contextlib import nullcontext
from statistics import median

import torch

from moviegen_core.geometry import parse_size
from moviegen_core.models.tae_stream import decode_chunks, encode_chunks
from moviegen_core.stages.decode import chunk_cells
from moviegen_core.stages.generate import fast_dtype
from moviegen_core.theatre.render import render
from moviegen_core.theatre.sampling import sample_scenes
from moviegen_core.weights.cast import open_cast

MAX_RATIO, MAX_DIFFERENCE = 1.1, 1e-5


def ways(tae, clip, latent, cells):
    """Direction -> (whole, streamed), each without arguments."""
    frames = clip.shape[2]
    parts, pieces = latent.split(cells, dim=2), clip.split(cells * tae.grid.frames, dim=2)
    return {
        "decode": (
            lambda: tae.decode(latent, frames),
            lambda: joined(decode_chunks(tae, parts, cells), frames),
        ),
        "encode": (lambda: tae.encode(clip), lambda: joined(encode_chunks(tae, pieces, frames), None)),
    }


def joined(chunks, frames):
    return torch.cat(list(chunks), dim=2)[:, :, :frames]


def timed(call):
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


@torch.no_grad()
def measure(num_frames: int, size: tuple[int, int], rounds: int) -> dict[str, tuple[float, float, float]]:
    """Direction -> (seconds whole, ratio, largest difference in float32)."""
    tae, dtype, found = open_cast("nano").load("tae"), fast_dtype("cpu"), {}
    height, width = size
    clip = render(sample_scenes(1, 1), num_frames=num_frames, fps=16, height=height, width=width)
    latent = tae.encode(clip)
    for name, (whole, streamed) in ways(tae, clip, latent, chunk_cells(tae.grid, latent.shape)).items():
        difference = (whole() - streamed()).abs().max().item()
        with torch.autocast("cpu", dtype) if dtype != torch.float32 else nullcontext():
            pairs = [(timed(whole), timed(streamed)) for _ in range(rounds)]
        seconds = [median(column) for column in zip(*pairs, strict=True)]
        found[name] = (seconds[0], seconds[1] / seconds[0], difference)
    return found


def test_streaming_costs_next_to_nothing_and_changes_nothing():
    for _, ratio, difference in measure(64, (112, 192), 3).values():
        assert ratio < MAX_RATIO
        assert difference < MAX_DIFFERENCE


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="192x112")
    parser.add_argument("--frames", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    print(f"{torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}, {fast_dtype('cpu')}")
    for name, (seconds, ratio, difference) in measure(
        args.frames, parse_size(args.size), args.rounds
    ).items():
        print(
            f"{name} {args.frames} frames of {args.size}: whole {seconds:.2f} s, streamed {ratio:.3f} times"
            f" that, largest difference in float32 {difference:.1e}"
        )
