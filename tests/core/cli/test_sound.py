"""``moviegen sound``, ``extend`` and ``mix`` on a tiny cast."""

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image

import moviegen_core
from moviegen_core.cli import sound as command
from moviegen_core.cli import studio
from moviegen_core.media.read_sound import has_sound, open_sound
from moviegen_core.media.sound import count_samples, sound_from, waveform_of
from moviegen_core.media.write import read_metadata, write_clip
from moviegen_core.media.write_sound import write_wav
from moviegen_core.stages.settings import SamplingSettings, SoundSettings

ROOT = Path(moviegen_core.__file__).parents[1]
QUICK = ("--steps", "2", "--device", "cpu")


@pytest.fixture
def sound(moviegen, sound_folder):
    """Run ``moviegen sound`` with the tiny cast."""
    return lambda *words: moviegen("sound", "--cast", sound_folder, *QUICK, *words)


@pytest.fixture
def extend(moviegen, sound_folder):
    """Run ``moviegen extend`` with the tiny cast."""
    return lambda *words: moviegen("extend", "--cast", sound_folder, *QUICK, *words)


@pytest.fixture
def clip(tmp_path):
    """A silent video of 20 frames at 12.5 fps."""
    path = tmp_path / "clip.mp4"
    write_clip(path, torch.randint(0, 255, (20, 32, 48, 3), dtype=torch.uint8), Fraction(25, 2))
    return path


def packets(path):
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def tone(path, seconds=1.0, rate=48000, channels=1, kind="16"):
    wave = 0.3 * torch.sin(torch.arange(round(seconds * rate)) * 0.05).repeat(channels, 1)
    write_wav(path, sound_from(wave, rate), kind)
    return path


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv"])
def test_a_video_gets_sound_of_exactly_its_length_and_keeps_its_pictures(sound, clip, tmp_path, ending):
    out = tmp_path / f"out{ending}"
    answer = sound(clip, "-o", out, "--json", "--seed", "3")
    assert (answer.code, answer.facts["samples"], answer.facts["stems"]) == (0, 76_800, ["effects"])
    assert count_samples(open_sound(out)) == 76_800
    assert packets(out) == packets(clip)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["clip.mp4", out.name])


def test_a_wav_of_a_video_has_its_length_and_stems_add_up_to_it(sound, clip, tmp_path):
    words = ("--music", "calm piano", "--stems", tmp_path / "stems", "--picture", tmp_path / "p.png")
    assert sound(clip, "-o", tmp_path / "x.wav", *words).code == 0
    mixed = waveform_of(open_sound(tmp_path / "x.wav"))
    stems = [waveform_of(open_sound(tmp_path / "stems" / f"{name}.wav")) for name in ("effects", "music")]
    assert mixed.shape == (2, 76_800)
    assert (mixed - sum(stems)).abs().max() < 2e-3
    assert np.asarray(Image.open(tmp_path / "p.png")).shape == (360, 960, 3)


