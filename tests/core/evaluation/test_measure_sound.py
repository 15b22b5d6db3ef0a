from dataclasses import replace

import pytest
import torch

from moviegen_core.errors import WeightsError
from moviegen_core.evaluation import measure_sound as module
from moviegen_core.evaluation.agreement import Agreement
from moviegen_core.evaluation.bars import Bar, sound_bars
from moviegen_core.evaluation.measure_sound import (
    DECODED,
    MADE,
    OWN,
    UNASKED,
    SoundMeasures,
    distances,
    measure_sound,
    si_sdr,
    sound_work,
    timing,
)
from moviegen_core.evaluation.report import evaluate
from moviegen_core.evaluation.sound_judge import SOUND_JUDGE, ask_sound, open_sound_judge, sound_verdicts
from moviegen_core.evaluation.train_sound_judge import (
    SOUND_JUDGE_NANO,
    SoundJudgeObjective,
    train_sound_judge,
)
from moviegen_core.evaluation.work import Work
from moviegen_core.models.sound_judge import SOUND_JUDGE_PRESETS, SoundJudge, prepare
from moviegen_core.stages.settings import SamplingSettings
from moviegen_core.stages.sound import load_sound
from moviegen_core.theatre.sampling import sample_scenes
from moviegen_core.theatre.sound.hearing import heard
from moviegen_core.theatre.sound.questions import SOUND_QUESTIONS, right_answers
from moviegen_core.training.loop import LoopConfig, new_run, train_step
from moviegen_core.training.run import Session
from moviegen_core.weights.cast import open_cast
from moviegen_core.weights.files import save_model

TINY_JUDGE = replace(SOUND_JUDGE_PRESETS["nano"], widths=(4, 4, 4, 4), num_hidden=8)
RECIPE = replace(
    SOUND_JUDGE_NANO,
    preset="tiny",
    loop=LoopConfig(optimizer=SOUND_JUDGE_NANO.loop.optimizer, num_steps=2, warmup_steps=0),
    batch=3,
    seconds=1,
    group_size=2,
    first_groups=2,
)


@pytest.fixture
def judge():
    torch.manual_seed(0)
    return SoundJudge(TINY_JUDGE).eval()


@pytest.fixture
def cast(sound_folder):
    return open_cast(sound_folder)


def test_distortion_counts_and_loudness_does_not():
    sound, noise = torch.randn(1, 9000), torch.randn(1, 9000)
    assert si_sdr(sound, sound) == 100
    assert si_sdr(0.1 * sound, sound) == 100
    assert si_sdr(sound + 0.1 * noise, sound) == pytest.approx(20, abs=0.5)
    assert si_sdr(noise, sound) < -20
    assert si_sdr(torch.zeros(1, 9000), sound) <= -90


def test_distances_are_those_to_the_nearest():
    assert distances([0.0, 0.9, 2.0, 9.0], [1.0, 2.1]) == pytest.approx([1.0, 0.1, 0.1, 6.9])
    assert distances([], [1.0]) == []


def test_late_sounds_are_late_missing_ones_are_missed_and_surplus_ones_count():
    one = timing([([0.53, 1.53, 3.0], [0.5, 1.5])])
    assert one.to_impact == pytest.approx(0.03)
    assert one.to_onset == pytest.approx(0.03)
    assert (one.caught.right, one.caught.asked, one.num_onsets) == (2, 2, 3)
    none = timing([([], [0.5]), ([], [0.7])])
    assert (none.to_impact, none.to_onset, none.caught.right, none.num_onsets) == (None, None, 0, 0)


def test_a_bar_that_nothing_may_pass_is_met_from_below():
    bar = Bar(what="x", wanted=40.0, measured=39.0, unit="ms", at_most=True)
    assert bar.is_met
    assert "<= 40.00 ms" in str(bar)
    assert not replace(bar, measured=41.0).is_met
    assert replace(bar, measured=None).is_met is None


def test_the_theatres_own_sound_is_on_time_and_chance_is_not(cast, judge, monkeypatch):
    monkeypatch.setattr(module, "HEIGHT", 16)
    monkeypatch.setattr(module, "WIDTH", 32)
    seen = []
    work = Work(sound_work(4), lambda done, total: seen.append((done, total)))
    settings = SamplingSettings(num_steps=1, guidance=1.0)
    found = measure_sound(load_sound(cast), judge, 4, settings, work)
    assert seen[-1] == (8, 8)
    assert found.timing[OWN].to_onset < 0.01
    assert found.timing[OWN].caught.share > 0.9
    assert found.timing["by chance"].caught.share < 0.9
    assert set(found.agreement) == {MADE, OWN, DECODED}
    assert found.agreement[MADE]["music"].asked == found.agreement[MADE][UNASKED].asked == 4
    assert found.agreement[MADE]["ambience"].asked == 4
    assert [row.what for row in found.codec][:3] == ["effects", "ambience", "music"]
    assert next(bar.what for bar in sound_bars(found)).startswith("sound, median distance")


