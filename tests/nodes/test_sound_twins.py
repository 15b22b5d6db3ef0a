"""The workflows with sound as shipped, each run to its end on a real server, their results measured."""

import json
from pathlib import Path

import torch

from moviegen_core.media.loudness import measure
from moviegen_core.media.picture_time import picture_time
from moviegen_core.media.read_sound import open_sound
from moviegen_core.media.sound import count_samples, waveform_of

TWINS = Path(__file__).parents[2] / "tests" / "prompts"
PACKET = 1024
"""Samples of AAC that hosts may leave behind the end."""


def run_twin(server, name):
    """Files by the name under which a node saves them."""
    prompt = json.loads((TWINS / f"{name}.json").read_text())
    run = server.run(prompt)
    assert run.error is None
    assert run.succeeded, run.refusal
    saving = {key: node["inputs"].get("filename_prefix") for key, node in prompt.items()}
    return {prefix.removeprefix("movie-gen/"): run.files(key)[0] for key, prefix in saving.items() if prefix}


def check_film(path, num_frames):
    """A film of so many frames at 16 a second with as much sound, and something to hear in it."""
    assert picture_time(path).num_frames == num_frames
    assert 0 <= count_samples(open_sound(path)) - num_frames * 3000 <= PACKET
    assert waveform_of(open_sound(path)).std() > 1e-4


def test_sound_for_any_video_is_as_long_as_the_video_and_as_loud_as_asked(server):
    film = run_twin(server, "sound_for_any_video")["sound_for_any_video"]
    check_film(film, 48)
    heard = measure(open_sound(film))
    assert heard.integrated_lufs < -15
    assert heard.true_peak_dbtp < 0.5  # compressed since


def test_text_to_video_with_sound_has_both(server):
    check_film(run_twin(server, "text_to_video_with_sound")["text_to_video_with_sound"], 48)


def test_extend_sound_begins_with_its_beginning_bit_for_bit(server):
    files = run_twin(server, "extend_sound")
    beginning, whole = (
        waveform_of(open_sound(files[f"extend_sound/{name}"])) for name in ("beginning", "whole")
    )
    assert beginning.shape[1] == 4 * 48000
    assert whole.shape[1] == 10 * 48000
    assert torch.equal(whole[:, : 4 * 48000], beginning)
    assert whole[:, 4 * 48000 :].std() > 1e-5


def test_effects_and_music_sum_up_to_the_mix(server):
    files = run_twin(server, "effects_and_music_as_stems")
    check_film(files["effects_and_music_as_stems/mixed"], 48)
    stems = [
        waveform_of(open_sound(files[f"effects_and_music_as_stems/{one}"])) for one in ("effects", "music")
    ]
    assert {stem.shape for stem in stems} == {(2, 48 * 3000)}
    mixed = waveform_of(open_sound(files["effects_and_music_as_stems/mixed"]))[:, : 48 * 3000]
    levels = [envelope(one) for one in (mixed, stems[0] + stems[1])]
    assert torch.corrcoef(torch.stack(levels))[0, 1] > 0.9
    assert 20 * (levels[0].mean() / levels[1].mean()).log10().abs() < 3  # AAC cuts the highest pitches


def envelope(waveform_CS):
    """Loudness of every fiftieth of a second: what AAC keeps even of noise."""
    return waveform_CS.unfold(-1, 960, 960).square().mean((0, 2)).sqrt()
