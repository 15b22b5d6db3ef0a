import random
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.flow.guidance import EditGuidance
from moviegen_core.models.edit import TASKS, edit_from_video
from moviegen_core.models.text import ByteEncoder, ByteEncoderConfig
from moviegen_core.models.video import VIDEO_PRESETS, VideoTransformer
from moviegen_core.theatre.edits import sample_edit
from moviegen_core.theatre.holdouts import is_held_out
from moviegen_core.theatre.scene import Scene
from moviegen_core.training import edit_pairs
from moviegen_core.training.edit_pairs import (
    ANIMATED,
    FILMED,
    MARKED,
    PairBucket,
    PairStore,
    animated,
    undone,
)
from moviegen_core.training.latents import LatentConfig
from moviegen_core.training.loop import new_run, train_step
from moviegen_core.training.recipes import EDIT_NANO
from moviegen_core.training.run import Session, train_edit
from moviegen_core.training.train_edit import EditModel, EditObjective, EditStage
from moviegen_core.weights.cast import open_cast, write_cast
from moviegen_core.weights.files import load_model, save_model

SIZE = {"height": 16, "width": 32, "frame_rates": (16,), "weight": 1}
BUCKETS = (
    PairBucket(num_frames=1, kind=FILMED, **SIZE),
    PairBucket(num_frames=9, kind=FILMED, **SIZE),
    PairBucket(num_frames=9, kind=ANIMATED, **SIZE),
    PairBucket(num_frames=9, kind=MARKED, **SIZE),
)
PAIRS = LatentConfig(buckets=BUCKETS, shard_size=4)
RECIPE = replace(
    EDIT_NANO,
    pairs=PAIRS,
    loop=replace(EDIT_NANO.loop, num_steps=12, warmup_steps=1),
    stages=(
        EditStage(until=0.4, bucket_weights=(1, 0, 0, 0), lessons=(("edit", 5.0), ("text", 1.0))),
        EditStage(until=0.8, bucket_weights=(0, 1, 1, 1), lessons=(("edit", 1.0),)),
        EditStage(until=1.0, bucket_weights=(0, 1, 0, 0), lessons=(("back", 1.0),)),
    ),
    tokens_per_step=16,
    shards=4,
    back_steps=2,
    least_change=0.0,
    most_change=1e9,
)


@pytest.fixture(scope="module")
def store(tmp_path_factory, tae):
    return PairStore(tmp_path_factory.mktemp("pairs"), tae, PAIRS)


def models():
    torch.manual_seed(0)
    small = replace(
        VIDEO_PRESETS["nano"],
        width=32,
        num_layers=1,
        ffn_width=32,
        context_widths=(16,),
        table_sizes=(4, 2, 2),
    )
    text = ByteEncoder(ByteEncoderConfig(width=16, num_layers=1, num_heads=1, ffn_width=16))
    return text, VideoTransformer(small)


@pytest.fixture
def objective(store):
    text, video = models()
    return EditObjective(EditModel(text, edit_from_video(video)).train(), RECIPE, store)


def test_a_shard_holds_pairs_with_what_is_said_about_them(store):
    for index, bucket in enumerate(BUCKETS):
        shard = store.shard(index)
        cells = (1 if bucket.num_frames == 1 else 2, 2, 4)
        assert shard.sources.shape == shard.targets.shape == (4, 16, *cells)
        assert len(shard.requests) == 4
        assert not torch.equal(shard.sources, shard.targets)


def test_filmed_pairs_are_the_theatres_own_edits_and_never_held_out(store):
    requests = store.shard(1).requests
    first = PAIRS.first_seed + 4
    for offset, request in enumerate(requests):
        edit = sample_edit(first + offset)
        assert (request.instruction, request.target) == (edit.instruction, edit.target.to_json())
        assert request.task in TASKS
        assert not is_held_out(Scene.from_json(request.target))


def test_marks_name_an_actor_and_a_colour_and_have_no_way_back(store):
    for request in store.shard(3).requests:
        assert request.task == "segment"
        assert request.inverse == ""
        assert any(actor.colour in request.instruction for actor in Scene.from_json(request.source).actors)


def test_a_shard_on_disk_is_read_and_not_made_again(store, tae, monkeypatch):
    made = store.shard(1)
    monkeypatch.setattr(edit_pairs, "render", None)
    again = PairStore(store.folder.parent, tae, PAIRS).shard(1)
    assert_close(again.targets, made.targets, rtol=0, atol=0)
    assert again.requests == made.requests


def test_animated_pairs_travel_alike_and_move():
    before = torch.rand(2, 3, 1, 12, 20)
    sides = animated(before, before.clone(), 5, random.Random(0))
    assert_close(*sides)
    assert sides[0].shape == (2, 3, 5, 12, 20)
    assert not torch.allclose(sides[0][:, :, 0], sides[0][:, :, -1])
    other = animated(before, 1 - before, 5, random.Random(0))
    assert_close(other[1], 1 - other[0], atol=1e-5, rtol=1e-5)


def test_an_edit_taken_back_swaps_everything_and_twice_is_itself(store):
    request = store.shard(0).requests[0]
    back = undone(request)
    assert (back.instruction, back.source) == (request.inverse, request.target)
    assert undone(back) == request
    assert undone(replace(request, task="add")).task == "remove"


