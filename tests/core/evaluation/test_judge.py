"""What the judge looks at, what it answers, and what counts as right."""

from dataclasses import replace

import pytest
import torch

from moviegen_core.errors import SettingsError, WeightsError
from moviegen_core.evaluation.judge import ask, open_judge, verdicts
from moviegen_core.models.judge import JUDGE_PRESETS, Judge, prepare
from moviegen_core.theatre.questions import CAPTION_QUESTIONS, QUESTIONS, right_answers
from moviegen_core.theatre.sampling import sample_scenes
from moviegen_core.weights.files import save_model

NANO = JUDGE_PRESETS["nano"]


@pytest.mark.parametrize("shape", [(32, 112, 192), (1, 40, 40), (65, 30, 17), (7, 200, 24)])
def test_clips_of_any_size_and_length_are_judged(tiny_judge, shape):
    logits = tiny_judge(torch.zeros(2, 3, *shape))
    assert {name: tuple(scores.shape) for name, scores in logits.items()} == {
        name: (2, len(answers)) for name, answers in QUESTIONS.items()
    }


@pytest.mark.parametrize("size", [(112, 192), (144, 144), (192, 112), (56, 96)])
def test_what_is_prepared_stays_as_it_is(size):
    clip = torch.rand(1, 3, 20, *size) * 2 - 1
    once = prepare(clip, NANO)
    assert once.shape[-2] * once.shape[-1] == pytest.approx(NANO.num_pixels, rel=0.05)
    assert torch.equal(prepare(once, NANO), once)


def test_every_second_of_32_frames_is_looked_at():
    clip = torch.arange(32.0).view(1, 1, 32, 1, 1).expand(1, 3, 32, 56, 96)
    assert prepare(clip, NANO)[0, 0, :, 0, 0].tolist() == list(range(0, 32, 2))


def test_a_motion_and_its_reverse_look_different_to_the_judge(tiny_judge):
    clip = torch.rand(1, 3, 16, 56, 96) * 2 - 1
    assert not torch.allclose(tiny_judge(clip)["camera"], tiny_judge(clip.flip(2))["camera"])


def test_clips_are_judged_one_by_one(tiny_judge):
    clips = torch.rand(3, 3, 16, 56, 96) * 2 - 1
    apart = [ask(tiny_judge, clip[None])[0] for clip in clips]
    assert ask(tiny_judge, clips) == apart


def test_a_black_and_white_clip_has_no_right_colour():
    scene = sample_scenes(0, 1)[0]
    assert set(right_answers(replace(scene, look="plain"))) == set(QUESTIONS)
    assert set(QUESTIONS) - set(right_answers(replace(scene, look="black-and-white"))) == {"colour"}


def test_the_right_answers_are_answers_of_the_vocabulary_and_are_judged_right():
    for scene in sample_scenes(0, 20):
        answers = right_answers(scene)
        assert all(answer in CAPTION_QUESTIONS[name] for name, answer in answers.items())
        assert verdicts([{name: QUESTIONS[name][0] for name in QUESTIONS} | answers], [scene]) == [
            dict.fromkeys(answers.keys() & QUESTIONS.keys(), True)
        ]


def test_the_preset_asks_what_the_theatre_knows():
    assert dict(zip(NANO.questions, NANO.num_answers, strict=True)) == {
        name: len(answers) for name, answers in QUESTIONS.items()
    }


def test_a_judge_of_another_vocabulary_is_refused(tmp_path):
    path = tmp_path / "judge.safetensors"
    save_model(path, "judge", Judge(replace(NANO, questions=("place",), num_answers=(3,), widths=(8, 8, 8))))
    with pytest.raises(WeightsError, match="train the judge again"):
        open_judge(path)


def test_a_saved_judge_answers_as_before(tiny_judge, judge_file):
    clip = torch.rand(2, 3, 16, 56, 96) * 2 - 1
    assert ask(open_judge(judge_file), clip) == ask(tiny_judge, clip)


def test_contradicting_configs_are_refused():
    with pytest.raises(SettingsError, match="one count for each"):
        replace(NANO, num_answers=(3,))
    with pytest.raises(SettingsError, match="num_heads"):
        replace(NANO, num_heads=3)
