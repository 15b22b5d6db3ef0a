"""What clips look like, whatever their size and rate."""

import itertools
from dataclasses import replace
from fractions import Fraction

import pytest
import torch
import torch.nn.functional as F

from moviegen_core.errors import GeometryError, SceneError
from moviegen_core.theatre import vocabulary as words
from moviegen_core.theatre.motion import track
from moviegen_core.theatre.portraits import render_portrait
from moviegen_core.theatre.render import render, render_mattes
from moviegen_core.theatre.scene import Actor, Person, Scene

FACE = Person(skin="pale", hair_colour="brown", hair_style="long", eyes="blue", glasses=False, hat="none")
SMALL = {"num_frames": 3, "fps": 8, "height": 48, "width": 80}


def actor(kind="ball", action="bounce", size="large", colour="red"):
    return Actor(
        kind=kind, colour=colour, size=size, action=action, person=FACE if kind == "person" else None
    )


def scene(*actors, place="meadow", weather="clear", camera="static shot", look="plain", seed=3):
    return Scene(
        actors=actors or (actor(),), place=place, weather=weather, camera=camera, look=look, seed=seed
    )


def psnr(a, b):
    return float(10 * torch.log10(4 / (a - b).square().mean()))


@pytest.mark.parametrize("kind", words.ACTORS)
def test_every_actor_does_every_action_in_range(kind):
    scenes = [scene(actor(kind, a), place=p) for a, p in zip(words.ACTIONS, words.PLACES, strict=True)]
    clips = render(scenes, num_frames=2, fps=2, height=24, width=40)
    assert clips.shape == (8, 3, 2, 24, 40)
    assert clips.isfinite().all()
    assert clips.min() >= -1
    assert clips.max() <= 1


@pytest.mark.parametrize("look", words.LOOKS)
def test_every_place_is_its_own_picture_in_every_look(look):
    pictures = render(
        [scene(place=p, look=look) for p in words.PLACES], num_frames=1, fps=8, height=48, width=80
    )
    for first, second in itertools.combinations(pictures, 2):
        assert (first - second).abs().mean() > 0.02


@pytest.mark.parametrize("place", words.PLACES)
def test_every_weather_changes_the_picture(place):
    clips = render(
        [scene(place=place, weather=w) for w in words.WEATHERS], num_frames=1, fps=8, height=48, width=80
    )
    for first, second in itertools.combinations(clips, 2):
        assert (first - second).abs().mean() > 0.01


def test_the_same_scenes_give_the_same_pixels_alone_or_in_a_batch():
    scenes = [
        scene(camera="truck left", weather="storm"),
        scene(actor("cat", "dance"), camera="zoom in", seed=8),
    ]
    together = render(scenes, **SMALL)
    assert torch.equal(together, torch.cat([render([one], **SMALL) for one in scenes]))


def test_rendering_ignores_the_global_random_state():
    torch.manual_seed(0)
    first = render([scene(weather="snow")], **SMALL)
    torch.manual_seed(1)
    assert torch.equal(first, render([scene(weather="snow")], **SMALL))


@pytest.mark.parametrize("camera", ["static shot", "zoom in", "truck right", "tracking shot"])
def test_twice_the_size_is_the_same_picture_sharper(camera):
    film = scene(actor("car", "go right"), camera=camera, place="beach")
    small = render([film], num_frames=2, fps=2, height=96, width=160)[0]
    large = render([film], num_frames=2, fps=2, height=192, width=320)[0]
    assert psnr(F.avg_pool2d(large, 2), small) > 29


@pytest.mark.parametrize("camera", words.CAMERAS)
def test_half_the_rate_shows_every_second_frame(camera):
    film = scene(actor("person", "go left"), camera=camera, place="night sky", weather="rain")
    slow = render([film], num_frames=3, fps=8, height=40, width=72)
    fast = render([film], num_frames=5, fps=Fraction(16), height=40, width=72)
    assert (slow - fast[:, :, ::2]).abs().max() < 0.02


