"""Speed of nano's sound, as multiples of real time: codec, frame encoder and transformer apart.

python tests/bench/sound_speed.py
"""

import argparse
import os
import time
from collections.abc import Callable
from statistics import median

import torch

from moviegen_core.stages.generate import fast_dtype
from moviegen_core.stages.settings import SamplingSettings
from moviegen_core.stages.sound import WINDOW, Score, SoundModels, compose, play, watch
from moviegen_core.weights.build import build

SECONDS, FPS = WINDOW // 25, 16
ONE_STEP = SamplingSettings(num_steps=1, guidance=3.0)


def models() -> SoundModels:
    torch.manual_seed(0)
    parts = {"codec": "audio_codec", "text": "audio_text", "vision": "vision", "audio": "audio"}
    return SoundModels(**{part: build(role, "nano", device="cpu").eval() for part, role in parts.items()})


def seconds_of(work: Callable[[], object], rounds: int) -> float:
    """Median wall-clock time; the first call warms up."""
    times = []
    with (
        torch.no_grad(),
        torch.autocast("cpu", fast_dtype("cpu"), enabled=fast_dtype("cpu") != torch.float32),
    ):
        for _ in range(rounds + 1):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
    return median(times[1:])


def measure(rounds: int) -> dict[str, float]:
    """Seconds that each part takes for one window of sound; weights are random, which costs the same."""
    one = models()
    sound = 0.1 * torch.randn(1, 1, SECONDS * 48000)
    clip = torch.rand(3, SECONDS * FPS, 112, 192) * 2 - 1
    latent = one.codec.encode(sound)
    seen = torch.randn(WINDOW, one.audio.config.vision_width)
    score = Score(num_frames=WINDOW, seen_FC=seen)
    return {
        "codec encodes": seconds_of(lambda: one.codec.encode(sound), rounds),
        "codec decodes": seconds_of(lambda: list(play(one.codec, latent, SECONDS * 48000)), rounds),
        f"frame encoder at {FPS} frames a second": seconds_of(lambda: watch(one, [clip]), rounds),
        "transformer, one guided Euler step": seconds_of(
            lambda: compose(one, "rain", score, ONE_STEP), rounds
        ),
    }


def report(results: dict[str, float]) -> None:
    print(
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f};"
        f" nano sound, {SECONDS} seconds, {fast_dtype('cpu')}"
    )
    for name, seconds in results.items():
        print(f"{name}: {seconds:.3f} s, {SECONDS / seconds:.0f} times real time")


def test_every_part_of_sound_is_faster_than_sound_lasts():
    results = measure(2)
    report(results)
    assert max(results.values()) < SECONDS


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    report(measure(parser.parse_args().rounds))
