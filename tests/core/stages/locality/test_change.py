import pytest
import torch

from moviegen_core.errors import GeometryError
from moviegen_core.stages.locality.change import (
    WINDOW_FRAMES,
    ChangeMaps,
    analysis_size,
    change,
    find_change,
    latent_change,
)

from .conftest import BOX


def test_a_clip_does_not_differ_from_itself(source, tiny_models):
    assert not change(source, source).any()
    assert not change(source, source, tiny_models.tae).any()


def test_only_the_edited_box_and_its_rim_differ(source, edit_box):
    found = change(source, edit_box(source)) > 0
    assert found[:, BOX[0], BOX[1]].all()
    found[:, BOX[0].start - 1 : BOX[0].stop + 1, BOX[1].start - 1 : BOX[1].stop + 1] = False
    assert not found.any()


def test_a_small_drift_of_colour_is_no_change_and_a_large_one_is(source):
    base = source.clamp(40, 200)
    drifted = (base.int() + torch.tensor([5, -4, 3])).to(torch.uint8)
    assert change(base, drifted).max() < 10
    assert change(base, (base.int() + 40).to(torch.uint8)).min() > 60


def test_a_drift_does_not_hide_an_edit_beside_it(source, edit_box):
    base = source.clamp(40, 200)
    drifted = edit_box((base.int() + 5).to(torch.uint8))
    found = change(base, drifted)
    assert found[:, BOX[0], BOX[1]].min() > 60
    assert found[:, 35:].max() < 10


def test_latents_differ_where_the_picture_does_and_have_its_size(source, edit_box, tiny_models):
    found = latent_change(tiny_models.tae, *(x.movedim(-1, 1) for x in (source, edit_box(source))))
    assert found.shape == source.shape[:3]
    assert found[:, 20, 32].min() > found[:, -1, -1].max()


def test_large_frames_are_compared_small_with_their_aspect():
    assert analysis_size(1080, 1920) == (180, 320)
    assert analysis_size(1920, 1080) == (320, 180)
    assert analysis_size(112, 192) == (112, 192)
    assert analysis_size(1, 4000) == (1, 320)


def test_maps_come_back_from_their_file_as_they_were():
    maps, drawn = ChangeMaps(), torch.randint(0, 256, (7, 5, 6), dtype=torch.uint8)
    maps.add(drawn[:4])
    maps.add(drawn[4:])
    assert torch.equal(maps.window(-3, 99), drawn)
    assert torch.equal(maps.window(2, 5), drawn[2:5])
    assert torch.equal(maps.histogram(), torch.bincount(drawn.flatten(), minlength=256))


def test_windows_of_frames_make_no_difference_without_an_autoencoder(source, edit_box):
    long, edited = (x.repeat(4, 1, 1, 1) for x in (source, edit_box(source)))
    assert len(long) > WINDOW_FRAMES
    maps = find_change(zip(long, edited, strict=True))
    assert torch.equal(maps.window(0, len(long)), change(long, edited))


def test_no_frames_and_frames_of_other_sizes_are_refused(source):
    with pytest.raises(GeometryError, match="no frame to compare"):
        find_change([])
    with pytest.raises(GeometryError, match="align the clips first"):
        find_change([(source[0], source[0, :40])])
    with pytest.raises(GeometryError, match="align the clips first"):
        change(source, source[:5])
