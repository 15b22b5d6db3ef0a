"""Contact sheets for the documentation."""

from pathlib import Path

import torch

from moviegen_core.theatre import sheets

DOCS = Path(sheets.__file__).parent / "docs"


def test_a_sheet_has_room_for_every_cell():
    cells = [(str(i), torch.full((3, 8, 12), -1.0)) for i in range(5)]
    page = sheets.sheet(cells, 2)
    assert page.width == 2 * 16
    assert page.height == 3 * (8 + sheets._CAPTION_PIXELS + 4)


def test_the_docs_hold_every_sheet_and_each_is_small():
    for name in sheets.SHEETS:
        assert 0 < (DOCS / f"{name}.jpg").stat().st_size < 150_000
        assert f"{name}.jpg" in (DOCS / "README.md").read_text()
