from dataclasses import replace
from fractions import Fraction

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.errors import WeightsError
from moviegen_core.flow.path import interpolate, target_velocity
from moviegen_core.models.upsampler import UPSAMPLER_PRESETS, Upsampler
from moviegen_core.training.footage import Footage, Item, Source
from moviegen_core.training.loop import LoopConfig
from moviegen_core.training.losses import TaeLossConfig
from moviegen_core.training.optimizer import OptimizerConfig
from moviegen_core.training.pairs import PairConfig, PairPool, shrunk
from moviegen_core.training.run import Session, train_upsampler
from moviegen_core.training.train_upsampler import (
    UpsamplerObjective,
    UpsamplerRecipe,
    measure_frames,
    visible_shares,
)
from moviegen_core.weights.files import load_model

TINY = replace(
    UPSAMPLER_PRESETS["nano"],
    latent_channels=4,
    encoder_widths=(8,),
    decoder_widths=(8,),
    encoder_blocks=(0,),
    decoder_blocks=(0,),
    head_width=8,
    width=16,
    num_layers=1,
    num_heads=2,
    ffn_width=16,
    table_sizes=(3, 4, 4),
)
PAIRS = PairConfig(
    num_frames=3, side=32, batch=2, small_sizes=((16, 24),), group_size=1, num_groups=2, steps_per_group=2
)
LOOP = LoopConfig(optimizer=OptimizerConfig(learning_rate=2e-3), num_steps=4, warmup_steps=1, log_every=1)
RECIPE = UpsamplerRecipe(
    preset="tiny",
    frames_loop=LOOP,
    loop=LOOP,
    pairs=PAIRS,
    frames_losses=TaeLossConfig(square=5.0),
    frames_batch=4,
    statistics_batches=2,
)


@pytest.fixture(autouse=True)
def _tiny_preset(monkeypatch):
    monkeypatch.setitem(UPSAMPLER_PRESETS, "tiny", TINY)


@pytest.fixture
def footage():
    frames = torch.randint(0, 256, (6, 48, 64, 3), dtype=torch.uint8)
    source = Source(name="noise", package="none", file="none", split="train", start=0, stop=6)
    return Footage((Item(source=source, fps=Fraction(16), levels=(frames,)),))


def test_a_scene_rendered_small_is_what_the_same_rendered_large_becomes_when_shrunk():
    small, large = PairPool(PAIRS).render_group(0)
    assert large.shape[-2:] == (32, 48)
    again = shrunk(large[0].float() / 127.5 - 1, 16, 24)
    assert (again - (small[0].float() / 127.5 - 1)).abs().mean() < 0.03


def test_small_and_large_crops_show_the_same_place():
    pool = PairPool(replace(PAIRS, clean_share=1.0, side=24, batch=4))
    for step in range(3):
        small, large = pool.batch(torch.Generator().manual_seed(step), step)
        assert (small.shape, large.shape) == ((4, 3, 3, 12, 12), (4, 3, 3, 24, 24))
        right = torch.stack([shrunk(clip, 12, 12) for clip in large])
        wrong = right.flip(-1)
        assert (small - right).abs().mean() < 0.5 * (small - wrong).abs().mean()


def test_what_a_pool_shows_depends_on_the_step_alone(footage):
    walked, fresh = PairPool(PAIRS, footage), PairPool(PAIRS, footage)
    for step in range(4):
        small, large = walked.batch(torch.Generator().manual_seed(step), step)
    again = fresh.batch(torch.Generator().manual_seed(3), 3)
    assert torch.equal(small, again[0])
    assert torch.equal(large, again[1])


def test_faults_of_the_temporal_autoencoder_are_among_the_small_clips(tiny_folder):
    tae = load_model(tiny_folder / "tae.safetensors", "tae")
    config = replace(PAIRS, clean_share=0.0, tae_share=1.0)
    rng = torch.Generator().manual_seed(0)
    spoiled, _ = PairPool(config, tae=tae).batch(rng, 0)
    clean, _ = PairPool(replace(config, clean_share=1.0)).batch(torch.Generator().manual_seed(0), 0)
    with torch.no_grad():
        passed = tae.decode(tae.encode(clean[:1]), 3).clamp(-1, 1)
    assert_close(spoiled[:1], passed, atol=1e-4, rtol=1e-3)


