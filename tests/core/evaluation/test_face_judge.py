"""What the judge of faces is asked, and what it learns from."""

import random
from dataclasses import replace

import pytest
import torch

from moviegen_core.errors import WeightsError
from moviegen_core.evaluation import train_face_judge as training
from moviegen_core.evaluation.face_judge import ask_faces, face_verdicts, most_seen, open_face_judge
from moviegen_core.models.face_judge import FACE_JUDGE_PRESETS, FaceJudge
from moviegen_core.models.tae import TemporalAutoencoder
from moviegen_core.theatre.questions import FACE_QUESTIONS, SQUARE_QUESTIONS, face_answers, square_classes
from moviegen_core.theatre.sampling import draw_person
from moviegen_core.theatre.scene import Person
from moviegen_core.training.loop import LoopConfig, new_run, train_step
from moviegen_core.training.optimizer import OptimizerConfig
from moviegen_core.training.run import Session
from moviegen_core.weights.files import save_model
from tests.core.evaluation.conftest import TAE

SMALL = replace(FACE_JUDGE_PRESETS["nano"], size=16, widths=(4, 8), num_told=4, num_hidden=8)
LOOP = LoopConfig(optimizer=OptimizerConfig(learning_rate=3e-3), num_steps=2, warmup_steps=0)
RECIPE = replace(
    training.FACE_JUDGE_NANO,
    loop=LOOP,
    batch=12,
    group_size=1,
    num_views=2,
    first_groups=3,
    most_groups=3,
    steps_per_group=1,
)
PERSON = Person(skin="tan", hair_colour="red", hair_style="long", eyes="blue", glasses=True, hat="cap")


@pytest.fixture
def judge():
    torch.manual_seed(0)
    return FaceJudge(SMALL).eval()


def test_the_majority_of_frames_is_believed_question_by_question():
    frames = [
        {"hat": "cap", "eyes": "blue"},
        {"hat": "none", "eyes": "blue"},
        {"hat": "cap", "eyes": "green"},
    ]
    assert most_seen(frames) == {"hat": "cap", "eyes": "blue"}
    assert most_seen([]) == {}


def test_every_answer_about_a_face_that_is_not_there_is_wrong():
    assert set(face_verdicts({}, PERSON).values()) == {False}
    assert set(face_verdicts({}, PERSON)) == set(FACE_QUESTIONS)


def test_verdicts_are_right_where_the_answer_is():
    seen = face_answers(PERSON) | {"hat": "none"}
    assert [name for name, right in face_verdicts(seen, PERSON).items() if not right] == ["hat"]


def test_answers_are_words_of_the_theatre(judge):
    for answers in ask_faces(judge, torch.rand(5, 3, 16, 16) * 2 - 1):
        assert all(answer in SQUARE_QUESTIONS[name] for name, answer in answers.items())


def test_a_judge_of_other_words_is_refused(tmp_path):
    config = replace(SMALL, num_answers=(2, 4, 5, 4, 3, 2, 9))
    save_model(tmp_path / "j.safetensors", "face_judge", FaceJudge(config))
    with pytest.raises(WeightsError, match="train the judge again"):
        open_face_judge(tmp_path / "j.safetensors")


def test_a_missing_judge_is_refused(tmp_path):
    with pytest.raises(WeightsError, match=r"none\.safetensors"):
        open_face_judge(tmp_path / "none.safetensors")


def test_whatever_is_cut_out_as_a_hit_holds_the_middle_of_the_face_in_many_places():
    wide = torch.full((400, 3, 96, 96), -1.0)
    wide[:, :, 46:50, 46:50] = 1.0
    places, hits = training.cuts(400, torch.Generator().manual_seed(0))
    cut = training.cut_out(wide, places, 48)[hits]
    assert cut.shape[1:] == (3, 48, 48)
    assert (cut.amax((1, 2, 3)) > 0.9).all()
    assert len(cut[:, 0].flatten(1).argmax(1).unique()) > 50


