"""An edit is there when it is there, and what was to stay is measured where it was to stay."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from moviegen_core.evaluation import measure_edit as measuring
from moviegen_core.evaluation.judge import ask
from moviegen_core.evaluation.measure_edit import (
    CHANGED,
    MARGIN,
    changed_region,
    held_out_edits,
    is_nearer,
    judged,
    measure_edit,
    psnr_where,
)
from moviegen_core.evaluation.report import Report
from moviegen_core.evaluation.report_text import edit_lines
from moviegen_core.evaluation.sheet import edit_sheet
from moviegen_core.evaluation.work import Work
from moviegen_core.geometry import ClipShape
from moviegen_core.stages.settings import SamplingSettings
from moviegen_core.theatre.holdouts import is_held_out
from moviegen_core.theatre.questions import right_answers
from moviegen_core.theatre.render import render

SMALL = ClipShape(num_frames=9, fps=16, height=32, width=48)
NUM_EDITS = 6


def film(scenes, device="cpu"):
    return render(scenes, num_frames=9, fps=16, height=32, width=48, device=device)


@pytest.fixture
def measured(monkeypatch, tiny_judge):
    """``measure_edit`` with an editor of the test's own, and an autoencoder that changes nothing."""

    def run(editor):
        by_words = {edit.instruction: edit for edit in held_out_edits(NUM_EDITS)}
        monkeypatch.setattr(measuring, "SHAPE", SMALL)
        monkeypatch.setattr(measuring, "film", film)
        monkeypatch.setattr(measuring, "reconstruct", lambda _tae, clip: clip)
        monkeypatch.setattr(
            measuring,
            "edit_clip",
            lambda _models, clip, words, *_: editor(clip, film([by_words[words].target])[0]),
        )
        models = SimpleNamespace(device="cpu", tae=None)
        return measure_edit(models, tiny_judge, NUM_EDITS, SamplingSettings(num_steps=1), Work(NUM_EDITS))

    return run


def test_edits_are_held_out_and_of_an_actor_that_the_judge_looks_at():
    edits = held_out_edits(40)
    assert all(is_held_out(edit.target) for edit in edits)
    for edit in edits:
        if edit.task in ("recolour", "swap"):
            assert edit.source.actors[0] != edit.target.actors[0]


def test_outside_the_region_nothing_differs_and_around_it_there_is_a_margin():
    source, target = torch.zeros(3, 2, 40, 40), torch.zeros(3, 2, 40, 40)
    target[1, 0, 20, 20] = 2 * CHANGED
    inside = changed_region(source, target)
    assert inside[0].sum() == (2 * MARGIN + 1) ** 2
    assert not inside[1].any()
    assert inside[0, 20 - MARGIN, 20 + MARGIN]


def test_psnr_counts_the_chosen_pixels_alone():
    a, b = torch.zeros(3, 1, 10, 10), torch.zeros(3, 1, 10, 10)
    where = torch.zeros(1, 10, 10, dtype=torch.bool)
    where[:, :5] = True
    b[:, :, :5] += 0.2
    b[:, :, 5:] += 1.9
    assert psnr_where(a, b, where) == pytest.approx(20.0, abs=1e-3)
    where[:] = False
    where[0, 0, :9] = True
    assert psnr_where(a, b, where) is None


def test_nearer_is_asked_inside_the_region_alone():
    soft = {"source": torch.zeros(3, 1, 8, 8), "target": torch.ones(3, 1, 8, 8)}
    inside = torch.zeros(1, 8, 8, dtype=torch.bool)
    inside[0, :2] = True
    made = torch.zeros(3, 1, 8, 8)
    made[:, :, :2] = 0.6
    assert is_nearer(made, soft, inside)
    assert not is_nearer(made, soft, ~inside)


def test_the_judge_is_asked_for_what_was_to_change_and_not_of_comings_and_goings(tiny_judge):
    clip = torch.rand(3, 9, 32, 48) * 2 - 1
    seen = ask(tiny_judge, clip[None])[0]
    for edit in held_out_edits(40):
        found, question = judged(tiny_judge, edit, clip), measuring.ASKED_BY_TASK.get(edit.task)
        wanted = right_answers(edit.target)
        if question not in wanted:
            assert found == {}
        else:
            assert found == {"judge": seen[question] == wanted[question]}


def test_a_perfect_editor_changes_what_it_must_and_keeps_the_rest(measured):
    found = measured(lambda _source, target: target)
    told = found.agreement()["nearer"]
    assert told.right == told.asked == NUM_EDITS
    kept = [sample.kept for sample in found.samples if sample.kept is not None]
    assert kept
    assert min(kept) > 40


def test_who_does_nothing_keeps_everything_and_changes_nothing(measured):
    found = measured(lambda source, _target: source)
    assert found.agreement()["nearer"].right == 0
    assert found.kept() == pytest.approx(100.0)


def test_who_spoils_everything_loses_the_rest(measured):
    found = measured(lambda _source, target: (target + 0.4).clamp(-1, 1))
    assert found.kept() < 20


def test_the_report_says_it_task_by_task_and_shows_it(measured, report):
    found = measured(lambda _source, target: target)
    text = "\n".join(edit_lines(found))
    assert f"{NUM_EDITS} held-out edits" in text
    assert "| recolour |" in text
    with_edits: Report = replace(report, edit=found)
    assert "edit, asked change present" in with_edits.markdown()
    assert '"edits": [' in with_edits.to_json()
    assert with_edits.sheets()["-edits"].size == edit_sheet(found.samples).size
