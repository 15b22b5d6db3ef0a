"""Music: the score keeps to its scale and beat, the instruments to the score."""

import math
from collections import Counter
from dataclasses import replace

import pytest
import torch

from moviegen_core.media.weighting import k_power
from moviegen_core.theatre.events import INSTRUMENTS, MOODS, events, music
from moviegen_core.theatre.sampling import sample_scenes
from moviegen_core.theatre.sound import orchestra as players
from moviegen_core.theatre.sound.score import STYLES, Note, score
from moviegen_core.theatre.sound.signal import SAMPLE_RATE

SCENES = sample_scenes(0, 200)
SECONDS = 8.0


def _by_mood():
    return {music(scene).mood: scene for scene in SCENES}


def _note(pitch, seconds=1.0):
    return Note(start=0.0, seconds=seconds, pitch=pitch, strength=1.0, pan=0.0)


def _loudness_db(stem):
    power = torch.fft.rfft(stem).abs().square().sum(0)
    hz = torch.fft.rfftfreq(stem.shape[1], 1 / SAMPLE_RATE).clamp(min=1e-3)
    return 10 * math.log10(float((power * k_power(hz, SAMPLE_RATE)).sum()) * 2 / stem.shape[1] ** 2)


def test_every_mood_and_instrument_can_be_played():
    assert set(STYLES) == set(MOODS)
    assert set(players.INSTRUMENTS) == set(INSTRUMENTS)


def test_notes_begin_on_eighths_of_the_musics_own_beat():
    for scene in SCENES:
        heard = music(scene)
        for note in score(scene, SECONDS):
            halves = (note.start - heard.first_beat) * heard.tempo / 60 * 2
            assert halves == pytest.approx(round(halves), abs=1e-6)
            assert heard.first_beat <= note.start < SECONDS


def test_all_but_the_bites_of_tense_music_lie_in_one_scale():
    for scene in SCENES:
        heard, notes = music(scene), score(scene, SECONDS)
        scale, played = STYLES[heard.mood].scale, Counter(note.pitch % 12 for note in notes)
        outside = min(
            sum(count for tone, count in played.items() if (tone - root) % 12 not in scale)
            for root in range(12)
        )
        assert outside == 0 or (heard.mood == "tense" and outside < 0.1 * played.total())


def test_pitches_stay_where_instruments_sound_well():
    for scene in SCENES:
        assert all(28 <= note.pitch <= 96 for note in score(scene, SECONDS))


def test_a_longer_piece_begins_with_the_shorter_one():
    for scene in SCENES[:50]:
        short, long = score(scene, 3.1), score(scene, SECONDS)
        assert short == [note for note in long if note.start < 3.1]


def test_the_tune_comes_back_and_other_seeds_have_others():
    scene = replace(_by_mood()["happy"], actors=(replace(SCENES[0].actors[0], action="spin"),), place="stage")
    tunes = set()
    for seed in range(20):
        tunes.add(tuple(note.pitch for note in score(replace(scene, seed=seed), 6.0)))
    assert len(tunes) == 20


@pytest.mark.parametrize("name", INSTRUMENTS)
@pytest.mark.parametrize("pitch", [45, 60, 69, 81])
def test_an_instrument_plays_the_pitch_that_is_written(name, pitch):
    instrument = players.INSTRUMENTS[name]
    [wave] = players.tones(instrument, [_note(pitch)])
    spectrum = torch.fft.rfft(wave * torch.hann_window(len(wave)), 2**19).abs()
    hz = 440 * 2 ** ((pitch + instrument.transpose - 69) / 12)
    at = hz * 2**19 / SAMPLE_RATE
    near = spectrum[round(at * 0.985) : round(at * 1.015)].max()
    assert near > 0.2 * spectrum.max()
    assert instrument.transpose % 12 == 0
    lower = spectrum[round(at * 0.5) : round(at * 0.9)].max()
    assert near > 5 * lower


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_a_note_rises_from_silence_and_ends_in_silence(name):
    for wave in players.tones(players.INSTRUMENTS[name], [_note(60), _note(72, 0.2), _note(40, 9.0)]):
        assert wave[0].abs() < 1e-3
        assert wave[-1].abs() < 1e-3
        assert len(wave) <= players.LONGEST_SECONDS * SAMPLE_RATE


def test_strings_sustain_what_a_marimba_lets_die():
    late = {}
    for name in ("strings", "marimba"):
        [wave] = players.tones(players.INSTRUMENTS[name], [_note(60, 1.5)])
        late[name] = float(wave[SAMPLE_RATE:][:4800].square().mean() / wave[9600:14400].square().mean())
    assert late["strings"] > 0.3
    assert late["marimba"] < 0.1


def test_music_is_equally_loud_in_every_mood_and_on_every_instrument():
    heard = {}
    for scene in SCENES:
        played = music(scene)
        if (played.mood, played.instrument) not in heard:
            stem = players.orchestra(scene, round(5 * SAMPLE_RATE))
            heard[played.mood, played.instrument] = _loudness_db(stem)
    assert len(heard) == 16
    assert max(heard.values()) - min(heard.values()) < 5
    for loudness in heard.values():
        assert loudness == pytest.approx(20 * math.log10(players.LOUDNESS), abs=3)


def test_there_is_silence_before_the_first_beat_and_a_rise_at_every_dancers_step():
    dancing = [scene for scene in SCENES if any(actor.action == "dance" for actor in scene.actors[:1])][:5]
    for scene in dancing:
        stem = players.orchestra(scene, 4 * SAMPLE_RATE)
        first = round(music(scene).first_beat * SAMPLE_RATE)
        assert stem[:, :first].abs().sum() == 0
        beats = {note.start for note in score(scene, 4.0)}
        steps = [event.time for event in events(scene, 4.0) if event.kind.split()[0] != "thunder"]
        if len(scene.actors) == 1:
            assert sum(any(abs(step - beat) < 1e-6 for beat in beats) for step in steps) >= 0.7 * len(steps)