def test_words_alone_become_a_sound_and_the_seed_decides_it(sound, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        words = ("--seconds", "0.5", "--prompt", "rain and thunder", "--seed", seed)
        assert sound(*words, "-o", tmp_path / f"{name}.wav").code == 0
    a, b, c = (waveform_of(open_sound(tmp_path / f"{name}.wav")) for name in "abc")
    assert a.shape == (2, 24_000)
    assert a.equal(b)
    assert not a.equal(c)


def test_the_videos_own_sound_is_heard_on_top_unless_it_is_dropped(sound, clip, tmp_path):
    tone(tmp_path / "voice.wav", 1.6)
    assert sound(clip, "-o", tmp_path / "silent.wav", "--mono").code == 0
    with_voice = tmp_path / "voiced.mkv"
    from moviegen_core.media.mux import add_sound

    add_sound(clip, open_sound(tmp_path / "voice.wav"), with_voice)
    assert sound(with_voice, "-o", tmp_path / "mixed.wav", "--json").facts["stems"] == ["effects", "original"]
    assert sound(with_voice, "-o", tmp_path / "x.wav", "--original", "drop", "--mono").code == 0
    dropped, silent = (waveform_of(open_sound(tmp_path / f"{name}.wav")) for name in ("x", "silent"))
    assert (dropped - silent).abs().max() < 1e-3


def test_an_interrupted_job_keeps_its_pieces_goes_on_and_leaves_no_folder(sound, clip, tmp_path, monkeypatch):
    original = command.mix

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "mix", stop)
    answer = sound(clip, "-o", tmp_path / "out.mp4")
    assert answer.code == 130
    assert "what was finished is kept" in answer.err
    parts = tmp_path / ".out.mp4.parts"
    assert len(list(parts.iterdir())) == 2
    assert not (tmp_path / "out.mp4").exists()
    monkeypatch.setattr(command, "mix", original)
    monkeypatch.setattr(command, "see_video", None)
    assert sound(clip, "-o", tmp_path / "out.mp4").code == 0
    assert not parts.exists()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["-o", "x.wav"], "either a video IN or --seconds"),
        (["clip.mp4", "--seconds", "3", "-o", "x.wav"], "either a video IN or --seconds"),
        (["--seconds", "3", "-o", "x.mp4", "--prompt", "rain"], "does not end in .wav"),
        (["--seconds", "3", "-o", "x.wav"], "nothing says what is to be heard"),
        (["--seconds", "0", "-o", "x.wav", "--prompt", "rain"], "0.0 seconds of sound is out of range"),
        (["--seconds", "nan", "-o", "x.wav", "--prompt", "rain"], "out of range"),
        (["clip.mp4", "-o", "x.wav", "--prompt", "she says hello"], "neither speech nor singing"),
        (["clip.mp4", "-o", "x.wav", "--prompt", "rain", "--no-effects"], "--no-effects"),
        (["clip.mp4", "-o", "x.wav", "--no-effects"], "both switched off"),
        (["clip.mp4", "-o", "x.wav", "--candidates", "0"], "0 candidates"),
        (["clip.mp4", "-o", "x.avi"], "does not end in"),
        (["clip.mp4", "-o", "no/x.mp4"], "does not exist"),
        (["clip.mp4", "-o", "x.wav", "--loudness", "3"], "LUFS"),
        (["gone.mp4", "-o", "x.wav"], "does not exist"),
        (["tone.wav", "-o", "x.wav"], "holds no video"),
        (["broken.mp4", "-o", "x.wav"], "not a video that can be read"),
        (["empty.mp4", "-o", "x.wav"], "0 bytes"),
    ],
)
def test_bad_orders_are_refused_in_one_sentence_and_leave_nothing(sound, clip, tmp_path, words, complaint):
    tone(tmp_path / "tone.wav")
    (tmp_path / "broken.mp4").write_bytes(b"no video at all " * 40)
    assert clip.exists()
    (tmp_path / "empty.mp4").touch()
    before = sorted(tmp_path.iterdir())
    assert complaint in sound(*words).refusal
    assert sorted(tmp_path.iterdir()) == before


def test_a_cast_without_the_roles_of_sound_says_which_it_lacks(moviegen, tiny_folder, clip, tmp_path):
    words = ("sound", clip, "-o", tmp_path / "x.wav", "--cast", tiny_folder, *QUICK)
    assert "has no audio_codec" in moviegen(*words).refusal


@pytest.mark.parametrize(
    ("rate", "channels", "kind"), [(8000, 1, "16"), (44100, 2, "24"), (48000, 1, "float")]
)
def test_an_extended_file_begins_with_the_same_samples(extend, tmp_path, rate, channels, kind):
    source = tone(tmp_path / "in.wav", 1.3, rate, channels, kind)
    answer = extend(source, "--seconds", "0.5", "-o", tmp_path / "out.wav", "--json")
    before, after = (waveform_of(open_sound(path)) for path in (source, tmp_path / "out.wav"))
    assert answer.facts["samples"] == after.shape[1] == before.shape[1] + round(0.5 * rate)
    assert after[:, : before.shape[1]].equal(before)


