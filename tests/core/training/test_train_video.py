import random
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from moviegen_core.models import text, video
from moviegen_core.models.tae import TAE_PRESETS, TemporalAutoencoder
from moviegen_core.training import latents
from moviegen_core.training.close_ups import CloseUps
from moviegen_core.training.latents import Bucket, LatentConfig, LatentStore, fingerprint
from moviegen_core.training.loop import new_run, train_step
from moviegen_core.training.optimizer import OptimizerConfig
from moviegen_core.training.recipes import VIDEO_NANO
from moviegen_core.training.run import Session, train_video
from moviegen_core.training.train_text import TextRecipe
from moviegen_core.training.train_video import (
    SHORT_PROMPT,
    TextToVideoModel,
    VideoObjective,
    VideoStage,
)
from moviegen_core.weights.cast import open_cast, write_cast
from moviegen_core.weights.files import load_model, save_model

TINY_TAE = replace(
    TAE_PRESETS["nano"],
    encoder_widths=(16,) * 4,
    decoder_widths=(16,) * 4,
    encoder_blocks=(0,) * 4,
    decoder_blocks=(0,) * 4,
    head_width=16,
)
PICTURES = Bucket(height=16, width=32, num_frames=1, frame_rates=(16,), weight=1)
CLIPS = Bucket(height=16, width=32, num_frames=9, frame_rates=(8, 24), weight=2)
LATENTS = LatentConfig(buckets=(PICTURES, CLIPS), shard_size=8)
RECIPE = replace(
    VIDEO_NANO,
    latents=LATENTS,
    loop=replace(VIDEO_NANO.loop, num_steps=8, warmup_steps=1),
    stages=(VideoStage(until=0.5, bucket_weights=(1, 0)), VideoStage(until=1.0, bucket_weights=(0, 1))),
    tokens_per_step=16,
    first_shards=3,
    views=(4, 2),
)


@pytest.fixture
def tae():
    torch.manual_seed(0)
    return TemporalAutoencoder(TINY_TAE)


@pytest.fixture
def store(tmp_path, tae):
    return LatentStore(tmp_path, tae, LATENTS)


@pytest.fixture
def tiny(monkeypatch):
    """The name of a preset of both models that trains at once."""
    small = replace(video.VIDEO_PRESETS["nano"], width=32, num_layers=1, ffn_width=32, context_widths=(16,))
    monkeypatch.setitem(video.VIDEO_PRESETS, "tiny", small)
    letters = text.ByteEncoderConfig(width=16, num_layers=1, num_heads=1, ffn_width=16)
    monkeypatch.setitem(text.TEXT_PRESETS, "tiny", letters)
    return "tiny"


@pytest.fixture
def objective(store, tiny):
    torch.manual_seed(0)
    return VideoObjective(_models(tiny), replace(RECIPE, preset=tiny), store)


def test_shards_go_round_the_buckets_by_their_weights():
    assert [LATENTS.bucket_of(index) for index in range(6)] == [0, 1, 1, 0, 1, 1]


def test_a_shard_holds_one_latent_and_one_scene_a_clip(store):
    pictures, clips = store.shard(0), store.shard(1)
    assert pictures.latents.shape == (8, 16, 1, 2, 4)
    assert clips.latents.shape == (8, 16, 2, 2, 4)
    assert len(clips.scenes) == 8
    assert clips.fps in CLIPS.frame_rates
    assert not set(pictures.scenes) & set(clips.scenes)


@pytest.mark.parametrize("num_frames", [1, 11])
def test_mattes_lie_where_the_actors_of_the_very_same_pictures_are(tmp_path, tae, num_frames):
    bucket = replace(CLIPS, height=112, width=192, num_frames=num_frames)
    store = LatentStore(tmp_path, tae, LatentConfig(buckets=(bucket,), shard_size=4))
    shard = store.shard(0)
    assert shard.mattes.shape == (4, 1, *shard.latents.shape[2:])
    seen = store._film(latents.render_mattes, 0, store.shape(0), shard.scenes).amax(dim=1, keepdim=True)
    seen = nn.functional.avg_pool3d(seen, (1, 8, 8))
    seen = nn.functional.max_pool3d(seen, (min(8, num_frames), 1, 1), ceil_mode=True)
    same, swapped = ((shard.mattes - other).abs().mean() for other in (seen, seen.roll(1, dims=0)))
    assert same < 0.02 < 3 * same < swapped


