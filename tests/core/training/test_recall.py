from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.models.conditioning import Context
from moviegen_core.models.video import VIDEO_PRESETS, VideoTransformer
from moviegen_core.theatre.questions import NO_ANSWER, QUESTIONS
from moviegen_core.training.recall import Recall

SMALL = replace(VIDEO_PRESETS["nano"], width=32, num_layers=3, num_heads=2, ffn_width=32, context_widths=(8,))
NUM_QUESTIONS = len(QUESTIONS)


@pytest.fixture
def video():
    return VideoTransformer(SMALL)


@pytest.fixture
def recall(video):
    return Recall(video.blocks, video.config.width, QUESTIONS)


def look(video):
    """One forward pass over two noisy clips with one context token each."""
    return video(torch.randn(2, 16, 1, 4, 4), torch.rand(2), Context(torch.randn(2, 3, 32)))


def test_what_the_middle_block_knows_teaches_it_and_those_before_and_none_behind(video, recall):
    look(video)
    recall(torch.zeros(2, NUM_QUESTIONS, dtype=torch.int64)).backward()
    reached = [block.cross_attention.out.weight.grad is not None for block in video.blocks]
    assert reached == [True, True, False]
    assert video.head.project.weight.grad is None


def test_each_forward_pass_is_asked_once(video, recall):
    look(video)
    recall(torch.zeros(2, NUM_QUESTIONS, dtype=torch.int64))
    with pytest.raises(RuntimeError, match="forward pass"):
        recall(torch.zeros(2, NUM_QUESTIONS, dtype=torch.int64))


def test_a_question_without_an_answer_costs_nothing(video, recall):
    classes = torch.zeros(2, NUM_QUESTIONS, dtype=torch.int64)
    torch.manual_seed(1)
    look(video)
    whole = recall(classes)
    torch.manual_seed(1)
    look(video)
    assert recall(torch.full_like(classes, NO_ANSWER)) == 0 < whole


def test_the_transformer_keeps_its_output_and_its_weights(video):
    torch.manual_seed(1)
    video.head.project.weight.data.normal_()
    plain, names = look(video), list(video.state_dict())
    Recall(video.blocks, video.config.width, QUESTIONS)
    torch.manual_seed(1)
    video.head.project.weight.data.normal_()
    assert_close(look(video), plain, rtol=0, atol=0)
    assert list(video.state_dict()) == names
