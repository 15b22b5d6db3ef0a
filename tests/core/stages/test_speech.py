import pytest

from moviegen_core.stages.speech import asked_voice, voice_warning


@pytest.mark.parametrize(
    "text",
    ["a man talking", "Speech in a hall", "she sings softly", "people shouting", "a choir", "female vocals"],
)
def test_a_prompt_that_asks_for_a_voice_is_noticed(text):
    assert asked_voice(text)
    assert "no speech" in voice_warning(text)


@pytest.mark.parametrize(
    "text", ["", "birds singing", "rain on a roof", "a walkie clicks", "the sea", "chimes that sing"]
)
def test_what_no_person_says_is_no_voice(text):
    assert asked_voice(text) is None
    assert voice_warning(text) == ""
