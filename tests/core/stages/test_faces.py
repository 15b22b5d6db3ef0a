from types import SimpleNamespace

import pytest
import torch

from moviegen_core.errors import MediaError
from moviegen_core.stages import faces as finding
from moviegen_core.stages.faces import (
    Face,
    confirmed,
    crop,
    find_faces,
    found_face,
    kornia_finder,
    reference_face,
    squares,
    standing_out,
)


class WhiteIsAFace:
    """An encoder for which a face is bright inside and dark all around."""

    config = SimpleNamespace(size=16)

    def look(self, faces):
        inside = faces[:, :, 4:12, 4:12].mean((1, 2, 3))
        rim = torch.cat([faces[:, :, 0], faces[:, :, -1], faces[:, :, :, 0], faces[:, :, :, -1]], 2)
        sure = inside - rim.mean((1, 2))
        return torch.nn.functional.normalize(faces.flatten(1), dim=1), 20 * (sure - 1.2)


def picture(*places, height=80, width=120):
    drawn = torch.full((3, height, width), -1.0)
    for top, left, side in places:
        drawn[:, top : top + side, left : left + side] = 1.0
    return drawn


def test_squares_of_every_size_lie_inside_and_cover_the_picture():
    covered = torch.zeros(60, 100)
    for place in squares(60, 100):
        assert place.top >= 0
        assert place.left >= 0
        assert place.top + place.side <= 60.001
        assert place.left + place.side <= 100.001
        covered[
            int(place.top) : int(place.top + place.side), int(place.left) : int(place.left + place.side)
        ] = 1
    assert covered.mean() > 0.95


def test_a_crop_shows_just_its_square():
    drawn = torch.arange(40.0).view(1, 1, 40).expand(3, 40, 40)
    cut = crop(drawn, Face(top=4, left=8, side=16, sureness=0), 16)
    assert torch.allclose(cut[0, 0], torch.arange(8.0, 24.0), atol=1e-3)


def test_a_face_is_found_where_it_is():
    found = find_faces(WhiteIsAFace(), picture((30, 60, 28)))
    assert len(found) == 1
    assert abs(found[0].top + found[0].side / 2 - 44) < 8
    assert abs(found[0].left + found[0].side / 2 - 74) < 8


def test_a_huge_photo_is_looked_at_small_and_its_places_are_its_own():
    found = find_faces(WhiteIsAFace(), picture((600, 1200, 560), height=1600, width=2400))
    assert len(found) == 1
    assert abs(found[0].left + found[0].side / 2 - 1480) < 160


def test_a_verdict_that_all_neighbours_share_stays_what_it_is():
    places = squares(60, 100)
    assert torch.allclose(confirmed(places, torch.full((len(places),), 2.5)), torch.tensor(2.5))


