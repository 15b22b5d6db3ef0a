import math

import pytest
import torch

from moviegen_core.errors import GeometryError
from moviegen_core.stages.locality.composite import composite, matte_bytes
from moviegen_core.stages.locality.compositing import composite_clip

from .conftest import BOX


def random_frames(*shape):
    return torch.randint(0, 256, (*shape, 3), dtype=torch.uint8)


@pytest.mark.parametrize("seed", range(8))
def test_random_edits_inside_a_region_never_change_a_pixel_outside(seed):
    torch.manual_seed(seed)
    source = random_frames(4, 40, 56)
    edited = (source.int() + torch.randint(-9, 10, source.shape)).clamp(0, 255).to(torch.uint8)
    top, left = torch.randint(0, 20, (2,)).tolist()
    edited[:, top : top + 12, left : left + 16] = random_frames(4, 12, 16)
    whole = composite_clip(source, edited)
    outside = whole.mattes == 0
    assert torch.equal(whole.frames[outside], source[outside])
    assert whole.report.is_kept_exactly
    assert not outside[:, top + 2 : top + 10, left + 2 : left + 14].any()
    assert 0.2 < whole.report.share_kept < 1


def test_a_matte_of_one_shows_the_edit_and_between_a_mean():
    source, edit = random_frames(1, 3), random_frames(1, 3)
    mixed = composite(source, edit, torch.tensor([[0, 255, 51]], dtype=torch.uint8))
    assert torch.equal(mixed[0, 0], source[0, 0])
    assert torch.equal(mixed[0, 1], edit[0, 1])
    exact = source[0, 2].double() * 0.8 + edit[0, 2].double() * 0.2
    assert (mixed[0, 2] - exact).abs().max() <= 0.5


def test_equal_pixels_stay_whatever_the_matte_says():
    frame = random_frames(16, 16)
    assert torch.equal(composite(frame, frame.clone(), torch.arange(256).view(16, 16).byte()), frame)


def test_compositing_leaves_what_it_was_given_alone():
    source, edit = random_frames(4, 4), random_frames(4, 4)
    before = source.clone()
    composite(source, edit, torch.full((4, 4), 255, dtype=torch.uint8))
    assert torch.equal(source, before)


def test_a_matte_at_another_size_keeps_its_zeros_and_ones():
    matte = torch.zeros(10, 16)
    matte[3:7, 4:12] = 1
    wide = matte_bytes(matte, 60, 96)
    assert not wide[:12].any()
    assert not wide[:, 79:].any()
    assert (wide[24:36, 30:66] == 255).all()


def test_the_artists_mask_wins_over_the_change(source, edit_box):
    mask = torch.zeros(source.shape[:3], dtype=torch.uint8)
    mask[:, :20] = 255
    whole = composite_clip(source, edit_box(source), mask_THW=mask)
    assert torch.equal(whole.mattes, mask)
    assert torch.equal(whole.frames[:, 20:], source[:, 20:])
    assert torch.equal(whole.frames[:, :20], edit_box(source)[:, :20])


def test_no_change_gives_the_source_and_all_of_it_is_kept(source, tiny_models):
    whole = composite_clip(source, source, tae=tiny_models.tae)
    assert torch.equal(whole.frames, source)
    assert whole.report.share_kept == 1
    assert "100.0%" in whole.report.sentence()


def test_another_picture_keeps_nothing_and_says_so(source):
    whole = composite_clip(source, 255 - source // 2)
    assert torch.equal(whole.frames, 255 - source // 2)
    assert whole.report.psnr_outside is None
    assert "nothing of the source is kept" in whole.report.sentence()
    assert whole.report.facts()["psnr_outside"] is None


def test_the_report_tells_what_the_edit_alone_would_have_cost(source, edit_box):
    noisy = (edit_box(source).int() + 3).clamp(0, 255).to(torch.uint8)
    report = composite_clip(source, noisy).report
    assert math.isinf(report.psnr_outside)
    assert report.psnr_outside_before == pytest.approx(-20 * math.log10(3 / 255), abs=0.1)


def test_a_chain_of_edits_leaves_untouched_regions_as_they_were(source):
    torch.manual_seed(0)
    clip, touched = source, torch.zeros(source.shape[:3], dtype=torch.bool)
    for step in range(5):
        edited = (clip.int() + torch.randint(-6, 7, clip.shape)).clamp(0, 255).to(torch.uint8)
        edited[:, 4 : 4 + 2 * step + 8, 6:16] = random_frames(len(clip), 2 * step + 8, 10)
        whole = composite_clip(clip, edited)
        clip, touched = whole.frames, touched | (whole.mattes > 0)
    assert torch.equal(clip[~touched], source[~touched])
    assert (~touched).float().mean() > 0.5


def test_the_picture_shows_three_frames_above_their_mattes(source, edit_box):
    whole = composite_clip(source, edit_box(source))
    assert whole.picture.shape == (96, 192, 3)
    assert torch.equal(whole.picture[48:, :64, 0], whole.mattes[0])
    assert (whole.picture[48:, :64][BOX] == 255).all()


def test_frames_and_mattes_of_other_sizes_are_refused(source):
    with pytest.raises(GeometryError, match="differ in size; align them"):
        composite(source[0], source[0, :40], torch.zeros(48, 64, dtype=torch.uint8))
    with pytest.raises(GeometryError, match="differ in size; align them"):
        composite(source[0], source[0], torch.zeros(40, 64, dtype=torch.uint8))
