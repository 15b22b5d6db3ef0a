import json
from dataclasses import replace

import pytest

from moviegen_core.errors import SceneError
from moviegen_core.theatre.sampling import sample_scenes
from moviegen_core.theatre.scene import Actor, Scene

BALL = Actor(kind="ball", colour="red", size="small", action="bounce")
BEACH = Scene(actors=(BALL,), place="beach", weather="clear", camera="static shot", look="plain", seed=7)


def test_every_scene_survives_its_json():
    for scene in (BEACH, *sample_scenes(0, 50)):
        assert Scene.from_json(scene.to_json()) == scene


@pytest.mark.parametrize(
    ("field", "value"),
    [("place", "moon"), ("weather", "fog"), ("camera", "arc shot"), ("look", "oil"), ("actors", ())],
)
def test_a_scene_of_something_unknown_is_refused(field, value):
    with pytest.raises(SceneError):
        replace(BEACH, **{field: value})


@pytest.mark.parametrize("field", ["kind", "colour", "size", "action"])
def test_an_actor_of_something_unknown_is_refused_with_what_there_is(field):
    with pytest.raises(SceneError, match="use one of"):
        replace(BALL, **{field: "nothing"})


def test_only_a_person_has_a_face():
    with pytest.raises(SceneError, match="person"):
        replace(BALL, kind="person")


@pytest.mark.parametrize("text", ["", "[]", "{}", "3", "null", '{"actors": []}'])
def test_json_of_something_else_is_refused(text):
    with pytest.raises(SceneError, match="not a scene"):
        Scene.from_json(text)


def test_json_with_a_field_too_many_is_refused():
    with pytest.raises(SceneError, match="not a scene"):
        Scene.from_json(json.dumps(json.loads(BEACH.to_json()) | {"title": "holiday"}))
