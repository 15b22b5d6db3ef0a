"""Writing sound: what is put in comes out, or nothing is left behind."""

import pytest
import torch

from moviegen_core.errors import MediaError
from moviegen_core.media.read_sound import open_sound, probe_sound
from moviegen_core.media.sound import Sound, sound_from, waveform_of
from moviegen_core.media.write_sound import write_wav

STEPS = {"16": 2**15, "24": 2**23, "float": 2**40}


@pytest.mark.parametrize("kind", STEPS)
@pytest.mark.parametrize("channels", [1, 2])
def test_samples_come_back_to_the_nearest_step(tmp_path, kind, channels):
    wave = torch.rand(channels, 20001) * 1.9 - 0.95
    assert write_wav(tmp_path / "a.wav", sound_from(wave), kind) == 20001
    assert (waveform_of(open_sound(tmp_path / "a.wav")) - wave).abs().max() <= 0.5 / STEPS[kind] + 1e-9


@pytest.mark.parametrize("kind", STEPS)
def test_what_was_read_is_written_back_bit_by_bit(tmp_path, kind):
    write_wav(tmp_path / "a.wav", sound_from(torch.rand(2, 5000) * 2 - 1, 44100), kind)
    write_wav(tmp_path / "b.wav", open_sound(tmp_path / "a.wav"), kind)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    assert probe_sound(tmp_path / "b.wav").sample_rate == 44100


@pytest.mark.parametrize("kind", ["16", "24"])
def test_what_passes_full_scale_is_clipped_and_float_keeps_it(tmp_path, kind):
    wave = torch.tensor([[1.5, -1.5, 0.0]])
    write_wav(tmp_path / "a.wav", sound_from(wave), kind)
    assert waveform_of(open_sound(tmp_path / "a.wav"))[0].tolist() == [1 - 1 / STEPS[kind], -1.0, 0.0]
    write_wav(tmp_path / "f.wav", sound_from(wave), "float")
    assert torch.equal(waveform_of(open_sound(tmp_path / "f.wav")), wave)


def test_an_error_on_the_way_leaves_the_old_file_and_nothing_else(tmp_path):
    def chunks():
        yield torch.zeros(1, 40000)
        raise KeyboardInterrupt

    path = tmp_path / "a.wav"
    write_wav(path, sound_from(torch.ones(1, 10)))
    before = path.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        write_wav(path, Sound(sample_rate=48000, speakers=("FC",), chunks=chunks))
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.wav"]


def test_what_cannot_be_written_is_refused(tmp_path):
    sound = sound_from(torch.zeros(1, 10))
    with pytest.raises(MediaError, match="16, 24, float"):
        write_wav(tmp_path / "a.wav", sound, "32")
    with pytest.raises(MediaError, match=r"\.wav"):
        write_wav(tmp_path / "a.mp3", sound)
    with pytest.raises(MediaError, match="remix"):
        write_wav(tmp_path / "a.wav", sound_from(torch.zeros(6, 10)))
    for chunks, says in (
        (lambda: iter(()), "no sound"),
        (lambda: iter([torch.full((1, 4), torch.nan)]), "numbers"),
    ):
        with pytest.raises(MediaError, match=says):
            write_wav(tmp_path / "a.wav", Sound(sample_rate=48000, speakers=("FC",), chunks=chunks))
    assert not list(tmp_path.iterdir())
