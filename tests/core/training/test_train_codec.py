from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.models.audio_codec import CODEC_PRESETS, AudioCodec
from moviegen_core.theatre.sampling import sample_scenes
from moviegen_core.training import sounds
from moviegen_core.training.loop import LoopConfig, new_run, train_step
from moviegen_core.training.optimizer import OptimizerConfig
from moviegen_core.training.run import Session, train, train_codec
from moviegen_core.training.sound_losses import SoundLossConfig
from moviegen_core.training.sounds import MIXES, SoundPool, SoundPoolConfig, mono
from moviegen_core.training.train_codec import CodecObjective, CodecPhase, CodecRecipe
from moviegen_core.weights.files import load_model

POOL = SoundPoolConfig(num_groups=2, group_size=2, steps_per_group=2, seconds=1)
LOSSES = SoundLossConfig(windows=(512,))
TINY = replace(
    CODEC_PRESETS["nano"],
    latent_channels=4,
    linear_channels=2,
    encoder_widths=(8, 8, 8),
    decoder_widths=(8, 8, 8),
    encoder_units=(0, 0, 0),
    decoder_units=(1, 0, 0),
)
RECIPE = CodecRecipe(
    preset="tiny",
    loop=LoopConfig(optimizer=OptimizerConfig(learning_rate=1e-3), num_steps=4, warmup_steps=1, log_every=1),
    pool=POOL,
    phases=(
        CodecPhase(until=0.5, batch=2, latent_frames=3, losses=LOSSES),
        CodecPhase(until=1.0, batch=1, latent_frames=6, losses=replace(LOSSES, adversarial=0.1)),
    ),
    statistics_groups=1,
)


@pytest.fixture(autouse=True)
def _tiny_preset(monkeypatch):
    monkeypatch.setitem(CODEC_PRESETS, "tiny", TINY)


def test_what_a_pool_plays_depends_on_the_step_alone():
    walked, fresh = SoundPool(POOL), SoundPool(POOL)
    for step in range(5):
        piece = walked.crop(torch.Generator().manual_seed(step), step, 9600)
    assert piece.shape == (1, 9600)
    assert piece.equal(fresh.crop(torch.Generator().manual_seed(4), 4, 9600))
    assert min(walked.groups) >= 2  # what left the window is not kept


def test_every_stem_is_heard_alone_and_all_are_heard_together():
    assert {frozenset([name]) for name in ("effects", "ambience", "music")} <= set(map(frozenset, MIXES))
    assert ("effects", "ambience", "music") in MIXES


def test_a_mono_sound_is_as_long_as_its_frames_and_the_sum_of_its_stems():
    scene = sample_scenes(3, 1)[0]
    stems = ("effects", "ambience", "music")
    parts = [mono(scene, (name,), num_frames=12, fps=24) for name in stems]
    assert parts[0].shape == (1, 24000)
    assert_close(mono(scene, stems, num_frames=12, fps=24), sum(parts))


def test_the_losses_of_a_step_depend_on_its_number_alone():
    model = AudioCodec(TINY)
    walked, fresh = CodecObjective(model, RECIPE), CodecObjective(model, RECIPE)
    walked(0)
    assert walked(1)["total"].equal(fresh(1)["total"])


def test_each_phase_has_its_own_batches_and_losses():
    objective = CodecObjective(AudioCodec(TINY), RECIPE)
    assert "adversarial" not in objective(0)
    assert {"adversarial", "discriminator"} <= objective(2).keys()
    shapes = [objective.batch(0, phase, torch.Generator()).shape for phase in RECIPE.phases]
    assert shapes == [(2, 1, 3 * 1920), (1, 1, 6 * 1920)]


def test_a_few_steps_lower_the_loss_of_a_fixed_batch():
    torch.manual_seed(0)
    model, loop = AudioCodec(TINY), replace(RECIPE.loop, num_steps=40)
    objective, state = CodecObjective(model, RECIPE), new_run(model, loop)
    losses = [train_step(state, lambda _: objective(0), loop)["total"] for _ in range(20)]
    assert losses[-1] < 0.97 * losses[0]


def test_the_linear_path_stays_the_transform_it_begins_as(tmp_path):
    model = load_model(train("audio_codec", tmp_path, recipe=RECIPE), "audio_codec")
    fresh = AudioCodec(TINY)
    for trained, begun in ((model.encoder, fresh.encoder), (model.decoder, fresh.decoder)):
        for name, weight in begun.linear.named_parameters():
            assert_close(dict(trained.linear.named_parameters())[name], weight, atol=1e-3, rtol=1e-2)


def test_training_writes_weights_that_load_with_measured_statistics(tmp_path):
    path = train("audio_codec", tmp_path, recipe=RECIPE)
    model = load_model(path, "audio_codec")
    assert model.config == TINY
    heard = SoundPool(POOL).render_group(-1).float() / sounds.FULL_SCALE
    with torch.no_grad():
        latent = model.encode(heard)
    middle = latent.transpose(0, 1).flatten(1).median(1).values
    assert_close(middle, torch.zeros(4), atol=0.1, rtol=0)
    assert_close(latent.std(dim=(0, 2)), torch.ones(4), atol=0.1, rtol=0)


def test_a_finished_run_that_is_resumed_writes_the_same_weights_again(tmp_path):
    first = train_codec(tmp_path, recipe=RECIPE).read_bytes()
    assert train_codec(tmp_path, Session(resume=True), recipe=RECIPE).read_bytes() == first
