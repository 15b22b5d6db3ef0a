"""The effects stem against the picture: onsets, sides, engines and their Doppler shift."""

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.theatre.events import beds, events
from moviegen_core.theatre.motion import track
from moviegen_core.theatre.sampling import sample_scenes
from moviegen_core.theatre.scene import Actor, Scene
from moviegen_core.theatre.sound.effects import effects
from moviegen_core.theatre.sound.engine import (
    LISTENER_DISTANCE,
    SOUND_SPEED,
    cycle_hz,
    departure,
    distance,
    engine,
)
from moviegen_core.theatre.sound.signal import SAMPLE_RATE

SECONDS = 4


def _scene(kind="ball", action="bounce", *, size="medium", camera="static shot", seed=3, place="stage"):
    actor = Actor(kind=kind, colour="red", size=size, action=action)
    return Scene(actors=(actor,), place=place, weather="clear", camera=camera, look="plain", seed=seed)


def _onsets(stem):
    """Times at which the stem's energy in 1 ms jumps above all of the 20 ms before."""
    energy = stem.square().sum(0).unfold(0, 48, 48).sum(1)
    found, quiet_until = [], 0
    for step in range(20, len(energy)):
        if step >= quiet_until and energy[step] > 3 * energy[step - 20 : step].max() + 1e-5:
            found.append(step / 1000)
            quiet_until = step + 100
    return found


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("kind", "action"), [("ball", "bounce"), ("box", "jump"), ("cat", "go left"), ("fish", "bounce")]
)
def test_onsets_found_in_the_sound_are_the_events_within_5_ms(kind, action, seed):
    scene = _scene(kind, action, seed=seed)
    told = [event.time for event in events(scene, SECONDS) if 0.03 < event.time < SECONDS - 0.03]
    found = [time for time in _onsets(effects(scene, SECONDS * SAMPLE_RATE)) if time < SECONDS - 0.03]
    assert len(found) == len(told) > 0
    assert max(abs(a - b) for a, b in zip(found, told, strict=True)) < 0.005


def test_before_the_first_event_there_is_exact_silence():
    quiet = 0
    for scene in sample_scenes(0, 60):
        if not any(bed.actor is not None for bed in beds(scene)):
            stem, told = effects(scene, SECONDS * SAMPLE_RATE), events(scene, SECONDS)
            first = round(told[0].time * SAMPLE_RATE) if told else stem.shape[1]
            assert stem[:, :first].abs().sum() == 0
            quiet += first > 0
    assert quiet > 20


def test_small_actors_are_heard_higher_than_large_ones():
    def centroid(size):
        power = torch.fft.rfft(effects(_scene(size=size), SECONDS * SAMPLE_RATE).sum(0)).abs().square()
        return float((power * torch.arange(len(power))).sum() / power.sum())

    assert centroid("small") > 1.2 * centroid("medium") > 1.2 * centroid("large")


def test_stronger_events_are_louder():
    for scene in sample_scenes(0, 80):
        told = [event for event in events(scene, SECONDS) if event.kind.startswith("impact")]
        if len(scene.actors) == 1 and len(told) == 1 and scene.actors[0].kind != "car":
            peak = effects(scene, SECONDS * SAMPLE_RATE).square().sum(0).max().sqrt()
            assert float(peak) == pytest.approx(0.5 * told[0].strength ** 0.5, rel=0.05)


def test_a_driving_car_is_heard_moving_across():
    stem = effects(_scene("car", "go right"), SECONDS * SAMPLE_RATE)
    begin, end = (part.square().mean(1) for part in (stem[:, :24000], stem[:, -24000:]))
    assert begin[0] > begin[1]
    assert end[1] > end[0]


@pytest.mark.parametrize("action", ["go left", "go right"])
def test_doppler_shifts_by_the_speed_toward_the_listener_over_that_of_sound(action):
    scene, times = _scene("car", action), torch.arange(0, 5, 0.01, dtype=torch.float64)
    way = track(scene, 0)
    left = departure(scene, way, times)
    ratio = (left[2:] - left[:-2]) / 0.02
    x = way.x(left)[1:-1]
    away = way.facing * way.speed * x / (x**2 + LISTENER_DISTANCE**2).sqrt()
    assert_close(ratio, 1 / (1 + away / SOUND_SPEED), atol=1e-4, rtol=0)
    assert ratio[0] > 1 > ratio[-1]
    assert_close(times - left, distance(scene, way, left, times) / SOUND_SPEED, atol=1e-6, rtol=0)


def test_the_engine_that_is_heard_has_the_shifted_frequency():
    scene = _scene("car", "go left")
    way, [bed] = track(scene, 0), [bed for bed in beds(scene) if bed.kind == "engine"]
    stem = engine(scene, bed, 5 * SAMPLE_RATE).sum(0)
    base = 4 * cycle_hz(way, "medium")
    for start in (0.0, 1.6, 3.4):
        piece = stem[round(start * SAMPLE_RATE) :][:SAMPLE_RATE] * torch.hann_window(SAMPLE_RATE)
        spectrum = torch.fft.rfft(piece, 2**20).abs()
        low, high = (round(base * share * 2**20 / SAMPLE_RATE) for share in (0.9, 1.1))
        heard = (low + int(spectrum[low:high].argmax())) * SAMPLE_RATE / 2**20
        edges = departure(scene, way, torch.tensor([start + 0.25, start + 0.75], dtype=torch.float64))
        assert heard / base == pytest.approx(float(edges[1] - edges[0]) / 0.5, abs=0.008)


def test_who_follows_a_car_hears_no_doppler():
    scene = _scene("car", "go left", camera="tracking shot")
    times = torch.arange(0, 4, 0.01, dtype=torch.float64)
    left = departure(scene, track(scene, 0), times)
    assert_close(
        (left[2:] - left[:-2]) / 0.02, torch.ones(len(times) - 2, dtype=torch.float64), atol=0.01, rtol=0
    )


def test_a_small_cars_motor_runs_faster_and_any_car_that_drives_faster_than_idling():
    small, large = (
        cycle_hz(track(_scene("car", "go left", size=size), 0), size) for size in ("small", "large")
    )
    assert small > large
    assert large > cycle_hz(track(_scene("car", "spin", size="large"), 0), "large")


def test_a_car_that_comes_back_in_on_the_other_side_does_not_click():
    stem = effects(_scene("car", "go left"), 12 * SAMPLE_RATE)
    around = replace(_scene("car", "go left"))
    x = track(around, 0).x(torch.arange(0, 12, 0.01))
    jump = int(x.diff().abs().argmax()) / 100
    assert x.diff().abs().max() > 2
    near = stem[:, round((jump - 0.3) * SAMPLE_RATE) : round((jump + 0.3) * SAMPLE_RATE)]
    assert near.abs().max() < 0.3 * stem.abs().max()
    assert near.diff().abs().max() < stem[:, :SAMPLE_RATE].diff().abs().max()
