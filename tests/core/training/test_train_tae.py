from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from torch.testing import assert_close

from moviegen_core.errors import SettingsError
from moviegen_core.media.pixels import from_bytes, to_bytes
from moviegen_core.models.tae import TAE_PRESETS, TemporalAutoencoder
from moviegen_core.training.loop import LoopConfig
from moviegen_core.training.losses import TaeLossConfig
from moviegen_core.training.optimizer import OptimizerConfig
from moviegen_core.training.pool import ClipPool, PoolConfig
from moviegen_core.training.run import Session, train, train_tae
from moviegen_core.training.train_tae import Crop, TaeObjective, TaePhase, TaeRecipe, measure_latents
from moviegen_core.weights.files import load_model

POOL = PoolConfig(num_groups=2, group_size=1, steps_per_group=2, num_frames=4)
CROP = Crop(batch=1, frames=3, height=16, width=16)
TINY = replace(
    TAE_PRESETS["nano"],
    encoder_widths=(8, 8, 8, 8),
    decoder_widths=(8, 8, 8, 8),
    encoder_blocks=(0, 0, 0, 0),
    decoder_blocks=(0, 0, 0, 0),
    head_width=8,
)
RECIPE = TaeRecipe(
    preset="tiny",
    loop=LoopConfig(optimizer=OptimizerConfig(learning_rate=1e-3), num_steps=4, warmup_steps=1, log_every=1),
    pool=POOL,
    phases=(
        TaePhase(until=0.5, clips=CROP, losses=TaeLossConfig()),
        TaePhase(until=1.0, clips=CROP, losses=TaeLossConfig(square=1.0, adversarial=0.1)),
    ),
    images=replace(CROP, frames=1),
    statistics_clips=1,
)

PICTURES = replace(RECIPE, flat=True, phases=RECIPE.phases[:1], loop=replace(RECIPE.loop, num_steps=6))


@pytest.fixture(autouse=True)
def _tiny_preset(monkeypatch):
    monkeypatch.setitem(TAE_PRESETS, "tiny", TINY)


def test_what_a_pool_shows_depends_on_the_step_alone():
    walked, fresh = ClipPool(POOL), ClipPool(POOL)
    for step in range(5):
        piece = walked.crop(torch.Generator().manual_seed(step), step, 2, 32, 48)
    assert piece.shape == (3, 2, 32, 48)
    assert piece.equal(fresh.crop(torch.Generator().manual_seed(4), 4, 2, 32, 48))
    assert min(walked.groups) >= 2  # what left the window is not kept


def test_bytes_become_the_pixels_they_were_and_back():
    every = torch.arange(256, dtype=torch.uint8)
    assert to_bytes(from_bytes(every)).equal(every)
    assert from_bytes(every).aminmax() == (-1, 1)
    assert to_bytes(torch.tensor([-3.0, 3.0])).tolist() == [0, 255]


def test_the_losses_of_a_step_depend_on_its_number_alone():
    model = TemporalAutoencoder(TINY)
    walked, fresh = TaeObjective(model, RECIPE, None), TaeObjective(model, RECIPE, None)
    walked(0)
    assert walked(1)["total"].equal(fresh(1)["total"])


def test_each_phase_has_its_own_losses_and_every_fourth_batch_is_pictures():
    objective = TaeObjective(TemporalAutoencoder(TINY), RECIPE, None)
    early, late = objective(0), objective(2)
    assert "square" not in early
    assert {"square", "adversarial", "discriminator"} <= late.keys()
    frames = []
    objective.batch = lambda _step, crop, _rng: (
        frames.append(crop.frames) or torch.zeros(1, 3, crop.frames, 16, 16)
    )
    for step in range(4):
        objective(step)
    assert frames == [3, 3, 3, 1]


def test_measured_statistics_give_latents_mean_0_and_deviation_1():
    model = TemporalAutoencoder(TINY)
    clips = [torch.rand(1, 3, 9, 16, 16) * 2 - 1 for _ in range(3)]
    measure_latents(model, clips)
    with torch.no_grad():
        latents = torch.cat([model.encode(clip) for clip in clips])
    assert_close(latents.mean(dim=(0, 2, 3, 4)), torch.zeros(16), atol=0.05, rtol=0)
    assert_close(latents.std(dim=(0, 2, 3, 4)), torch.ones(16), atol=0.05, rtol=0)


def test_training_writes_weights_that_load_and_a_curve(tmp_path):
    path = train("tae", tmp_path, recipe=RECIPE)
    model = load_model(path, "tae")
    assert model.config == TINY
    assert not model.latent_scale.eq(1).any()
    assert {file.name for file in tmp_path.iterdir()} == {
        "tae.safetensors",
        "checkpoint.safetensors",
        "curve.csv",
        "curve.png",
    }


def test_a_finished_run_that_is_resumed_writes_the_same_weights_again(tmp_path):
    first = train_tae(tmp_path, recipe=RECIPE).read_bytes()
    assert train_tae(tmp_path, Session(resume=True), recipe=RECIPE).read_bytes() == first


def test_an_image_recipe_sees_single_frames_alone():
    objective = TaeObjective(TemporalAutoencoder(TINY.flattened), PICTURES, None)
    crops = [objective._crop(step, PICTURES.phases[0]) for step in range(5)]
    assert {crop.frames for crop in crops} == {1}


def test_the_image_stage_lasts_as_its_part_of_the_run():
    half = Session(steps=2)
    assert half.share(PICTURES.loop, RECIPE.loop).num_steps == 3
    assert Session().share(PICTURES.loop, RECIPE.loop) == PICTURES.loop


def test_a_run_with_a_first_stage_goes_on_from_its_pictures(tmp_path):
    still = replace(RECIPE.loop, optimizer=OptimizerConfig(learning_rate=1e-12))
    path = train_tae(tmp_path, recipe=replace(RECIPE, first=PICTURES, loop=still))
    assert (tmp_path / "images" / "checkpoint.safetensors").exists()
    with safe_open(tmp_path / "images" / "checkpoint.safetensors", "pt") as file:
        trained = file.get_tensor("ema.decoder.stem.space.weight")
    stem = load_model(path, "tae").decoder.stem.space.weight
    assert_close(stem, trained, atol=0.01, rtol=0.01)  # stored as bfloat16


def test_a_sitting_that_ends_among_the_pictures_leaves_weights_and_goes_on_there(tmp_path):
    def stop(step, _losses):
        if step == 2:
            raise KeyboardInterrupt

    recipe = replace(RECIPE, first=PICTURES)
    with pytest.raises(KeyboardInterrupt):
        train_tae(tmp_path, Session(on_step=stop), recipe=recipe)
    path = train_tae(tmp_path, Session(minutes=1e-9, resume=True), recipe=recipe)
    assert load_model(path, "tae").config == TINY
    assert not (tmp_path / "checkpoint.safetensors").exists()
    steps = []
    train_tae(tmp_path, Session(resume=True, on_step=lambda step, _: steps.append(step)), recipe=recipe)
    assert steps == [3, 4, 5, 6, 1, 2, 3, 4]


def test_a_role_without_a_recipe_is_refused_with_those_that_have_one(tmp_path):
    with pytest.raises(SettingsError, match="no recipe for 'sculptor'; train one of tae"):
        train("sculptor", tmp_path)
