import random
from dataclasses import replace

import pytest
import torch

from moviegen_core.models.identity import IDENTITY_PRESETS, IdentityEncoder
from moviegen_core.theatre.holdouts import is_held_out
from moviegen_core.training.latents import Bucket, LatentConfig
from moviegen_core.training.loop import new_run, train_step
from moviegen_core.training.recipes import PERSONALIZED_NANO
from moviegen_core.training.run import Session, train_personalized
from moviegen_core.training.train_identity import a_person_on_stage
from moviegen_core.training.train_personalized import (
    FaceStore,
    PersonalizedModel,
    PersonalizedObjective,
    PersonalizedStage,
    face_prompt,
)
from moviegen_core.weights.files import load_model
from tests.core.training.conftest import SMALL, parts, start_cast

SIZE = {"height": 32, "width": 48, "frame_rates": (16,), "weight": 1}
LATENTS = LatentConfig(buckets=(Bucket(num_frames=1, **SIZE), Bucket(num_frames=9, **SIZE)), shard_size=3)
RECIPE = replace(
    PERSONALIZED_NANO,
    identity=replace(
        PERSONALIZED_NANO.identity,
        people=3,
        loop=replace(PERSONALIZED_NANO.identity.loop, num_steps=2, warmup_steps=1),
    ),
    loop=replace(PERSONALIZED_NANO.loop, num_steps=9, warmup_steps=1),
    latents=LATENTS,
    stages=(
        PersonalizedStage(until=0.4, bucket_weights=(1, 0), cross=0.0, tune_encoder=False),
        PersonalizedStage(until=0.7, bucket_weights=(0, 1), cross=0.0, tune_encoder=False),
        PersonalizedStage(until=1.0, bucket_weights=(0, 1), cross=1.0, tune_encoder=True),
    ),
    tokens_per_step=24,
    shards=2,
)


@pytest.fixture(scope="module")
def store(tmp_path_factory, tae):
    return FaceStore(tmp_path_factory.mktemp("faces"), tae, LATENTS, SMALL.size)


@pytest.fixture
def objective(store):
    model = PersonalizedModel(*parts(), IdentityEncoder(SMALL))
    return PersonalizedObjective(model.train(), RECIPE, store)


def test_a_shard_holds_clips_of_one_person_with_faces_of_the_same_clip(store):
    shard = store.shard(1)
    assert shard.latents.shape == (3, 16, 2, 4, 6)
    assert shard.faces.shape == (3, 5, 3, 16, 16)
    assert all(scene.actors[0].kind == "person" for scene in shard.scenes)
    assert not any(is_held_out(scene) for scene in shard.scenes)


def test_prompts_name_the_person_and_never_the_face():
    rng = random.Random(0)
    told = ("hair", "eyes", "glasses", "hat", "cap", "beanie", "bald", "skinned", "pale", "tanned")
    for _ in range(60):
        prompt = face_prompt(a_person_on_stage(rng), rng)
        assert not any(word in prompt for word in told), prompt
        assert any(noun in prompt for noun in ("person", "man", "woman"))


def test_stages_lengthen_the_clips_and_at_last_cross_the_references(objective):
    early, middle, late = (objective.stage(step) for step in (0, 5, 8))
    assert objective.batch(early, random.Random(0))[0].shape[2] == 1
    assert objective.batch(middle, random.Random(0))[0].shape[2] == 2
    assert (early.tune_encoder, late.tune_encoder) == (False, True)


def test_paired_references_are_of_the_clip_and_crossed_ones_are_not(objective, store):
    shard, rng = store.shard(1), random.Random(0)
    known = shard.faces[0].float() / 127.5 - 1
    paired = objective._faces(shard, 0, RECIPE.stages[0], 2, rng)
    crossed = objective._faces(shard, 0, RECIPE.stages[2], 2, rng)
    for one in paired:
        assert any(torch.allclose(one, other, atol=1e-6) for other in known)
    for one in crossed:
        assert not any(torch.allclose(one, other, atol=0.05) for other in known)


def test_the_encoder_learns_in_the_last_stage_alone_and_the_reader_never(objective):
    for step, tuned in ((0, False), (8, True)):
        objective.model.zero_grad(set_to_none=True)
        objective(step)["total"].backward()
        grads = [parameter.grad for parameter in objective.model.identity.parameters()]
        assert any(grad is not None for grad in grads) == tuned
    assert all(parameter.grad is None for parameter in objective.model.text.parameters())
    assert not any("text" in name for name, _ in objective.model.named_parameters())


def test_some_samples_are_told_nothing_of_the_face(objective):
    objective.recipe = replace(RECIPE, drop_both=0.5)
    rows = [objective.batch(RECIPE.stages[0], random.Random(seed))[1] for seed in range(20)]
    share = torch.cat([row.has_face for row in rows]).float().mean()
    assert 0.3 < share < 0.7
    for row in rows:
        assert all(not prompt for prompt, has in zip(row.prompts, row.has_face, strict=True) if not has)


def test_a_withheld_face_does_not_matter(objective):
    data, told = objective.batch(RECIPE.stages[0], random.Random(0))
    told = replace(told, has_face=torch.zeros(len(data), dtype=torch.bool))
    t = torch.full((len(data),), 0.5)
    with torch.no_grad():
        one, other = (
            objective.model(data, t, replace(told, faces=faces), tune_encoder=False)
            for faces in (told.faces, -told.faces)
        )
    assert torch.equal(one, other)


def test_a_step_depends_on_its_number_alone(objective):
    assert objective(5)["total"] == objective(5)["total"] != objective(6)["total"]


def test_a_few_steps_lower_the_loss_of_a_fixed_batch(objective):
    loop = replace(RECIPE.loop, num_steps=30)
    state = new_run(objective.model, loop)
    losses = [train_step(state, lambda _: objective(5), loop)["total"] for _ in range(10)]
    assert losses[-1] < losses[0]


def test_training_teaches_the_encoder_first_and_then_the_video_model(tmp_path, tae, monkeypatch):
    monkeypatch.setitem(IDENTITY_PRESETS, "nano", SMALL)
    text, video = parts()
    cast = start_cast(tmp_path / "cast", tae, text, video)
    seen = []
    session = Session(start=cast, on_step=lambda step, losses: seen.append("identity" in losses))
    recipe = replace(RECIPE, loop=replace(RECIPE.loop, num_steps=2))
    path = train_personalized(tmp_path / "run", session, recipe=recipe, tae=cast.path("tae"))
    assert seen == [True, True, False, False]
    assert load_model(path, "personalized").config == video.config
    assert load_model(tmp_path / "run" / "identity.safetensors", "identity").config.token_width == 32
