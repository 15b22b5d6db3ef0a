import csv
import io

import numpy as np
import pytest
from PIL import Image

from moviegen_core.training.curve import Curve, draw_curve, encode_png


def read_csv(folder):
    with (folder / "curve.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_kept_row_is_the_mean_of_the_steps_since_the_last_one(tmp_path):
    curve = Curve(tmp_path)
    for step in range(1, 7):
        curve.add(step, {"total": float(step)}, keep=step % 3 == 0)
    curve.write()
    assert [(float(row["step"]), float(row["total"])) for row in read_csv(tmp_path)] == [(3, 2), (6, 5)]


def test_a_quantity_that_comes_and_goes_has_empty_cells(tmp_path):
    curve = Curve(tmp_path)
    curve.add(1, {"total": 1.0}, keep=True)
    curve.add(2, {"total": 1.0, "adversarial": 0.5}, keep=True)
    curve.write()
    assert [row["adversarial"] for row in read_csv(tmp_path)] == ["", "0.5"]
    again = Curve(tmp_path)
    again.load(2)
    assert again.rows == curve.rows


def test_loading_drops_rows_past_the_checkpoint(tmp_path):
    curve = Curve(tmp_path)
    for step in (10, 20, 30):
        curve.add(step, {"total": 1.0}, keep=True)
    curve.write()
    again = Curve(tmp_path)
    again.load(20)
    assert [row["step"] for row in again.rows] == [10, 20]


def test_an_empty_curve_writes_nothing_and_a_single_row_no_picture(tmp_path):
    curve = Curve(tmp_path)
    curve.write()
    assert not list(tmp_path.iterdir())
    curve.add(1, {"total": 1.0}, keep=True)
    curve.write()
    assert [path.name for path in tmp_path.iterdir()] == ["curve.csv"]


def test_the_picture_is_a_png_that_others_read_pixel_for_pixel():
    picture = np.random.default_rng(0).integers(0, 256, (7, 11, 3), dtype=np.uint8)
    with Image.open(io.BytesIO(encode_png(picture))) as image:
        assert image.format == "PNG"
        assert np.array_equal(np.asarray(image), picture)


def test_the_line_falls_with_the_loss_and_crosses_the_whole_picture():
    picture = draw_curve([(0, 10.0), (50, 1.0), (100, 0.1)])
    inked = (picture == (30, 90, 200)).all(axis=2)
    assert inked.any(axis=0).all()
    tops = inked.argmax(axis=0)
    assert tops[0] < tops[320] < tops[-1]


@pytest.mark.parametrize("points", [[(1, 2.0), (2, 2.0)], [(5, 1e-9), (5, 1e9)]])
def test_flat_and_steep_curves_are_drawn_too(points):
    assert draw_curve(points).shape == (320, 640, 3)


def test_the_written_picture_shows_the_total(tmp_path):
    curve = Curve(tmp_path)
    for step in (1, 2, 3):
        curve.add(step, {"total": 1.0 / step}, keep=True)
    curve.write()
    with Image.open(tmp_path / "curve.png") as image:
        assert image.size == (640, 320)