def test_a_filled_file_is_as_long_and_the_same_outside_the_gap(extend, tmp_path):
    source = tone(tmp_path / "in.wav", 2.0)
    assert extend(source, "--gap", "0.5-1", "-o", tmp_path / "out.wav").code == 0
    before, after = (waveform_of(open_sound(path)) for path in (source, tmp_path / "out.wav"))
    assert after.shape == before.shape
    assert after[:, :24_000].equal(before[:, :24_000])
    assert after[:, 48_000:].equal(before[:, 48_000:])
    assert not after[:, 24_000:48_000].equal(before[:, 24_000:48_000])


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["in.wav", "-o", "x.wav"], "either --seconds N"),
        (["in.wav", "-o", "x.wav", "--seconds", "1", "--gap", "1-2"], "either --seconds N"),
        (["in.wav", "-o", "x.wav", "--gap", "one"], "not START-STOP"),
        (["in.wav", "-o", "x.wav", "--gap", "0.4-9"], "after the sound"),
        (["in.wav", "-o", "x.wav", "--seconds", "-1"], "out of range"),
        (["in.wav", "-o", "x.mp3", "--seconds", "1"], "does not end in .wav"),
        (["clip.mp4", "-o", "x.wav", "--seconds", "1"], "holds no sound"),
        (["surround.wav", "-o", "x.wav", "--seconds", "1"], "8 channels"),
        (["in.wav", "-o", "x.wav", "--seconds", "1", "--prompt", "a choir"], "neither speech nor singing"),
    ],
)
def test_bad_orders_to_extend_are_refused_in_one_sentence(extend, clip, tmp_path, words, complaint):
    tone(tmp_path / "in.wav")
    with av.open(str(tmp_path / "surround.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=48000, layout="7.1")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8 * 4800), np.int16), format="s16", layout="7.1")
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert clip.exists()
    assert complaint in extend(*words).refusal
    assert not (tmp_path / "x.wav").exists()


def test_files_are_mixed_to_a_loudness_and_told(moviegen, tmp_path):
    tone(tmp_path / "a.wav", 3.0, 44100, 2)
    tone(tmp_path / "b.wav", 2.0, 8000)
    words = ("mix", tmp_path / "a.wav@-6", tmp_path / "b.wav", "--loudness", "-23", "--stems", tmp_path / "s")
    answer = moviegen(*words, "-o", tmp_path / "x.wav", "--json")
    assert answer.facts["samples"] == 144_000
    assert answer.facts["lufs"] == pytest.approx(-23, abs=0.2)
    assert sorted(path.name for path in (tmp_path / "s").iterdir()) == ["a.wav", "b.wav"]


def test_a_mix_goes_into_a_video_and_ducks_under_what_leads(moviegen, clip, tmp_path):
    tone(tmp_path / "a.wav", 1.6)
    tone(tmp_path / "voice.wav", 1.6)
    words = ("mix", tmp_path / "a.wav", "--video", clip, "--stems", tmp_path / "s")
    assert moviegen(*words, "--under", tmp_path / "voice.wav", "-o", tmp_path / "x.mp4").code == 0
    assert has_sound(tmp_path / "x.mp4")
    assert packets(tmp_path / "x.mp4") == packets(clip)
    ducked, lead = (waveform_of(open_sound(tmp_path / "s" / f"{name}.wav")) for name in ("a", "voice"))
    middle = slice(30_000, 60_000)
    assert ducked[:, middle].square().mean() < 0.5 * lead[:, middle].square().mean()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["a.wav", "-o", "x.mp4"], "--video"),
        (["a.wav", "--video", "clip.mp4", "-o", "x.wav"], "--video"),
        (["a.wav@-99", "-o", "x.wav"], "gain -99"),
        (["gone.wav", "-o", "x.wav"], "does not exist"),
        (["clip.mp4", "-o", "x.wav"], "holds no sound"),
    ],
)
def test_bad_orders_to_mix_are_refused_in_one_sentence(moviegen, clip, tmp_path, words, complaint):
    tone(tmp_path / "a.wav")
    assert clip.exists()
    assert complaint in moviegen("mix", *words).refusal


