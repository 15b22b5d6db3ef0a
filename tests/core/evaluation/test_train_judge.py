"""What the judge learns from."""

from dataclasses import replace

import pytest
import torch

from moviegen_core.evaluation import train_judge as training
from moviegen_core.evaluation.judge import open_judge
from moviegen_core.evaluation.measure_video import held_out_scenes
from moviegen_core.models.judge import JUDGE_PRESETS
from moviegen_core.models.tae import TAE_PRESETS, TemporalAutoencoder
from moviegen_core.theatre.questions import QUESTIONS, classes
from moviegen_core.theatre.sampling import sample_scenes
from moviegen_core.training.loop import LoopConfig
from moviegen_core.training.optimizer import OptimizerConfig
from moviegen_core.training.run import Session

LOOP = LoopConfig(optimizer=OptimizerConfig(learning_rate=1e-3), num_steps=2, warmup_steps=0)
RECIPE = replace(
    training.JUDGE_NANO, loop=LOOP, batch=3, group_size=1, first_groups=2, most_groups=2, steps_per_group=1
)


@pytest.fixture(autouse=True)
def one_small_size(monkeypatch):
    monkeypatch.setattr(training, "FRAME_SIZES", ((24, 40),))


def test_no_scene_that_an_evaluation_draws_is_learnt_from():
    learnt = {training.judged_scene(seed) for seed in range(200)}
    assert not learnt & {*held_out_scenes(100), *sample_scenes(0, 100), *sample_scenes(0, 100, "held-out")}


def test_every_answer_is_learnt_and_only_travellers_are_tracked():
    scenes = [training.judged_scene(seed) for seed in range(600)]
    labels = classes(scenes)
    for column, answers in enumerate(QUESTIONS.values()):
        assert {*range(len(answers))} <= {*labels[:, column].tolist()}
    tracked = [scene for scene in scenes if scene.camera == "tracking shot"]
    assert all(scene.actors[0].action.startswith("go") for scene in tracked)


def test_mirroring_twice_changes_nothing():
    clips, labels = torch.rand(40, 3, 2, 4, 6), classes([training.judged_scene(s) for s in range(40)])
    twice = training.mirror(*training.mirror(clips, labels))
    assert torch.equal(twice[0], clips)
    assert torch.equal(twice[1], labels)


def test_mirroring_swaps_left_and_right_and_nothing_else():
    scenes = [replace(scene, camera="pan left") for scene in sample_scenes(0, 30)]
    before = classes(scenes)
    after = training.mirror(torch.zeros(30, 1, 1, 1, 1), before)[1]
    columns = {name: column for column, name in enumerate(QUESTIONS)}
    assert set(after[:, columns["camera"]].tolist()) == {QUESTIONS["camera"].index("pan right")}
    still = [column for name, column in columns.items() if name not in ("action", "camera")]
    assert torch.equal(after[:, still], before[:, still])


def test_softening_keeps_shape_and_range_and_follows_its_generator():
    clips = torch.rand(4, 3, 5, 16, 24) * 2 - 1
    soft = [training.soften(clips, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert soft[0].shape == clips.shape
    assert soft[0].abs().max() <= 1
    assert torch.equal(soft[0], soft[1])
    assert not torch.equal(soft[0], soft[2])


def test_a_batch_depends_on_its_step_alone(tiny_judge):
    early = training.RenderPool(RECIPE, tiny_judge)
    for step in range(3):
        early.batch(step)
    late = training.RenderPool(RECIPE, tiny_judge)
    for one, other in zip(early.batch(3), late.batch(3), strict=True):
        assert torch.equal(one, other)


def test_the_pool_keeps_no_more_groups_than_asked(tiny_judge):
    pool = training.RenderPool(RECIPE, tiny_judge)
    for step in range(6):
        pool.batch(step)
        assert len(pool.groups) <= RECIPE.most_groups


def test_with_an_autoencoder_a_part_of_the_renders_passes_through_it(tiny_judge):
    tiny = replace(TAE_PRESETS["nano"], encoder_blocks=(0, 0, 0, 0), decoder_blocks=(0, 0, 0, 0))
    torch.manual_seed(0)
    recipe = replace(RECIPE, first_groups=8, most_groups=8, steps_per_group=100, batch=40)
    plain = training.RenderPool(recipe, tiny_judge)
    mixed = training.RenderPool(recipe, tiny_judge, TemporalAutoencoder(tiny))
    (clips, labels), (soft, same) = plain.batch(0), mixed.batch(0)
    assert torch.equal(labels, same)
    changed = [not torch.equal(one, other) for one, other in zip(clips, soft, strict=True)]
    assert any(changed)
    assert not all(changed)


def test_a_trained_judge_loads_and_a_resumed_run_goes_on(tiny_judge, tmp_path, monkeypatch):
    monkeypatch.setitem(JUDGE_PRESETS, "nano", tiny_judge.config)
    steps = []
    training.train_judge(tmp_path, Session(minutes=0), recipe=RECIPE)
    resumed = Session(resume=True, on_step=lambda step, _: steps.append(step))
    path = training.train_judge(tmp_path, resumed, recipe=RECIPE)
    assert steps == [1, 2]
    assert open_judge(path).config == tiny_judge.config
