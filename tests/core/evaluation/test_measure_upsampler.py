import pytest
import torch

from moviegen_core.evaluation import measure_upsampler as measures
from moviegen_core.evaluation.measure_upsampler import measure_upsampler
from moviegen_core.evaluation.work import Work
from moviegen_core.stages.upscale import Upscaler, resampler


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(measures, "SMALL_SIZE", (32, 48))
    monkeypatch.setattr(measures, "NUM_FRAMES", 6)


def test_bicubic_wins_nothing_over_bicubic_and_is_as_steady_as_its_source():
    found = measure_upsampler(resampler("bicubic"), 2, None, Work(2))
    assert found.theatre.decibels == pytest.approx(0, abs=1e-6)
    assert found.theatre.flicker == pytest.approx(1, abs=0.1)
    assert [bar.is_met for bar in found.bars()] == [False, None]


def test_who_knows_the_large_clip_wins_and_nearest_neighbour_loses():
    (small, large), *_ = measures.theatre_pairs(1)
    oracle = Upscaler(
        name="oracle",
        content="",
        factor=2,
        window=6,
        enlarge=lambda _clip, piece: large[:, piece.frame : piece.frame + 6],
    )
    assert small.shape == (3, 6, 32, 48)
    assert measure_upsampler(oracle, 1, None, Work(2)).theatre.decibels > 3
    nearest = Upscaler(
        name="nearest",
        content="",
        factor=2,
        enlarge=lambda clip, _piece: clip.repeat_interleave(2, -1).repeat_interleave(2, -2),
    )
    assert measure_upsampler(nearest, 1, None, Work(2)).theatre.decibels < 0


def test_small_and_large_clips_of_footage_show_the_same():
    class Shots:
        def clips(self):
            return {"noise": (torch.randint(0, 256, (9, 50, 70, 3), dtype=torch.uint8), 16)}

    ((small, large),) = measures.footage_pairs(Shots())
    assert (small.shape, large.shape) == ((3, 6, 24, 32), (3, 6, 48, 64))
