"""A tiny cast and a judge with random weights, and measurements cut short."""

from dataclasses import replace
from fractions import Fraction

import pytest
import torch

from moviegen_core.evaluation import measure_long, measure_tae, measure_video
from moviegen_core.evaluation.report import evaluate
from moviegen_core.geometry import ClipShape
from moviegen_core.models.judge import JUDGE_PRESETS, Judge
from moviegen_core.models.tae import TAE_PRESETS
from moviegen_core.models.text import TEXT_PRESETS
from moviegen_core.models.video import VIDEO_PRESETS
from moviegen_core.stages.settings import SamplingSettings
from moviegen_core.weights.build import build
from moviegen_core.weights.cast import open_cast, write_cast
from moviegen_core.weights.files import save_model

TAE = replace(
    TAE_PRESETS["nano"],
    encoder_widths=(8, 8, 16, 16),
    decoder_widths=(8, 8, 16, 16),
    encoder_blocks=(1, 0, 0, 0),
    decoder_blocks=(1, 0, 0, 0),
    head_width=8,
)
TEXT = replace(TEXT_PRESETS["nano"], width=16, num_layers=1, num_heads=2, ffn_width=16)
VIDEO = replace(
    VIDEO_PRESETS["nano"],
    width=16,
    num_layers=1,
    num_heads=2,
    ffn_width=16,
    context_widths=(16,),
    table_sizes=(2, 3, 3),
)
TINY = {"tae": TAE, "text": TEXT, "video": VIDEO}


@pytest.fixture(scope="session")
def tiny_judge():
    torch.manual_seed(0)
    return Judge(replace(JUDGE_PRESETS["nano"], widths=(8, 8, 8), num_blocks=1, num_heads=2)).eval()


@pytest.fixture(scope="session")
def tiny_cast(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny-cast")
    torch.manual_seed(0)
    for role, config in TINY.items():
        save_model(folder / f"{role}.safetensors", role, build(role, config, device="cpu"))
    write_cast(folder, "tiny", {role: f"{role}.safetensors" for role in TINY})
    return open_cast(folder)


@pytest.fixture(scope="session")
def judge_file(tiny_judge, tmp_path_factory):
    path = tmp_path_factory.mktemp("judge") / "judge.safetensors"
    save_model(path, "judge", tiny_judge, dtype=torch.float32)
    return path


@pytest.fixture
def short(monkeypatch):
    """Small clips, few lengths."""
    shorten(monkeypatch)


@pytest.fixture(scope="session")
def report(tiny_cast, judge_file):
    """What is measured of the tiny cast in one step."""
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch)
        settings = SamplingSettings(num_steps=1, guidance=2.0)
        return evaluate(tiny_cast, count=5, settings=settings, judge=judge_file)


def shorten(patch):
    patch.setattr(measure_tae, "MAIN_SIZE", (16, 24))
    patch.setattr(measure_tae, "OTHER_SHAPES", (((24, 16), 8),))
    patch.setattr(measure_tae, "COUNTED_SIZE", (16, 16))
    patch.setattr(measure_tae, "LONGEST", 3)
    patch.setattr(measure_tae, "NUM_FRAMES", 9)
    shape = ClipShape(num_frames=9, fps=Fraction(16), height=16, width=32)
    patch.setattr(measure_video, "SHAPE", shape)
    patch.setattr(measure_long, "LONG", replace(shape, num_frames=27))
    patch.setattr(measure_long, "PART_FRAMES", 9)
