"""Whoever shows the person of the reference is right, whoever shows somebody else is right by chance."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from moviegen_core.evaluation import measure_personalized as measuring
from moviegen_core.evaluation.agreement import Agreement
from moviegen_core.evaluation.bars import identity_bars, personalized_bars
from moviegen_core.evaluation.measure_identity import ON_STAGE, IdentityMeasures, Separation
from moviegen_core.evaluation.measure_personalized import (
    JUDGES,
    OURS,
    held_out_people,
    is_same_place,
    look_for_face,
    measure_personalized,
    person_of,
    personalized_work,
    reference_of,
    true_faces,
)
from moviegen_core.evaluation.measure_video import GENERATED, RECONSTRUCTED, RENDERED, SOURCES
from moviegen_core.evaluation.report import evaluate
from moviegen_core.evaluation.report_text import identity_lines, personalized_lines
from moviegen_core.evaluation.sheet import face_sheet
from moviegen_core.evaluation.work import Work
from moviegen_core.models.face_judge import FaceJudge
from moviegen_core.models.identity import IdentityEncoder
from moviegen_core.stages.faces import Face, around_head
from moviegen_core.stages.settings import SamplingSettings
from moviegen_core.theatre.faces import face_places
from moviegen_core.theatre.holdouts import is_held_out
from moviegen_core.theatre.portraits import portrait_place
from moviegen_core.theatre.questions import face_answers
from moviegen_core.theatre.vocabulary import COLOURS
from moviegen_core.weights.cast import open_cast, write_cast
from moviegen_core.weights.files import save_model
from tests.core.evaluation.conftest import TINY as CAST
from tests.core.evaluation.conftest import shorten
from tests.core.evaluation.test_face_judge import SMALL as SMALL_JUDGE
from tests.core.models.test_identity import TINY

COUNT = 12
SETTINGS = SamplingSettings(num_steps=1)
SCENES = held_out_people(COUNT)
PEOPLE = [person_of(scene) for scene in SCENES]
NOBODY = COUNT
WHOLE = Face(top=0.0, left=0.0, side=16.0, sureness=1.0)
BESIDE = Face(top=16.0, left=0.0, side=16.0, sureness=1.0)


def picture(number):
    """A picture that tells the number of the person it shows; NOBODY shows no face."""
    return torch.full((3, 16, 16), number / 100)


def number_in(shown):
    return round(100 * shown.mean().item())


def answers(shown):
    person = PEOPLE[number_in(shown)]
    return {"hair colour": "grey"} | face_answers(person)


@pytest.fixture
def measured(monkeypatch):
    """``measure_personalized`` with a generator of the test's own among people that numbers stand for."""

    def find(_encoder, shown, **_):
        return [] if number_in(shown) == NOBODY else [WHOLE]

    def run(shows):
        generated = iter(range(COUNT))
        seeds = []

        def personalize(_models, _faces, _prompt, _shape, settings):
            seeds.append(settings.seed)
            clip = picture(shows(next(generated)))[:, None].expand(-1, 7, -1, -1)
            return SimpleNamespace(clip=clip, likeness=SimpleNamespace(mean=0.5))

        def film(scenes, _device):
            return picture(SCENES.index(scenes[0]))[None, :, None].expand(-1, -1, 7, -1, -1)

        def reference_of(_encoder, _judge, person, _rng):
            return picture(PEOPLE.index(person)), {OURS: person != PEOPLE[4], JUDGES: True}

        patches = {
            "personalize": personalize,
            "film": film,
            "find_faces": find,
            "reference_of": reference_of,
            "true_faces": lambda _scene: [WHOLE, None, None, WHOLE, BESIDE, WHOLE, WHOLE],
            "crop": lambda shown, _face, _size: shown,
            "ask_faces": lambda _judge, faces: [answers(face) for face in faces],
            "vector_of": lambda _encoder, face: torch.eye(COUNT)[number_in(face)],
            "reconstruct": lambda _tae, clip: clip,
        }
        for name, value in patches.items():
            monkeypatch.setattr(measuring, name, value)
        encoder = SimpleNamespace(config=SimpleNamespace(size=16, feature_width=COUNT))
        models = SimpleNamespace(identity=encoder, tae=None, device="cpu")
        judge = SimpleNamespace(config=SimpleNamespace(size=16))
        found = measure_personalized(models, judge, COUNT, SETTINGS, Work(personalized_work(COUNT)))
        assert seeds == list(range(COUNT))
        return found

    return run


