"""How long pictures are seen: counted and timed by their stamps."""

from fractions import Fraction

import pytest

from moviegen_core.errors import MediaError
from moviegen_core.media.picture_time import picture_time

RATES = [Fraction(n) for n in (8, 12, 15, 16, 24, 25, 30, 50, 60)] + [
    Fraction(n, 1001) for n in (24000, 30000)
]
UNEVEN = [0, 0.1, 0.2, 0.3, 1.3, 1.4, 1.5, 1.6, 2.4, 2.5]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_the_pictures_are_counted_and_their_rate_is_found_exactly(tmp_path, rate, suffix, video):
    time = picture_time(video(tmp_path / f"in.{suffix}", num_frames=50, rate=rate))
    assert (time.num_frames, time.fps, time.seconds) == (50, rate, 50 / rate)


@pytest.mark.parametrize("num_frames", range(2, 12))
@pytest.mark.parametrize("rate", [8, 12, 15, 16, 25, 50])
def test_a_few_pictures_stamped_in_milliseconds_keep_a_whole_rate(tmp_path, rate, num_frames, video):
    path = video(tmp_path / "in.mkv", num_frames=num_frames, rate=Fraction(rate))
    assert picture_time(path).fps == rate


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_rate_that_varies_is_told_and_timed_by_its_stamps(tmp_path, suffix, video):
    time = picture_time(video(tmp_path / f"in.{suffix}", times=UNEVEN))
    assert (time.num_frames, time.fps) == (10, None)
    assert Fraction(5, 2) < time.seconds < Fraction(5, 2) + Fraction(3, 10)


def test_the_samples_of_a_clip_follow_from_its_frames_and_rate(tmp_path, video):
    time = picture_time(video(tmp_path / "in.mp4", num_frames=7, rate=Fraction(24000, 1001)))
    assert time.num_samples() == 14014
    assert time.num_samples(44100) == 12875


def test_a_clip_that_starts_late_says_when_and_lasts_as_long(tmp_path, video):
    time = picture_time(video(tmp_path / "in.mp4", start=Fraction(1, 2)))
    assert (time.start, time.seconds) == (Fraction(1, 2), Fraction(1, 2))


def test_what_is_no_video_is_refused(tmp_path):
    (tmp_path / "text.mp4").write_bytes(b"a red ball " * 99)
    for name, says in (("gone.mp4", "does not exist"), ("text.mp4", "not a video")):
        with pytest.raises(MediaError, match=says):
            picture_time(tmp_path / name)
