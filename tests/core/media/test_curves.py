import torch

from moviegen_core.media.curves import LANE, LEFT, WIDTH, Curve, draw_curves
from moviegen_core.media.sound_picture import MARK, WAVE


def rows_of(picture, colour):
    """Rows in which a colour is, by column."""
    hits = (picture == torch.tensor(colour)).all(dim=2)
    return {x: hits[:, x].nonzero().flatten().tolist() for x in range(WIDTH) if hits[:, x].any()}


def test_a_rising_value_rises_in_the_picture_and_crosses_its_mark():
    rising = draw_curves([Curve(name="a", values=(0, 1, 2, 4), least=0, mark=2)], 2.0)
    assert rising.shape == (LANE, WIDTH, 3)
    line, mark = rows_of(rising, WAVE), rows_of(rising, MARK)
    columns = sorted(line)
    assert min(line[columns[-1]]) < min(min(rows) for rows in mark.values()) < min(line[columns[0]])
    assert columns[0] > LEFT


def test_each_curve_has_a_lane_and_a_single_value_is_a_point():
    picture = draw_curves([Curve(name=n, values=(1.0,), least=1.0, mark=1.1) for n in "ab"], 2.0)
    assert picture.shape == (2 * LANE, WIDTH, 3)
    assert len(rows_of(picture, WAVE)) < 10