def test_scenes_are_held_out_ones_of_one_upright_person_whose_face_shows():
    assert all(is_held_out(scene) and scene.look == "plain" for scene in SCENES)
    assert {scene.camera for scene in SCENES} == {"static shot"}
    assert "spin" not in {scene.actors[0].action for scene in SCENES}
    assert held_out_people(5) == SCENES[:5]


def test_whoever_shows_the_person_is_right_in_everything(measured):
    found = measured(lambda number: number)
    for source in SOURCES:
        assert found.overall(source).share == 1
        assert found.found[source] == Agreement(COUNT, COUNT)
        assert found.separation[source].area == 1
    assert found.likeness == 0.5


def test_whoever_shows_the_next_person_is_right_as_often_as_two_people_are_alike(measured):
    found = measured(lambda number: (number + 1) % COUNT)
    alike = [
        face_answers(PEOPLE[number])["hat"] == face_answers(PEOPLE[number - 1])["hat"]
        for number in range(COUNT)
    ]
    assert found.agreement[GENERATED]["hat"] == Agreement(sum(alike), COUNT)
    assert found.overall(GENERATED).share < 0.7
    assert found.overall(RENDERED).share == 1


def test_whoever_shows_always_the_same_person_is_exactly_as_good_as_chance(measured):
    found = measured(lambda _number: 0)
    for name, one in found.agreement[GENERATED].items():
        assert found.chance[name] == Agreement(one.right * (COUNT - 1), one.asked * (COUNT - 1))
    assert found.separation[GENERATED].area == pytest.approx(0.5, abs=0.05)


