"""The one training loop: warm-up and cosine, clipping, average, checkpoints, a time budget, a curve."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..errors import SettingsError
from .curve import Curve
from .optimizer import MuonAdamW, OptimizerConfig
from .state import Ema, RunState, load_run, save_run

CHECKPOINT = "checkpoint.safetensors"

Objective = Callable[[int], dict[str, Tensor]]
"""Losses of one step by name, from the step's number alone; ``total`` is the one that is minimized."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopConfig:
    """How a run goes from its first step to its last."""

    optimizer: OptimizerConfig
    num_steps: int
    warmup_steps: int = 100
    final_rate: float = 0.02
    """Learning rate of the last step as a fraction of the peak."""
    clip_norm: float = 1.0
    ema_decay: float = 0.999
    log_every: int = 20
    save_minutes: float = 5.0

    def __post_init__(self) -> None:
        if not 0 <= self.warmup_steps < self.num_steps:
            raise SettingsError(f"{self.warmup_steps} warm-up steps do not fit in {self.num_steps} steps")


def rate_factor(step: int, config: LoopConfig) -> float:
    """Learning rate of a step (from 0) as a fraction of the peak: linear warm-up, then half a cosine."""
    if step < config.warmup_steps:
        return (step + 1) / config.warmup_steps
    done = (step - config.warmup_steps) / max(1, config.num_steps - config.warmup_steps)
    return config.final_rate + (1 - config.final_rate) * (1 + math.cos(math.pi * min(done, 1.0))) / 2


def new_run(model: torch.nn.Module, config: LoopConfig) -> RunState:
    """A run at step 0."""
    return RunState(model, Ema(model, config.ema_decay), MuonAdamW(model.parameters(), config.optimizer))


def train_step(state: RunState, objective: Objective, config: LoopConfig) -> dict[str, float]:
    """One optimizer step; returns the losses, the gradient norm and the rate."""
    rate = config.optimizer.learning_rate * rate_factor(state.step, config)
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    losses = objective(state.step)
    state.optimizer.zero_grad(set_to_none=True)
    losses["total"].backward()
    norm = torch.nn.utils.clip_grad_norm_(state.model.parameters(), config.clip_norm)
    if torch.isfinite(norm):
        state.optimizer.step()
    state.step += 1
    state.ema.update(state.model, state.step)
    return {name: float(loss.detach()) for name, loss in losses.items()} | {"norm": float(norm), "rate": rate}


def run_loop(
    state: RunState,
    objective: Objective,
    config: LoopConfig,
    out: Path,
    *,
    minutes: float = math.inf,
    resume: bool = False,
    on_step: Callable[[int, dict[str, float]], None] | None = None,
) -> bool:
    """Train until the last step or the end of the time budget, whichever comes first.

    A broken checkpoint, or one of another recipe, is refused with a WeightsError.

    Args:
        state: the run; advanced in place.
        objective: losses of a step.
        config: the schedule.
        out: an existing folder; gets ``checkpoint.safetensors``, ``curve.csv`` and ``curve.png``.
        minutes: wall-clock budget; a checkpoint is written when it is spent.
        resume: go on from the folder's checkpoint if there is one.
        on_step: called with (steps done, losses) after every step; may raise to stop, the checkpoint is then
            written.

    Returns:
        Whether the last step was reached.
    """
    checkpoint, curve = out / CHECKPOINT, Curve(out)
    if resume and checkpoint.exists():
        load_run(checkpoint, state)
        curve.load(state.step)
    end = saved = time.monotonic()
    end += minutes * 60
    try:
        while state.step < config.num_steps and time.monotonic() < end:
            losses = train_step(state, objective, config)
            curve.add(state.step, losses, keep=state.step % config.log_every == 0)
            if on_step is not None:
                on_step(state.step, losses)
            if time.monotonic() - saved > config.save_minutes * 60:
                save_run(checkpoint, state)
                curve.write()
                saved = time.monotonic()
    finally:
        save_run(checkpoint, state)
        curve.write()
    return state.step >= config.num_steps
