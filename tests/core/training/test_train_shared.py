from dataclasses import replace

import pytest

from moviegen_core.models.edit import edit_from_video
from moviegen_core.models.identity import IDENTITY_PRESETS, IdentityEncoder
from moviegen_core.training.edit_pairs import FILMED, PairBucket
from moviegen_core.training.latents import Bucket, LatentConfig
from moviegen_core.training.recipes import SHARED_NANO
from moviegen_core.training.run import Session, _stores, train_shared
from moviegen_core.training.train_edit import EditStage
from moviegen_core.training.train_personalized import PersonalizedStage
from moviegen_core.training.train_shared import SharedModel, SharedObjective
from moviegen_core.training.train_video import VideoStage
from moviegen_core.weights.files import load_model
from tests.core.training.conftest import SMALL, parts, start_cast

SIZE = {"height": 32, "width": 48, "frame_rates": (16,), "weight": 1, "num_frames": 1}
LOOP = replace(SHARED_NANO.loop, num_steps=12, warmup_steps=1)
FACES = SHARED_NANO.personalized
RECIPE = replace(
    SHARED_NANO,
    subjects=(("video", 1.0), ("edit", 1.0), ("face", 1.0)),
    video=replace(
        SHARED_NANO.video,
        latents=LatentConfig(buckets=(Bucket(**SIZE),), shard_size=3),
        stages=(VideoStage(until=1.0, bucket_weights=(1,)),),
        tokens_per_step=24,
        first_shards=1,
        views=(1000,),
    ),
    edit=replace(
        SHARED_NANO.edit,
        pairs=LatentConfig(buckets=(PairBucket(kind=FILMED, **SIZE),), shard_size=3, first_seed=8_000_000),
        stages=(EditStage(until=1.0, bucket_weights=(1,), lessons=(("edit", 1.0),)),),
        tokens_per_step=24,
        shards=1,
    ),
    personalized=replace(
        FACES,
        identity=replace(
            FACES.identity, people=3, loop=replace(FACES.identity.loop, num_steps=2, warmup_steps=1)
        ),
        latents=LatentConfig(buckets=(Bucket(**SIZE),), shard_size=3, first_seed=9_000_000),
        stages=(PersonalizedStage(until=1.0, bucket_weights=(1,), cross=0.0, tune_encoder=True),),
        tokens_per_step=24,
        shards=1,
    ),
).fit(LOOP)


@pytest.fixture(scope="module")
def stores(tmp_path_factory, tae):
    return _stores(tmp_path_factory.mktemp("latents"), tae, RECIPE, SMALL.size)


@pytest.fixture
def objective(stores):
    text, video = parts()
    model = SharedModel(text, edit_from_video(video), IdentityEncoder(SMALL)).train()
    found = SharedObjective(model, RECIPE, stores)
    found.model = model
    return found


def a_step_of(objective, subject):
    return next(step for step in range(99) if subject in objective(step))


def test_every_part_is_held_once(objective):
    names = [name for name, _ in objective.model.named_parameters()]
    assert {name.split(".")[0] for name in names} == {"text", "edit", "identity", "recall"}
    tensors = list(objective.model.state_dict().values())
    assert len({tensor.data_ptr() for tensor in tensors}) == len(tensors)


@pytest.mark.parametrize(
    ("subject", "learns", "rests"),
    [
        ("video", {"text", "edit", "recall"}, {"identity"}),
        ("edit", {"text", "edit"}, {"identity", "recall"}),
        ("face", {"identity", "edit"}, {"text", "recall"}),
    ],
)
def test_each_subject_teaches_its_own_parts(objective, subject, learns, rests):
    step = a_step_of(objective, subject)
    objective.model.zero_grad(set_to_none=True)
    objective(step)["total"].backward()
    moved = {name.split(".")[0] for name, one in objective.model.named_parameters() if one.grad is not None}
    assert learns <= moved
    assert not rests & moved


def test_text_to_video_and_faces_do_not_touch_what_reads_sources(objective):
    for subject in ("video", "face"):
        objective.model.zero_grad(set_to_none=True)
        objective(a_step_of(objective, subject))["total"].backward()
        edit = objective.model.edit
        assert edit.extra_patch.weight.grad.abs().max() == 0
        assert edit.task_tokens.weight.grad is None


def test_a_step_depends_on_its_number_alone(objective):
    for subject in ("video", "edit", "face"):
        step = a_step_of(objective, subject)
        assert objective(step)["total"] == objective(step)["total"]


def test_training_writes_one_file_for_three_roles(tmp_path, tae, monkeypatch):
    monkeypatch.setitem(IDENTITY_PRESETS, "nano", SMALL)
    text, video = parts()
    cast = start_cast(tmp_path / "cast", tae, text, video)
    seen = []
    session = Session(start=cast, on_step=lambda _step, losses: seen.append(set(losses)))
    path = train_shared(tmp_path / "run", session, recipe=RECIPE, tae=cast.path("tae"))
    assert sum("identity" in names for names in seen) == 2
    assert all(any(subject in names for names in seen) for subject in ("video", "edit", "face"))
    assert load_model(path, "video").config == video.config
    assert load_model(path, "edit").config.extra_channels == 16
    assert load_model(path.with_name("identity.safetensors"), "identity").config == SMALL
