"""Edit Prompt and Movie Gen Edit: what ``moviegen edit`` makes, as a node."""

import types
from fractions import Fraction
from pathlib import Path

import pytest
import torch

from moviegen_core.flow.guidance import EditGuidance
from moviegen_core.media.read import read_clip
from moviegen_core.media.write import write_clip
from moviegen_core.media.write_lossless import write_lossless
from moviegen_core.stages.edit import edit_file
from moviegen_core.stages.edit_model import edit_clip, load_edit
from moviegen_core.stages.flow_edit import FlowEditSettings, flow_edit
from moviegen_core.stages.generate import load_text_to_video
from moviegen_core.stages.settings import SamplingSettings
from moviegen_core.weights.cast import open_cast

FPS, FRAMES = Fraction(16), 9
FIELDS = {
    "instruction": "make the ball blue",
    "caption": "a red ball bounces on the beach",
    "by_hand": "",
    "strength": 0.8,
    "steps": 2,
    "source_pull": 0.0,
    "text_pull": 0.0,
    "averages": 1,
    "keep": "nothing",
    "grow": 0.03,
    "feather": 0.02,
    "sensitivity": 1.0,
    "seed": 7,
}


@pytest.fixture(scope="module")
def host(comfy_host, tmp_path_factory):
    """The host's VIDEO of a file, a temp folder, and a small film."""
    import folder_paths
    from comfy_api.latest import InputImpl

    folder = tmp_path_factory.mktemp("host")
    folder_paths.set_temp_directory(str(folder / "temp"))
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 3, 4, 6, generator=generator)
    still = torch.nn.functional.interpolate(coarse, (32, 48), mode="bicubic")[0].clamp(0, 1).movedim(0, -1)
    frames = (still * 255).round().to(torch.uint8).expand(FRAMES, -1, -1, -1)
    path = write_lossless(folder / "film.mkv", frames, FPS)
    return types.SimpleNamespace(ours=comfy_host.ours, file=InputImpl.VideoFromFile, film=path, folder=folder)


@pytest.fixture(scope="module")
def flow(cast, float_model):
    return {"model": float_model, "clip": cast.clip, "vae": cast.vae}


@pytest.fixture
def edit(run, host, flow):
    def call(**changes):
        given = {**flow, "video": host.file(str(host.film)), **FIELDS} | changes
        names = ("video", "matte", "picture", "report", "caption")
        return types.SimpleNamespace(**dict(zip(names, run("MovieGenEdit", **given), strict=True)))

    return call


def bytes_of(video):
    return (video.get_components().images * 255).round().to(torch.uint8)


def test_with_nano_it_is_the_cores_flow_edit(edit, host):
    models = load_text_to_video(open_cast("nano"))
    settings = FlowEditSettings(strength=0.8, num_steps=2, seed=7)
    words = (FIELDS["caption"], "A blue ball bounces on the beach.")

    def change(clip, shape):
        return flow_edit(models, clip, words, shape, settings)

    from moviegen_core.stages.edit import EVERYTHING, Locality

    wanted = edit_file(
        models, host.film, host.folder / "core.mkv", change, locality=Locality(keep=EVERYTHING)
    )
    made = edit()
    close = bytes_of(made.video).int() - read_clip(wanted.path)[0].int()
    assert close.abs().max() <= 2
    assert made.caption == words[1]
    assert "(recolour)" in made.report


def test_with_an_edit_model_it_is_the_cores_edit(edit, host, comfy_host, edit_folder):
    folder, models = open_cast(edit_folder), load_edit(open_cast(edit_folder))
    parts = {
        "model": comfy_host.ours("nodes.host.edit").load_edit_model(
            folder.path("edit"), folder.path("tae"), dtype=torch.float32
        ),
        "clip": comfy_host.ours("nodes.host.clip").load_clip(folder.path("edit_text"), "edit_text"),
    }

    def change(clip, shape):
        settings, pulls = SamplingSettings(num_steps=2, seed=7), EditGuidance(1.5, 4.0)
        return edit_clip(models, clip, FIELDS["instruction"], shape, settings, pulls)

    from moviegen_core.stages.edit import EVERYTHING, Locality

    keep = Locality(keep=EVERYTHING)
    wanted = edit_file(models, host.film, host.folder / "taught.mkv", change, locality=keep)
    made = edit(**parts)
    close = bytes_of(made.video).int() - read_clip(wanted.path)[0].int()
    assert close.abs().max() <= 2
    assert "task: recolour" in made.report


