"""Texts that stand for many, as ComfyUI's page reads them: ``{red|blue} ball``."""

import random
import re

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
BRACES = re.compile(r"(?<!\\)\{((?:\\.|[^{}\\])*)\}")
"""The innermost pair; a backslash makes a brace an ordinary sign."""
BAR = re.compile(r"(?<!\\)\|")
ESCAPED = re.compile(r"\\([{}|])")


def choose(text: str, dice: random.Random) -> str:
    """One of the texts that a text stands for.

    Args:
        text: with choices in braces, parted by bars, also within each other, and with // and /* */ comments.
        dice: decides.

    Returns:
        It without braces and comments.
    """
    text = COMMENT.sub("", text)
    while BRACES.search(text):
        text = BRACES.sub(lambda found: dice.choice(BAR.split(found[1])), text)
    return ESCAPED.sub(r"\1", text)
