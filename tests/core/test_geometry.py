from fractions import Fraction
from itertools import pairwise

import pytest

from moviegen_core.errors import GeometryError
from moviegen_core.geometry import (
    FITS,
    MAX_SECONDS,
    MAX_SIDE,
    ClipShape,
    SoundGrid,
    TaeGrid,
    check_size,
    fit_frame,
    frames_for,
    parse_fps,
    parse_size,
    rescaled_samples,
    samples_for,
    samples_in,
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


RATES = [Fraction(n) for n in (8, 12, 15, 16, 24, 25, 30, 50, 60)] + [
    Fraction(24000, 1001),
    Fraction(30000, 1001),
]


@pytest.mark.parametrize("fps", RATES)
def test_every_length_has_the_nearest_whole_number_of_samples(fps):
    for count in range(1, 201):
        top, bottom = count * fps.denominator * 48000, fps.numerator
        samples = samples_for(count, fps)
        assert 2 * abs(samples * bottom - top) <= bottom
        assert samples == round(Fraction(top, bottom))


def test_a_tie_goes_to_the_even_count_so_that_lengths_never_shrink():
    fps = Fraction(256)
    counts = [samples_for(count, fps) for count in range(1, 9)]
    assert counts == [188, 375, 562, 750, 938, 1125, 1312, 1500]


@pytest.mark.parametrize("fps", RATES)
def test_frames_one_by_one_have_as_many_samples_as_together(fps):
    starts = [samples_for(frame, fps) for frame in range(201)]
    lengths = [stop - start for start, stop in pairwise(starts)]
    assert sum(lengths) == samples_for(200, fps)
    assert max(lengths) - min(lengths) <= 1


def test_whole_rates_may_be_plain_numbers():
    assert samples_for(7, 24) == samples_for(7, Fraction(24)) == 14000


@pytest.mark.parametrize("fps", RATES)
def test_every_latent_frame_of_a_clip_shows_the_picture_seen_in_its_middle(fps):
    grid = SoundGrid()
    for count in (1, 2, 3, 31, 200):
        latents = grid.latent_frames(samples_for(count, fps))
        shown = [grid.video_frame_at(k, count, fps) for k in range(latents)]
        assert all(0 <= frame < count for frame in shown)
        assert shown == sorted(shown)
        for k, frame in enumerate(shown):
            middle = Fraction(2 * k + 1, 50)
            assert frame / fps <= middle
            assert middle < (frame + 1) / fps or frame == count - 1


def test_latent_frames_and_surplus_account_for_every_sample():
    grid = SoundGrid()
    for samples in (1, 1919, 1920, 1921, 48000, 253440):
        latents = grid.latent_frames(samples)
        assert 1920 * (latents - 1) < samples <= 1920 * latents
        assert latents * 1920 - grid.surplus_samples(samples) == samples


def test_the_codec_runs_at_25_hz_and_an_event_falls_on_the_frame_that_sounds():
    grid = SoundGrid()
    assert grid.rate == 25
    assert [grid.latent_frame_at(Fraction(t, 100)) for t in (0, 3, 4, 7, 8)] == [0, 0, 1, 1, 2]


def test_another_rate_keeps_the_length_to_half_a_sample():
    for old, new in ((44100, 48000), (48000, 44100), (8000, 48000), (44099, 48000)):
        for samples in (1, 2, 441, 99999):
            assert abs(
                rescaled_samples(samples, old, new) / Fraction(new) - samples / Fraction(old)
            ) <= Fraction(1, 2 * new)


def test_seconds_become_the_nearest_samples():
    assert samples_in(Fraction(1, 3)) == 16000
    assert samples_in(1.5) == 72000
    assert samples_in(Fraction(1, 96000)) == 0
    assert samples_in(Fraction(3, 96000)) == 2


@pytest.mark.parametrize(
    ("source", "height", "width", "fit", "scaled", "said"),
    [
        ((432, 768), 1080, None, "crop", (1080, 1920), "768x432 to 1920x1080"),
        ((432, 770), 1080, None, "crop", (1080, 1925), "770x432 to 1924x1080, 1 column cropped"),
        ((576, 1008), 1080, 1920, "crop", (1097, 1920), "1008x576 to 1920x1080, 17 rows cropped"),
        ((576, 1008), 1080, 1920, "pad", (1080, 1890), "1008x576 to 1920x1080, 30 columns padded"),
        ((768, 432), 1080, 1920, "pad", (1080, 608), "432x768 to 1920x1080, 1312 columns padded"),
    ],
)
def test_a_frame_reaches_an_exact_size_by_one_factor_and_says_what_is_cut_or_added(
    source, height, width, fit, scaled, said
):
    plan = fit_frame(source, height, width, fit)
    assert (plan.scaled, plan.describe()) == (scaled, said)


def test_cropping_covers_every_target_and_padding_stays_inside_it():
    for source in ((1, 1), (7, 9), (23, 37), (100, 41), (112, 192)):
        for target in ((112, 192), (192, 112), (200, 200), (222, 334)):
            if all(want >= have for want, have in zip(target, source, strict=True)):
                covers, inside = (fit_frame(source, *target, fit) for fit in FITS)
                assert all(have >= want for have, want in zip(covers.scaled, target, strict=True))
                assert all(have <= want for have, want in zip(inside.scaled, target, strict=True))


@pytest.mark.parametrize(
    ("height", "width", "said"),
    [
        (100, None, "smaller"),
        (1081, None, "even"),
        (1080, 1921, "even"),
        (5000, None, "4096"),
        (0, None, "even"),
    ],
)
def test_a_target_that_cannot_be_is_refused(height, width, said):
    with pytest.raises(GeometryError, match=said):
        fit_frame((432, 768), height, width)
