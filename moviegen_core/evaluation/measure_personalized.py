"""Whether a clip shows the person of its reference picture, in the eyes of the judge of faces."""

# Shape letters: N face, C channel, T frame, H row, W column.

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count as count_up
from itertools import islice

import torch
from torch import Tensor

from ..models.face_judge import FaceJudge
from ..models.identity import IdentityEncoder
from ..stages.faces import Face, crop, find_faces
from ..stages.personalize import FaceToVideo, personalize
from ..stages.reconstruct import reconstruct
from ..stages.settings import SamplingSettings
from ..theatre.holdouts import is_held_out
from ..theatre.portraits import render_portrait
from ..theatre.questions import FACE_QUESTIONS, Answers
from ..theatre.scene import Person, Scene
from ..theatre.vocabulary import COLOURS
from ..training.train_identity import a_person_on_stage
from ..training.train_personalized import face_prompt
from .agreement import Agreement, tally
from .face_judge import ask_faces, face_verdicts, most_seen
from .measure_identity import Separation, separated
from .measure_video import GENERATED, RECONSTRUCTED, RENDERED, SHAPE, film, stills
from .work import Work

FRAMES_ASKED = 5
"""Frames of each clip in which the face is looked for; odd, as the majority counts."""
REFERENCE_PIXELS = 128
"""Rows and columns of a portrait."""
SAME_PLACE = 0.33
"""Two squares show one face when their middles are nearer than this share of the larger one's side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What was found of a face in one clip."""

    seen: Answers
    """What most frames show; empty where no face is found."""
    vector: Tensor
    """(C,) the mean of the identity vectors of what the product's finder takes for the face; else zeros."""
    shared: Agreement
    """Frames in which the product's finder takes the judge's square, of those where the judge sees a face."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceSample:
    """One generated clip as the contact sheet shows it."""

    person: Person
    prompt: str
    reference: Tensor
    """(3, S, S), the face that was given, in -1..1."""
    reference_shared: bool
    """Whether the product's finder took the judge's square of the portrait; it may take a neck for a face."""
    looked: Looked
    right: dict[str, bool]
    stills: Tensor
    """(STILLS, 3, H, W), pixels in -1..1."""
    likeness: float
    """As ``moviegen personalize`` says it: the mean over frames."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalizedMeasures:
    """Everything measured of putting a face into a clip."""

    settings: SamplingSettings
    samples: tuple[FaceSample, ...]
    agreement: dict[str, dict[str, Agreement]]
    """Source, question -> how often the judge saw what the person looks like."""
    found: dict[str, Agreement]
    """Source -> clips in which the judge sees a face."""
    shared: dict[str, Agreement]
    """Source -> frames in which the product's finder takes the same square for the face."""
    separation: dict[str, Separation]
    """Source -> likeness to the own reference and to those of the others."""
    chance: dict[str, Agreement]
    """Question -> how often a generated clip shows what somebody else, any of the others, looks like."""

    @property
    def seconds_per_clip(self) -> float:
        """Of generating and of measuring likeness, one clip at once."""
        return sum(sample.seconds for sample in self.samples) / len(self.samples)

    @property
    def likeness(self) -> float:
        """Mean over clips."""
        return sum(sample.likeness for sample in self.samples) / len(self.samples)

    def overall(self, source: str) -> Agreement:
        """Of all attributes."""
        return summed(self.agreement[source].values())


def summed(counts: Iterable[Agreement]) -> Agreement:
    """All of them together."""
    rows = list(counts)
    return Agreement(sum(one.right for one in rows), sum(one.asked for one in rows))


def held_out_people(count: int) -> list[Scene]:
    """The first held-out scenes of one upright person, in the plain look, the camera standing still."""
    scenes = (a_person_on_stage(random.Random(f"personalized scene {seed}")) for seed in count_up())
    held = (replace(scene, camera="static shot") for scene in scenes if is_held_out(scene))
    return list(islice(held, count))


def personalized_work(count: int) -> int:
    """Units of work that ``measure_personalized`` will report."""
    return 2 * count


def measure_personalized(
    models: FaceToVideo, judge: FaceJudge, count: int, settings: SamplingSettings, work: Work
) -> PersonalizedMeasures:
    """Put the people of held-out scenes into clips of those scenes and have their faces judged.

    Args:
        models: loaded.
        judge: on any device.
        count: how many scenes.
        settings: steps and guidance; the seeds are 0, 1, 2, ... from its own on.
        work: told about every clip, generated and rendered.

    Returns:
        The measures.
    """
    scenes = held_out_people(count)
    people = [person_of(scene) for scene in scenes]
    samples = tuple(_generated(models, judge, scenes, settings, work))
    looked = {GENERATED: [sample.looked for sample in samples], **_control(models, judge, scenes, work)}
    references = torch.stack([vector_of(models.identity, sample.reference) for sample in samples])
    return PersonalizedMeasures(
        settings=settings,
        samples=samples,
        agreement={source: _agreed(rows, people) for source, rows in looked.items()},
        found={source: Agreement(sum(bool(r.seen) for r in rows), count) for source, rows in looked.items()},
        shared={source: summed(row.shared for row in rows) for source, rows in looked.items()},
        separation={
            source: separated(torch.stack([row.vector for row in rows]), references)
            for source, rows in looked.items()
        },
        chance=by_chance([row.seen for row in looked[GENERATED]], people),
    )


def person_of(scene: Scene) -> Person:
    """The one on the stage."""
    person = scene.actors[0].person
    assert person is not None
    return person