def test_cuts_that_miss_lie_beside_are_too_wide_or_too_near():
    places, hits = training.cuts(2000, torch.Generator().manual_seed(0))
    away, side = places[:, :2].abs().amax(1), places[:, 2]
    assert (away[hits] <= training.ASIDE).all()
    assert ((side >= training.NEAR) & (side <= training.FAR))[hits].all()
    wide, near = side >= training.TOO_WIDE[0], side <= training.TOO_NEAR[1]
    beside = away >= training.BESIDE[0]
    assert (wide | near | beside)[~hits].all()
    assert min(int((one & ~hits).sum()) for one in (wide, near, beside)) > 60
    assert float(hits.float().mean()) == pytest.approx(1 - training.MISSED, abs=0.05)
    below = places[:, 0] >= training.BESIDE[0]
    assert int(below.sum()) > int((beside & ~below).sum())


def test_the_face_s_own_square_is_cut_out_as_it_is_or_mirrored():
    wide = torch.rand(1, 3, 96, 96).expand(2, -1, -1, -1)
    own = wide[0, :, 32:64, 32:64]
    mirrored, plain = training.cut_out(wide, torch.tensor([[0.0, 0.0, 1.0]] * 2), 32)
    assert torch.allclose(plain, own, atol=1e-4)
    assert torch.allclose(mirrored, own.flip(-1), atol=1e-4)


def test_a_cut_further_down_shows_what_is_further_down():
    wide = torch.linspace(-1, 1, 96)[None, None, :, None].expand(1, 3, -1, 96)
    here, below = (training.cut_out(wide, torch.tensor([[down, 0.0, 1.0]]), 32) for down in (0.0, 0.5))
    assert below.mean() > here.mean() + 0.2


def test_a_batch_depends_on_its_step_alone(judge):
    early, late = (training.FacePool(RECIPE, judge) for _ in range(2))
    for step in range(3):
        early.batch(step)
    for one, other in zip(early.batch(3), late.batch(3), strict=True):
        assert torch.equal(one, other)
    assert len(early.groups) <= RECIPE.most_groups


def test_faces_carry_the_labels_of_their_person(judge, monkeypatch):
    monkeypatch.setattr(training, "draw_person", lambda _rng: PERSON)
    pool = training.FacePool(replace(RECIPE, portrait_share=1.0), judge)
    faces, labels = pool.batch(0)
    assert faces.shape == (12, 3, 16, 16)
    hits = labels[:, 0] == 1
    assert 0 < int(hits.sum()) < 12
    assert torch.equal(labels[hits], square_classes([PERSON]).expand(int(hits.sum()), -1))
    assert torch.equal(labels[~hits], square_classes([None]).expand(int((~hits).sum()), -1))


def test_views_of_one_person_are_of_one_person_and_differ():
    views = list(training.stage_views(random.Random(0), 24, 4, None))
    *people, nobody = (person for _, person in views)
    assert nobody is None
    assert 1 <= len(people) <= 4
    assert len({id(person) for person in people}) == 1
    assert not torch.equal(views[0][0], views[1][0])


def test_with_an_autoencoder_a_part_of_the_stage_passes_through_it(judge):
    torch.manual_seed(0)
    recipe = replace(RECIPE, portrait_share=0.0, first_groups=8, most_groups=8, steps_per_group=99, batch=60)
    passed = []

    class Counting(TemporalAutoencoder):
        def decode(self, *args):
            passed.append(1)
            return super().decode(*args)

    training.FacePool(recipe, judge, Counting(TAE)).batch(0)
    assert 0 < len(passed) < 8


def test_a_few_steps_lower_the_loss_of_a_fixed_batch(judge):
    loop = replace(LOOP, num_steps=40)
    state = new_run(judge, loop)
    objective = training.FaceJudgeObjective(judge, replace(RECIPE, portrait_share=1.0))
    losses = [train_step(state, lambda _: objective(0), loop)["total"] for _ in range(8)]
    assert losses[-1] < losses[0]


def test_a_trained_judge_loads_and_a_resumed_run_goes_on(judge, tmp_path, monkeypatch):
    monkeypatch.setitem(FACE_JUDGE_PRESETS, "nano", judge.config)
    steps = []
    training.train_face_judge(tmp_path, Session(minutes=0), recipe=RECIPE)
    resumed = Session(resume=True, on_step=lambda step, _: steps.append(step))
    path = training.train_face_judge(tmp_path, resumed, recipe=RECIPE)
    assert steps == [1, 2]
    assert open_face_judge(path).config == judge.config


def test_portraits_are_painted_as_small_as_faces_on_the_stage():
    wide = training.small_portrait(draw_person(random.Random(0)), random.Random(1), 77)
    assert wide.shape == (3, 77, 77)
    assert wide.std() > 0.1