def test_a_clip_without_a_face_is_wrong_in_everything_and_counted_as_lost(measured):
    found = measured(lambda number: NOBODY if number % 2 else number)
    assert found.found[GENERATED] == Agreement(COUNT // 2, COUNT)
    assert found.overall(GENERATED).share == pytest.approx(
        sum(len(face_answers(p)) for p in PEOPLE[::2]) / sum(len(face_answers(p)) for p in PEOPLE)
    )
    assert found.found[RECONSTRUCTED].share == 1


def test_squares_show_one_face_when_they_lie_and_measure_about_alike():
    one = Face(top=10.0, left=10.0, side=30.0, sureness=1.0)
    assert is_same_place(one, replace(one, top=17.0))
    assert not is_same_place(one, replace(one, top=18.0))
    assert not is_same_place(one, replace(one, left=2.0))
    assert is_same_place(one, Face(top=15.0, left=15.0, side=20.0, sureness=1.0))
    assert is_same_place(Face(top=15.0, left=15.0, side=20.0, sureness=1.0), one)
    assert not is_same_place(one, Face(top=16.0, left=16.0, side=18.0, sureness=1.0))
    assert not is_same_place(one, Face(top=0.0, left=0.0, side=50.0, sureness=1.0))
    assert not is_same_place(one, None)


TAKEN = {
    "the face": (0.0, 0.0, 1.0, True),
    "a little beside and nearer": (0.1, -0.2, 0.75, True),
    "much wider": (0.0, 0.0, 1.7, False),
    "an ear": (0.10, 0.93, 0.15, False),
    "an eye": (0.0, 0.38, 0.2, False),
    "the neck": (1.1, 0.0, 0.4, False),
    "the shirt": (1.8, 0.0, 1.0, False),
    "a square beside the face": (0.0, 1.7, 1.0, False),
}
"""How far below and to the right of the head, in its radii, and how large against its own square."""


@pytest.mark.parametrize("pixels", [48, 128, 320])
@pytest.mark.parametrize("what", TAKEN)
def test_a_reference_is_right_where_the_face_truly_is_even_if_all_take_the_same_wrong_one(
    monkeypatch, what, pixels
):
    rng = measuring.random.Random(3)
    rng.choice(tuple(COLOURS))
    row, column, radius = portrait_place(rng.getrandbits(31), height=pixels, width=pixels)
    down, across, size, is_right = TAKEN[what]
    taken = around_head(row + down * radius, column + across * radius, radius, size)
    monkeypatch.setattr(measuring, "REFERENCE_PIXELS", pixels)
    monkeypatch.setattr(measuring, "find_faces", lambda *_, **__: [taken])
    encoder = IdentityEncoder(TINY)
    _, right = reference_of(encoder, encoder, PEOPLE[0], measuring.random.Random(3))
    assert right == {OURS: is_right, JUDGES: is_right}


@pytest.mark.parametrize(("height", "width"), [(64, 96), (112, 192), (256, 256)])
def test_frames_are_asked_for_the_face_where_the_scene_has_it(monkeypatch, height, width):
    monkeypatch.setattr(measuring, "SHAPE", replace(measuring.SHAPE, height=height, width=width))
    shape = measuring.SHAPE
    truth = true_faces(SCENES[0])
    places = face_places(
        SCENES[0], num_frames=shape.num_frames, fps=shape.fps, height=height, width=width
    ).tolist()
    assert len(truth) == len(places) == shape.num_frames
    for face, (row, column, radius) in zip(truth, places, strict=True):
        assert face.top + face.side / 2 == pytest.approx(row)
        assert face.left + face.side / 2 == pytest.approx(column)
        assert face.side > 2 * radius
    monkeypatch.setattr(measuring, "face_places", lambda *_, **__: torch.tensor([[20.0, -4.0, 8.0]]))
    assert true_faces(SCENES[0]) == [None]


def test_only_frames_that_show_the_face_are_asked_for_its_place(measured):
    found = measured(lambda number: number)
    for who in (OURS, JUDGES):
        assert found.placed[who][RENDERED] == Agreement(3 * COUNT, 4 * COUNT)
        assert found.placed[who][RECONSTRUCTED] == Agreement(3 * COUNT, 4 * COUNT)
        assert found.placed[who][GENERATED] == Agreement(0, 0)
    assert found.shared[GENERATED] == Agreement(5 * COUNT, 5 * COUNT)


def test_two_who_agree_on_a_wrong_place_are_not_right(monkeypatch):
    encoder = SimpleNamespace(config=SimpleNamespace(size=16, feature_width=COUNT))
    judge = SimpleNamespace(config=SimpleNamespace(size=16))
    monkeypatch.setattr(measuring, "find_faces", lambda *_, **__: [BESIDE])
    monkeypatch.setattr(measuring, "ask_faces", lambda _judge, faces: [answers(face) for face in faces])
    monkeypatch.setattr(measuring, "vector_of", lambda _encoder, _face: torch.ones(COUNT))
    looked = look_for_face(encoder, judge, picture(2)[:, None].expand(-1, 7, -1, -1), [WHOLE] * 7)
    assert looked.shared == Agreement(5, 5)
    assert looked.placed == {OURS: Agreement(0, 5), JUDGES: Agreement(0, 5)}


def test_a_finder_that_sees_nothing_takes_no_answer_away(monkeypatch):
    encoder = SimpleNamespace(config=SimpleNamespace(size=16, feature_width=COUNT))
    judge = SimpleNamespace(config=SimpleNamespace(size=16))
    monkeypatch.setattr(
        measuring, "find_faces", lambda finder, _shown, **_: [WHOLE] if finder is judge else []
    )
    monkeypatch.setattr(measuring, "ask_faces", lambda _judge, faces: [answers(face) for face in faces])
    looked = look_for_face(encoder, judge, picture(2)[:, None].expand(-1, 7, -1, -1))
    assert looked.seen == answers(picture(2))
    assert looked.shared == Agreement(0, 5)
    assert not looked.vector.any()


def test_the_report_tells_it_by_attribute_beside_chance_and_shows_it(measured, report):
    found = measured(lambda number: NOBODY if number == 3 else (number + 1) % COUNT)
    text = "\n".join(personalized_lines(found))
    assert f"{COUNT} held-out scenes of one person" in text
    assert "| hair colour | " in text
    assert f"| a face is there | {11 / 12:.1%}" in text
    assert f"our finder takes the face in 11 of {COUNT}, the judge would in {COUNT}" in text
    assert "| our finder finds it where it is, frames | nobody knows | 75.0% (" in text
    assert f"| our finder takes the judge's square, frames | 100.0% (93%-100%, {5 * COUNT - 5}/" in text
    with_faces = replace(report, personalized=found)
    assert "personalization, face attributes" in with_faces.markdown()
    raw = json.loads(with_faces.to_json())["personalized"]
    assert raw["agreement"][GENERATED]["hat"]["asked"] == COUNT
    assert len(raw["clips"]) == COUNT
    assert [one["reference_right"][OURS] for one in raw["clips"]].count(False) == 1
    assert raw["placed"][OURS][RENDERED] == {"right": 3 * COUNT, "asked": 4 * COUNT}
    assert with_faces.sheets()["-faces"].size == face_sheet(found.samples).size


def test_a_face_s_bar_is_met_by_the_generated_and_not_by_the_rendered(measured):
    found = measured(lambda number: NOBODY)
    faces, judge = personalized_bars(found)
    assert faces.is_met is False
    assert judge.is_met is True


def test_the_identity_s_bar_is_of_portraits_with_faces_on_the_stage():
    def measures(area):
        one = Separation(same=0.9, different=0.1, area=area, num_different=2)
        return IdentityMeasures(num_people=2, separation={ON_STAGE: one})

    assert [next(identity_bars(measures(area))).is_met for area in (0.96, 0.94, None)] == [True, False, None]
    assert list(identity_bars(None)) == []
    assert "| 0.9600 |" in "\n".join(identity_lines(measures(0.96)))


def test_a_portrait_without_a_face_for_the_finder_goes_whole_and_is_not_right():
    torch.manual_seed(0)
    encoder, judge = IdentityEncoder(TINY).eval(), FaceJudge(SMALL_JUDGE).eval()
    torch.nn.init.constant_(encoder.is_face.bias, -100.0)
    face, right = reference_of(encoder, judge, PEOPLE[0], measuring.random.Random(0))
    assert face.shape == (3, TINY.size, TINY.size)
    assert not right[OURS]


@pytest.fixture(scope="module")
def face_cast(tiny_cast, tmp_path_factory):
    """The tiny cast with a tiny identity encoder, whose video model plays the personalized one."""
    folder = tmp_path_factory.mktemp("faces")
    torch.manual_seed(0)
    identity = IdentityEncoder(replace(TINY, token_width=CAST["video"].width))
    save_model(folder / "identity.safetensors", "identity", identity)
    for role in tiny_cast.roles:
        (folder / f"{role}.safetensors").write_bytes(tiny_cast.path(role).read_bytes())
    files = {role: f"{role}.safetensors" for role in (*tiny_cast.roles, "identity")}
    write_cast(folder, "faces", files | {"personalized": "video.safetensors"})
    return open_cast(folder)


@pytest.mark.parametrize("roles", [["personalized"], ["identity"], ["personalized", "identity"]])
def test_evaluating_measures_the_roles_asked_for(face_cast, tmp_path, monkeypatch, roles):
    shorten(monkeypatch)
    monkeypatch.setattr(measuring, "SHAPE", measuring_shape())
    save_model(tmp_path / "face_judge.safetensors", "face_judge", FaceJudge(SMALL_JUDGE))
    seen = []
    report = evaluate(
        face_cast,
        roles,
        count=4,
        settings=SETTINGS,
        judge=tmp_path / "judge.safetensors",
        on_progress=lambda *counts: seen.append(counts),
    )
    assert (report.personalized is not None, report.identity is not None) == tuple(
        role in roles for role in ("personalized", "identity")
    )
    assert report.video is None
    assert report.unmeasured == ()
    assert seen[-1][0] == seen[-1][1]
    if "personalized" in roles:
        names = [path.name for path in report.write(tmp_path / "REPORT.md")]
        assert names == ["REPORT.md", "REPORT.json", "REPORT-faces.jpg"]
        assert "NaN" not in (tmp_path / "REPORT.json").read_text()


def measuring_shape():
    return replace(measuring.SHAPE, num_frames=9, height=16, width=32)


def test_a_cast_without_an_identity_encoder_is_measured_as_before(tiny_cast, judge_file):
    report = evaluate(tiny_cast, ["personalized"], judge=judge_file)
    assert report.personalized is None
    assert "Not measured: personalized" in report.markdown()