def _generated(
    models: FaceToVideo,
    judge: FaceJudge,
    scenes: Sequence[Scene],
    settings: SamplingSettings,
    work: Work,
) -> Iterator[FaceSample]:
    for number, scene in enumerate(scenes):
        rng, person = random.Random(f"personalized {number}"), person_of(scene)
        reference, shared = reference_of(models.identity, judge, person, rng)
        prompt, started = face_prompt(scene, rng), time.perf_counter()
        seeded = replace(settings, seed=settings.seed + number)
        made = personalize(models, [reference], prompt, SHAPE, seeded)
        seconds = time.perf_counter() - started
        looked = look_for_face(models.identity, judge, made.clip)
        yield FaceSample(
            person=person,
            prompt=prompt,
            reference=reference.cpu(),
            reference_shared=shared,
            looked=looked,
            right=face_verdicts(looked.seen, person),
            stills=stills(made.clip),
            likeness=made.likeness.mean,
            seconds=seconds,
        )
        work.advance()


def reference_of(
    encoder: IdentityEncoder, judge: FaceJudge, person: Person, rng: random.Random
) -> tuple[Tensor, bool]:
    """Cut the face out of a fresh portrait as the product does; all of it where none is found.

    Args:
        encoder: finds the face.
        judge: finds it as well.
        person: whose portrait is painted.
        rng: decides pose, light and ground.

    Returns:
        (3, S, S) in -1..1, and whether the judge takes the same square.
    """
    picture = render_portrait(
        person,
        rng.choice(tuple(COLOURS)),
        rng.getrandbits(31),
        height=REFERENCE_PIXELS,
        width=REFERENCE_PIXELS,
        device=next(encoder.parameters()).device,
    )
    whole = Face(top=0.0, left=0.0, side=REFERENCE_PIXELS, sureness=0.0)
    face, judged = (_surest(one, picture, is_portrait=True) for one in (encoder, judge))
    shared = judged is not None and is_same_place(judged, face)
    return crop(picture, face or whole, encoder.config.size), shared


@torch.no_grad()
def vector_of(encoder: IdentityEncoder, face_CHW: Tensor) -> Tensor:
    """Who a face is, (C,), on the CPU."""
    return encoder.look(face_CHW[None].to(next(encoder.parameters()).device))[0][0].cpu()


def look_for_face(encoder: IdentityEncoder, judge: FaceJudge, clip_CTHW: Tensor) -> Looked:
    """Find the surest face in some frames, and ask what it looks like and who it is.

    The judge finds the face that it is asked about: what the identity encoder cannot find is still there.

    Args:
        encoder: is asked who it is, of the face that it finds itself.
        judge: is asked what it looks like.
        clip_CTHW: (3, T, H, W) in -1..1.

    Returns:
        What most of the frames with a face show.
    """
    count = min(FRAMES_ASKED, clip_CTHW.shape[1])
    frames = torch.linspace(0, clip_CTHW.shape[1] - 1, count).round().long().tolist()
    pictures = [clip_CTHW[:, frame] for frame in frames]
    judged, known = ([_surest(one, picture) for picture in pictures] for one in (judge, encoder))
    vectors = [
        vector_of(encoder, crop(picture, face, encoder.config.size))
        for picture, face in zip(pictures, known, strict=True)
        if face
    ]
    return Looked(
        seen=most_seen(_answers(judge, pictures, judged)),
        vector=torch.stack(vectors).mean(0) if vectors else torch.zeros(encoder.config.feature_width),
        shared=Agreement(
            sum(
                one is not None and is_same_place(one, other)
                for one, other in zip(judged, known, strict=True)
            ),
            sum(one is not None for one in judged),
        ),
    )


def _surest(
    finder: IdentityEncoder | FaceJudge, picture_CHW: Tensor, *, is_portrait: bool = False
) -> Face | None:
    return next(iter(find_faces(finder, picture_CHW, is_portrait=is_portrait)), None)


def _answers(judge: FaceJudge, pictures: Sequence[Tensor], faces: Sequence[Face | None]) -> list[Answers]:
    shown = [
        crop(picture, face, judge.config.size) for picture, face in zip(pictures, faces, strict=True) if face
    ]
    return ask_faces(judge, torch.stack(shown)) if shown else []


def is_same_place(one: Face, other: Face | None) -> bool:
    """Whether two squares show the same face."""
    if other is None:
        return False
    away = max(
        abs(one.top + one.side / 2 - other.top - other.side / 2),
        abs(one.left + one.side / 2 - other.left - other.side / 2),
    )
    return away < SAME_PLACE * max(one.side, other.side)


def _control(
    models: FaceToVideo, judge: FaceJudge, scenes: Sequence[Scene], work: Work
) -> dict[str, list[Looked]]:
    """The same questions about renders of the scenes, and about their reconstructions."""
    rows: dict[str, list[Looked]] = {RENDERED: [], RECONSTRUCTED: []}
    for scene in scenes:
        clip = film([scene], models.device)[0]
        for source, shown in ((RENDERED, clip), (RECONSTRUCTED, reconstruct(models.tae, clip))):
            rows[source].append(look_for_face(models.identity, judge, shown))
        work.advance()
    return rows


def _agreed(looked: Sequence[Looked], people: Sequence[Person]) -> dict[str, Agreement]:
    verdicts = (face_verdicts(one.seen, person) for one, person in zip(looked, people, strict=True))
    return tally(verdicts, tuple(FACE_QUESTIONS))


def by_chance(seen: Sequence[Answers], people: Sequence[Person]) -> dict[str, Agreement]:
    """How often what is seen of one person is true of another, over all pairs."""
    verdicts = (
        face_verdicts(one, person)
        for number, one in enumerate(seen)
        for other, person in enumerate(people)
        if number != other
    )
    return tally(verdicts, tuple(FACE_QUESTIONS))
