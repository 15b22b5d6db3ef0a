import pytest
import torch
from torch.testing import assert_close

from moviegen_core.errors import GeometryError, MediaError, PromptError, SettingsError
from moviegen_core.media.sound import sound_from, waveform_of
from moviegen_core.stages.extend import _Place, _score, extended, infilled
from moviegen_core.stages.settings import SamplingSettings, SoundSettings
from moviegen_core.stages.sound import load_sound
from moviegen_core.weights.cast import open_cast

SETTINGS = SoundSettings(sampling=SamplingSettings(num_steps=2, guidance=2.0, solver="euler"))


@pytest.fixture(scope="module")
def models(sound_folder):
    return load_sound(open_cast(sound_folder))


def noise(seconds, rate=48000, channels=1):
    return 0.2 * torch.randn(channels, round(seconds * rate))


@pytest.mark.parametrize(("rate", "channels"), [(48000, 1), (44100, 2), (8000, 1), (96000, 2)])
@pytest.mark.parametrize("seconds", [0.001, 0.7])
def test_an_extended_sound_begins_with_every_sample_there_was(models, rate, channels, seconds):
    wave = noise(3.1, rate, channels)
    longer = waveform_of(extended(models, sound_from(wave, rate), seconds, SETTINGS))
    assert longer.shape == (channels, wave.shape[1] + max(1, round(seconds * rate)))
    assert longer[:, : wave.shape[1]].equal(wave)


@pytest.mark.parametrize("length", [1, 100, 1919, 1920, 5000])
def test_even_a_few_samples_can_be_gone_on_from(models, length):
    wave = 0.1 * torch.ones(1, length)
    longer = waveform_of(extended(models, sound_from(wave), 0.2, SETTINGS))
    assert longer.shape == (1, length + 9600)
    assert longer[:, :length].equal(wave)


@pytest.mark.parametrize(("rate", "channels"), [(48000, 1), (44100, 2), (8000, 1)])
@pytest.mark.parametrize("gap", [(0, 0.4), (1.23, 1.9), (2.6, 3.0)])
def test_outside_a_gap_every_sample_stays_and_inside_none_does(models, rate, channels, gap):
    wave = noise(3, rate, channels)
    filled = waveform_of(infilled(models, sound_from(wave, rate), gap, SETTINGS))
    start, stop = (round(one * rate) for one in gap)
    assert filled.shape == wave.shape
    assert filled[:, :start].equal(wave[:, :start])
    assert filled[:, stop:].equal(wave[:, stop:])
    assert (filled[:, start:stop] != wave[:, start:stop]).float().mean() > 0.99


def test_what_was_in_the_gap_is_not_heard(models):
    wave = noise(3)
    other = wave.clone()
    other[:, 48000:72000] = 0.9
    one, two = (waveform_of(infilled(models, sound_from(w), (1.0, 1.5), SETTINGS)) for w in (wave, other))
    assert_close(one, two)


def test_neither_end_of_new_sound_clicks(models):
    calm = 0.3 * torch.sin(torch.arange(144000) / 300)[None]
    filled = waveform_of(infilled(models, sound_from(calm), (1.0, 1.5), SETTINGS))
    inside = filled[:, 48200:71800].diff().abs().max()
    for seam in (48000, 72000):
        assert filled[:, seam - 2 : seam + 2].diff().abs().max() <= inside + 0.01
    longer = waveform_of(extended(models, sound_from(calm), 0.5, SETTINGS))
    assert longer[:, 143998:144002].diff().abs().max() <= longer[:, 144200:].diff().abs().max() + 0.01


@pytest.mark.parametrize("start", [1, 1919, 1920, 20_000])
def test_new_sound_begins_with_a_latent_frame_and_all_before_it_is_known(models, start):
    place = _Place(region_CS=noise(1)[:, :start], sample_rate=48000, start=start, stop=start + 3000)
    lead, score = _score(models.codec, place)
    assert (lead + start) % 1920 == 0
    assert (~score.masked_F).sum() == (lead + start) // 1920
    assert score.num_frames == -(-(lead + start + 3000) // 1920)


@pytest.mark.parametrize(
    ("work", "error", "words"),
    [
        (lambda m, s: extended(m, s, 0, SETTINGS), GeometryError, "0 seconds"),
        (lambda m, s: extended(m, s, -1, SETTINGS), GeometryError, "-1 seconds"),
        (lambda m, s: infilled(m, s, (2, 1), SETTINGS), SettingsError, "holds nothing"),
        (lambda m, s: infilled(m, s, (0.5, 9), SETTINGS), MediaError, "after the sound"),
        (lambda m, s: extended(m, s, 1, SoundSettings(effects="a singer")), PromptError, "speech"),
    ],
)
def test_impossible_orders_are_refused_in_one_sentence(models, work, error, words):
    with pytest.raises(error, match=words):
        work(models, sound_from(noise(1)))


def test_an_empty_sound_cannot_go_on(models):
    from moviegen_core.media.sound import silence

    with pytest.raises(MediaError, match="empty"):
        extended(models, silence(0), 1, SETTINGS)


def test_words_change_how_a_sound_goes_on(models):
    from dataclasses import replace

    wave = sound_from(noise(2))
    one, other = (
        waveform_of(extended(models, wave, 0.5, replace(SETTINGS, effects=text))) for text in ("", "rain")
    )
    assert not torch.allclose(one, other)
