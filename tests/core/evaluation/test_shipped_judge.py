"""The judge that comes with the package, and what it says of the cast that comes with it."""

import pytest
import torch

from moviegen_core.evaluation.agreement import Agreement, tally
from moviegen_core.evaluation.judge import SHIPPED, ask, open_judge, verdicts
from moviegen_core.evaluation.measure_video import film, generate_scenes, held_out_scenes
from moviegen_core.stages.generate import fast_dtype, load_text_to_video
from moviegen_core.stages.settings import SamplingSettings
from moviegen_core.weights.cast import open_cast

CONTENT = ("actor", "colour", "place")
MEGABYTE = 1_000_000
FEW_STEPS = SamplingSettings(num_steps=20)


@pytest.fixture(scope="module")
def judge():
    return open_judge()


def total(counts):
    return Agreement(sum(one.right for one in counts.values()), sum(one.asked for one in counts.values()))


def test_the_judge_is_small():
    assert SHIPPED.stat().st_size < 6 * MEGABYTE


def test_the_judge_knows_what_it_sees_in_held_out_renders(judge):
    scenes = held_out_scenes(8, first_seed=40_000)
    counts = tally(verdicts(ask(judge, film(scenes)), scenes), (*CONTENT, "action", "camera"))
    assert total(counts).share > 0.85


def test_the_shipped_cast_shows_the_places_and_colours_that_held_out_prompts_ask_for(judge):
    """One in eight and one in ten would be right by chance; actors need more prompts to be counted."""
    models = load_text_to_video(open_cast("nano"), dtype=fast_dtype("cpu"))
    scenes = held_out_scenes(12, first_seed=41_000)
    clips = torch.cat([generate_scenes(models, scenes[i : i + 4], FEW_STEPS, i) for i in (0, 4, 8)])
    counts = tally(verdicts(ask(judge, clips), scenes), ("place", "colour"))
    assert counts["place"].share >= 0.75
    assert counts["colour"].share >= 0.75
