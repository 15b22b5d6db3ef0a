"""Lessons of the identity encoder: who is who, and what is a face. The paper takes a trained tower."""

# Shape letters: B person, C channel, H row, W column.

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import torch
import torch.nn.functional as F
from torch import Tensor

from ..models.identity import IdentityEncoder
from ..stages.faces import Face, around_head, crop
from ..theatre.faces import face_places, is_in_picture
from ..theatre.portraits import render_portrait
from ..theatre.render import render, render_mattes
from ..theatre.sampling import draw_person, draw_scene
from ..theatre.scene import Person, Scene
from ..theatre.vocabulary import COLOURS
from .loop import LoopConfig

STAGE = {"height": 112, "width": 192}
UPRIGHT = ("stand still", "bounce", "go left", "go right", "jump", "dance", "float up")
PORTRAIT_PIXELS = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityRecipe:
    """A whole training of an identity encoder."""

    preset: str
    loop: LoopConfig
    people: int = 12
    """Persons of a step; of each a portrait, another portrait and a face on the stage."""
    temperature: float = 0.1
    soft: float = 0.5
    """Share of pictures that lose detail, as faces in generated clips have little."""
    first_seed: int = 3_000_000


def a_person_on_stage(rng: random.Random, person: Person | None = None, *, plain: bool = True) -> Scene:
    """A scene of one person who stays upright."""
    while True:
        scene = draw_scene(rng, 1)
        actor = scene.actors[0]
        if actor.kind == "person" and actor.action in UPRIGHT:
            break
    actor = replace(actor, person=person or actor.person)
    return replace(scene, actors=(actor,), look="plain" if plain else scene.look)


def stage_face(picture_CHW: Tensor, place: Sequence[float], rng: random.Random, size: int) -> Tensor:
    """The square around a head at (row, column, radius), roughly: as a finder finds it."""
    row, column, radius = place
    share = rng.uniform(0.85, 1.2)
    row, column = row + radius * rng.uniform(-0.15, 0.15), column + radius * rng.uniform(-0.15, 0.15)
    return crop(picture_CHW, around_head(row, column, radius, share), size)


def portrait(person: Person, rng: random.Random, size: int) -> Tensor:
    """A portrait, cut out closer or wider."""
    picture = render_portrait(
        person,
        rng.choice(tuple(COLOURS)),
        rng.getrandbits(31),
        height=PORTRAIT_PIXELS,
        width=PORTRAIT_PIXELS,
    )
    side = PORTRAIT_PIXELS * rng.uniform(0.72, 1.0)
    room = PORTRAIT_PIXELS - side
    top, left = room * rng.uniform(0.3, 0.6), room * rng.uniform(0.35, 0.65)
    return crop(picture, Face(top=top, left=left, side=side, sureness=0.0), size)


class IdentityObjective:
    """Losses of one step, drawn from its number alone."""

    def __init__(self, model: IdentityEncoder, recipe: IdentityRecipe, device: str = "cpu") -> None:
        self.model, self.recipe, self.device = model, recipe, device

    def __call__(self, step: int) -> dict[str, Tensor]:
        """Whoever is the same must be alike, whoever differs not, and what is no face must be told."""
        views_VBCHW, others_BCHW = self.views(step)
        num_views, num_people = views_VBCHW.shape[:2]
        pictures = torch.cat([views_VBCHW.flatten(0, 1), others_BCHW]).to(self.device)
        vectors, sure = self.model.look(pictures)
        wanted = torch.zeros_like(sure)
        wanted[: num_views * num_people] = 1
        face = F.binary_cross_entropy_with_logits(sure, wanted)
        same = self._alike(vectors[: num_views * num_people].unflatten(0, (num_views, num_people)))
        return {"identity": same, "face": face, "total": same + face}

    def _alike(self, vectors_VBC: Tensor) -> Tensor:
        """Contrast of every view with every other one."""
        losses = []
        target = torch.arange(vectors_VBC.shape[1], device=vectors_VBC.device)
        for a in range(len(vectors_VBC)):
            for b in range(len(vectors_VBC)):
                if a != b:
                    scores = vectors_VBC[a] @ vectors_VBC[b].T / self.recipe.temperature
                    losses.append(F.cross_entropy(scores, target))
        return torch.stack(losses).mean()

    def views(self, step: int) -> tuple[Tensor, Tensor]:
        """Three views of every person, (3, B, 3, S, S), and as many squares in all that show no face."""
        rng, size = random.Random(f"identity {self.recipe.first_seed} {step}"), self.model.config.size
        rows, others = [], []
        for person in self._people(rng):
            scene = a_person_on_stage(rng, person)
            place, picture = moment(scene, rng)
            face = stage_face(picture, place, rng, size)
            rows.append(torch.stack([portrait(person, rng, size), portrait(person, rng, size), face]))
            others += [elsewhere(picture, place, rng, size), near_miss(picture, place, rng, size)]
        others += nobodys(self.recipe.people, rng, size)
        softer = Softening(self.recipe.soft, rng)
        return softer(torch.stack(rows, dim=1)), softer(torch.stack(others))

    def _people(self, rng: random.Random) -> list[Person]:
        people: list[Person] = []
        while len(people) < self.recipe.people:
            person = draw_person(rng)
            if person not in people:
                people.append(person)
        return people


