import torch

from moviegen_core.geometry import fit_frame
from moviegen_core.stages.upscale_compare import GAP, busiest, side_by_side


def test_the_crop_lies_where_the_detail_is():
    frame = torch.zeros(120, 200, 3, dtype=torch.uint8)
    frame[80:110, 150:190] = torch.randint(0, 256, (30, 40, 3), dtype=torch.uint8)
    rows, columns = busiest(frame, (40, 60))
    assert rows.stop - rows.start == 40
    assert columns.stop - columns.start == 60
    assert rows.start <= 80 < 110 <= rows.stop + 3
    assert columns.start <= 150 < 190 <= columns.stop + 3


def test_left_is_plain_and_right_is_what_was_made_and_small_frames_are_whole():
    source = torch.full((10, 20, 3), 40, dtype=torch.uint8)
    made = torch.full((30, 60, 3), 200, dtype=torch.uint8)
    picture = side_by_side(source, made, fit_frame((10, 20), 30, 60))
    assert picture.shape == (30, 120 + GAP, 3)
    assert (picture[:, :60] == 40).all()
    assert (picture[:, 60 + GAP :] == 200).all()
