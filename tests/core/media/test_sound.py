"""Streams: whatever the pieces, the same sound."""

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.errors import MediaError
from moviegen_core.media.channels import remixed
from moviegen_core.media.dynamics import Ducking, ducked, limited
from moviegen_core.media.fades import crossfaded, faded
from moviegen_core.media.loudness import measure
from moviegen_core.media.resample import resampled
from moviegen_core.media.sound import (
    amplified,
    count_samples,
    cut,
    delayed,
    exactly,
    silence,
    sound_from,
    summed,
    waveform_of,
    with_context,
)

KEY = sound_from(torch.cat([torch.zeros(1, 30000), torch.rand(1, 30000) - 0.5], dim=1))
CHANGES = {
    "resampled": lambda sound: resampled(sound, 44100),
    "resampled by a table": lambda sound: resampled(sound, 47999),
    "remixed": lambda sound: remixed(sound, 1),
    "limited": lambda sound: limited(sound, -12),
    "ducked": lambda sound: ducked(sound, KEY, Ducking()),
    "faded": lambda sound: faded(sound, 50021, 20000, 20000),
    "crossfaded": lambda sound: crossfaded(sound, sound, 20001),
    "exactly": lambda sound: exactly(delayed(sound, -777), 60000),
    "summed": lambda sound: summed([amplified(sound, -6), sound]),
}


def in_pieces(waveform, sizes, sample_rate=48000):
    whole = sound_from(waveform, sample_rate)
    return replace(whole, chunks=lambda: cut(iter([waveform]), iter(sizes)))


@pytest.mark.parametrize("change", CHANGES)
def test_the_pieces_in_which_a_sound_arrives_make_no_difference(change):
    wave = torch.randn(2, 50021) / 4
    sizes = [1, 7, 1000, 3, 20000, *[999] * 50]
    whole, pieces = (
        waveform_of(CHANGES[change](sound)) for sound in (sound_from(wave), in_pieces(wave, sizes))
    )
    assert whole.shape == pieces.shape
    assert_close(whole, pieces, atol=1e-6, rtol=0)


def test_loudness_does_not_depend_on_the_pieces_either():
    wave = torch.randn(2, 50021) / 4
    whole, pieces = measure(sound_from(wave)), measure(in_pieces(wave, [3, *[1234] * 50]))
    assert whole.integrated_lufs == pytest.approx(pieces.integrated_lufs, abs=1e-6)
    assert whole.true_peak_dbtp == pytest.approx(pieces.true_peak_dbtp, abs=1e-5)


def test_a_sound_can_be_heard_twice_and_shares_nothing_with_what_is_made_of_it():
    wave = torch.rand(1, 40000)
    kept = wave.clone()
    sound = faded(sound_from(wave), 40000, 1000, 1000)
    assert torch.equal(waveform_of(sound), waveform_of(sound))
    assert torch.equal(wave, kept)


def test_cut_pieces_have_the_sizes_asked_for_and_lose_nothing():
    wave = torch.arange(100.0)[None]
    pieces = list(cut(wave.split(7, 1), [10, 50, 1, 100]))
    assert [piece.shape[1] for piece in pieces] == [10, 50, 1, 39]
    assert torch.equal(torch.cat(pieces, 1), wave)


@pytest.mark.parametrize(("before", "after"), [(1, 0), (3, 2), (20, 40)])
@pytest.mark.parametrize("size", [1, 5, 16, 200])
def test_context_surrounds_every_sample_once(before, after, size):
    wave = torch.arange(1.0, 101.0)[None]
    padded = torch.nn.functional.pad(wave, (before, after))
    start = 0
    for piece in with_context(wave.split(size, 1), before, after):
        middle = piece.shape[1] - before - after
        assert torch.equal(piece, padded[:, start : start + before + middle + after])
        start += middle
    assert start == 100


@pytest.mark.parametrize("length", [1, 99, 100, 101, 40000])
def test_exactly_gives_exactly_that_and_pads_with_silence(length):
    wave = waveform_of(exactly(sound_from(torch.ones(2, 100)), length))
    assert wave.shape == (2, length)
    assert wave.sum() == 2 * min(length, 100)


def test_a_delay_moves_the_sound_both_ways():
    sound = sound_from(torch.arange(1.0, 6.0)[None])
    assert waveform_of(delayed(sound, 2)).tolist() == [[0, 0, 1, 2, 3, 4, 5]]
    assert waveform_of(delayed(sound, -2)).tolist() == [[3, 4, 5]]


def test_a_sum_lasts_as_long_as_the_longest():
    total = waveform_of(summed([sound_from(torch.ones(1, 20000)), sound_from(torch.ones(1, 50000))]))
    assert total[0, :20000].eq(2).all()
    assert total[0, 20000:].eq(1).all()
    assert total.shape == (1, 50000)


def test_sounds_that_do_not_fit_together_are_not_summed():
    mono, stereo = sound_from(torch.ones(1, 10)), sound_from(torch.ones(2, 10))
    with pytest.raises(MediaError, match="remix"):
        summed([mono, stereo])
    with pytest.raises(MediaError, match="resample"):
        summed([mono, sound_from(torch.ones(1, 10), 44100)])


@pytest.mark.parametrize("wave", [torch.zeros(1, 0), torch.zeros(9, 5), torch.zeros(5), torch.zeros(0, 5)])
def test_what_is_no_waveform_is_refused(wave):
    with pytest.raises(MediaError, match="channels, samples"):
        sound_from(wave)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_samples_that_are_no_numbers_are_refused(value):
    with pytest.raises(MediaError, match="not numbers"):
        sound_from(torch.tensor([[0.0, value]]))


def test_silence_is_silent_and_as_long_as_asked():
    assert count_samples(silence(40000)) == 40000
    assert not waveform_of(silence(40000)).any()
