from fractions import Fraction

import pytest
import torch

from moviegen_core.geometry import SoundGrid
from moviegen_core.models.vision import frames_seen, frames_seen_at
from moviegen_core.stages.watch import shown_frames, watch_shown

GRID = SoundGrid()


def seen(starts, num_latent_frames):
    """Numbers of the pictures that a stream shows, one for each latent frame."""
    numbered = ((start, torch.full((3, 1, 1), float(number))) for number, start in enumerate(starts))
    shown = shown_frames(numbered, num_latent_frames, GRID)
    return watch_shown(shown, lambda chunk: chunk[0, :, 0], lambda _done: None)[:, 0].int().tolist()


@pytest.mark.parametrize("fps", [1, 8, Fraction(24000, 1001), 25, 30, 60, 240])
@pytest.mark.parametrize("num_frames", [1, 2, 17, 90])
def test_a_stream_shows_what_exact_time_says_at_any_rate(fps, num_frames):
    count = GRID.latent_frames(round(num_frames / Fraction(fps) * 48000))
    starts = [number / Fraction(fps) for number in range(num_frames)]
    assert seen(starts, count) == frames_seen(num_frames, Fraction(fps), count, GRID)


def test_pictures_of_uneven_length_are_seen_as_long_as_they_last():
    starts = [
        Fraction(0),
        Fraction(1, 100),
        Fraction(1, 3),
        Fraction(2, 5),
        Fraction(401, 1000),
        Fraction(9, 5),
    ]
    assert seen(starts, 60) == frames_seen_at(starts, 60, GRID)


def test_before_the_first_picture_it_is_seen_and_behind_the_last_it_stays():
    assert seen([Fraction(1, 2), Fraction(1)], 50) == [0] * 25 + [1] * 25


def test_a_picture_is_looked_at_once_and_one_that_is_never_on_the_screen_not_at_all():
    looked = []

    def watch(chunk):
        looked.append(chunk.shape[1])
        return chunk[0, :, 0]

    timed = ((Fraction(number, 240), torch.zeros(3, 1, 1)) for number in range(240))
    done = []
    assert watch_shown(shown_frames(timed, 25, GRID), watch, done.append).shape == (25, 1)
    assert sum(looked) == 25
    assert done == [16, 25]


def test_a_stream_is_read_no_further_than_the_sound_goes():
    def timed():
        yield from ((Fraction(number, 10), torch.zeros(3, 1, 1)) for number in range(12))
        raise AssertionError

    assert watch_shown(shown_frames(timed(), 25, GRID), lambda c: c[0, :, 0], lambda _d: None).shape[0] == 25
