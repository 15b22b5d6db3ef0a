from fractions import Fraction

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.errors import PromptError, SettingsError, WeightsError
from moviegen_core.flow.guidance import EditGuidance
from moviegen_core.geometry import ClipShape
from moviegen_core.models.edit import edit_from_video, task_indices
from moviegen_core.models.prompt import format_prompt
from moviegen_core.models.text import tokenize
from moviegen_core.stages.edit_model import (
    EditModels,
    _guided,
    black_latent,
    edit_clip,
    load_edit,
    task_of,
)
from moviegen_core.stages.encode import encode_clip
from moviegen_core.stages.settings import SamplingSettings
from moviegen_core.weights.cast import open_cast, write_cast
from moviegen_core.weights.files import save_model

SHAPE = ClipShape(num_frames=9, fps=Fraction(16), height=32, width=48)
SETTINGS = SamplingSettings(num_steps=2)
WISH = "make the ball blue"


@pytest.fixture(scope="module")
def editors(tiny_models):
    torch.manual_seed(0)
    edit = edit_from_video(tiny_models.video).eval()
    for parameter in edit.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return EditModels(tae=tiny_models.tae, text=tiny_models.text, video=edit)


@pytest.fixture(scope="module")
def clip():
    return torch.rand(3, 9, 32, 48, generator=torch.Generator().manual_seed(0)) * 2 - 1


@torch.no_grad()
def test_guidance_is_the_algebra_of_three_separate_forwards(editors, clip):
    source, dark = encode_clip(editors.tae, clip[None]), black_latent(editors.tae, SHAPE, "cpu")
    x, t = torch.randn_like(source), torch.tensor([0.4])

    def alone(prompt, extra):
        ids, mask = tokenize([prompt])
        task = task_indices([task_of(WISH)])
        edit = editors.video
        context = edit.told(edit.context([editors.text(ids, mask)], [mask]), task)
        return edit(x, t, context, extra_BCTHW=extra, task_BC=edit.task_vector(task))

    free, video, both = (
        alone("", dark),
        alone("", source),
        alone(format_prompt(WISH, SHAPE.fps), source),
    )
    velocity = _guided(editors, (dark, source), WISH, SHAPE, EditGuidance(1.7, 4.2))
    assert_close(velocity(x, t), free + 1.7 * (video - free) + 4.2 * (both - video), atol=1e-4, rtol=1e-4)


def test_source_instruction_pulls_and_seed_all_matter(editors, clip):
    def made(clip=clip, wish=WISH, pulls=(1.5, 4.0), seed=0):
        settings = SamplingSettings(num_steps=2, seed=seed)
        return edit_clip(editors, clip, wish, SHAPE, settings, EditGuidance(*pulls))

    first = made()
    assert first.shape == clip.shape
    assert torch.equal(first, made())
    for other in ({"clip": -clip}, {"wish": "make it snow"}, {"pulls": (2.5, 4.0)}, {"seed": 1}):
        assert not torch.equal(first, made(**other))


def test_long_clips_go_window_by_window(editors):
    long = ClipShape(num_frames=8 * 11, fps=Fraction(16), height=16, width=16)
    done = edit_clip(
        editors, torch.zeros(3, 88, 16, 16), WISH, long, SamplingSettings(num_steps=1), EditGuidance(1.5, 4)
    )
    assert done.shape == (3, 88, 16, 16)


@pytest.mark.parametrize(
    ("instruction", "task"),
    [
        ("make it snow", "weather"),
        ("add a cat", "add"),
        ("stop the rain", "weather"),
        ("blur it all", "swap"),
    ],
)
def test_the_words_decide_the_task(instruction, task):
    assert task_of(instruction) == task


def test_what_cannot_be_done_is_refused(editors, clip):
    with pytest.raises(SettingsError, match="source pull -1"):
        edit_clip(editors, clip, WISH, SHAPE, SETTINGS, EditGuidance(-1, 4))
    for wish in ("", "hello"):
        with pytest.raises(PromptError):
            edit_clip(editors, clip, wish, SHAPE, SETTINGS, EditGuidance(1, 4))


def test_a_video_model_in_the_place_of_an_edit_model_is_refused(tiny_models):
    with pytest.raises(WeightsError, match="these models do not edit"):
        EditModels(tae=tiny_models.tae, text=tiny_models.text, video=tiny_models.video)


def test_a_cast_with_the_roles_edits_and_one_without_says_what_it_lacks(editors, tiny_folder, tmp_path):
    models = {"tae": editors.tae, "edit_text": editors.text, "edit": editors.video}
    for role, model in models.items():
        save_model(tmp_path / f"{role}.safetensors", role, model)
    write_cast(tmp_path, "mine", {role: f"{role}.safetensors" for role in models})
    assert isinstance(load_edit(open_cast(tmp_path)), EditModels)
    with pytest.raises(WeightsError, match="has no edit_text"):
        load_edit(open_cast(tiny_folder))
