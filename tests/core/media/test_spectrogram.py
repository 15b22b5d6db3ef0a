"""Pictures of sound."""

import math

import torch

from moviegen_core.media.sound import SAMPLE_RATE
from moviegen_core.media.spectrogram import HIGHEST_HZ, LOWEST_HZ, spectrogram


def _tone(hz, seconds=1.0):
    return 0.3 * torch.sin(math.tau * hz * torch.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE)[None]


def test_a_tone_is_bright_at_its_pitch_and_an_octave_is_the_same_step_everywhere():
    rows = [
        int(spectrogram(_tone(hz), height=120, width=20)[:, 6:, 10].sum(0).argmax()) + 6
        for hz in (500, 1000, 2000, 4000)
    ]
    octave = 120 / math.log2(HIGHEST_HZ / LOWEST_HZ)
    for row, octaves in zip(rows, (5, 4, 3, 2), strict=True):
        assert abs(row + 0.5 - octave * octaves) < 1.5


def test_louder_is_brighter_and_silence_is_dark():
    quiet, loud = (spectrogram(gain * _tone(1000), height=60, width=20).mean() for gain in (0.01, 1.0))
    assert loud > quiet
    assert spectrogram(torch.zeros(2, 9000), height=60, width=20).max() < 0


def test_sound_and_its_mark_stand_in_the_same_column():
    waveform = torch.zeros(2, 2 * SAMPLE_RATE)
    waveform[:, round(1.3 * SAMPLE_RATE)] = 1.0
    picture = spectrogram(waveform, height=60, width=100, marks=(1.3,))
    assert picture.shape == (3, 60, 100)
    assert abs(int(picture[0, 10:].sum(0).argmax()) - 65) <= 1
    marked = (picture[:, 0] == torch.tensor((0.2, 1.0, 1.0))[:, None]).all(0)
    assert marked.nonzero().flatten().tolist() == [65]
