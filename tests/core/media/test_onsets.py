"""When something begins to sound."""

import pytest
import torch

from moviegen_core.media.onsets import STEP_HZ, onset_curve, onsets, peaks
from moviegen_core.media.sound import silence, sound_from


def _strikes(times, seconds, rate=48000, channels=1):
    """Damped noise that begins at each of the times."""
    torch.manual_seed(0)
    wave = torch.zeros(channels, round(seconds * rate))
    for moment in times:
        start = round(moment * rate)
        length = min(wave.shape[1] - start, rate // 4)
        wave[:, start : start + length] += (
            0.3 * torch.randn(length) * torch.exp(-torch.arange(length) / (0.05 * rate))
        )
    return sound_from(wave.clamp(-1, 1), rate)


@pytest.mark.parametrize(("rate", "channels"), [(48000, 1), (44100, 2), (96000, 6)])
def test_strikes_are_found_within_a_hundredth_of_a_second_at_any_rate(rate, channels):
    times = [0.31, 0.9, 1.0, 2.55, 4.02, 5.37]
    found = onsets(_strikes(times, 6, rate, channels))
    assert found == pytest.approx(times, abs=0.01)


def test_strikes_are_found_in_a_telephones_sound():
    times = [0.31, 0.9, 1.0, 2.55, 4.02, 5.37]
    found = onsets(_strikes(times, 6, 8000))
    assert all(min(abs(one - time) for one in found) < 0.01 for time in times)


def test_silence_steady_tones_and_steady_noise_begin_nothing_after_their_start():
    tone = 0.3 * torch.sin(torch.arange(144000) * 0.05)
    assert onsets(silence(48000)) == []
    for wave in (tone, 0.1 * torch.randn(144000)):
        assert [one for one in onsets(sound_from(wave[None])) if one > 0.06] == []


@pytest.mark.parametrize("num_samples", [0, 1, 239, 240, 241, 192000, 500001])
def test_the_curve_has_a_value_for_every_step_that_a_sound_lasts(num_samples):
    assert len(onset_curve(silence(num_samples))) == -(-num_samples * STEP_HZ // 48000)


def test_of_two_peaks_too_near_the_higher_one_counts():
    curve = torch.zeros(400)
    curve[100], curve[104], curve[300] = 1.0, 2.0, 1.0
    assert peaks(curve, STEP_HZ, 0.3) == [0.52, 1.5]