def test_one_hit_on_time_in_a_silent_clip_meets_one_bar_of_time_and_misses_the_other():
    asked = {question: Agreement(1, 1) for question in ("ambience", "music")}
    sound = SoundMeasures(
        num_scenes=1,
        settings=SamplingSettings(),
        seconds_per_sound=1.0,
        codec=(),
        timing={MADE: timing([([1.0], [1.0, 2.0, 3.0])])},
        agreement={MADE: asked, OWN: asked},
    )
    to_impact, caught = list(sound_bars(sound))[:2]
    assert to_impact.is_met
    assert caught.measured == 1 / 3
    assert not caught.is_met


def test_a_cast_with_sound_has_it_in_its_report_and_one_without_does_not(
    cast, judge, tiny_cast, tmp_path, monkeypatch
):
    save_model(tmp_path / SOUND_JUDGE.name, "sound_judge", judge)
    monkeypatch.setattr(module, "HEIGHT", 16)
    monkeypatch.setattr(module, "WIDTH", 32)
    quick = SamplingSettings(num_steps=1, guidance=1.0)
    measure = module.measure_sound
    monkeypatch.setattr(
        "moviegen_core.evaluation.report.measure_sound",
        lambda models, asked, count, _settings, work: measure(models, asked, count, quick, work),
    )
    report = evaluate(cast, ["audio"], count=4, judge=tmp_path / "judge.safetensors")
    assert "## Sound" in report.markdown()
    assert '"sound"' in report.to_json()
    silent = evaluate(tiny_cast, ["audio_codec"], count=4, judge=tmp_path / "judge.safetensors")
    assert silent.sound is None
    assert silent.unmeasured == ("audio_codec",)
    assert "## Sound" not in silent.markdown()


def test_a_judge_answers_every_question_of_the_theatre_and_loads_from_its_file(judge, tmp_path):
    save_model(tmp_path / "j.safetensors", "sound_judge", judge)
    loaded = open_sound_judge(tmp_path / "j.safetensors")
    sounds = 0.1 * torch.randn(3, 1, 48000)
    answers = ask_sound(loaded, sounds)
    assert len(answers) == 3
    assert all(answers[0][name] in options for name, options in SOUND_QUESTIONS.items())
    scene = sample_scenes(0, 1)[0]
    truth = right_answers(heard(scene, 6))
    assert sound_verdicts([truth], [heard(scene, 6)]) == [dict.fromkeys(truth, True)]


def test_a_judge_of_other_words_is_refused(tmp_path):
    config = replace(TINY_JUDGE, num_answers=(8, 5, 4, 2, 2, 2, 2, 3))
    save_model(tmp_path / "j.safetensors", "sound_judge", SoundJudge(config))
    with pytest.raises(WeightsError, match="train the judge again"):
        open_sound_judge(tmp_path / "j.safetensors")


@pytest.mark.parametrize("num_samples", [1, 4000, 48000, 96001])
def test_sounds_of_any_length_can_be_judged(judge, num_samples):
    sound = 0.1 * torch.randn(2, 1, num_samples)
    assert prepare(sound, TINY_JUDGE).shape[:2] == (2, 64)
    assert all(scores.isfinite().all() for scores in judge(sound).values())


def test_a_few_steps_teach_a_judge_one_batch(judge):
    objective = SoundJudgeObjective(judge.train(), RECIPE, None)
    loop = replace(RECIPE.loop, num_steps=60)
    state = new_run(judge, loop)
    losses = [train_step(state, lambda _: objective(0), loop)["total"] for _ in range(30)]
    assert losses[-1] < 0.5 * losses[0]


def test_training_writes_a_judge_that_loads(monkeypatch, sound_folder, tmp_path):
    monkeypatch.setitem(SOUND_JUDGE_PRESETS, "tiny", TINY_JUDGE)
    recipe = replace(RECIPE, decoded_share=0.5)
    path = train_sound_judge(
        tmp_path, Session(), recipe=recipe, codec=sound_folder / "audio_codec.safetensors"
    )
    judge = open_sound_judge(path)
    assert judge.config == TINY_JUDGE
    assert all(parameter.isfinite().all() for parameter in judge.parameters())
