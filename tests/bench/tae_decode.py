"""Megapixels a second and peak memory of decoding: nano's autoencoder, streamed, beside others of its size.

Each length and model is measured in a process of its own, so that its peak is its own. Decoded chunks are
dropped as they come, as a writer of a file would; latents are drawn as they are asked for. The others decode
with random weights at widths near nano's, whole, as diffusers does by default.

    python tests/bench/tae_decode.py --size 768x432 --frames 32 256 1024
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from contextlib import nullcontext

import torch

from moviegen_core.cli.memory import keep_freed_memory
from moviegen_core.geometry import parse_size
from moviegen_core.stages.decode import decode_stream
from moviegen_core.stages.generate import fast_dtype
from moviegen_core.weights.build import build

SIZE, LENGTHS, OTHERS = "192x112", (32, 256), ("wan", "mochi")


def peak_megabytes() -> float:
    return (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    )


def nano(num_frames: int, height: int, width: int, dtype: torch.dtype):
    """A decoder that gives chunks."""
    tae = build("tae", "nano", device="cpu").eval()
    cells, rows, columns = tae.grid.latent_shape(num_frames, height, width)
    latents = (torch.randn(1, 16, 1, rows, columns) for _ in range(cells))
    around = (lambda: torch.autocast("cpu", dtype)) if dtype != torch.float32 else nullcontext
    return lambda: (chunk.shape[2] for chunk in decode_stream(tae, latents, num_frames, around=around))


def other(name: str, num_frames: int, height: int, width: int, dtype: torch.dtype):
    """A decoder of diffusers with about as many parameters, which gives all at once."""
    from diffusers import AutoencoderKLMochi, AutoencoderKLWan

    if name == "wan":
        model, cells = AutoencoderKLWan(base_dim=24), (num_frames + 3) // 4
        latent = torch.randn(1, 16, cells, height // 8, width // 8)
    else:
        widths = {
            "encoder_block_out_channels": (32, 64, 96, 128),
            "decoder_block_out_channels": (32, 64, 96, 128),
        }
        model, cells = AutoencoderKLMochi(**widths), (num_frames + 5) // 6
        latent = torch.randn(1, 12, cells, height // 8, width // 8)
    model = model.eval().to(dtype)
    return lambda: iter([model.decode(latent.to(dtype)).sample.shape[2]])


@torch.no_grad()
def measure(name: str, num_frames: int, height: int, width: int) -> dict[str, float]:
    """Of one decode, in this process; weights are random, which costs the same."""
    keep_freed_memory()  # as the command line does
    torch.manual_seed(0)
    dtype = fast_dtype("cpu")
    decode = nano if name == "nano" else lambda *words: other(name, *words)
    run = decode(num_frames, height, width, dtype)
    before, start = peak_megabytes(), time.perf_counter()
    frames = sum(run())
    seconds = time.perf_counter() - start
    return {
        "frames": frames,
        "seconds": seconds,
        "megapixels": frames * height * width / seconds / 1e6,
        "before_mb": before,
        "peak_mb": peak_megabytes(),
    }


def measure_apart(name: str, num_frames: int, size: str) -> dict[str, float]:
    command = [sys.executable, __file__, "--only", name, "--frames", str(num_frames), "--size", size]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def report(todo: list[tuple[str, int]], size: str) -> dict[tuple[str, int], dict[str, float]]:
    """Measure one after the other and tell each as soon as it is known."""
    print(
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f};"
        f" decoding {size}, {fast_dtype('cpu')}",
        flush=True,
    )
    results = {}
    for name, num_frames in todo:
        one = results[name, num_frames] = measure_apart(name, num_frames, size)
        print(
            f"{name}, {one['frames']} frames: {one['seconds']:.1f} s, {one['megapixels']:.2f} megapixels/s;"
            f" {one['peak_mb'] - one['before_mb']:.0f} MB above the loaded model",
            flush=True,
        )
    return results


def test_a_longer_clip_decodes_at_the_same_speed_in_the_same_memory():
    short, long = report([("nano", num_frames) for num_frames in LENGTHS], SIZE).values()
    assert long["megapixels"] > short["megapixels"] / 2
    assert long["peak_mb"] - long["before_mb"] < 1.5 * (short["peak_mb"] - short["before_mb"]) + 64


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("nano", *OTHERS), help="measure this one here and print JSON")
    parser.add_argument("--frames", type=int, nargs="+", default=LENGTHS)
    parser.add_argument("--size", default=SIZE)
    parser.add_argument("--others", action="store_true", help="diffusers' Wan and Mochi too, first length")
    args = parser.parse_args()
    if args.only:
        print(json.dumps(measure(args.only, args.frames[0], *parse_size(args.size))))
    else:
        todo = [("nano", count) for count in args.frames]
        todo += [(name, args.frames[0]) for name in OTHERS] if args.others else []
        report(todo, args.size)
