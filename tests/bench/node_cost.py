"""What ComfyUI adds: to a step of the core alone, to its own start, and to memory from run to run.

A step is timed turn by turn: in this process without a host, and through the server without and with moving
previews, on the same times and guidance. Needs a ComfyUI and the environment it runs in.

    COMFYUI_PATH=... PYTHONPATH=. python tests/bench/node_cost.py
"""

import argparse
import os
import re
import sys
import tempfile
import time
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median

import psutil
import pytest
import torch

from moviegen_core.cli.memory import keep_freed_memory
from moviegen_core.geometry import ClipShape
from moviegen_core.stages.generate import (
    denoise,
    draw_noise,
    encode_prompts,
    fast_dtype,
    full_prompt,
    load_text_to_video,
)
from moviegen_core.stages.settings import SamplingSettings
from moviegen_core.weights.cast import open_cast

sys.path.append(str(Path(__file__).parents[1] / "nodes"))

PROMPT = "a red ball bounces on the beach"
SHAPE = ClipShape(num_frames=32, fps=Fraction(16), height=112, width=192)
SETTINGS = SamplingSettings(num_steps=24, guidance=5.0, seed=0)
MAX_STEP_RATIO, MAX_IMPORT_SECONDS, MAX_GROWTH_MEGABYTES = 1.1, 1.0, 16
RUNS, FIRST_RUNS = 20, 5
"""Growth is counted after the first runs, when caches and pools are full, between medians of so many."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """All that is measured."""

    server_milliseconds: float
    """Of a step, without previews, as in the core alone."""
    preview_milliseconds: float
    """Of a step while the clip plays in the preview slot."""
    headless_milliseconds: float
    import_seconds: float
    growth_megabytes: float

    @property
    def ratio(self) -> float:
        return self.server_milliseconds / self.headless_milliseconds

    def __str__(self) -> str:
        return (
            f"a step: {self.headless_milliseconds:.1f} ms in the core alone,"
            f" {self.server_milliseconds:.1f} ms through the server, ratio {self.ratio:.2f};"
            f" with moving previews {self.preview_milliseconds:.1f} ms\n"
            f"the pack's import: {self.import_seconds:.1f} s\n"
            f"memory after {RUNS} runs: {self.growth_megabytes:+.1f} MB against after {FIRST_RUNS}"
        )


def prompt(seed: int, steps: int, side: int, seconds: float) -> dict[str, object]:
    """Text to video in API format."""

    def node(kind: str, **inputs: object) -> dict[str, object]:
        return {"class_type": kind, "inputs": inputs}

    size = {"aspect": "16:9 (wide)", "side": side, "batch_size": 1}
    wires = {"positive": ["words", 0], "negative": ["nothing", 0], "latent_image": ["empty", 0]}
    choices = {"add_noise": True, "noise_seed": seed, "cfg": SETTINGS.guidance}
    words = {"text": PROMPT, "camera": "not said", "fps": 16.0, "seconds": seconds}
    return {
        "cast": node("MovieGenLoadCast", cast="nano", role="video"),
        "words": node("MovieGenPrompt", clip=["cast", 1], **words),
        "nothing": node("CLIPTextEncode", clip=["cast", 1], text=""),
        "empty": node("MovieGenEmptyLatent", seconds=seconds, fps=16.0, **size),
        "euler": node("KSamplerSelect", sampler_name="euler"),
        "sigmas": node(
            "MovieGenSchedule", model=["cast", 0], steps=steps, imitated_steps=SETTINGS.grid, denoise=1.0
        ),
        "sample": node(
            "SamplerCustom",
            model=["cast", 0],
            sampler=["euler", 0],
            sigmas=["sigmas", 0],
            **wires,
            **choices,
        ),
        "decode": node("MovieGenDecode", samples=["sample", 0], vae=["cast", 2], frames=0),
        "save": node("SaveImage", images=["decode", 0], filename_prefix="bench"),
    }


def without_decode(whole: dict[str, object]) -> dict[str, object]:
    """Sampling is all that is timed."""
    rest = {key: value for key, value in whole.items() if key not in ("decode", "save")}
    return rest | {"show": {"class_type": "PreviewAny", "inputs": {"source": ["sample", 0]}}}


def server_steps(server: object, seed: int, previews: str) -> list[float]:
    """Seconds of each step but the first; newer servers count only every tenth of a second aloud."""
    run = server.run(without_decode(prompt(seed, SETTINGS.num_steps, 144, 2.0)), previews=previews)
    assert run.succeeded, (run.error, run.refusal)
    counts = [event for event in run.named("progress") if event.data["max"] == SETTINGS.num_steps]
    return [(b.seconds - a.seconds) / (b.data["value"] - a.data["value"]) for a, b in pairwise(counts)]


@torch.no_grad()
def headless_steps(models: object) -> list[float]:
    """Seconds of each step but the first."""
    text = full_prompt(models, PROMPT, SHAPE, None)
    noise, context = draw_noise(models, SHAPE, [0]), encode_prompts(models, [text], guided=True)
    moments: list[float] = []
    denoise(models, context, noise, SETTINGS, lambda *_: moments.append(time.perf_counter()))
    return [b - a for a, b in pairwise(moments)]


def time_steps(server: object, rounds: int) -> tuple[float, ...]:
    """Median milliseconds of a step: server, server with previews, headless."""
    keep_freed_memory()  # as the command line does
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", torch.get_num_threads())))
    models = load_text_to_video(open_cast("nano"), dtype=fast_dtype("cpu"))
    server_steps(server, 1000, "auto"), headless_steps(models)  # warm
    plain, shown, alone = [], [], []
    for seed in range(rounds):
        plain += server_steps(server, 2 * seed, "none")
        shown += server_steps(server, 2 * seed + 1, "auto")
        alone += headless_steps(models)
    return tuple(1e3 * median(seconds) for seconds in (plain, shown, alone))


def import_seconds(log: str) -> float:
    """What the host says of our pack."""
    return float(re.search(r"([\d.]+) seconds(?: \(.*\))?: .*movie-gen\.x", log)[1])


def growth(server: object) -> float:
    """Megabytes that the server holds more in its last runs than in those after the first ones."""
    held, process = [], psutil.Process(server.process.pid)
    for seed in range(RUNS):
        run = server.run(prompt(seed, 2, 72, 1.0))
        assert run.succeeded, (run.error, run.refusal)
        held.append(process.memory_info().rss / 2**20)
    return median(held[-FIRST_RUNS:]) - median(held[FIRST_RUNS : 2 * FIRST_RUNS])


def measure(rounds: int = 5) -> Cost:
    from comfy_server import Server

    folder = os.environ.get("COMFYUI_PATH")
    if not folder:
        pytest.skip("set COMFYUI_PATH to the folder of a ComfyUI")
    with tempfile.TemporaryDirectory() as base, Server(Path(folder), Path(base)) as server:
        grown = growth(server)
        plain, shown, alone = time_steps(server, rounds)
        return Cost(
            server_milliseconds=plain,
            preview_milliseconds=shown,
            headless_milliseconds=alone,
            import_seconds=import_seconds(server.log()),
            growth_megabytes=grown,
        )


def report(cost: Cost) -> None:
    print(
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f};"
        f" {SHAPE.num_frames} frames of {SHAPE.width}x{SHAPE.height}, {fast_dtype('cpu')}"
    )
    print(cost)


def test_the_host_costs_little():
    cost = measure()
    report(cost)
    assert cost.ratio <= MAX_STEP_RATIO
    assert cost.import_seconds < MAX_IMPORT_SECONDS
    assert cost.growth_megabytes < MAX_GROWTH_MEGABYTES


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    report(measure(parser.parse_args().rounds))
