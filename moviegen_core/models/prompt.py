"""The forms in which prompts are trained and asked (Movie Gen, section 2 and audio captions)."""

import re
from fractions import Fraction

from ..errors import PromptError


def format_prompt(caption: str, fps: Fraction | float, camera: str | None = None) -> str:
    """``FPS-16. zoom in. a red ball ...``; the caption's own words stay as they are.

    An empty caption stays empty: it is the free branch of guidance, which training makes by dropping
    everything.
    """
    if not caption.strip():
        return ""
    label = "" if camera is None else f"{camera}. "
    return f"FPS-{round(fps)}. {label}{caption}"


QUALITIES = {False: 7.0, True: 8.0}
"""What the paper asks for without music and with it."""
LIKELIHOODS = {False: 0.01, True: 0.95}
"""Of music; the paper keeps the number of a detector, which is never quite sure."""


MUSIC_ALONE = "silence, with music in the background"
"""The description of a sound that is nothing but music, as captions word it."""
_VOICES = re.compile(
    r"\b(speech|speak(?:s|ing)?|talk(?:s|ing)?|says|saying|dialogues?|dialogs?|conversations?|narrat\w+"
    r"|voices?|voice-?overs?|vocals?|vocalists?|lyrics|singers?|rap|raps|rapping|rapper|choirs?)\b",
    re.IGNORECASE,
)
_SONG = re.compile(r"\b(sing|sings|singing|sang|sung)\b", re.IGNORECASE)
_SINGS_WITHOUT_WORDS = re.compile(
    r"bird|robin|nightingale|cricket|cicada|whale|frog|wind|kettle|bowl|saw|wire|rail", re.IGNORECASE
)
_REFUSED = re.compile(r"\b(?:no|not|without|never|nobody|neither|nor)\b[^.,;]*$", re.IGNORECASE)


def check_sound_prompt(text: str) -> None:
    """Refuse words that ask for a human voice, which no model here makes; "no speech" may be said.

    Args:
        text: what an artist typed.

    Raises:
        PromptError: it asks for speech or singing.
    """
    songs = [] if _SINGS_WITHOUT_WORDS.search(text) else list(_SONG.finditer(text))
    for found in (*_VOICES.finditer(text), *songs):
        if not _REFUSED.search(text[: found.start()]):
            raise PromptError(
                f"{found[0]!r} asks for a voice, and this model makes neither speech nor singing;"
                " describe effects, ambience or instruments"
            )


def format_sound_prompt(
    description: str, music: str = "", *, quality: float | None = None, likelihood: float | None = None
) -> str:
    """Put what is heard into the paper's form of an audio caption.

    A caption that says nothing stays empty: it is the free branch of guidance.

    Args:
        description: effects and ambience, in an artist's own words.
        music: what is played; empty for no music.
        quality: 1 to 10; what the paper asks for when None.
        likelihood: that there is music, 0 to 1; near the end that is true when None.

    Returns:
        One line; it never asks for speech or singing, which the model does not make.

    Source: Movie Gen, audio captions.
    """
    if not description.strip() and not music.strip():
        return ""
    return _sound_form(description, music, quality, likelihood)


def seen_sound_prompt(music: str = "") -> str:
    """The form of a sound prompt without a word on what is heard, which leaves that to the picture.

    Unlike an empty prompt it says that there is no music, or which. Our choice: the paper describes all.
    """
    return _sound_form("", music, None, None)


def _sound_form(description: str, music: str, quality: float | None, likelihood: float | None) -> str:
    has_music = bool(music.strip())
    quality = QUALITIES[has_music] if quality is None else quality
    likelihood = LIKELIHOODS[has_music] if likelihood is None else likelihood
    return (
        f"This audio has quality: {quality:.1f}. "
        "This audio does not contain speech. This audio does not contain vocal singing. "
        f"This audio contains music with a {likelihood:.2f} likelihood. "
        f'This audio has a description: "{description}". '
        f'This audio has a music description (if applicable): "{music}".'
    )
