import re
from fractions import Fraction

from moviegen_core.models.prompt import format_prompt, format_sound_prompt, seen_sound_prompt


def test_the_rate_comes_first_then_the_camera_then_the_callers_own_words():
    assert format_prompt("A Red  ball!", Fraction(16), "zoom in") == "FPS-16. zoom in. A Red  ball!"
    assert format_prompt("A Red  ball!", Fraction(16)) == "FPS-16. A Red  ball!"


def test_broadcast_rates_are_said_as_the_whole_rates_people_call_them():
    assert format_prompt("x", Fraction(24000, 1001)) == format_prompt("x", Fraction(24))


def test_the_empty_caption_stays_empty_so_that_guidance_has_a_free_branch():
    for caption in ("", "  "):
        assert format_prompt(caption, Fraction(16), "zoom in") == ""


def test_a_sound_prompt_keeps_the_callers_words_and_never_asks_for_voices():
    prompt = format_sound_prompt('rain on a "tin" roof', "slow piano")
    assert 'description: "rain on a "tin" roof"' in prompt
    assert '"slow piano"' in prompt
    assert "not contain speech" in prompt
    assert "not contain vocal singing" in prompt


def test_music_is_likely_exactly_where_it_is_described():
    likelihood = re.compile(r"music with a (0\.\d\d) likelihood")
    with_music, without = (format_sound_prompt("rain", music) for music in ("piano", ""))
    assert float(likelihood.search(with_music)[1]) > 0.5 > float(likelihood.search(without)[1])


def test_a_sound_prompt_that_says_nothing_is_empty_and_music_alone_is_not():
    assert format_sound_prompt(" ", "") == ""
    assert '"piano"' in format_sound_prompt("", "piano")


def test_a_prompt_that_leaves_all_to_the_picture_still_says_whether_there_is_music():
    assert seen_sound_prompt("piano") == format_sound_prompt("", "piano")
    assert seen_sound_prompt() == format_sound_prompt("rain").replace("rain", "")
