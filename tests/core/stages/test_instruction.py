import pytest

from moviegen_core.errors import PromptError
from moviegen_core.stages.instruction import target_caption
from moviegen_core.theatre.captions import canonical_caption
from moviegen_core.theatre.edits import sample_edit

BALL = "A red ball bounces on the beach."
PARK = "A man in a red shirt walks in a park, in the rain."


@pytest.mark.parametrize(
    ("instruction", "source", "wanted"),
    [
        ("make the ball blue", BALL, "A blue ball bounces on the beach."),
        ("Change the ball's colour to bright green.", BALL, "A bright green ball bounces on the beach."),
        ("please paint the red ball white instead of red", BALL, "A white ball bounces on the beach."),
        ("make the man's shirt green", PARK, "A man in a green shirt walks in a park, in the rain."),
        ("give him a black shirt", PARK, "A man in a black shirt walks in a park, in the rain."),
        ("replace the ball with an orange cat", BALL, "An orange cat bounces on the beach."),
        ("a star instead of the ball", BALL, "A star bounces on the beach."),
        ("turn the man into a bird", PARK, "A bird walks in a park, in the rain."),
        ("put him on the moon", PARK, "A man in a red shirt walks on the moon, in the rain."),
        ("change the background to a desert", BALL, "A red ball bounces in a desert."),
        ("move the scene to an underwater world", BALL, "A red ball bounces underwater."),
        ("make it snow", BALL, "A red ball bounces on the beach, in falling snow."),
        ("turn the rain into a storm", PARK, "A man in a red shirt walks in a park, in a storm."),
        ("stop the rain", PARK, "A man in a red shirt walks in a park."),
        ("make it a pencil sketch", BALL, "A red ball bounces on the beach, as a pencil sketch."),
        ("apply a neon style", BALL, "A red ball bounces on the beach, in neon."),
        ("make it look normal", "A dog, in neon.", "A dog."),
        ("add a small boat", BALL, "A red ball bounces on the beach, with a small boat."),
        ("add fog", BALL, "A red ball bounces on the beach, in fog."),
        ("remove the cat", "A ball rolls while a black cat jumps, in neon.", "A ball rolls, in neon."),
        ("take the red ball away", BALL, "Nothing but the scenery on the beach."),
        ("blur the horizon", BALL, "A red ball bounces on the beach, blur the horizon."),
    ],
)
def test_each_way_to_ask_changes_just_what_it_names(instruction, source, wanted):
    assert target_caption(instruction, source).text == wanted


@pytest.mark.parametrize(
    ("instruction", "wanted"),
    [
        ("make the ball blue", "A blue ball."),
        ("replace the car with a horse", "A horse."),
        ("snow", "A scene in falling snow."),
        ("remove the dog", "A scene without dog."),
        ("put it on the moon", "A scene on the moon."),
        ("把球变成蓝色", "把球变成蓝色."),
    ],
)
def test_without_a_source_caption_the_wish_itself_is_the_caption(instruction, wanted):
    assert target_caption(instruction).text == wanted


@pytest.mark.parametrize("instruction", ["", "   ", "...", "\U0001f642"])
def test_an_empty_instruction_is_refused_with_an_example(instruction):
    with pytest.raises(PromptError, match="is empty; say what to change and how, such as"):
        target_caption(instruction, BALL)


@pytest.mark.parametrize("instruction", ["hello", "Hello there!", "thank you", "asdf", "ball"])
def test_an_instruction_that_asks_nothing_is_refused(instruction):
    with pytest.raises(PromptError, match="asks for no change; say what"):
        target_caption(instruction, BALL)


RULES = {
    "recolour": {"recolour"},
    "swap": {"swap"},
    "add": {"add"},
    "remove": {"remove"},
    "background": {"background"},
    "weather": {"weather", "clear", "add", "remove"},
    "style": {"style", "plain look"},
}


def test_nearly_every_instruction_of_the_theatre_is_recognized_and_changes_the_caption():
    missed = []
    for seed in range(300):
        edit = sample_edit(seed)
        source = canonical_caption(edit.source)
        found = target_caption(edit.instruction, source)
        if found.rule not in RULES[edit.task] or found.text == source:
            missed.append((edit.instruction, source, found))
    assert len(missed) <= 6, missed
