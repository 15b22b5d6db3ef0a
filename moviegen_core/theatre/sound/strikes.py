"""Short sounds: what is struck rings in its own modes, the ground adds noise. Materials are our choice."""

import math
import random
from dataclasses import dataclass

import torch
from torch import Tensor

from ..events import Event
from ..motion import stream
from ..scene import Scene
from .signal import SAMPLE_RATE, band, coloured, damped_waves, generator, ramp, sample_at

# Shape letters: N bubble, M partial wave, S audio sample.

CONTACT_SECONDS = 0.0008
"""In this time a blow reaches its full force."""
RISE = 0.15
"""Share by which a bubble's pitch has risen when it has fallen to 1/e."""
DULLING_HZ = 700.0
"""Water takes the brightness above this from what is struck in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """How something rings when it is struck."""

    ratios: tuple[float, ...]
    """Frequencies of its modes over the event's pitch."""
    gains: tuple[float, ...]
    """How strongly a blow excites each."""
    seconds: float
    """Time in which the lowest mode falls to 1/e at a pitch of 200 Hz; lower pitches ring longer."""
    damping: float
    """How much faster the higher modes die."""
    contact: float
    """Share of the ground's noise beside the ringing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """What a ground adds when something meets it."""

    low_hz: float
    high_hz: float
    seconds: float
    grain: float
    """0 one smooth noise, 1 a crunch of many."""
    ringing: float
    """How much of the struck body is heard: a lawn swallows it, boards carry it."""


MEMBRANE = (1.0, 1.59, 2.14, 2.30, 2.65)
PLATE = (1.0, 2.02, 2.81, 3.73, 4.93, 6.1)
FREE_BAR = (1.0, 2.756, 5.404, 8.933)
MATERIALS = {
    "ball": Material(ratios=MEMBRANE, gains=(1, 0.5, 0.3, 0.2, 0.1), seconds=0.09, damping=0.6, contact=0.25),
    "box": Material(
        ratios=PLATE, gains=(1, 0.8, 0.6, 0.5, 0.3, 0.2), seconds=0.045, damping=0.4, contact=0.5
    ),
    "star": Material(ratios=FREE_BAR, gains=(1, 0.7, 0.4, 0.2), seconds=0.9, damping=0.5, contact=0.1),
    "balloon": Material(ratios=MEMBRANE[:3], gains=(1, 0.3, 0.1), seconds=0.035, damping=0.8, contact=0.3),
    "car": Material(
        ratios=(1, 1.7, 2.9, 7.3, 11.1, 17.3),
        gains=(1, 0.6, 0.5, 0.25, 0.2, 0.12),
        seconds=0.13,
        damping=0.05,
        contact=0.35,
    ),
    "bird": Material(ratios=(1, 1.9), gains=(1, 0.3), seconds=0.022, damping=1.0, contact=0.9),
    "cat": Material(ratios=(1, 1.6, 2.4), gains=(1, 0.4, 0.2), seconds=0.04, damping=1.0, contact=0.4),
    "person": Material(ratios=(1, 1.5, 2.6), gains=(1, 0.5, 0.3), seconds=0.06, damping=0.8, contact=0.6),
    "boat": Material(ratios=PLATE[:4], gains=(1, 0.6, 0.4, 0.2), seconds=0.12, damping=0.4, contact=0.3),
    "fish": Material(ratios=MEMBRANE[:2], gains=(1, 0.3), seconds=0.03, damping=1.0, contact=0.5),
    "koala": Material(ratios=PLATE[:3], gains=(1, 0.5, 0.2), seconds=0.06, damping=0.6, contact=0.5),
}
SURFACES = {
    "meadow": Surface(low_hz=1200, high_hz=5000, seconds=0.05, grain=0.5, ringing=0.8),
    "beach": Surface(low_hz=700, high_hz=3500, seconds=0.07, grain=0.7, ringing=0.7),
    "desert": Surface(low_hz=500, high_hz=2500, seconds=0.08, grain=0.6, ringing=0.7),
    "city street": Surface(low_hz=1800, high_hz=9000, seconds=0.012, grain=0.0, ringing=1.0),
    "night sky": Surface(low_hz=900, high_hz=4000, seconds=0.04, grain=0.4, ringing=0.8),
    "snowy mountains": Surface(low_hz=2200, high_hz=8000, seconds=0.11, grain=1.0, ringing=0.6),
    "underwater": Surface(low_hz=120, high_hz=900, seconds=0.09, grain=0.2, ringing=0.9),
    "stage": Surface(low_hz=500, high_hz=4000, seconds=0.018, grain=0.0, ringing=1.3),
}
"""What the ground of each place sounds like."""


def strike(scene: Scene, event: Event) -> Tensor:
    """The sound of one event, mono, its loudest sample 1, its onset at the first sample.

    Args:
        scene: its place is the ground, its seed makes no two blows alike.
        event: its kind and pitch.

    Returns:
        (S,) float32, ended.
    """
    topic = f"{event.kind} at {event.time:.6f}"
    dice, rng = stream(scene, topic), generator(scene, f"{topic} noise")
    family, _, kind = event.kind.partition(" ")
    if family == "splash":
        wave = _splash(event.pitch, dice, rng)
    elif family == "thunder":
        wave = _thunder(event.pitch, dice, rng)
    elif family == "footstep":
        wave = _footstep(scene.place, kind, event.pitch, dice, rng)
    else:
        wave = _impact(scene.place, MATERIALS[kind], event.pitch, dice, rng)
    wave = _balanced(wave)
    return wave / wave.abs().max()


def _balanced(wave: Tensor) -> Tensor:
    """Take away the offset as a hill over the whole sound, which leaves no step at either end."""
    hill = torch.sin(math.pi * (torch.arange(len(wave)) + 0.5) / len(wave))
    return wave - hill * (wave.sum() / hill.sum())


def _impact(
    place: str, material: Material, pitch: float, dice: random.Random, rng: torch.Generator
) -> Tensor:
    surface = SURFACES[place]
    body = _ringing(material, pitch, dice, is_dull=place == "underwater")
    noise = _ground_noise(surface, rng, max(len(body), sample_at(6 * surface.seconds)))
    body = torch.nn.functional.pad(body, (0, len(noise) - len(body)))
    return body * surface.ringing + material.contact * noise


def _ringing(material: Material, pitch: float, dice: random.Random, *, is_dull: bool) -> Tensor:
    """The body's modes, each blow on a slightly different spot."""
    ratios = torch.tensor(material.ratios)
    hz = pitch * ratios
    seconds = material.seconds * (200 / pitch) ** 0.5 / (1 + material.damping * (ratios - 1))
    gains = torch.tensor([gain * dice.uniform(0.8, 1.2) for gain in material.gains])
    if is_dull:
        gains = gains / (1 + (hz / DULLING_HZ) ** 2)
    num_samples = sample_at(7 * float(seconds[0]))
    wave = damped_waves(hz[None], seconds[None], gains[None], num_samples)[0]
    return _struck(wave) / gains.sum()