@dataclass(frozen=True, slots=True)
class Softening:
    """Shrinks some pictures to as little as a third and enlarges them again."""

    share: float
    rng: random.Random

    def __call__(self, pictures: Tensor) -> Tensor:
        """(..., 3, S, S) -> the same shape."""
        flat = pictures.flatten(0, -4)
        return torch.stack([self._soft(one) for one in flat]).view(pictures.shape)

    def _soft(self, picture_CHW: Tensor) -> Tensor:
        if self.rng.random() >= self.share:
            return picture_CHW
        size = picture_CHW.shape[-1]
        less = max(1, round(size * self.rng.uniform(0.33, 0.9)))
        small = F.interpolate(picture_CHW[None], size=less, mode="bilinear", antialias=True)
        return F.interpolate(small, size=size, mode="bilinear")[0]


def moment(scene: Scene, rng: random.Random) -> tuple[list[float], Tensor]:
    """A frame in which the face is in the picture, if one of a few tries finds it, and where it is."""
    for _ in range(6):
        fps = 1 / Fraction(rng.uniform(0.1, 2.0)).limit_denominator(1000)
        place = face_places(scene, num_frames=2, fps=fps, **STAGE)[1].tolist()
        if is_in_picture(place, **STAGE):
            break
    return place, render([scene], num_frames=2, fps=fps, **STAGE)[0, :, 1]


def elsewhere(picture_CHW: Tensor, place: Sequence[float], rng: random.Random, size: int) -> Tensor:
    """A square of the same picture without its face, or with a part of it at most."""
    height, width = picture_CHW.shape[-2:]
    for _ in range(20):
        face = _anywhere(height, width, rng)
        away = max(abs(face.top + face.side / 2 - place[0]), abs(face.left + face.side / 2 - place[1]))
        if away > 0.5 * face.side + 0.6 * place[2]:
            break
    return crop(picture_CHW, face, size)


def near_miss(picture_CHW: Tensor, place: Sequence[float], rng: random.Random, size: int) -> Tensor:
    """A square beside the head, or one much too large or too small for it."""
    row, column, radius = place
    if rng.random() < 0.4:
        return crop(picture_CHW, around_head(row, column, radius, rng.choice((0.35, 0.45, 2.2, 2.8))), size)
    side, angle = around_head(row, column, radius).side, rng.uniform(0, 2 * math.pi)
    away = side * rng.uniform(0.65, 1.0)
    row, column = row + away * math.sin(angle), column + away * math.cos(angle)
    return crop(picture_CHW, around_head(row, column, radius, rng.uniform(0.85, 1.2)), size)


def nobodys(count: int, rng: random.Random, size: int) -> list[Tensor]:
    """Squares of as many scenes in which there is no person, half of them around what there is instead."""
    scenes = [_without_people(rng) for _ in range(count)]
    pictures = render(scenes, num_frames=1, fps=1, **STAGE)[:, :, 0]
    mattes = render_mattes(scenes, num_frames=1, fps=1, **STAGE).amax(1)[:, 0]
    return [
        crop(picture, _around_some(matte, rng) if rng.random() < 0.5 else _anywhere(*matte.shape, rng), size)
        for picture, matte in zip(pictures, mattes, strict=True)
    ]


def _without_people(rng: random.Random) -> Scene:
    while True:
        scene = draw_scene(rng, rng.choice((1, 1, 2)))
        if all(actor.kind != "person" for actor in scene.actors):
            return scene


def _anywhere(height: int, width: int, rng: random.Random) -> Face:
    side = rng.uniform(0.25, 0.7) * height
    return Face(top=rng.uniform(0, height - side), left=rng.uniform(0, width - side), side=side, sureness=0.0)


def _around_some(matte_HW: Tensor, rng: random.Random) -> Face:
    """A square whose middle lies on an actor; anywhere, if none is in the picture."""
    there = (matte_HW > 0.5).nonzero()
    face = _anywhere(*matte_HW.shape, rng)
    if not len(there):
        return face
    row, column = there[rng.randrange(len(there))].tolist()
    return replace(face, top=row - face.side / 2, left=column - face.side / 2)