def test_training_writes_weights_that_load_with_their_statistics(tmp_path, footage, monkeypatch):
    monkeypatch.setattr(Footage, "load", classmethod(lambda _cls, _path: footage))
    path = train_upsampler(tmp_path, recipe=RECIPE, tae=None, footage=tmp_path / "real")
    model = load_model(path, "upsampler")
    assert model.config == TINY
    assert not model.residual_scale.eq(1).any()
    assert not model.frames.latent_scale.eq(1).any()
    for name in ("checkpoint.safetensors", "curve.csv", "frames/checkpoint.safetensors"):
        assert (tmp_path / name).exists()


def test_a_finished_run_that_is_resumed_writes_the_same_weights_again(tmp_path):
    first = train_upsampler(tmp_path, recipe=RECIPE, tae=None).read_bytes()
    assert train_upsampler(tmp_path, Session(resume=True), recipe=RECIPE, tae=None).read_bytes() == first


def test_a_sitting_that_ends_in_the_first_stage_writes_a_model_that_enlarges_plainly(tmp_path):
    path = train_upsampler(tmp_path, Session(minutes=1e-9), recipe=RECIPE, tae=None)
    model = load_model(path, "upsampler")
    assert all(parameter.eq(0).all() for parameter in model.transformer.head.parameters())
    assert not (tmp_path / "checkpoint.safetensors").exists()


def test_the_autoencoder_of_frames_rests_while_detail_is_learnt(tmp_path):
    path = train_upsampler(tmp_path, recipe=replace(RECIPE, loop=replace(LOOP, num_steps=2)), tae=None)
    less = load_model(path, "upsampler").frames.state_dict()
    path = train_upsampler(
        tmp_path / "more", recipe=replace(RECIPE, loop=replace(LOOP, num_steps=8)), tae=None
    )
    more = load_model(path, "upsampler").frames.state_dict()
    assert all(torch.equal(less[name], more[name]) for name in less)


def test_a_fresh_models_losses_are_near_one():
    pool, model = PairPool(replace(PAIRS, clean_share=1.0)), Upsampler(TINY)
    measure_frames(model, RECIPE, pool)
    assert 0.05 < UpsamplerObjective(model, RECIPE, pool)(0)["total"].item() < 5


def test_a_trained_model_errs_less_than_the_same_one_that_adds_nothing(tmp_path):
    recipe = replace(RECIPE, frames_loop=replace(LOOP, num_steps=2), loop=replace(LOOP, num_steps=60))
    model = load_model(train_upsampler(tmp_path, recipe=recipe, tae=None), "upsampler")
    objective = UpsamplerObjective(model, recipe, PairPool(recipe.pairs))
    with torch.no_grad():
        trained = sum(objective(step)["total"] for step in range(20))
        model.transformer.reset()
        assert trained < sum(objective(step)["total"] for step in range(20))


def test_a_broken_autoencoder_is_refused(tmp_path):
    with pytest.raises(WeightsError):
        train_upsampler(tmp_path, recipe=RECIPE, tae=tmp_path / "none.safetensors")


@torch.no_grad()
def test_what_a_fresh_model_gets_wrong_is_foretold_at_every_time_and_for_every_lack_of_detail():
    torch.manual_seed(0)
    model = Upsampler(replace(TINY, table_sizes=(4, 32, 32)))
    model.residual_scale.fill_(0.4)
    objective = UpsamplerObjective(model, RECIPE, PairPool(PAIRS))
    objective.shares = torch.ones(4, 1, 1, 1)
    low, residual, noise = (torch.randn(6, 4, 4, 64, 64) for _ in range(3))
    lack = torch.tensor([0.1, 1.0, 3.0, 0.1, 1.0, 3.0]).view(-1, 1, 1, 1, 1)
    times = torch.tensor([0.0, 0.0, 0.0, 0.7, 0.7, 0.7])
    data = low + 0.4 * lack.sqrt() * residual
    velocity = model(interpolate(data, noise, times), times, low)
    wrong = objective.seen((velocity - target_velocity(data, noise)) / objective.unknown(times))
    assert_close(wrong, objective.expected(lack.flatten(), times), rtol=0.03, atol=0)


@torch.no_grad()
def test_a_channel_that_the_decoder_passes_over_counts_for_nothing():
    torch.manual_seed(0)
    model = Upsampler(TINY)
    for weight in (model.frames.decoder.stem.space.weight, model.residual_scale):
        torch.nn.init.normal_(weight, std=0.5)
    model.frames.decoder.stem.space.weight[:, 2] = 0
    shares = visible_shares(model, torch.randn(1, 4, 2, 4, 4)).flatten()
    assert shares[2] == 0
    assert shares[[0, 1, 3]].min() > 0
    assert_close(shares.mean(), torch.tensor(1.0))