def test_the_machines_line_holds_what_was_made(sound, tmp_path):
    answer = sound("--seconds", "0.2", "--prompt", "wind", "-o", tmp_path / "x.wav", "--json")
    facts = json.loads(answer.out)
    assert (facts["file"], facts["samples"], facts["sample_rate"]) == (str(tmp_path / "x.wav"), 9600, 48000)


@pytest.fixture
def generate_with(moviegen, sound_folder, monkeypatch):
    """Run ``moviegen generate`` with a tiny cast that makes sound."""
    quick = SamplingSettings(num_steps=3, guidance=1.0, solver="midpoint")
    monkeypatch.setattr(studio, "SoundSettings", lambda sampling=quick: SoundSettings(sampling=sampling))
    small = ("--size", "32x16", "--seconds", "0.5", "--fps", "8", "--steps", "2", "--device", "cpu")
    return lambda *words: moviegen("generate", "--cast", sound_folder, *small, *words)


def test_a_generated_clip_has_sound_of_its_length_and_all_that_is_written_about_it(generate_with, tmp_path):
    answer = generate_with("a ball", "-o", tmp_path / "x.mp4", "--json")
    assert answer.facts["sound"] == "effects and ambience"
    assert count_samples(open_sound(tmp_path / "x.mp4")) == 24_000
    assert read_metadata(tmp_path / "x.mp4")["prompt"] == "a ball"
    assert [path.name for path in tmp_path.iterdir()] == ["x.mp4"]


def test_silent_clips_and_pictures_have_none(generate_with, tmp_path):
    assert generate_with("a ball", "-o", tmp_path / "x.mp4", "--silent").code == 0
    assert not has_sound(tmp_path / "x.mp4")
    assert "with sound" not in generate_with("a ball", "-o", tmp_path / "x.png").out
    assert "with sound" in generate_with("a ball", "-o", tmp_path / "y.mp4").out


def test_progress_counts_the_steps_of_sound_too_and_ends_full(generate_with, tmp_path):
    assert "5/5" in generate_with("a ball", "-o", tmp_path / "x.mp4").err


def test_a_batch_with_sound_is_not_taken_for_one_without(generate_with, tmp_path):
    (tmp_path / "lines.txt").write_text("a ball\na box\n")
    words = ("--prompts", tmp_path / "lines.txt", "-o", tmp_path / "clips", "--json")
    assert generate_with(*words, "--silent").facts["made"] == 2
    assert generate_with(*words).facts["made"] == 2
    assert generate_with(*words).facts["kept"] == 2
    assert has_sound(tmp_path / "clips" / "0001.mp4")


def test_five_minutes_of_sound_need_no_more_memory_than_one(sound_folder, tmp_path):
    code = """
import resource, sys
from moviegen_core.cli import main
assert main(sys.argv[1:]) == 0
print("PEAK", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    peaks = []
    for minutes in (1, 5):
        words = ("sound", "--seconds", minutes * 60, "--prompt", "rain", "--cast", sound_folder, "--steps", 1)
        words = (*words, "--guidance", 1, "--device", "cpu", "-o", tmp_path / "x.wav")
        run = subprocess.run(
            [sys.executable, "-c", code, *map(str, words)],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        )
        peaks.append(int(run.stdout.rsplit("PEAK", 1)[1]) / 1024)
    assert peaks[1] - peaks[0] < 25, peaks
