"""One denoising step of nano's transformer against diffusers' Wan of the same width, depth, heads and tokens.

All run in this process, turn by turn, and beside each the matrix products it is made of, alone: what is left
over is attention's softmax, norms, modulation and Python. Wan comes twice, as its feed-forward has two
matrices where ours has three: once with a feed-forward of the same width, once of the same number of weights.
Needs the ``bench`` extra.

    pip install -e ".[bench]" && python tests/bench/step_speed.py
"""

import argparse
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from moviegen_core.cli.memory import keep_freed_memory
from moviegen_core.models.video import VIDEO_PRESETS, VideoTransformer, VideoTransformerConfig

BATCH, LATENT, NUM_CONTEXT = 2, (16, 4, 14, 24), 80
"""A guided step of two seconds at 192x112 and 16 frames a second."""
DTYPE = torch.bfloat16
MIN_RATIO, MIN_UTILIZATION = 1.5, 0.55

Step = Callable[[], object]
Product = tuple[int, int, int, int]
"""(batch, rows, inner, columns)"""


def random_weights(model: nn.Module, float32: Sequence[str] = ()) -> nn.Module:
    """Small random weights in DTYPE, those whose names hold one of ``float32`` excepted."""
    for name, parameter in model.named_parameters():
        nn.init.normal_(parameter, std=0.02)
        parameter.data = parameter.data.to(torch.float32 if any(part in name for part in float32) else DTYPE)
    return model.eval().requires_grad_(requires_grad=False)


def our_step(config: VideoTransformerConfig) -> Step:
    model = random_weights(VideoTransformer(config))
    latent, times = torch.randn(BATCH, *LATENT), torch.full((BATCH,), 0.5)
    mask = torch.ones(BATCH, NUM_CONTEXT, dtype=torch.bool)
    mask[0, 1:] = False  # the empty prompt of guidance is one token
    features = [torch.randn(BATCH, NUM_CONTEXT, width, dtype=DTYPE) for width in config.context_widths]
    context = model.computed_ahead(model.context(features, [mask]))
    return lambda: model(latent, times, context)


def wan_step(config: VideoTransformerConfig, ffn_width: int) -> Step:
    from diffusers import WanTransformer3DModel

    model = WanTransformer3DModel(
        patch_size=config.patch,
        num_attention_heads=config.num_heads,
        attention_head_dim=config.width // config.num_heads,
        in_channels=LATENT[0],
        out_channels=LATENT[0],
        text_dim=config.context_widths[0],
        ffn_dim=ffn_width,
        num_layers=config.num_layers,
    )
    model = random_weights(model, model._keep_in_fp32_modules)  # as diffusers loads it
    latent, times = torch.randn(BATCH, *LATENT, dtype=DTYPE), torch.full((BATCH,), 500.0)
    features = torch.randn(BATCH, NUM_CONTEXT, config.context_widths[0], dtype=DTYPE)
    return lambda: model(latent, times, features, return_dict=False)


class ProductCounter(TorchDispatchMode):
    """Counts the matrix products that run inside it, attention's two among them."""

    def __init__(self) -> None:
        super().__init__()
        self.products: Counter[Product] = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        if name in ("mm", "bmm"):
            self._add(args[0], args[1])
        elif name in ("addmm", "baddbmm"):
            self._add(args[1], args[2])
        elif "scaled_dot_product" in name:
            query, key, value = (part.flatten(0, 1) for part in args[:3])
            self._add(query, key.mT)
            self._add(query @ key.mT, value)
        return func(*args, **(kwargs or {}))

    def _add(self, left: Tensor, right: Tensor) -> None:
        batch = left.shape[0] if left.ndim == 3 else 1
        self.products[batch, left.shape[-2], left.shape[-1], right.shape[-1]] += 1


def products_of(step: Step) -> Counter[Product]:
    with ProductCounter() as counter:
        step()
    return counter.products


def gigaflops(products: Counter[Product]) -> float:
    return sum(2 * b * rows * inner * columns * n for (b, rows, inner, columns), n in products.items()) / 1e9


def products_alone(products: Counter[Product]) -> Step:
    """All matrix products of a step and nothing else, each with operands of its own."""
    pairs = [
        (torch.randn(b, rows, inner, dtype=DTYPE), torch.randn(b, columns, inner, dtype=DTYPE).mT)
        for (b, rows, inner, columns), count in products.items()
        for _ in range(count)
    ]

    def run() -> None:
        for left, right in pairs:
            if left.shape[0] == 1:
                torch.mm(left[0], right[0])
            else:
                torch.bmm(left, right)

    return run


def alternate(steps: dict[str, Step], rounds: int) -> dict[str, list[float]]:
    """Seconds of every step in every round, turn by turn."""
    for step in steps.values():
        step()
        step()
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            seconds[name].append(time.perf_counter() - start)
    return seconds


@dataclass(frozen=True, kw_only=True)
class Timing:
    """One model's step."""

    label: str
    milliseconds: float
    products_milliseconds: float
    """Of its matrix products alone."""
    gigaflops: float

    @property
    def utilization(self) -> float:
        """Share of the step that its matrix products take when nothing else runs."""
        return self.products_milliseconds / self.milliseconds

    def __str__(self) -> str:
        work = f"{self.gigaflops:.1f} GFLOP at {self.gigaflops / self.products_milliseconds:.2f} TFLOP/s"
        return (
            f"{self.label}: {self.milliseconds:.1f} ms a step; its products alone"
            f" {self.products_milliseconds:.1f} ms ({work}); utilization {self.utilization:.0%}"
        )


@torch.no_grad()
def measure(rounds: int = 40) -> list[Timing]:
    """Medians of ours, of Wan with our feed-forward's width, and of Wan with its number of weights."""
    keep_freed_memory()  # as the command line does
    torch.manual_seed(0)
    config = VIDEO_PRESETS["nano"]
    steps = {
        "ours": our_step(config),
        "diffusers Wan, same feed-forward width": wan_step(config, config.ffn_width),
        "diffusers Wan, same feed-forward weights": wan_step(config, config.ffn_width * 3 // 2),
    }
    products = {label: products_of(step) for label, step in steps.items()}
    alone = {f"{label}, products": products_alone(products[label]) for label in steps}
    medians = {name: 1e3 * median(taken) for name, taken in alternate(steps | alone, rounds).items()}
    return [
        Timing(
            label=label,
            milliseconds=medians[label],
            products_milliseconds=medians[f"{label}, products"],
            gigaflops=gigaflops(products[label]),
        )
        for label in steps
    ]


def report(timings: list[Timing], rounds: int) -> None:
    ours, *others = timings
    print(
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f};"
        f" batch {BATCH}, latent {LATENT}, {NUM_CONTEXT} context tokens, {DTYPE}, medians of {rounds} rounds"
    )
    print(ours)
    for other in others:
        print(f"{other}; ratio of medians {other.milliseconds / ours.milliseconds:.2f}")


def test_a_step_is_half_again_as_fast_as_diffusers_with_as_many_weights_and_mostly_matrix_products():
    timings = measure()
    report(timings, 40)
    assert timings[-1].milliseconds / timings[0].milliseconds >= MIN_RATIO
    assert timings[0].utilization >= MIN_UTILIZATION


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    report(measure(rounds), rounds)