def _struck(wave: Tensor) -> Tensor:
    """Begin with the blow's short rise, end in silence."""
    rise, fall = sample_at(CONTACT_SECONDS), len(wave) // 8
    wave[:rise] *= ramp(rise)
    wave[len(wave) - fall :] *= ramp(fall).flip(0)
    return wave


def _ground_noise(surface: Surface, rng: torch.Generator, num_samples: int) -> Tensor:
    """Noise in the surface's colour that dies away, as one or as a crunch of many grains."""
    length = num_samples + num_samples % 2
    noise = coloured(band(_even_power(length), surface.low_hz, surface.high_hz), rng)[:num_samples]
    seconds = torch.arange(num_samples) / SAMPLE_RATE
    smooth = torch.exp(-seconds / surface.seconds)
    crunch = smooth * _pebbles(num_samples, 2.5 * surface.seconds, rng)
    return _struck(0.4 * noise * torch.lerp(smooth, 0.5 * smooth + 0.8 * crunch, surface.grain))


def _pebbles(num_samples: int, seconds: float, rng: torch.Generator) -> Tensor:
    """Loudness of many small blows within so many seconds."""
    blow = torch.exp(-torch.arange(960) / 144)
    loudness = torch.zeros(num_samples + len(blow))
    for share in torch.rand(24, generator=rng).tolist():
        start = sample_at(share * seconds)
        loudness[start : start + len(blow)] += blow[: num_samples + len(blow) - start]
    return loudness[:num_samples]


