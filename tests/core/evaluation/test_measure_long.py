import pytest
import torch

from moviegen_core.evaluation import measure_long as measures
from moviegen_core.evaluation.measure_long import LongMeasures, look, measure_long
from moviegen_core.evaluation.measure_video import GENERATED, RENDERED, held_out_scenes
from moviegen_core.evaluation.report_text import long_lines
from moviegen_core.evaluation.work import Work
from moviegen_core.media.write import frames_from_clip
from moviegen_core.stages.generate import load_text_to_video
from moviegen_core.stages.settings import SamplingSettings
from moviegen_core.theatre.render import render

FAST = SamplingSettings(num_steps=1, guidance=2.0)


class Seer:
    """A judge that sees a ball while the first pixel is dark, else a car."""

    def parameters(self):
        return iter([torch.zeros(1)])

    def __call__(self, clips):
        bright = (clips[:, 0, 0, 0, 0] > 0).long()
        one_hot = torch.nn.functional.one_hot
        names = measures.ASKED
        return {name: one_hot(bright if name == "actor" else 0 * bright, 2).float() for name in names}


@pytest.fixture(autouse=True)
def _parts_of_four(monkeypatch):
    monkeypatch.setattr(measures, "PART_FRAMES", 4)


def test_parts_that_show_another_actor_are_counted_and_a_colour_that_stays_is_kept(monkeypatch):
    questions = {"actor": ("ball", "car"), "colour": ("red", "blue"), "place": ("meadow", "beach")}
    monkeypatch.setattr("moviegen_core.evaluation.judge.QUESTIONS", questions)
    frames = torch.zeros(16, 8, 8, 3, dtype=torch.uint8)
    frames[8:] = 255
    (scene,) = held_out_scenes(1)
    sample = look(Seer(), scene, frames)
    assert [part["actor"] for part in sample.seen] == ["ball", "ball", "car", "car"]
    long = LongMeasures(settings=FAST, shape=measures.LONG, samples={GENERATED: (sample,)})
    assert (long.kept(GENERATED)["actor"].right, long.kept(GENERATED)["actor"].asked) == (1, 3)
    assert long.kept(GENERATED)["place"].share == 1
    assert long.drift(GENERATED, "colour") > 50


def test_a_still_clip_does_not_drift(tiny_judge):
    (scene,) = held_out_scenes(1)
    still = frames_from_clip(render([scene], num_frames=1, fps=16, height=16, width=32)[0]).repeat(
        12, 1, 1, 1
    )
    sample = look(tiny_judge, scene, still)
    assert sample.drift == {"colour": 0.0, "contrast": 1.0}
    assert all(all(part.values()) for part in sample.kept)


@pytest.mark.usefixtures("short")
def test_long_clips_are_made_in_windows_and_told_beside_renders(tiny_cast, tiny_judge):
    models, work = load_text_to_video(tiny_cast), Work(measures.long_work(2))
    assert models.span < models.tae.grid.latent_frames(measures.LONG.num_frames)
    long = measure_long(models, tiny_judge, 2, FAST, work)
    assert work.done == work.total
    assert set(long.samples) == {GENERATED, RENDERED}
    rows = [line for line in long_lines(long) if line.startswith(f"| {RENDERED}")]
    assert f"of {long.right(RENDERED, 0)['actor'].asked} |" in rows[0]
