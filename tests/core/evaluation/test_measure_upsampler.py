import json
from dataclasses import replace

import pytest
import torch

from moviegen_core.evaluation import measure_upsampler as measures
from moviegen_core.evaluation.bars import upsampler_bars
from moviegen_core.evaluation.measure_upsampler import measure_upsampler
from moviegen_core.evaluation.report import evaluate
from moviegen_core.evaluation.work import Work
from moviegen_core.models.upsampler import UPSAMPLER_PRESETS
from moviegen_core.stages.upscale import Upscaler, resampler
from moviegen_core.weights.build import build
from moviegen_core.weights.cast import open_cast, write_cast
from moviegen_core.weights.files import save_model


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(measures, "SMALL_SIZE", (32, 48))
    monkeypatch.setattr(measures, "NUM_FRAMES", 6)


def test_bicubic_wins_nothing_over_bicubic_and_is_as_steady_as_its_source():
    found = measure_upsampler(resampler("bicubic"), 2, None, Work(2))
    assert found.theatre.decibels == pytest.approx(0, abs=1e-6)
    assert found.theatre.flicker == pytest.approx(1, abs=0.2)
    assert [bar.is_met for bar in upsampler_bars(found)] == [False, None, True]


def test_who_knows_the_large_clip_wins_and_nearest_neighbour_loses():
    (_, (small, large)), *_ = measures.theatre_pairs(1)
    oracle = Upscaler(
        name="oracle",
        content="",
        factor=2,
        window=6,
        enlarge=lambda _clip, piece: large[:, piece.frame : piece.frame + 6],
    )
    assert small.shape == (3, 6, 32, 48)
    known = measure_upsampler(oracle, 1, None, Work(2)).theatre
    assert known.decibels > 3
    assert known.flicker == pytest.approx(1, abs=0.02)
    nearest = Upscaler(
        name="nearest",
        content="",
        factor=2,
        enlarge=lambda clip, _piece: clip.repeat_interleave(2, -1).repeat_interleave(2, -2),
    )
    assert measure_upsampler(nearest, 1, None, Work(2)).theatre.decibels < 0


def test_progress_counts_what_was_announced():
    work = Work(measures.upsampler_work(2, None))
    measure_upsampler(resampler("lanczos"), 2, None, work)
    assert work.done == work.total


def test_a_sample_shows_where_bicubic_went_most_astray(monkeypatch):
    monkeypatch.setattr(measures, "SHOWN_SIDE", 16)
    (sample,) = measure_upsampler(resampler("lanczos"), 1, None, Work(1)).theatre.samples
    (_, (_, large)), *_ = measures.theatre_pairs(1)
    frame = large[:, large.shape[1] // 2]
    places = [
        (top, left)
        for top in range(frame.shape[1] - 15)
        for left in range(frame.shape[2] - 15)
        if torch.equal(frame[:, top : top + 16, left : left + 16], sample.true)
    ]
    assert places
    assert (sample.bicubic - sample.true).square().mean() > 0
    assert (sample.made - sample.true).square().mean() < 1


def test_a_report_of_a_cast_with_an_upsampler_tells_its_gain_and_shows_crops(tmp_path):
    tiny = replace(UPSAMPLER_PRESETS["nano"], width=16, num_layers=1, num_heads=2, ffn_width=16)
    save_model(tmp_path / "up.safetensors", "upsampler", build("upsampler", tiny, device="cpu"))
    write_cast(tmp_path, "tiny", {"upsampler": "up.safetensors"})
    report = evaluate(open_cast(tmp_path), count=4)
    row = report.upsampler.theatre
    assert f"| theatre | 1 | {row.psnr:.2f} dB | {row.bicubic_psnr:.2f} dB |" in report.markdown()
    assert json.loads(report.to_json())["upsampler"]["theatre"]["psnr"] == row.psnr
    assert set(report.sheets()) == {"-upscaled"}


def test_small_and_large_clips_of_footage_show_the_same():
    class Shots:
        def clips(self):
            return {"noise": (torch.randint(0, 256, (9, 50, 70, 3), dtype=torch.uint8), 16)}

    ((name, (small, large)),) = measures.footage_pairs(Shots())
    assert name == "noise"
    assert (small.shape, large.shape) == ((3, 6, 24, 32), (3, 6, 48, 64))
