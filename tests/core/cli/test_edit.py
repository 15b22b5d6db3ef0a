import pytest
import torch

from moviegen_core.media.images import write_image
from moviegen_core.media.read import probe
from moviegen_core.models.edit import edit_from_video
from moviegen_core.weights.cast import open_cast, write_cast
from moviegen_core.weights.files import save_model


@pytest.fixture
def clip(generate):
    """A clip that knows its prompt."""
    assert generate("a red ball bounces on the beach", "-o", "clip.mp4").code == 0
    return "clip.mp4"


@pytest.fixture
def edit(moviegen, tiny_folder):
    """Run ``moviegen edit`` with the tiny cast; later options win."""
    small = ("--cast", tiny_folder, "--device", "cpu", "--steps", 2)
    return lambda *words: moviegen("edit", *words, *small)


def test_an_instruction_makes_a_clip_of_the_same_size_and_length(edit, clip):
    done = edit(clip, "make the ball blue", "-o", "blue.mp4", "--json", "--matte", "matte.png")
    assert done.code == 0
    assert done.facts["source_caption"] == "a red ball bounces on the beach"
    assert done.facts["caption"] == "A blue ball bounces on the beach."
    assert (probe("blue.mp4").width, probe("blue.mp4").num_frames) == (32, 4)
    assert probe("matte.png").height == 32


def test_what_was_found_out_is_said_and_what_was_told_is_not(edit, clip):
    assert 'by the rule "recolour" it shall show' in edit(clip, "make the ball blue", "-o", "a.mp4").err
    told = edit(clip, "make the ball blue", "-o", "a.mp4", "--caption", "a ball", "--target", "a blue ball")
    assert "moviegen:" not in told.err


def test_a_source_without_a_prompt_is_described_by_the_judge(edit):
    write_image("grey.png", torch.full((32, 48, 3), 120, dtype=torch.uint8))
    done = edit("grey.png", "make it snow", "-o", "out.png", "--json")
    assert done.facts["source_caption"].startswith("A ")
    assert "our small judge" in done.err


@pytest.mark.parametrize("keep", ["none", "mask.png"])
def test_keep_says_where_the_edit_shows(edit, clip, keep):
    write_image("mask.png", torch.zeros(16, 32, 3, dtype=torch.uint8))
    done = edit(clip, "make the ball blue", "-o", "out.mkv", "--keep", keep, "--json")
    assert done.facts["share_kept"] == (0 if keep == "none" else 1)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("",), "the instruction is empty"),
        (("hello",), "asks for no change"),
        (("make it snow", "--strength", "2"), "strength 2.0 is out of range"),
        (("make it snow", "--target", " "), "--target is empty"),
        (("make it snow", "--keep", "nowhere.png"), "does not exist"),
        (("make it snow", "--size", "30x30"), "does not fit"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_sentence(edit, clip, words, complaint):
    assert complaint in edit(clip, *words, "-o", "out.mp4").refusal


@pytest.fixture
def instructed(moviegen, clip, tiny_folder, tmp_path):
    """Run ``moviegen edit`` with a cast whose one file is its video model and its edit model."""
    cast = open_cast(tiny_folder)
    folder = tmp_path / "editing"
    folder.mkdir()
    files = {"tae": cast.load("tae"), "text": cast.load("text"), "edit": edit_from_video(cast.load("video"))}
    for role, model in files.items():
        save_model(folder / f"{role}.safetensors", role, model)
    shared = {"edit_text": "text.safetensors", "video": "edit.safetensors"}
    write_cast(folder, "editing", {role: f"{role}.safetensors" for role in files} | shared)
    usual = ("-o", "out.mp4", "--cast", folder, "--device", "cpu", "--steps", 1)
    return lambda *words: moviegen("edit", clip, "add a cat", *usual, *words)


def test_a_cast_with_an_edit_model_edits_with_it(instructed):
    assert instructed("--json").facts["task"] == "add"
    assert "text pull 99.0 is out of range" in instructed("--text-pull", 99).refusal


@pytest.mark.parametrize(
    "words", [("--target", "a cat"), ("--caption", "a ball"), ("--strength", 0.5), ("--averages", 2)]
)
def test_what_steers_flow_edit_alone_is_not_silently_dropped_by_an_edit_model(instructed, words):
    assert f"{words[0]} steers FlowEdit" in instructed(*words).refusal
    assert "caption" in instructed(*words, "--flow-edit", "--json").facts
