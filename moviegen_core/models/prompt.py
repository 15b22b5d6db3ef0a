"""The forms in which prompts are trained and asked (Movie Gen, section 2 and audio captions)."""

from fractions import Fraction


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
