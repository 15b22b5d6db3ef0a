"""Reports say what was measured, under which circumstances, and what is missed."""

import json

import pytest
import torch

from moviegen_core.errors import MediaError, SettingsError
from moviegen_core.evaluation.agreement import Agreement
from moviegen_core.evaluation.bars import PROMPT_BARS, Bar, video_bars
from moviegen_core.evaluation.measure_tae import PICTURES, Quality, TaeMeasures
from moviegen_core.evaluation.measure_video import (
    ALL,
    GENERATED,
    GROUPS,
    MOVING,
    PLAIN,
    SOURCES,
    VideoMeasures,
    generate_scenes,
    grouped,
    held_out_scenes,
    stills,
)
from moviegen_core.evaluation.report import Report, evaluate
from moviegen_core.evaluation.sheet import contact_sheet
from moviegen_core.stages.generate import load_text_to_video
from moviegen_core.stages.settings import SamplingSettings
from moviegen_core.theatre.holdouts import is_held_out
from moviegen_core.theatre.questions import QUESTIONS

FAST = SamplingSettings(num_steps=1, guidance=2.0)


def test_prompts_are_held_out_scenes_of_one_actor_in_the_order_of_their_seeds():
    scenes = held_out_scenes(30)
    assert all(is_held_out(scene) and len(scene.actors) == 1 for scene in scenes)
    assert scenes[:10] == held_out_scenes(10)


def test_a_report_holds_numbers_of_every_role_and_names_its_circumstances(report, tmp_path):
    text = report.markdown()
    for words in (
        "tiny",
        "torch",
        "guidance 2",
        "1 step",
        "5 prompts",
        "Frame counts 1..3",
        "Real footage: not",
    ):
        assert words in text
    assert "Missed: TAE, theatre 192x112" in text
    assert [path.name for path in report.write(tmp_path / "REPORT.md")] == [
        "REPORT.md",
        "REPORT.json",
        "REPORT.jpg",
    ]


def test_the_json_holds_the_same_counts(report):
    raw = json.loads(report.to_json())
    assert set(raw["video"]["agreement"]) == set(SOURCES)
    counted = raw["video"]["agreement"][GENERATED][ALL]["place"]
    assert counted["asked"] == 5
    assert raw["tae"]["frame_counts"]["wrong"] == []


@pytest.mark.usefixtures("short")
def test_only_the_roles_asked_for_are_measured(tiny_cast, judge_file):
    report = evaluate(tiny_cast, ["tae"], count=1, judge=judge_file)
    assert report.video is None
    assert not report.sheets()
    assert "Prompt" not in report.markdown()


def test_a_role_that_nothing_measures_is_said(tiny_cast, judge_file):
    report = evaluate(tiny_cast, ["audio"], judge=judge_file)
    assert "Not measured: audio" in report.markdown()


@pytest.mark.usefixtures("short")
def test_progress_reaches_its_total(tiny_cast, judge_file):
    seen = []
    evaluate(
        tiny_cast, count=2, settings=FAST, judge=judge_file, on_progress=lambda *counts: seen.append(counts)
    )
    assert [done for done, _ in seen] == list(range(1, len(seen) + 1))
    assert seen[-1][0] == seen[-1][1]


@pytest.mark.usefixtures("short")
def test_the_same_cast_measures_the_same_twice(tiny_cast, judge_file):
    first, second = (
        evaluate(tiny_cast, ["video"], count=2, settings=FAST, judge=judge_file) for _ in range(2)
    )
    assert first.video.agreement == second.video.agreement
    assert torch.equal(first.video.samples[1].stills, second.video.samples[1].stills)


@pytest.mark.usefixtures("short")
def test_a_clip_does_not_depend_on_its_batch(tiny_cast):
    models, scenes = load_text_to_video(tiny_cast), held_out_scenes(3)
    together = generate_scenes(models, scenes, FAST)
    alone = generate_scenes(models, scenes[2:], FAST, offset=2)
    assert torch.allclose(together[2], alone[0], atol=1e-4)


def test_nothing_is_measured_with_a_count_of_zero(tiny_cast):
    with pytest.raises(SettingsError, match="count 0"):
        evaluate(tiny_cast, count=0)


def test_a_report_is_refused_under_another_ending(report, tmp_path):
    with pytest.raises(MediaError, match="does not end in"):
        report.write(tmp_path / "report.txt")


def test_bars_are_met_missed_or_not_measured():
    bars = [Bar(what="x", wanted=0.85, measured=value, unit="%") for value in (0.85, 0.84, None)]
    assert [bar.is_met for bar in bars] == [True, False, None]
    assert ["met" in str(bars[0]), "MISSED" in str(bars[1]), "not measured" in str(bars[2])] == [True] * 3


def measures(**counts):
    """Video measures where every source answers alike."""
    row = {question: counts.get(question, Agreement(0, 0)) for question in QUESTIONS}
    agreement = {source: dict.fromkeys(GROUPS, row) for source in SOURCES}
    return VideoMeasures(num_clips=1, settings=FAST, seconds_per_clip=1.0, agreement=agreement, samples=())


def test_a_question_that_was_never_asked_neither_meets_nor_misses_its_bar():
    bars = {
        bar.what: bar.is_met for bar in video_bars(measures(actor=Agreement(9, 10), action=Agreement(7, 10)))
    }
    assert bars["prompt -> clip, actor"] is True
    assert bars["prompt -> clip, action"] is False
    assert bars["prompt -> clip, colour"] is None


def test_a_report_without_misses_says_none():
    good = dict.fromkeys(PROMPT_BARS, Agreement(100, 100))
    report = Report(cast="x", facts={}, tae=None, video=measures(**good), unmeasured=())
    assert "Missed: none." in report.markdown().splitlines()


def test_footage_counts_shots_and_not_pictures():
    def row(what, decibels):
        return Quality(what=what, num_clips=1, psnr=decibels, ssim=1.0)

    shots = (row("a", 20.0), row("b", 30.0), row(PICTURES, 99.0))
    values = {
        "theatre": row("", 1.0),
        "others": (),
        "frame_counts": None,
        "latent_mean": 0.0,
        "latent_std": 1.0,
    }
    assert TaeMeasures(footage=shots, **values).footage_psnr == 25.0
    assert TaeMeasures(footage=(), **values).footage_psnr is None


def test_scenes_are_counted_in_each_group_they_belong_to():
    scenes = held_out_scenes(40)
    groups = grouped([{"place": True}] * 40, scenes)
    assert groups[ALL]["place"] == Agreement(40, 40)
    assert groups[PLAIN]["place"].asked == sum(scene.look == "plain" for scene in scenes)
    assert groups[MOVING]["place"].asked == sum(scene.camera != "static shot" for scene in scenes)


def test_stills_run_from_the_first_frame_to_the_last():
    clip = torch.arange(10.0).view(1, 10, 1, 1).expand(3, 10, 2, 2)
    assert stills(clip)[:, 0, 0, 0].tolist() == [0, 3, 6, 9]


def test_the_sheet_has_room_for_every_clip(report):
    samples = report.video.samples
    one, five = contact_sheet(samples[:1], 3), contact_sheet(samples, 3)
    assert five.width == one.width
    assert five.height > 1.8 * one.height
