"""Captions of sounds in the paper's form, in many phrasings. Wording and lengths are our choice."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from ..events import Bed, Music
from ..scene import Scene
from ..wording import PLACE_PHRASES, listed, pick, with_article
from . import wording as say
from .hearing import STEMS, Heard, heard

MAX_DESCRIPTION = 140
"""Characters; a longer draw is made again with less detail."""
MAX_MUSIC_DESCRIPTION = 88
"""Characters that the longest description of music takes; with the form around them all fit in 480 bytes."""
QUALITIES = {False: 7.0, True: 8.0}
"""What the paper asks for at inference: without music, with music."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundText:
    """What is said of a sound, before it is put into the paper's form."""

    description: str
    music: str
    """Empty if there is none."""


def sound_text(
    scene: Scene,
    seconds: float,
    rng: random.Random,
    *,
    stems: Sequence[str] = STEMS,
    detail: float | None = None,
) -> SoundText:
    """Describe a scene's sound the way some artist might type it.

    Every clear effect and every bed that is not faint is told; ground, place and faint beds sometimes.

    Args:
        scene: what is heard.
        seconds: length of the clip.
        rng: decides the phrasing.
        stems: those that are in the mix.
        detail: 0 says little, 1 says all; drawn when None.

    Returns:
        A description of at most ``MAX_DESCRIPTION`` characters, and one of the music.
    """
    detail = rng.random() ** 1.5 if detail is None else detail
    sound = heard(scene, seconds, stems)
    while len(text := _described(scene, sound, rng, detail)) > MAX_DESCRIPTION:
        detail *= 0.8
    return SoundText(
        description=text, music=_music_described(sound.music, rng, detail) if sound.music else ""
    )


def canonical_sound_text(scene: Scene, seconds: float, stems: Sequence[str] = STEMS) -> SoundText:
    """The one clean phrasing used in evaluations and examples."""
    sound = heard(scene, seconds, stems)
    ground = say.GROUNDS[scene.place][0]
    events = [say.EVENTS[kind][0].format(ground=ground) for kind in _kinds(sound)]
    engines = [say.ENGINES[_drives(scene, bed)][0] for bed in sound.engines]
    beds = [_bed_phrases(bed)[0] for bed in sound.beds if bed.level >= say.FAINT_LEVEL]
    background = f"{listed(beds)} in the background" if events + engines and beds else listed(beds)
    told = " with ".join(filter(None, [listed(_once([*events, *engines])), background])) or say.SILENCE[0]
    if sound.music is None:
        return SoundText(description=told, music="")
    score = f"{sound.music.mood} {say.INSTRUMENTS[sound.music.instrument][0]} music"
    return SoundText(description=f"{told}, {say.WITH_MUSIC[0]}", music=score)


def paper_caption(text: SoundText, *, quality: float | None = None, likelihood: float | None = None) -> str:
    """Put a sound's description into the form that the audio model reads.

    Args:
        text: what is heard; both parts may be an artist's own words.
        quality: 1 to 10; by default what the paper asks for.
        likelihood: that there is music, 0 to 1; by default near the end that is true.

    Returns:
        One line, never asking for speech or singing, which the model does not make.

    Source: Movie Gen, audio captions.
    """
    has_music = bool(text.music)
    quality = QUALITIES[has_music] if quality is None else quality
    likelihood = (0.95 if has_music else 0.01) if likelihood is None else likelihood
    return (
        f"This audio has quality: {quality:.1f}. "
        "This audio does not contain speech. This audio does not contain vocal singing. "
        f"This audio contains music with a {likelihood:.2f} likelihood. "
        f'This audio has a description: "{text.description}". '
        f'This audio has a music description (if applicable): "{text.music}".'
    )


def _kinds(sound: Heard) -> list[str]:
    """Kinds of clear events, by their first."""
    return _once([event.kind for event in sound.events])


def _once(phrases: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(phrases))


def _drives(scene: Scene, engine: Bed) -> bool:
    assert engine.actor is not None
    return scene.actors[engine.actor].action.startswith("go")


def _described(scene: Scene, sound: Heard, rng: random.Random, detail: float) -> str:
    effects = _effect_phrases(scene, sound, rng, detail)
    beds = [
        pick(rng, _bed_phrases(bed))
        for bed in sound.beds
        if bed.level >= say.FAINT_LEVEL or rng.random() < detail
    ]
    text = _joined(effects, beds, rng, is_all=sound.music is None)
    if sound.beds and rng.random() < 0.3 * detail:
        text += f" {pick(rng, PLACE_PHRASES[scene.place])}"
    if sound.music and rng.random() < 0.7:
        text += f"{rng.choice((',', ''))} {pick(rng, say.WITH_MUSIC)}"
    return text[0].upper() + text[1:] + rng.choice((".", "")) if rng.random() < 0.4 else text


def _effect_phrases(scene: Scene, sound: Heard, rng: random.Random, detail: float) -> list[str]:
    ground = pick(rng, say.GROUNDS[scene.place])
    phrases = []
    for kind in _kinds(sound):
        phrase = pick(rng, say.EVENTS[kind]).format(ground=ground)
        often = sum(event.kind == kind for event in sound.events) > 2 and kind.startswith(
            ("impact", "splash")
        )
        phrases.append(f"{phrase} {rng.choice(say.AGAIN)}" if often and rng.random() < detail else phrase)
    return _once([*phrases, *(pick(rng, say.ENGINES[_drives(scene, bed)]) for bed in sound.engines)])


def _bed_phrases(bed: Bed) -> tuple[str, ...]:
    if bed.level < say.FAINT_LEVEL:
        return say.FAINT[bed.kind]
    return say.STRONG[bed.kind] if bed.level >= say.STRONG_LEVELS.get(bed.kind, 2.0) else say.BEDS[bed.kind]


def _joined(effects: list[str], beds: list[str], rng: random.Random, *, is_all: bool) -> str:
    """Foreground and background in one of many orders."""
    if not effects or not beds:
        return _alone(effects or beds, rng, is_all=is_all)
    near, far = listed(effects), listed(beds)
    frames = (
        f"{near} with {far} in the background",
        f"{near} and {far}",
        f"{near}, {far}",
        f"{near} over {far}",
        f"{far} and {near}",
        f"the sound of {near} with {far}",
        f"{near} while {far} can be heard",
        ", ".join(rng.sample(effects + beds, len(effects + beds))),
    )
    return rng.choice(frames)


def _alone(phrases: list[str], rng: random.Random, *, is_all: bool) -> str:
    if not phrases:
        return pick(rng, say.SILENCE)
    told = listed(phrases)
    return rng.choice((told, f"the sound of {told}", f"{told}, nothing else" if is_all else told))


def _music_described(played: Music, rng: random.Random, detail: float) -> str:
    mood, instrument = pick(rng, say.MOODS[played.mood]), pick(rng, say.INSTRUMENTS[played.instrument])
    tempo = rng.choice(next(words for limit, words in say.TEMPOS if played.tempo <= limit))
    bare = instrument.removeprefix("a ")
    frames = (
        f"{mood} {bare} music",
        f"{with_article(mood)} {bare} piece",
        f"{instrument} playing {with_article(mood)} melody",
        f"{mood}, {tempo} music for {bare}",
        f"{with_article(tempo)} and {mood} piece played on {bare}",
    )
    text = rng.choice(frames if rng.random() < 0.3 + detail else frames[:3])
    return f"{text} at {played.tempo:.0f} beats per minute" if rng.random() < 0.3 * detail else text