def test_what_did_not_change_stays_the_sources_own(edit, host):
    made = edit(keep="what did not change", sensitivity=0.5)
    outside = made.matte == 0
    assert torch.equal(bytes_of(made.video)[outside], read_clip(host.film)[0][outside])
    assert made.picture.ndim == 4


def test_a_mask_wins(edit, host):
    mask = torch.zeros(1, 32, 48)
    mask[:, :, 24:] = 1
    made = edit(mask=mask)
    source = read_clip(host.film)[0]
    assert torch.equal(bytes_of(made.video)[:, :, :24], source[:, :, :24])
    assert not torch.equal(bytes_of(made.video)[:, :, 24:], source[:, :, 24:])


def test_by_hand_wins_over_the_rules(edit):
    made = edit(by_hand="FPS-16. a green ball bounces", instruction="")
    assert made.caption == "a green ball bounces"
    assert "(written by hand)" in made.report


def test_a_file_of_ours_remembers_what_it_shows_and_a_hosts_workflow_is_no_caption(edit, host):
    frames = torch.randint(0, 255, (FRAMES, 32, 48, 3), dtype=torch.uint8)
    for prompt, words in (
        ("a red boat sails left", "A blue boat sails left."),
        ('{"1": {"class_type": "SaveVideo"}}', "A blue boat."),
    ):
        path = write_clip(host.folder / "told.mp4", frames, FPS, metadata={"prompt": prompt})
        made = edit(video=host.file(str(path)), caption="", instruction="make the boat blue")
        assert made.caption == words
    assert "nobody said what the clip shows" in made.report


def test_another_size_rate_and_sound_come_back_as_they_were(edit, host):
    path = host.folder / "odd.mkv"
    write_lossless(path, torch.randint(0, 255, (7, 50, 70, 3), dtype=torch.uint8), Fraction(24000, 1001))
    made = edit(video=host.file(str(path)))
    assert bytes_of(made.video).shape == (7, 50, 70, 3)
    assert made.video.get_components().frame_rate == Fraction(24000, 1001)
    assert Path(made.video.get_stream_source()).suffix == ".mkv"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"instruction": ""}, "the instruction is empty"),
        ({"instruction": "hello"}, "'hello' asks for no change"),
        ({"mask": torch.ones(1, 32, 32)}, "draw it over a frame of the source"),
        ({"caption": "very " * 300}, "shorten"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_sentence(edit, changes, words):
    with pytest.raises(Exception, match=words) as caught:
        edit(**changes)
    assert "\n" not in str(caught.value)


def test_a_model_of_another_family_is_told_the_other_way(edit, float_model):
    class Other:
        model = object()

    with pytest.raises(Exception, match="take FlowEdit Guider and Sampler") as caught:
        edit(model=Other())
    assert "\n" not in str(caught.value)
    assert float_model is not None


def test_an_interrupt_stops_it(edit):
    import comfy.model_management

    comfy.model_management.interrupt_current_processing(True)
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        edit(steps=50)


def test_edit_prompt_shows_target_source_and_rule(run):
    made = run(
        "MovieGenEditPrompt",
        instruction="make it snow",
        caption="FPS-16. zoom in. a red ball bounces on the beach",
        by_hand="",
    )
    assert made == (
        "A red ball bounces on the beach, in falling snow.",
        "a red ball bounces on the beach",
        "weather",
    )
    made = run("MovieGenEditPrompt", instruction="", caption="", by_hand=" a cat ")
    assert made == ("a cat", "", "written by hand")
    made = run("MovieGenEditPrompt", instruction="dream of sheep tonight", caption="", by_hand="")
    assert made[0]
    assert made[2] == "as it is"


@pytest.mark.parametrize("instruction", ["", "   ", "hello"])
def test_edit_prompt_refuses_what_asks_for_nothing_with_the_way_out(run, instruction):
    with pytest.raises(ValueError, match="or write by_hand what the clip shall show") as caught:
        run("MovieGenEditPrompt", instruction=instruction, caption="a ball", by_hand="")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("part", "words"), [("clip", "this CLIP is another family's"), ("vae", "this VAE is another family's")]
)
def test_parts_of_another_family_are_refused_in_one_sentence(edit, part, words):
    with pytest.raises(Exception, match=words) as caught:
        edit(**{part: types.SimpleNamespace(cond_stage_model=object(), first_stage_model=object())})
    assert "\n" not in str(caught.value)