def test_a_shard_on_disk_is_read_and_not_made_again(store, tmp_path, tae, monkeypatch):
    made = store.shard(1)
    monkeypatch.setattr(latents, "render", None)
    again = LatentStore(tmp_path, tae, LATENTS).shard(1)
    assert_close(again.latents, made.latents, rtol=0, atol=0)
    assert again.scenes == made.scenes


def test_another_encoder_or_other_statistics_never_meet_old_latents(tae):
    first = fingerprint(tae, LATENTS)
    tae.latent_scale.mul_(2)
    second = fingerprint(tae, LATENTS)
    next(tae.encoder.parameters()).data.add_(1)
    assert len({first, second, fingerprint(tae, LATENTS)}) == 3


def test_a_decoder_trained_on_keeps_the_latents(tae):
    before = fingerprint(tae, LATENTS)
    next(tae.decoder.parameters()).data.add_(1)
    assert fingerprint(tae, LATENTS) == before


def test_pictures_come_first_and_then_clips_in_batches_of_equal_token_count(objective):
    shapes = {step: objective(step) and objective.batch(step, _rng(step)).latents.shape for step in (0, 7)}
    assert shapes[0] == (8, 16, 1, 2, 4)
    assert shapes[7] == (4, 16, 2, 2, 4)


def test_a_step_depends_on_its_number_alone(objective):
    first, other = objective(5)["total"], objective(6)["total"]
    assert objective(5)["total"] == first != other


def test_some_prompts_are_dropped_and_the_rest_open_with_the_rate(objective):
    prompts = [prompt for step in range(40) for prompt in objective.batch(step, _rng(step)).prompts]
    dropped = sum(not prompt for prompt in prompts) / len(prompts)
    assert 0.04 < dropped < 0.18
    assert all(prompt.startswith(("FPS-16. ", "FPS-8. ", "FPS-24. ")) for prompt in prompts if prompt)


def test_short_batches_keep_their_prompts_short_and_others_do_not(objective):
    longest = [
        max(len(prompt.encode()) for prompt in objective.batch(step, _rng(step)).prompts)
        for step in range(40)
    ]
    assert 0.4 < sum(size < SHORT_PROMPT for size in longest) / len(longest) < 0.95