def _even_power(num_samples: int) -> int:
    """The power of two that holds so many samples: few lengths, so that their bands are computed once."""
    return 1 << max(6, (num_samples - 1).bit_length())


def _footstep(place: str, kind: str, pitch: float, dice: random.Random, rng: torch.Generator) -> Tensor:
    """Heel and toe, or four soft paws as one."""
    heel = _impact(place, MATERIALS[kind], pitch, dice, rng)
    if kind != "person":
        return heel
    toe = _impact(place, MATERIALS[kind], 1.3 * pitch, dice, rng)
    gap = sample_at(dice.uniform(0.06, 0.09))
    both = torch.zeros(max(len(heel), gap + len(toe)))
    both[: len(heel)] += heel
    both[gap : gap + len(toe)] += 0.45 * toe
    return both


def _splash(pitch: float, dice: random.Random, rng: torch.Generator) -> Tensor:
    """The slap on the water, the falling spray, then bubbles: the smaller who falls, the higher."""
    num_samples, size = 2**15, 400 / pitch
    seconds = torch.arange(num_samples) / SAMPLE_RATE
    slap = coloured(band(num_samples, 1.5 * pitch, 12 * pitch), rng) * torch.exp(-seconds / 0.025)
    spray = coloured(band(num_samples, 4 * pitch, 9000), rng)
    spray = spray * torch.exp(-seconds / (0.16 * size**0.3)) * (1 - torch.exp(-seconds / 0.02))
    wave = slap + 0.5 * spray
    for _ in range(dice.randint(6, 10)):
        start = sample_at(dice.uniform(0.06, 0.35))
        blip = bubble(pitch * dice.uniform(1.2, 3.5), dice.uniform(0.01, 0.03)) * dice.uniform(0.05, 0.25)
        wave[start : start + len(blip)] += blip[: num_samples - start]
    return _struck(wave)


def bubble(hz: float, seconds: float) -> Tensor:
    """A bubble's ring, rising as it nears the surface; after Minnaert and van den Doel."""
    moments = torch.arange(sample_at(6 * seconds)) / SAMPLE_RATE
    phase = math.tau * hz * (moments + RISE * moments**2 / (2 * seconds))
    swelling = 1 - torch.exp(-moments / (0.5 * seconds))
    return _struck(torch.sin(phase) * torch.exp(-moments / seconds) * swelling)


def _thunder(pitch: float, dice: random.Random, rng: torch.Generator) -> Tensor:
    """The crack of near lightning and the rumble that rolls after it."""
    num_samples = 2**17
    seconds = torch.arange(num_samples) / SAMPLE_RATE
    claps = torch.exp(-seconds / 0.05)
    for _ in range(dice.randint(2, 4)):
        later = seconds - dice.uniform(0.04, 0.35)
        claps = claps + 0.6 * torch.exp(-later.clamp(min=0) / 0.04) * (later >= 0)
    crack = coloured(band(num_samples, 8 * pitch, 5000), rng) * claps
    rolling = _rolling(seconds, dice) * _rolling(1.6 * seconds, dice)
    rumble = coloured(band(num_samples, 0.8 * pitch, 4 * pitch), rng)
    return _struck(
        crack + 0.8 * rumble * rolling * torch.exp(-seconds / 0.8) * (1 - torch.exp(-seconds / 0.03))
    )


def _rolling(seconds: Tensor, dice: random.Random) -> Tensor:
    return 1 + 0.5 * torch.sin(math.tau * (dice.uniform(1.0, 2.0) * seconds + dice.random()))
