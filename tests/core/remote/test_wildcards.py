import random

import pytest

from moviegen_core.remote.wildcards import choose


def all_of(text):
    return {choose(text, random.Random(seed)) for seed in range(200)}


def test_every_choice_comes_up_and_nothing_else():
    assert all_of("a {red|blue} {ball|box}") == {"a red ball", "a red box", "a blue ball", "a blue box"}


def test_choices_may_stand_within_choices():
    assert all_of("{a|{b|c} d}") == {"a", "b d", "c d"}


def test_the_same_dice_make_the_same_text():
    assert choose("{a|b|c|d}", random.Random(3)) == choose("{a|b|c|d}", random.Random(3))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a ball", "a ball"),
        (r"\{a\|b\}", "{a|b}"),
        ("a // not this\nball", "a \nball"),
        ("a /* nor\nthis */ball", "a ball"),
        ("(red:1.3) ball", "(red:1.3) ball"),
        ("{ open", "{ open"),
    ],
)
def test_comments_go_and_escaped_braces_stay(text, read):
    assert choose(text, random.Random(0)) == read