def test_stages_follow_each_other_with_their_own_lessons(objective):
    seen = [objective.lesson(step, random.Random(step)) for step in range(12)]
    assert set(seen[:4]) <= {"edit", "text"}
    assert set(seen[5:9]) == {"edit"}
    assert set(seen[10:]) == {"back"}


def test_pictures_stand_anywhere_in_time_and_clips_at_its_start(objective):
    picture = objective.batch(0, "edit", random.Random(0))
    clip = objective.batch(6, "edit", random.Random(0))
    places = [objective._place(picture, random.Random(seed)) for seed in range(40)]
    assert {int(place.corners_B3[0, 0]) for place in places} == {0, 1, 2, 3}
    assert all(place.whole[0] == place.corners_B3[0, 0] + 1 for place in places)
    assert not any(objective._place(clip, random.Random(seed)) for seed in range(10))


def test_text_to_video_sees_black_in_the_place_of_the_source(objective, tae):
    batch = objective.batch(0, "text", random.Random(0))
    dark = tae.encode(torch.full((1, 3, 8, 16, 32), -1.0)).float()
    assert_close(batch.sources, dark.expand_as(batch.sources))
    assert set(batch.asked.tasks) == {"generate"}


def test_some_samples_lose_their_words_and_some_their_source_too(objective):
    objective.recipe = replace(RECIPE, drop_text=0.3, drop_both=0.2)
    silent = blind = count = 0
    for step in range(30):
        batch = objective.batch(0, "edit", random.Random(step))
        black = objective.black(batch.sources)
        silent += sum(not prompt for prompt in batch.asked.prompts)
        rows = (batch.sources == black).flatten(1).all(1).tolist()
        blind += sum(rows)
        assert all(not prompt for prompt, dark in zip(batch.asked.prompts, rows, strict=True) if dark)
        count += len(rows)
    assert 0.35 < silent / count < 0.65
    assert 0.1 < blind / count < 0.32


def test_a_step_depends_on_its_number_alone(objective):
    first, other = objective(6)["total"], objective(7)["total"]
    assert objective(6)["total"] == first != other


def test_backtranslation_aims_at_real_clips_and_shows_the_models_own_edits(objective, store):
    batch = objective.batch(11, "back", random.Random(0))
    real = torch.cat([store.shard(1).sources, store.shard(1).targets]).float()
    for target, source in zip(batch.targets, batch.sources, strict=True):
        assert any(torch.equal(target, one) for one in real)
        assert not any(torch.equal(source, one) for one in real)
    asked = {request.inverse for request in store.shard(1).requests}
    asked |= {request.instruction for request in store.shard(1).requests}
    assert all(prompt.removeprefix("FPS-16. ") in asked for prompt in batch.asked.prompts)


def test_backtranslated_edits_that_changed_nothing_or_all_are_not_used(objective, store):
    objective.recipe = replace(RECIPE, least_change=1e8, most_change=1e9)
    batch = objective.batch(11, "back", random.Random(0))
    assert len(batch.targets) == objective.batch_size(1)
    real = torch.cat([store.shard(1).sources, store.shard(1).targets]).float()
    assert all(any(torch.equal(target, one) for one in real) for target in batch.targets)


def test_a_few_steps_lower_the_loss_of_a_fixed_batch(objective):
    loop = replace(RECIPE.loop, num_steps=30)
    state = new_run(objective.model, loop)
    losses = [train_step(state, lambda _: objective(6), loop)["total"] for _ in range(12)]
    assert losses[-1] < losses[0]


def test_every_lesson_gives_finite_losses(objective):
    for step in range(12):
        assert all(loss.isfinite() for loss in objective(step).values())


def test_training_makes_an_edit_model_of_a_cast_and_goes_on_from_it(tmp_path, tae):
    text, video = models()
    cast = tmp_path / "cast"
    cast.mkdir()
    for role, model in (("tae", tae), ("text", text), ("video", video)):
        save_model(cast / f"{role}.safetensors", role, model)
    roles = {role: f"{role}.safetensors" for role in ("tae", "text", "video")}
    write_cast(cast, "mine", roles)
    recipe = replace(RECIPE, loop=replace(RECIPE.loop, num_steps=2))
    steps = []
    session = Session(start=open_cast(cast), on_step=lambda step, _: steps.append(step))
    path = train_edit(tmp_path / "run", session, recipe=recipe, tae=cast / "tae.safetensors")
    edit = load_model(path, "edit")
    assert edit.config.extra_channels == 16
    assert edit.head.project.weight.abs().max() > 0
    for role in ("edit", "edit_text"):
        (cast / f"{role}.safetensors").write_bytes((tmp_path / "run" / f"{role}.safetensors").read_bytes())
    write_cast(cast, "mine", roles | {role: f"{role}.safetensors" for role in ("edit", "edit_text")})
    session = replace(session, start=open_cast(cast))
    train_edit(tmp_path / "again", session, recipe=recipe, tae=cast / "tae.safetensors")
    assert steps == [1, 2, 1, 2]


def test_the_shipped_recipe_pulls_as_an_edit_does_and_ends_with_backtranslation():
    assert isinstance(EDIT_NANO.back_guidance, EditGuidance)
    assert "back" in dict(EDIT_NANO.stages[-1].lessons)
    pictures = dict(EDIT_NANO.stages[0].lessons)
    assert pictures["edit"] == 5 * pictures["text"]
