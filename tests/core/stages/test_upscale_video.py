from dataclasses import replace
from fractions import Fraction

import av
import pytest
import torch

from moviegen_core.geometry import fit_frame
from moviegen_core.media.source import open_source
from moviegen_core.media.write import write_clip
from moviegen_core.stages.upscale import UpscaleSettings, resampler
from moviegen_core.stages.upscale_video import UpscaleJob, plan, prepare, upscale_video


@pytest.fixture
def job(tmp_path):
    """Forty frames, twice as large; another file of the same clip each time."""

    def make(name="a", **changes):
        frames = torch.arange(40, dtype=torch.uint8).mul(6).view(-1, 1, 1, 1).expand(40, 12, 16, 3)
        path = write_clip(tmp_path / f"{name}.mp4", frames, Fraction(8), metadata={"name": name})
        settings = UpscaleSettings(fit=fit_frame((12, 16), 24))
        prepared = prepare(open_source(path), tmp_path / "out.mp4", resampler("bicubic"), settings)
        return replace(prepared, **changes)

    return make


class Stopped(Exception):  # noqa: N818 - nothing went wrong
    """By the user."""


def stop_after(job: UpscaleJob, count: int) -> None:
    made = []

    def on_frames(number):
        made.append(number)
        if sum(made) >= count:
            raise Stopped

    with pytest.raises(Stopped):
        upscale_video(job, resume=True, on_frames=on_frames)


def test_an_upscaler_that_is_not_tried_tells_no_time(job):
    tried, untried = job(), job(upscaler=replace(resampler("bicubic"), trial_frames=0))
    assert plan(tried).seconds > 0
    assert plan(untried).seconds is None
    assert "of memory" in plan(untried).text.rpartition(", ")[2]


def test_a_clip_that_was_written_anew_goes_on_under_its_name(job):
    stop_after(job("a", source_key="the clip"), 20)
    assert upscale_video(job("b", source_key="the clip"), resume=True).resumed_frames == 16


def test_without_a_name_another_file_is_another_clip(job):
    stop_after(job("a"), 20)
    assert upscale_video(job("b"), resume=True).resumed_frames == 0


def test_the_tags_call_the_source_as_asked_or_not_at_all(job):
    for name, told in ((None, "a.mp4"), ("holiday.mov", "holiday.mov"), ("", None)):
        with av.open(str(upscale_video(job(source_name=name)).path)) as container:
            assert container.metadata.get("source") == told
