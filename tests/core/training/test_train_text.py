import random
from functools import partial

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.models.text import ByteEncoder, ByteEncoderConfig
from moviegen_core.theatre.questions import CAPTION_QUESTIONS, NO_ANSWER, QUESTIONS, classes
from moviegen_core.theatre.sampling import sample_scenes
from moviegen_core.training.loop import LoopConfig, new_run, train_step
from moviegen_core.training.optimizer import OptimizerConfig
from moviegen_core.training.train_text import (
    Reader,
    ReadingObjective,
    TextRecipe,
    draw_prompt,
    read_captions,
)

RECIPE = TextRecipe(
    loop=LoopConfig(optimizer=OptimizerConfig(learning_rate=3e-3), num_steps=60, warmup_steps=2), batch=8
)


@pytest.fixture
def reader():
    torch.manual_seed(0)
    encoder = ByteEncoder(ByteEncoderConfig(width=32, num_layers=1, num_heads=2, ffn_width=32))
    return Reader(encoder, CAPTION_QUESTIONS)


def test_prompts_keep_below_the_limit_where_the_scene_can_be_told_so_briefly():
    scene = sample_scenes(3, 1)[0]
    short = [len(draw_prompt(scene, 16, random.Random(seed), 96).encode()) for seed in range(60)]
    free = [len(draw_prompt(scene, 16, random.Random(seed), 0).encode()) for seed in range(60)]
    assert sum(size < 96 for size in short) >= 57
    assert max(free) > 96


def test_a_caption_has_an_answer_about_a_second_actor_only_where_there_is_one():
    scenes = sample_scenes(0, 64)
    asked = list(CAPTION_QUESTIONS)
    second = classes(scenes, CAPTION_QUESTIONS)[:, asked.index("second actor")]
    assert (second != NO_ANSWER).tolist() == [len(scene.actors) == 2 for scene in scenes]
    assert classes(scenes).equal(classes(scenes, CAPTION_QUESTIONS)[:, : len(QUESTIONS)])


def test_the_reader_scores_every_answer_and_padding_changes_none(reader):
    ids = torch.randint(2, 200, (2, 24))
    mask = torch.arange(24)[None] < torch.tensor([[24], [15]])
    scores = reader(ids, mask)
    assert [score.shape[1] for score in scores] == [len(options) for options in CAPTION_QUESTIONS.values()]
    for long, alone in zip(scores, reader(ids[1:, :15], mask[1:, :15]), strict=True):
        assert_close(long[1:], alone, atol=1e-4, rtol=1e-4)


def test_a_lesson_depends_on_its_number_alone(reader):
    objective = ReadingObjective(reader, partial(read_captions, RECIPE))
    assert objective(4)["total"].equal(objective(4)["total"])
    assert objective.lesson(4)[0] != objective.lesson(5)[0]


def test_a_question_that_no_caption_of_a_batch_answers_costs_nothing(reader, monkeypatch):
    alone = [scene for scene in sample_scenes(0, 64) if len(scene.actors) == 1][:8]
    monkeypatch.setattr("moviegen_core.training.train_text.sample_scenes", lambda *_: alone)
    losses = ReadingObjective(reader, partial(read_captions, RECIPE))(0)
    assert losses["second actor"] == 0
    assert losses["total"].isfinite()


def test_a_lesson_repeated_is_learnt(reader):
    objective = ReadingObjective(reader, partial(read_captions, RECIPE))
    state = new_run(reader, RECIPE.loop)
    losses = [train_step(state, lambda _: objective(0), RECIPE.loop)["total"] for _ in range(40)]
    assert losses[-1] < 0.7 * losses[0]
