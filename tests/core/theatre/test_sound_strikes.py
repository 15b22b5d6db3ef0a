"""What single events sound like."""

from dataclasses import replace

import pytest
import torch

from moviegen_core.theatre import vocabulary as words
from moviegen_core.theatre.events import Event, events
from moviegen_core.theatre.sampling import sample_scenes
from moviegen_core.theatre.sound.signal import SAMPLE_RATE
from moviegen_core.theatre.sound.strikes import MATERIALS, SURFACES, bubble, strike

SCENE = sample_scenes(0, 1)[0]
KINDS = [*(f"impact {kind}" for kind in words.ACTORS), "footstep person", "footstep cat", "splash", "thunder"]


def _event(kind, pitch=200.0, time=1.0):
    return Event(time=time, kind=kind, strength=0.5, pitch=pitch, pan=0.0)


def _centroid(wave):
    power = torch.fft.rfft(wave).abs().square()
    return float((power * torch.arange(len(power))).sum() / power.sum()) * SAMPLE_RATE / len(wave)


def _strongest_hz(wave):
    spectrum = torch.fft.rfft(wave, 2**17).abs()
    return float(spectrum.argmax()) * SAMPLE_RATE / 2**17


def test_everything_that_can_be_struck_has_a_material_and_a_surface():
    assert set(MATERIALS) == set(words.ACTORS)
    assert set(SURFACES) == set(words.PLACES)


@pytest.mark.parametrize("place", words.PLACES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_strike_begins_at_once_ends_in_silence_and_has_no_offset(kind, place):
    wave = strike(replace(SCENE, place=place), _event(kind))
    assert float(wave.abs().max()) == pytest.approx(1)
    loud = wave.abs() > 0.1
    assert int(loud.nonzero()[0]) < 0.005 * SAMPLE_RATE
    assert wave[0].abs() < 0.01
    assert wave[-200:].abs().max() < 0.02
    assert abs(float(wave.mean())) < 1e-5


def test_every_event_of_the_theatre_can_be_struck():
    scenes = sample_scenes(0, 300)
    kinds = {event.kind: (scene, event) for scene in scenes for event in events(scene, 4.0)}
    assert len(kinds) > 10
    for scene, event in kinds.values():
        assert torch.isfinite(strike(scene, event)).all()


@pytest.mark.parametrize("kind", ["ball", "box", "star", "car", "person"])
def test_the_strongest_tone_of_an_impact_is_its_pitch(kind):
    scene = replace(SCENE, place="stage")
    for pitch in (110.0, 220.0, 500.0):
        assert _strongest_hz(strike(scene, _event(f"impact {kind}", pitch))) == pytest.approx(pitch, rel=0.06)


@pytest.mark.parametrize("kind", ["splash", "thunder", *(f"impact {kind}" for kind in MATERIALS)])
def test_a_higher_pitch_sounds_higher(kind):
    scene = replace(SCENE, place="stage")
    low, high = (
        sum(_centroid(strike(scene, _event(kind, pitch, time))) for time in (0.5, 1.0, 1.5))
        for pitch in (120.0, 480.0)
    )
    assert high > 1.3 * low


def test_bells_ring_longer_than_boxes_and_large_bodies_longer_than_small_ones():
    scene = replace(SCENE, place="stage")
    ring = {kind: len(strike(scene, _event(f"impact {kind}"))) for kind in ("star", "box")}
    assert ring["star"] > 4 * ring["box"]
    assert len(strike(scene, _event("impact ball", 100.0))) > len(strike(scene, _event("impact ball", 300.0)))


def test_water_dulls_and_snow_crunches_longer_than_pavement():
    steps = {
        place: strike(replace(SCENE, place=place), _event("footstep person", 300.0)) for place in SURFACES
    }
    late = {place: float(wave[9000:].square().sum() / wave.square().sum()) for place, wave in steps.items()}
    assert late["snowy mountains"] > late["city street"]
    rings = [
        _centroid(strike(replace(SCENE, place=p), _event("impact star", 660.0)))
        for p in ("underwater", "stage")
    ]
    assert rings[0] < 0.8 * rings[1]


def test_no_two_blows_are_alike_but_the_same_blow_is():
    first, second, again = (strike(SCENE, _event("impact ball", time=time)) for time in (1.0, 2.0, 1.0))
    assert torch.equal(first, again)
    assert not torch.allclose(first, second, atol=0.01)
    assert not torch.allclose(first, strike(replace(SCENE, seed=77), _event("impact ball")), atol=0.01)


def test_a_bubble_rises():
    wave = bubble(800.0, 0.05)
    half = len(wave) // 4
    assert _strongest_hz(wave[half : 2 * half]) > _strongest_hz(wave[:half])