@pytest.mark.parametrize("kind", words.ACTORS)
def test_recolouring_an_actor_changes_only_its_matte(kind):
    red, blue = scene(actor(kind, "jump")), scene(actor(kind, "jump", colour="blue"))
    first, second = render([red, blue], **SMALL)
    matte = render_mattes([red], **SMALL)[0, 0]
    assert torch.equal(first[:, matte == 0], second[:, matte == 0])
    assert (first - second)[:, matte > 0.99].abs().mean() > 0.05


def test_the_first_actor_hides_the_second():
    pair = scene(actor("box", "go right"), actor("person", "stand still"))
    mattes = render_mattes([pair], num_frames=6, fps=2, height=48, width=80)[0]
    assert (mattes.sum(0) <= 1 + 1e-5).all()
    alone = render_mattes([scene(actor("box", "go right"))], num_frames=6, fps=2, height=48, width=80)[0]
    assert torch.equal(mattes[0], alone[0])
    assert alone[1].abs().max() == 0


@pytest.mark.parametrize("kind", words.ACTORS)
def test_the_matte_stands_on_the_ground_and_is_as_high_as_its_size(kind):
    film = scene(actor(kind, "stand still", "large"))
    rows = render_mattes([film], num_frames=1, fps=8, height=112, width=192)[0, 0, 0].amax(1) > 0.5
    low, high = rows.nonzero().max() + 1, rows.nonzero().min()
    assert abs(float(low - high) / 112 - words.SIZES["large"]) < 0.07
    assert abs(0.5 - float(low) / 112 - float(track(film, 0).y(torch.zeros(1)))) < 0.03


@pytest.mark.parametrize("camera", words.CAMERAS)
@pytest.mark.parametrize(("size", "seconds"), [((96, 168), 4), ((96, 96), 3), ((168, 96), 2.5)])
def test_the_first_actor_is_mostly_in_view_for_the_first_seconds(camera, size, seconds):
    for action in ("stand still", "go left", "go right"):
        film = scene(actor("cat", action, "medium"), camera=camera, seed=5)
        frames = int(seconds * 2) + 1
        mattes = render_mattes([film], num_frames=frames, fps=2, height=size[0], width=size[1])[0, 0]
        seen = mattes.sum((1, 2)) / size[0] ** 2
        assert float((seen > 0.012).float().mean()) > 0.7


def test_an_actor_is_seen_lowest_at_its_impact():
    film = scene(actor("ball", "bounce", "medium"), seed=6)
    impact = next(t for t in track(film, 0).impacts(3) if t > 0.3)
    frames = render_mattes([film], num_frames=60, fps=30, height=96, width=160)[0, 0]
    lowest = [int((frame.amax(1) > 0.5).nonzero().max()) for frame in frames]
    assert lowest[round(impact * 30)] >= max(lowest) - 1


@pytest.mark.parametrize("wrong", [{"num_frames": 0}, {"fps": 0}, {"height": -8}, {"width": 0}])
def test_impossible_films_are_refused_with_their_numbers(wrong):
    with pytest.raises(GeometryError, match=str(next(iter(wrong.values())))):
        render([scene()], **{**SMALL, **wrong})
    with pytest.raises(SceneError, match="at least one"):
        render([], **SMALL)


def test_a_portrait_in_an_unknown_colour_is_refused():
    with pytest.raises(SceneError, match="'mauve'"):
        render_portrait(FACE, "mauve", 1, height=16, width=16)


def test_portraits_of_one_person_differ_and_of_two_persons_differ_more():
    other = replace(FACE, skin="dark", hair_colour="black", hair_style="curly", glasses=True)
    one, again, pose, stranger = (
        render_portrait(p, "green", s, height=64, width=64)
        for p, s in ((FACE, 1), (FACE, 1), (FACE, 2), (other, 1))
    )
    assert torch.equal(one, again)
    assert (one - pose).abs().mean() > 0.02
    assert (one - stranger).abs().mean() > 0.02
