"""Whether the identity encoder tells same from different people, on views that it never saw.

All looks of people occur in its training; the scenes, poses and lights here do not.
"""

# Shape letters: N person, C channel, H row, W column.

import random
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..models.identity import IdentityEncoder
from ..theatre.questions import FACE_QUESTIONS
from ..theatre.sampling import draw_person
from ..theatre.scene import Person
from ..training.train_identity import a_person_on_stage, moment, portrait, stage_face
from .metrics import area_under_curve
from .work import Work

ON_STAGE, PORTRAITS, TWINS = (
    "a portrait and a face on the stage",
    "two portraits",
    "a portrait and a face on the stage that differs in one thing",
)
"""What the pairs are; the first is what a likeness is measured between."""
TWIN_THINGS = {
    "skin": "skin",
    "hair colour": "hair_colour",
    "hair style": "hair_style",
    "glasses": "glasses",
    "hat": "hat",
}
"""Question: the field of a person in which a twin may differ. Eyes are a pixel or two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Separation:
    """How well likeness tells apart, for one sort of pairs."""

    same: float
    """Mean likeness of what shows one person."""
    different: float | None
    """Mean likeness of what shows two people; None when there is only one."""
    area: float | None
    """Under the curve of hits over false alarms; None when there is only one person."""
    num_different: int
    """Pairs of different people; those of one person are as many as there are people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityMeasures:
    """Everything measured of the identity encoder."""

    num_people: int
    separation: dict[str, Separation]
    """Sort of pairs -> how well they are told apart."""


def identity_work(num_people: int) -> int:
    """Units of work that ``measure_identity`` will report."""
    return num_people


@torch.no_grad()
def measure_identity(encoder: IdentityEncoder, num_people: int, work: Work) -> IdentityMeasures:
    """Compare portraits and faces on the stage of different people.

    Args:
        encoder: on any device.
        num_people: two or more.
        work: told about every person.

    Returns:
        The measures.
    """
    device = next(encoder.parameters()).device
    rows = []
    for index, person in enumerate(different_people(num_people)):
        pictures = four_views(person, random.Random(f"identity views {index}"), encoder.config.size)
        rows.append(encoder.look(pictures.to(device))[0].cpu())
        work.advance()
    portraits, others, on_stage, twins = torch.stack(rows, dim=1)
    return IdentityMeasures(
        num_people=num_people,
        separation={
            ON_STAGE: separated(portraits, on_stage),
            PORTRAITS: separated(portraits, others),
            TWINS: _told((portraits * on_stage).sum(1), (portraits * twins).sum(1)),
        },
    )


def different_people(count: int) -> list[Person]:
    """People of whom no two look the same."""
    rng, people = random.Random("identity people"), []
    while len(people) < count:
        person = draw_person(rng)
        if person not in people:
            people.append(person)
    return people


def four_views(person: Person, rng: random.Random, size: int) -> Tensor:
    """Two portraits, a face on the stage, and a twin's face on the stage: (4, 3, size, size)."""
    portraits = [portrait(person, rng, size) for _ in range(2)]
    faces = []
    for one in (person, twin(person, rng)):
        place, picture = moment(a_person_on_stage(rng, one), rng)
        faces.append(stage_face(picture, place, rng, size))
    return torch.stack([*portraits, *faces])


def twin(person: Person, rng: random.Random) -> Person:
    """Somebody who differs in one thing that can be seen; whoever is bald keeps his hair colour."""
    things = [name for name in TWIN_THINGS if name != "hair colour" or person.hair_style != "bald"]
    name = rng.choice(things)
    if name == "glasses":
        return replace(person, glasses=not person.glasses)
    field = TWIN_THINGS[name]
    options = [one for one in FACE_QUESTIONS[name] if one != getattr(person, field)]
    return replace(person, **{field: rng.choice(options)})


def separated(one_NC: Tensor, other_NC: Tensor) -> Separation:
    """Compare every row with every row; those of one number belong together."""
    scores_NN = one_NC @ other_NC.T
    apart_NN = ~torch.eye(len(one_NC), dtype=torch.bool)
    return _told(scores_NN.diagonal(), scores_NN[apart_NN])


def _told(same: Tensor, different: Tensor) -> Separation:
    apart = {"different": None, "area": None}
    if len(different):
        apart = {"different": different.mean().item(), "area": area_under_curve(same, different)}
    return Separation(same=same.mean().item(), num_different=len(different), **apart)
