from fractions import Fraction

import pytest
import torch

from moviegen_core.media.motion_events import event_curve
from moviegen_core.media.sound import silence, sound_from
from moviegen_core.stages.sync import ranked, sync_score
from moviegen_core.theatre.render import render
from moviegen_core.theatre.sampling import sample_scenes
from moviegen_core.theatre.sound import mixed, render_sound
from moviegen_core.theatre.sound.hearing import heard

FPS = Fraction(16)


def clicks(times, seconds):
    wave = torch.zeros(1, round(seconds * 48000))
    for moment in times:
        wave[:, round(moment * 48000) : round(moment * 48000) + 2000] = 0.3 * torch.randn(2000)
    return wave


def happening(times, seconds, fps=FPS):
    curve = torch.zeros(round(seconds * fps))
    for moment in times:
        curve[round(moment * fps)] = 1.0
    return curve


@pytest.mark.parametrize("fps", [Fraction(8), FPS, Fraction(24000, 1001), Fraction(60)])
def test_sound_at_the_events_fits_better_the_less_it_is_moved(fps):
    times = [0.5, 1.4, 2.0, 3.2]
    events = happening(times, 4, fps)
    scores = [
        sync_score(sound_from(clicks([t + off for t in times], 4)), events, fps) for off in (0, 0.13, 0.3)
    ]
    assert scores[0] > 0.4
    assert scores[0] > scores[1] + 0.2
    assert scores[2] < 0.2


def test_where_nothing_happens_or_nothing_is_heard_all_fit_alike():
    assert sync_score(silence(48000), happening([0.5], 1), FPS) == 0
    assert sync_score(sound_from(clicks([0.5], 1)), torch.zeros(16), FPS) == 0
    assert sync_score(silence(0), torch.zeros(0), FPS) == 0


def test_the_candidate_in_step_comes_first_and_equal_ones_keep_their_order():
    late, right = clicks([0.7, 1.9], 3), clicks([0.5, 1.5], 3)
    events = happening([0.5, 1.5], 3)
    assert ranked(torch.stack([late, right]), 48000, events, FPS) == [1, 0]
    assert ranked(torch.stack([late, late]), 48000, events, FPS) == [0, 1]


def test_the_theatres_own_sound_fits_its_picture_better_than_when_it_is_moved():
    scenes = [one for one in sample_scenes(0, 60) if len(heard(one, 6.0).events) >= 2][:8]
    wins = []
    for scene in scenes:
        clip = render([scene], num_frames=96, fps=16, height=64, width=112)[0]
        sound = mixed(render_sound(scene, num_frames=96, fps=16, stems=("effects", "ambience")))
        events = event_curve([clip], FPS)
        true, moved = (
            sync_score(sound_from(torch.roll(sound, shift, 1)), events, FPS) for shift in (0, 48000 // 4)
        )
        wins.append(true > moved)
    assert sum(wins) >= 7