def test_a_square_that_its_neighbours_confirm_ranks_above_one_that_stands_alone():
    places = squares(112, 192)
    small = [index for index, place in enumerate(places) if place.side < 30]
    alone, middle = small[0], small[len(small) // 2]
    sure = torch.full((len(places),), -2.0)
    for index in small:
        if places[index].overlaps(places[middle]):
            sure[index] = 4.0
    sure[alone] = 6.0
    ranks = confirmed(places, sure)
    assert sure.argmax() == alone
    assert places[int(ranks.argmax())].overlaps(places[middle])


class PartsAreFacesToo:
    """An encoder to which every bright square is a face, a smaller one a little more so."""

    config = SimpleNamespace(size=16)

    def look(self, faces):
        bright = faces.mean((1, 2, 3))
        even = faces.std((1, 2, 3))
        return faces.flatten(1), 2 * bright + 4 - even


def test_the_face_of_a_portrait_is_the_picture_where_parts_of_it_look_like_faces_as_well():
    portrait = picture((8, 8, 64), height=80, width=80)
    for is_portrait in (False, True):
        whole, *others = find_faces(PartsAreFacesToo(), portrait, is_portrait=is_portrait)
        assert (whole.top, whole.left, whole.side) == (0, 0, 80)
        assert others == []


def test_of_a_portrait_the_larger_of_two_faces_that_stand_out_about_alike_is_taken(monkeypatch):
    places = squares(160, 240)
    small, large = (
        min(
            (place for place in places if place.side == side),
            key=lambda x: abs(x.top + x.side / 2 - 80) + abs(x.left + x.side / 2 - 120),
        )
        for side in (40, 80)
    )

    def looked_at(_encoder, _picture, among):
        sure = [{small: 6.0, large: 8.0}.get(place, -3.0) for place in among]
        return torch.tensor(sure), torch.ones(len(among))

    monkeypatch.setattr(finding, "_looked_at", looked_at)
    for is_portrait, wanted in ((False, small), (True, large)):
        shown = picture(height=160, width=240)
        first = find_faces(WhiteIsAFace(), shown, is_portrait=is_portrait)[0]
        assert (first.top, first.left, first.side) == (wanted.top, wanted.left, wanted.side)


class BrightMiddlesAreFaces:
    """An encoder to which a body is as much of a face as the head above it."""

    config = SimpleNamespace(size=16)

    def look(self, faces):
        return faces.flatten(1), 8 * faces[:, :, 6:10, 6:10].mean((1, 2, 3))


@pytest.mark.parametrize(("height", "width"), [(80, 120), (160, 240), (112, 192)])
def test_the_face_is_the_upper_end_of_a_body_that_looks_like_one(height, width):
    side = height // 4
    drawn = picture(
        *((height // 4 + part * side, width // 3, side) for part in range(3)), height=height, width=width
    )
    face = find_faces(BrightMiddlesAreFaces(), drawn)[0]
    assert height // 4 - side / 2 < face.top < height // 4 + side / 2
    assert abs(face.left - width // 3) < side / 2


class EvenGroundIsAFaceToo(WhiteIsAFace):
    """An encoder that is surer of a square without any detail than of a face."""

    def look(self, faces):
        vectors, sure = super().look(faces)
        ground = (faces.flatten(1).std(1) < 0.02) & (faces.flatten(1).mean(1) > -0.9)
        return vectors, torch.where(ground, 9.0, sure)


def test_even_ground_is_no_face_however_sure_the_encoder_is_of_it():
    drawn = picture((8, 60, 28))
    drawn[:, 44:] = -0.5
    face = find_faces(EvenGroundIsAFaceToo(), drawn)[0]
    assert abs(face.top + face.side / 2 - 22) < 8
    assert abs(face.left + face.side / 2 - 74) < 8


def test_nothing_stands_out_where_every_square_is_as_sure_and_one_alone_does():
    places = squares(112, 192)
    alike = standing_out(places, torch.full((len(places),), 6.0))
    inner = [
        index
        for index, place in enumerate(places)
        if place.side < 40 and place.side < place.left < 192 - 2 * place.side and place.top > place.side
    ]
    assert alike[inner].max() < 0.35 * 6
    sure = torch.full((len(places),), -3.0)
    sure[inner[0]] = 6.0
    assert standing_out(places, sure).argmax() == inner[0]


def test_a_small_face_in_a_large_picture_is_no_portrait_of_the_picture():
    found = find_faces(WhiteIsAFace(), picture((30, 60, 28)), is_portrait=True)
    assert abs(found[0].left + found[0].side / 2 - 74) < 8
    assert found[0].side < 60


def test_no_face_is_refused_with_the_way_out():
    with pytest.raises(MediaError, match=r"no face is found in me\.png; give a closer picture, or mark"):
        reference_face(WhiteIsAFace(), picture(), name="me.png")


def test_of_several_faces_the_surest_is_taken_and_that_is_said():
    both = picture((10, 10, 28), (40, 80, 28))
    both[:, 40:68, 80:108] = 0.7
    cut, notes = reference_face(WhiteIsAFace(), both)
    assert "2 faces are found" in notes[0]
    assert cut.max() == 1


def test_the_artists_mask_decides_and_nothing_is_searched(monkeypatch):
    monkeypatch.setattr(finding, "find_faces", None)
    mask = torch.zeros(80, 120)
    mask[40:60, 20:40] = 1
    drawn = torch.arange(120.0).expand(3, 80, 120)
    cut, notes = reference_face(WhiteIsAFace(), drawn, mask)
    assert notes == ()
    assert 19 < cut.min() < cut.max() < 41


def test_a_mask_of_another_size_or_without_white_is_refused():
    with pytest.raises(MediaError, match="the mask is 10x10 and the picture 120x80"):
        reference_face(WhiteIsAFace(), picture(), torch.ones(10, 10))
    with pytest.raises(MediaError, match="black everywhere"):
        reference_face(WhiteIsAFace(), picture(), torch.zeros(80, 120))


def test_kornia_is_asked_only_where_its_weights_are_already_there(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(finding.importlib, "import_module", None)
    assert kornia_finder() is None


def test_without_kornia_its_weights_alone_find_nothing(monkeypatch, tmp_path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / finding.KORNIA_WEIGHTS).write_bytes(b"x")
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))

    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(finding.importlib, "import_module", missing)
    assert kornia_finder() is None


def test_who_looks_first_decides_and_the_next_looks_only_if_nothing_was_found():
    face, other = Face(top=0, left=0, side=8, sureness=1), Face(top=9, left=9, side=8, sureness=1)
    asked = []

    def finder(*found):
        return lambda _picture: asked.append(found) or list(found)

    assert found_face(picture(), [finder(face), finder(other)]) == (face, ())
    assert found_face(picture(), [finder(), finder(other)])[0] == other
    assert asked == [(face,), (), (other,)]
    with pytest.raises(MediaError, match=r"no face is found in me\.png"):
        found_face(picture(), [finder(), finder()], "me.png")
