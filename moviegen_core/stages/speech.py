"""Words that ask for a voice, which no model of ours makes: training heard none."""

import re

PEOPLE = (
    r"(?:somebody|someone|m[ae]n|wom[ae]n|people|child(?:ren)?|persons?|girls?|boys?|crowds?|he|she|they)"
)
DOING = r"(?:sings?|singing|says?|saying|shouts?|shouting|screams?|screaming|whispers?|whispering)"
NAMES = (
    r"speech|speak(?:s|ing)?|talk(?:s|ing)?|dialogues?|narrat(?:ion|or|ing)|voice-?overs?|voices?"
    r"|conversations?|lyrics|vocals?|choirs?|rapping"
)
VOICES = re.compile(rf"\b(?:{NAMES}|{PEOPLE} (?:is |are )?{DOING})\b", re.IGNORECASE)
"""Birds may sing."""


def asked_voice(text: str) -> str | None:
    """The first word in a prompt that asks for speech or singing by people; None when none does."""
    found = VOICES.search(text)
    return found[0] if found else None


def voice_warning(text: str) -> str:
    """What to tell who asked for a voice; empty when nobody did."""
    word = asked_voice(text)
    return f"{word!r}: these models make no speech and no singing; add a voice in Mix Sound" if word else ""
