"""Any speakers to one or two, by the standard."""

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.errors import MediaError
from moviegen_core.media.channels import mix_matrix, remixed
from moviegen_core.media.sound import SPEAKERS, sound_from, waveform_of


def test_mono_goes_to_both_sides_and_comes_back_unchanged():
    sound = sound_from(torch.randn(1, 1000))
    both = remixed(sound, 2)
    assert torch.equal(waveform_of(both), waveform_of(sound).expand(2, -1))
    assert torch.equal(waveform_of(remixed(both, 1)), waveform_of(sound))


@pytest.mark.parametrize("count", SPEAKERS)
@pytest.mark.parametrize("target", [1, 2])
def test_every_usual_number_of_channels_is_brought_to_one_or_two(count, target):
    sound = remixed(sound_from(torch.rand(count, 100)), target)
    assert waveform_of(sound).shape == (target, 100)
    assert len(sound.speakers) == target


def test_surround_folds_by_the_standard():
    half = 0.5**0.5
    expected = torch.tensor([[1, 0, half, 0, half, 0], [0, 1, half, 0, 0, half]])
    assert_close(mix_matrix(("FL", "FR", "FC", "LFE", "SL", "SR"), 2), expected)
    assert_close(mix_matrix(("FL", "FR", "FC", "LFE", "SL", "SR"), 1), expected.mean(0, keepdim=True))


def test_a_speaker_of_unknown_place_is_refused():
    with pytest.raises(MediaError, match="AMBI"):
        mix_matrix(("FL", "AMBI"), 2)
    with pytest.raises(MediaError, match=r"1 .* or 2"):
        remixed(sound_from(torch.zeros(1, 5)), 6)
