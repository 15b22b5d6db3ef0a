from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.errors import WeightsError
from moviegen_core.layers.positions import Place
from moviegen_core.models.edit import TASKS, edit_from_video, task_indices
from moviegen_core.models.video import VIDEO_PRESETS, VideoTransformer
from moviegen_core.theatre.edits import TASKS as THEATRE_TASKS
from moviegen_core.weights.files import load_model, save_model

TINY = replace(
    VIDEO_PRESETS["nano"],
    width=16,
    num_layers=2,
    num_heads=2,
    ffn_width=16,
    context_widths=(8,),
    table_sizes=(4, 3, 3),
)


@pytest.fixture
def video(randomize):
    torch.manual_seed(0)
    return randomize(VideoTransformer(TINY))


@pytest.fixture
def asked():
    """Noisy latents, times, text features and a source."""
    torch.manual_seed(1)
    return torch.randn(2, 16, 3, 4, 4), torch.rand(2), torch.randn(2, 5, 8), torch.randn(2, 16, 3, 4, 4)


def edited(edit, asked, task="recolour", source=None):
    x, t, features, own = asked
    task_B = task_indices([task] * 2)
    context = edit.told(edit.context([features]), task_B)
    extra = own if source is None else source
    return edit(x, t, context, extra_BCTHW=extra, task_BC=edit.task_vector(task_B))


def test_a_fresh_edit_model_equals_the_video_model_it_was_made_of(video, asked):
    x, t, features, _ = asked
    expected = video(x, t, video.context([features]))
    edit = edit_from_video(video).eval()
    for task in TASKS:
        assert_close(edited(edit, asked, task), expected, atol=1e-5, rtol=1e-5)


def test_every_new_part_learns_from_the_first_step(video, asked):
    edit = edit_from_video(video).train().requires_grad_()
    edited(edit, asked).square().mean().backward()
    assert edit.extra_patch.weight.grad.abs().max() > 0
    assert edit.task_time.weight.grad.abs().max() > 0
    assert edit.task_tokens.weight.grad.abs().max() > 0


def test_a_trained_edit_model_sees_source_and_task(video, asked, randomize):
    edit = randomize(edit_from_video(video))
    first = edited(edit, asked)
    assert not torch.allclose(first, edited(edit, asked, source=torch.zeros_like(asked[3])))
    assert not torch.allclose(first, edited(edit, asked, "weather"))


def test_task_tokens_that_are_zero_are_not_looked_at_once_training_is_over(video, asked):
    edit = edit_from_video(video)
    base, task_B = edit.context([asked[2]]), task_indices(["add", "swap"])
    assert not edit.eval().told(base, task_B).mask_BK[:, 5:].any()
    assert edit.train().told(base, task_B).mask_BK.all()


def test_a_context_computed_ahead_gives_the_same(video, asked, randomize):
    edit = randomize(edit_from_video(video))
    x, t, features, source = asked
    task_B = task_indices(["add", "swap"])
    context = edit.told(edit.context([features]), task_B)
    extra = {"extra_BCTHW": source, "task_BC": edit.task_vector(task_B)}
    assert_close(edit(x, t, edit.computed_ahead(context), **extra), edit(x, t, context, **extra))


def later(grid, frame):
    """The place of a picture at a frame of a clip that ends with it."""
    return Place((frame + 1, *grid[1:]), torch.tensor([[frame, 0, 0]]))


def test_a_picture_can_stand_at_any_place_in_time(video, asked):
    x, t, features, _ = asked
    context, picture = video.context([features]), x[:, :, :1]
    grid = tuple(side // cell for side, cell in zip(picture.shape[2:], (1, 2, 2), strict=True))
    first, third = (video(picture, t, context, place=later(grid, frame)) for frame in (0, 2))
    assert not torch.allclose(first, third)
    assert_close(first, video(picture, t, context))


def test_a_clip_of_pictures_knows_the_same_places_as_pictures_drawn_there(video):
    whole = video.positions((4, 2, 2)).unflatten(0, (4, 4))
    for frame in range(4):
        assert torch.equal(video.positions((1, 2, 2), later((1, 2, 2), frame))[0], whole[frame])


def test_an_edit_model_comes_back_from_its_file(video, asked, randomize, tmp_path):
    edit = randomize(edit_from_video(video))
    save_model(tmp_path / "edit.safetensors", "edit", edit, dtype=torch.float32)
    assert_close(edited(load_model(tmp_path / "edit.safetensors", "edit"), asked), edited(edit, asked))


def test_an_edit_model_is_not_made_of_an_edit_model(video):
    with pytest.raises(WeightsError, match="16 extra channels is no text-to-video model"):
        edit_from_video(edit_from_video(video))


def test_every_task_of_the_theatre_is_known():
    assert set(THEATRE_TASKS) <= set(TASKS)
