"""What an upsampler's weights win over bicubic, on held-out scenes and real footage, by number of steps.

python tests/bench/upsampler_gain.py runs/upsampler/upsampler.safetensors --footage FOOTAGE --steps 1 4
"""

import argparse
import time
from pathlib import Path

from moviegen_core.evaluation.measure_upsampler import measure_upsampler
from moviegen_core.evaluation.work import Work
from moviegen_core.stages.settings import UpsampleSettings
from moviegen_core.stages.upsample import open_upscaler
from moviegen_core.stages.upscale import RESAMPLERS, resampler


def row(name, upscaler, args):
    started = time.monotonic()
    found = measure_upsampler(upscaler, args.count, args.footage, Work(0))
    for gain in found.gains:
        print(
            f"{name}, {gain.what}, {gain.num_clips} clips: {gain.psnr:.2f} dB, {gain.decibels:+.2f} over"
            f" bicubic, flicker {gain.flicker:.3f}"
        )
    print(f"{name}: {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", nargs="?", type=Path, help="an upsampler; without it plain filters alone")
    parser.add_argument("--footage", type=Path)
    parser.add_argument("--count", type=int, default=8, help="held-out scenes")
    parser.add_argument("--steps", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    for name in RESAMPLERS:
        row(name, resampler(name), args)
    for steps in args.steps if args.weights else ():
        settings = UpsampleSettings(num_steps=steps)
        row(f"{steps} steps", open_upscaler(args.weights, device=args.device, settings=settings), args)
