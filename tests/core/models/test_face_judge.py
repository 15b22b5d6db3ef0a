from dataclasses import replace

import pytest
import torch

from moviegen_core.errors import SettingsError
from moviegen_core.models.face_judge import FACE_JUDGE_PRESETS, FaceJudge
from moviegen_core.models.identity import IDENTITY_PRESETS, IdentityEncoder

NANO = FACE_JUDGE_PRESETS["nano"]
SMALL = replace(NANO, size=16, widths=(4, 8), num_told=4, num_hidden=8)


def test_every_question_gets_a_score_for_each_answer_and_faces_matter():
    judge = FaceJudge(SMALL)
    scores = judge(torch.rand(3, 3, 16, 16) * 2 - 1)
    assert {name: tuple(one.shape) for name, one in scores.items()} == {
        name: (3, count) for name, count in zip(NANO.questions, NANO.num_answers, strict=True)
    }
    assert not torch.allclose(scores["hat"][0], scores["hat"][1])


def test_every_parameter_lives_in_a_layer_of_the_host(operations, strays):
    assert strays(FaceJudge(SMALL, operations=operations)) == []


def test_the_judge_shares_no_tensor_with_the_encoder_it_judges():
    judge, encoder = FaceJudge(NANO), IdentityEncoder(IDENTITY_PRESETS["nano"])
    assert not set(judge.state_dict()) & set(encoder.state_dict())


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("num_answers", (2,), "face judge config: 7 questions and 1 answer counts"),
        ("questions", ("hat",) * 7, '"face" is not among'),
        ("size", 50, "size 50 must be a multiple of 8"),
        ("widths", (24, 50), r"widths \(24, 50\) of 4"),
    ],
)
def test_configs_that_do_not_fit_are_refused(field, value, told):
    with pytest.raises(SettingsError, match=told):
        replace(NANO, **{field: value})


def test_how_surely_it_is_a_face_is_yes_over_no():
    torch.manual_seed(0)
    judge, faces = FaceJudge(SMALL), torch.rand(5, 3, 16, 16) * 2 - 1
    scores, sure = judge.look(faces)
    assert torch.allclose(sure.sigmoid(), scores["face"].softmax(1)[:, 1])