def test_shards_join_when_those_there_have_been_seen_often_enough(objective):
    clips = 1
    batch = objective.batch_size(clips)
    assert objective.shards(clips, 4) == [1, 2]
    assert len(objective.shards(clips, 8)) == max(2, -(-4 * batch // (LATENTS.shard_size * 2)))


def test_a_sample_of_a_long_run_is_seen_as_often_as_the_recipe_says(objective):
    objective.recipe = replace(objective.recipe, loop=replace(objective.recipe.loop, num_steps=4000))
    drawn = 2000 * objective.batch_size(1)
    samples = len(objective.shards(1, 4000)) * LATENTS.shard_size
    assert drawn / samples == pytest.approx(2, rel=0.02)


def test_shards_of_a_bucket_are_numbered_in_the_order_they_come_in():
    for bucket in (0, 1):
        indices = [LATENTS.shard_of(bucket, number) for number in range(5)]
        assert indices == [index for index in range(indices[-1] + 1) if LATENTS.bucket_of(index) == bucket]


def test_a_few_steps_lower_the_loss_of_a_fixed_batch(objective):
    loop = replace(RECIPE.loop, num_steps=30)
    state = new_run(objective.model, loop)
    losses = [train_step(state, lambda _: objective(6), loop)["total"] for _ in range(12)]
    assert losses[-1] < losses[0]


def test_a_run_that_starts_from_a_cast_goes_on_with_its_models_and_skips_the_lessons(tiny, tmp_path, tae):
    cast = tmp_path / "cast"
    cast.mkdir()
    trained = _models(tiny)
    trained.video.head.project.weight.data.fill_(0.25)
    for role, model in (("tae", tae), ("text", trained.text), ("video", trained.video)):
        save_model(cast / f"{role}.safetensors", role, model)
    write_cast(cast, "mine", {role: f"{role}.safetensors" for role in ("tae", "text", "video")})
    still = replace(RECIPE.loop, num_steps=1, warmup_steps=0, optimizer=OptimizerConfig(learning_rate=1e-12))
    recipe = replace(RECIPE, preset=tiny, loop=still, text=TextRecipe(loop=still, batch=2))
    seen = []
    session = Session(start=open_cast(cast), on_step=lambda step, losses: seen.append("place" in losses))
    path = train_video(tmp_path / "run", session, recipe=recipe, tae=cast / "tae.safetensors")
    assert seen == [False]
    assert_close(load_model(path, "video").head.project.weight, trained.video.head.project.weight)


def _models(preset):
    return TextToVideoModel(
        text.ByteEncoder(text.TEXT_PRESETS[preset]), video.VideoTransformer(video.VIDEO_PRESETS[preset])
    )


def _rng(step):
    return random.Random(step)


def test_the_text_encoder_learns_to_read_before_the_first_clip(tiny, tmp_path, tae):
    lessons = TextRecipe(loop=replace(RECIPE.loop, num_steps=2), batch=2)
    recipe = replace(RECIPE, preset=tiny, text=lessons)
    save_model(tmp_path / "tae.safetensors", "tae", tae)
    seen = []
    session = Session(on_step=lambda step, losses: seen.append("place" in losses))
    train_video(tmp_path / "run", session, recipe=recipe, tae=tmp_path / "tae.safetensors", latents=tmp_path)
    assert seen == [True] * 2 + [False] * 8
    assert (tmp_path / "run" / "text" / "checkpoint.safetensors").exists()


@pytest.fixture
def close(objective):
    """Nothing but close-ups, of one frame and one row of two tokens."""
    close_ups = CloseUps(share=1.0, box=(1, 1, 1), tokens_per_step=6)
    objective.recipe = replace(objective.recipe, close_ups=close_ups)
    return objective


def test_a_close_up_is_a_part_of_a_latent_told_where_it_lies(close):
    batch = close.batch(5, random.Random(0))
    assert batch.latents.shape == (6, 16, 1, 2, 2)
    assert batch.mattes.shape == (6, 1, 1, 2, 2)
    assert batch.place.whole == (2, 1, 2)
    shards = [close.store.shard(index) for index in close.shards(1, 5)]
    whole = torch.cat([shard.latents for shard in shards]).float()
    for latent, (frame, _, column) in zip(batch.latents, batch.place.corners_B3.tolist(), strict=True):
        there = whole[:, :, frame : frame + 1, :, 2 * column : 2 * column + 2]
        assert (there == latent).flatten(1).all(dim=1).any()


def test_a_close_up_teaches_the_transformer_and_not_the_reader(close):
    for parameter in close.model.video.parameters():
        nn.init.normal_(parameter, std=0.2)
    close(5)["total"].backward()
    assert close.model.video.patch.weight.grad.abs().max() > 0
    assert all(parameter.grad is None for parameter in close.model.text.parameters())


def test_close_ups_use_up_shards_by_what_they_show_of_a_sample(close):
    seen = []
    for close_ups in (close.recipe.close_ups, replace(close.recipe.close_ups, box=(2, 1, 2)), None):
        close.recipe = replace(close.recipe, close_ups=close_ups, tokens_per_step=24)
        seen.append(close._samples_until(1, 8))
    assert seen == [4 * 6 / 4, 4 * 1, 4 * 6]  # 4 steps; 6 quarters of a clip, 1 whole one, 6 whole ones
