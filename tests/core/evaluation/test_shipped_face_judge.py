"""The judge of faces that comes with the package."""

import pytest
import torch

from moviegen_core.evaluation.agreement import tally
from moviegen_core.evaluation.face_judge import FACE_JUDGE, ask_faces, face_verdicts, open_face_judge
from moviegen_core.evaluation.measure_personalized import held_out_people, is_same_place, person_of, summed
from moviegen_core.stages.faces import around_head, crop, find_faces
from moviegen_core.theatre.faces import face_places
from moviegen_core.theatre.questions import FACE_QUESTIONS
from moviegen_core.theatre.render import render

STAGE = {"num_frames": 1, "fps": 16, "height": 112, "width": 192}
NUM_SCENES = 8


@pytest.fixture(scope="module")
def judge():
    return open_face_judge()


@pytest.fixture(scope="module")
def shown():
    """Scenes that no report measures, each with a frame and where its head is."""
    scenes = held_out_people(100 + NUM_SCENES)[100:]
    return [(scene, render([scene], **STAGE)[0, :, 0], face_places(scene, **STAGE)[0]) for scene in scenes]


def test_the_judge_of_faces_is_small():
    assert FACE_JUDGE.stat().st_size < 700_000


def test_the_judge_finds_faces_in_held_out_renders_and_says_what_they_look_like(judge, shown):
    rows, found = [], 0
    for scene, picture, (row, column, radius) in shown:
        face = find_faces(judge, picture)[0]
        found += is_same_place(around_head(row, column, radius), face)
        seen = ask_faces(judge, crop(picture, face, judge.config.size)[None])[0]
        rows.append(face_verdicts(seen, person_of(scene)))
    assert found >= NUM_SCENES - 1
    assert summed(tally(rows, tuple(FACE_QUESTIONS)).values()).share > 0.85


def test_the_judge_sees_no_face_in_a_stage_without_anybody(judge, shown):
    empty = torch.rand(3, 112, 192, generator=torch.Generator().manual_seed(0)) * 0.1
    assert find_faces(judge, empty) == []
    assert all(find_faces(judge, picture) for _, picture, _ in shown[:2])
