from fractions import Fraction

from moviegen_core.models.prompt import format_prompt


def test_the_rate_comes_first_then_the_camera_then_the_callers_own_words():
    assert format_prompt("A Red  ball!", Fraction(16), "zoom in") == "FPS-16. zoom in. A Red  ball!"
    assert format_prompt("A Red  ball!", Fraction(16)) == "FPS-16. A Red  ball!"


def test_broadcast_rates_are_said_as_the_whole_rates_people_call_them():
    assert format_prompt("x", Fraction(24000, 1001)) == format_prompt("x", Fraction(24))


def test_the_empty_caption_stays_empty_so_that_guidance_has_a_free_branch():
    for caption in ("", "  "):
        assert format_prompt(caption, Fraction(16), "zoom in") == ""
