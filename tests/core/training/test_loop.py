import math
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.testing import assert_close

from moviegen_core.errors import SettingsError, WeightsError
from moviegen_core.training.loop import LoopConfig, new_run, rate_factor, run_loop, train_step
from moviegen_core.training.optimizer import OptimizerConfig
from moviegen_core.training.state import Ema, load_run, save_run

CONFIG = LoopConfig(optimizer=OptimizerConfig(learning_rate=0.01), num_steps=6, warmup_steps=2, log_every=1)


def tiny_run(config=CONFIG, width=12):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(width, 12), nn.LayerNorm(12), nn.GELU(), nn.Linear(12, 3))
    return new_run(model, config), objective_of(model)


def objective_of(model):
    def objective(step):
        rng = torch.Generator().manual_seed(step)
        x = torch.randn(8, model[0].in_features, generator=rng)
        loss = (model(x) - x[:, :3]).square().mean()
        return {"square": loss, "total": loss}

    return objective


def everything(state):
    return {name: tensor.clone() for name, tensor in state.tensors().items()}


def assert_bit_equal(one, other):
    assert one.keys() == other.keys()
    assert all(one[name].equal(other[name]) for name in one)


def test_a_run_that_was_stopped_and_resumed_ends_bit_equal_to_one_that_was_not(tmp_path):
    whole, objective = tiny_run()
    assert run_loop(whole, objective, CONFIG, tmp_path)
    parts = tmp_path / "parts"
    parts.mkdir()
    first, objective = tiny_run()
    stop_after(3, first, objective, parts)
    second, objective = tiny_run()
    assert run_loop(second, objective, CONFIG, parts, resume=True)
    assert second.step == whole.step == 6
    assert_bit_equal(everything(second), everything(whole))


def stop_after(steps, state, objective, folder):
    def stop(step, _losses):
        if step == steps:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_loop(state, objective, CONFIG, folder, on_step=stop)


def test_an_interrupt_leaves_a_checkpoint_of_the_last_whole_step_and_nothing_half_written(tmp_path):
    state, objective = tiny_run()
    stop_after(3, state, objective, tmp_path)
    resumed, _ = tiny_run()
    load_run(tmp_path / "checkpoint.safetensors", resumed)
    assert resumed.step == 3
    assert_bit_equal(everything(resumed), everything(state))
    assert not list(tmp_path.glob("*.partial"))


def test_a_resumed_curve_has_every_step_once(tmp_path):
    state, objective = tiny_run()
    stop_after(3, state, objective, tmp_path)
    state, objective = tiny_run()
    run_loop(state, objective, CONFIG, tmp_path, resume=True)
    rows = (tmp_path / "curve.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == ["1", "2", "3", "4", "5", "6"]


def test_the_budget_ends_a_run_that_can_go_on_later(tmp_path):
    state, objective = tiny_run()
    assert not run_loop(state, objective, CONFIG, tmp_path, minutes=0)
    assert state.step == 0
    assert run_loop(state, objective, CONFIG, tmp_path, resume=True)


def test_the_loss_falls(tmp_path):
    config = replace(CONFIG, num_steps=60, optimizer=OptimizerConfig(learning_rate=0.05))
    state, objective = tiny_run(config)
    losses = []
    run_loop(state, objective, config, tmp_path, on_step=lambda _step, values: losses.append(values["total"]))
    assert sum(losses[-5:]) < sum(losses[:5]) / 2


def test_a_step_without_finite_gradients_moves_no_weight():
    state, objective = tiny_run()
    before = everything(state)
    train_step(state, lambda step: {"total": objective(step)["total"] * math.nan}, CONFIG)
    for name, tensor in state.model.state_dict().items():
        assert tensor.equal(before[f"model.{name}"])
    assert state.step == 1


@pytest.mark.parametrize("warmup", [0, 1, 10])
def test_the_rate_rises_to_its_peak_and_falls_to_its_end(warmup):
    config = replace(CONFIG, num_steps=100, warmup_steps=warmup, final_rate=0.02)
    rates = [rate_factor(step, config) for step in range(100)]
    assert max(rates) == pytest.approx(1)
    assert rates[:warmup] == pytest.approx([(step + 1) / warmup for step in range(warmup)])
    assert all(late <= early for early, late in zip(rates[warmup:], rates[warmup + 1 :], strict=False))
    assert rates[-1] == pytest.approx(0.02, abs=0.002)
    assert rate_factor(100, config) == rate_factor(10_000, config) == pytest.approx(0.02)


def test_the_average_follows_the_model_and_never_leaves_what_it_has_seen():
    model = nn.Linear(3, 3)
    ema, seen = Ema(model, 0.9), []
    for step in range(1, 30):
        nn.init.normal_(model.weight)
        seen.append(model.weight.detach().clone())
        ema.update(model, step)
    assert (ema.shadow["weight"] <= torch.stack(seen).amax(0)).all()
    for step in range(30, 300):
        ema.update(model, step)
    assert_close(ema.shadow["weight"], model.weight.detach(), atol=1e-4, rtol=0)


def test_the_average_is_copied_whole_into_another_model_and_stays_its_own():
    model, other = nn.Linear(3, 3), nn.Linear(3, 3)
    ema = Ema(model, 0.5)
    ema.copy_to(other)
    assert other.weight.equal(model.weight)
    with torch.no_grad():
        other.weight.add_(1)
    assert ema.shadow["weight"].equal(model.weight)


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path):
    state, _ = tiny_run(width=12)
    save_run(tmp_path / "checkpoint.safetensors", state)
    other, _ = tiny_run(width=16)
    with pytest.raises(WeightsError, match="another recipe"):
        load_run(tmp_path / "checkpoint.safetensors", other)


def test_a_broken_checkpoint_is_refused_with_the_way_out(tmp_path):
    state, _ = tiny_run()
    good, path = tmp_path / "good.safetensors", tmp_path / "checkpoint.safetensors"
    save_run(good, state)
    path.write_bytes(good.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="without --resume"):
        load_run(path, state)
    save_file(load_file(good), path)  # no metadata
    with pytest.raises(WeightsError, match="without --resume"):
        load_run(path, state)
    with pytest.raises(WeightsError, match="without --resume"):
        load_run(tmp_path / "missing.safetensors", state)


def test_a_warm_up_as_long_as_the_run_is_refused():
    with pytest.raises(SettingsError, match="6 warm-up steps do not fit in 6 steps"):
        replace(CONFIG, warmup_steps=6)
