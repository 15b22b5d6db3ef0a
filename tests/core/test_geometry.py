from fractions import Fraction

import pytest

from moviegen_core.errors import GeometryError
from moviegen_core.geometry import (
    MAX_SECONDS,
    MAX_SIDE,
    ClipShape,
    TaeGrid,
    check_size,
    frames_for,
    parse_fps,
    parse_size,
    samples_for,
)


def test_latent_frames_and_surplus_account_for_every_frame():
    grid = TaeGrid()
    for count in range(1, 300):
        cells = grid.latent_frames(count)
        assert 8 * (cells - 1) < count <= 8 * cells
        assert cells * 8 - grid.surplus_frames(count) == count


def test_the_papers_clip_has_the_papers_latent():
    assert TaeGrid().latent_shape(256, 768, 768) == (32, 96, 96)


@pytest.mark.parametrize(
    ("value", "rate"),
    [
        (16, Fraction(16)),
        ("24", Fraction(24)),
        (12.5, Fraction(25, 2)),
        ("24000/1001", Fraction(24000, 1001)),
        (23.976, Fraction(24000, 1001)),
        ("29.97", Fraction(30000, 1001)),
        (59.94, Fraction(60000, 1001)),
        (Fraction(1, 2), Fraction(1, 2)),
        (240, Fraction(240)),
    ],
)
def test_a_rate_is_read_exactly(value, rate):
    assert parse_fps(value) == rate


@pytest.mark.parametrize(
    "value", [0, -1, 241, "1e999999999", "0/1", "1/0", "fast", "", float("nan"), float("inf"), "16 fps"]
)
def test_a_rate_that_is_none_is_refused_with_a_legal_one(value):
    with pytest.raises(GeometryError, match="such as 16"):
        parse_fps(value)


@pytest.mark.parametrize("fps", [Fraction(16), Fraction(24000, 1001), Fraction(1, 3)])
def test_a_length_becomes_the_nearest_whole_number_of_frames_and_never_none(fps):
    for seconds in (0.001, 0.5, 1, 2.04, 10, MAX_SECONDS):
        count = frames_for(seconds, fps)
        assert count >= 1
        assert count == 1 or abs(count - Fraction(seconds) * fps) <= Fraction(1, 2)


@pytest.mark.parametrize("seconds", [0, -2, 10_000, float("nan"), float("inf")])
def test_a_length_out_of_range_is_refused_with_the_range(seconds):
    with pytest.raises(GeometryError, match=f"at most {MAX_SECONDS}"):
        frames_for(seconds, Fraction(16))


def test_frames_to_seconds_to_frames_is_exact():
    for fps in (Fraction(16), Fraction(30000, 1001), Fraction(7, 3)):
        for count in (1, 7, 32, 65):
            shape = ClipShape(num_frames=count, fps=fps, height=112, width=192)
            assert frames_for(shape.seconds, fps) == count


def test_legal_sizes_pass_and_every_refused_size_names_one_that_passes():
    for height, width in ((16, 16), (112, 192), (MAX_SIDE, MAX_SIDE)):
        check_size(height, width, 16)
    for height, width in ((100, 200), (0, 192), (-16, 16), (1, 1), (16, 10**9), (MAX_SIDE + 16, 16)):
        with pytest.raises(GeometryError, match=rf"size {width}x{height} ") as refusal:
            check_size(height, width, 16)
        check_size(*parse_size(str(refusal.value).rsplit(maxsplit=1)[-1]), 16)


@pytest.mark.parametrize("text", ["192x112", "192X112", " 192 x 112 "])
def test_a_size_is_read_width_first_and_given_height_first(text):
    assert parse_size(text) == (112, 192)


@pytest.mark.parametrize(
    "text", ["", "192", "x", "192x", "192x112x3", "-1x5", "1.5x2", "²x³", "1" * 5000 + "x16"]
)
def test_a_size_that_is_not_two_whole_numbers_is_refused(text):
    with pytest.raises(GeometryError, match="192x112"):
        parse_size(text)


def test_sound_is_never_more_than_half_a_sample_off_the_frames():
    for fps in (Fraction(16), Fraction(24000, 1001), Fraction(60000, 1001), Fraction(1, 3)):
        for count in (1, 2, 31, 257):
            assert abs(samples_for(count, fps) - count / fps * 48000) <= Fraction(1, 2)
