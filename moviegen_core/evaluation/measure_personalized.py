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
from ..stages.faces import Face, around_head, crop, find_faces
from ..stages.personalize import FaceToVideo, personalize
from ..stages.reconstruct import reconstruct
from ..stages.settings import SamplingSettings
from ..theatre.faces import face_places, is_in_picture
from ..theatre.holdouts import is_held_out
from ..theatre.portraits import portrait_place, render_portrait
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
AWAY, LARGER = 0.25, 1.6
"""Two squares show one face when their middles are nearer than this share of the smaller one's side, and the
larger one's side is less than so many times the smaller one's. Off by as much, brow, eyes and mouth are still
within a square that is too near, and fill a third of the width of one that is too wide."""
OURS, JUDGES = "our finder", "the judge"
"""Who looks for faces: with the identity encoder, for the product; and with the judge of faces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What was found of a face in one clip."""

    seen: Answers
    """What most frames show; empty where no face is found."""
    vector: Tensor
    """(C,) the mean of the identity vectors of what the product's finder takes for the face; else zeros."""
    shared: Agreement
    """Frames in which the product's finder takes the judge's square, of those where the judge sees a face."""
    placed: dict[str, Agreement]
    """Who looks -> frames in which that finds the face where it truly is, of those that show it; 0 of 0 where
    nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceSample:
    """One generated clip as the contact sheet shows it."""

    person: Person
    prompt: str
    reference: Tensor
    """(3, S, S), the face that was given, in -1..1."""
    reference_right: dict[str, bool]
    """Who looks -> whether that finds the portrait's face where it is; it may take an ear for a face."""
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
    """Source -> frames in which the product's finder takes the judge's square for the face."""
    placed: dict[str, dict[str, Agreement]]
    """Who looks -> source -> frames in which that finds the face where it truly is; generated: 0 of 0."""
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

    def references(self, who: str) -> Agreement:
        """Portraits in which the face is found where it truly is."""
        return Agreement(sum(sample.reference_right[who] for sample in self.samples), len(self.samples))

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
        placed={
            who: {source: summed(row.placed[who] for row in rows) for source, rows in looked.items()}
            for who in (OURS, JUDGES)
        },
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
        reference, right = reference_of(models.identity, judge, person, rng)
        prompt, started = face_prompt(scene, rng), time.perf_counter()
        seeded = replace(settings, seed=settings.seed + number)
        made = personalize(models, [reference], prompt, SHAPE, seeded)
        seconds = time.perf_counter() - started
        looked = look_for_face(models.identity, judge, made.clip)
        yield FaceSample(
            person=person,
            prompt=prompt,
            reference=reference.cpu(),
            reference_right=right,
            looked=looked,
            right=face_verdicts(looked.seen, person),
            stills=stills(made.clip),
            likeness=made.likeness.mean,
            seconds=seconds,
        )
        work.advance()


def reference_of(
    encoder: IdentityEncoder, judge: FaceJudge, person: Person, rng: random.Random
) -> tuple[Tensor, dict[str, bool]]:
    """Cut the face out of a fresh portrait as the product does; all of it where none is found.

    Args:
        encoder: finds the face.
        judge: finds it as well.
        person: whose portrait is painted.
        rng: decides pose, light and ground.

    Returns:
        (3, S, S) in -1..1, and for either finder whether its square is where the portrait's face is.
    """
    size = {"height": REFERENCE_PIXELS, "width": REFERENCE_PIXELS}
    colour, seed = rng.choice(tuple(COLOURS)), rng.getrandbits(31)
    picture = render_portrait(person, colour, seed, **size, device=next(encoder.parameters()).device)
    whole = Face(top=0.0, left=0.0, side=REFERENCE_PIXELS, sureness=0.0)
    face, judged = (_surest(one, picture, is_portrait=True) for one in (encoder, judge))
    truth = around_head(*portrait_place(seed, **size))
    right = {who: is_same_place(truth, one) for who, one in ((OURS, face), (JUDGES, judged))}
    return crop(picture, face or whole, encoder.config.size), right


@torch.no_grad()
def vector_of(encoder: IdentityEncoder, face_CHW: Tensor) -> Tensor:
    """Who a face is, (C,), on the CPU."""
    return encoder.look(face_CHW[None].to(next(encoder.parameters()).device))[0][0].cpu()


def look_for_face(
    encoder: IdentityEncoder, judge: FaceJudge, clip_CTHW: Tensor, truth: Sequence[Face | None] = ()
) -> Looked:
    """Find the surest face in some frames, and ask what it looks like and who it is.

    The judge finds the face that it is asked about: what the identity encoder cannot find is still there.

    Args:
        encoder: is asked who it is, of the face that it finds itself.
        judge: is asked what it looks like.
        clip_CTHW: (3, T, H, W) in -1..1.
        truth: where the face is in every frame, None where it is not in the picture; empty if nobody knows.

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
    true = [truth[frame] for frame in frames] if truth else []
    return Looked(
        seen=most_seen(_answers(judge, pictures, judged)),
        vector=torch.stack(vectors).mean(0) if vectors else torch.zeros(encoder.config.feature_width),
        shared=_in_place(judged, known),
        placed={OURS: _in_place(true, known), JUDGES: _in_place(true, judged)},
    )


def _in_place(wanted: Sequence[Face | None], found: Sequence[Face | None]) -> Agreement:
    """Frames in which the wanted square is found, of those that have one."""
    asked = [(one, other) for one, other in zip(wanted, found, strict=False) if one is not None]
    return Agreement(sum(is_same_place(*pair) for pair in asked), len(asked))


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
    small, large = sorted((one.side, other.side))
    return away < AWAY * small and large < LARGER * small


def _control(
    models: FaceToVideo, judge: FaceJudge, scenes: Sequence[Scene], work: Work
) -> dict[str, list[Looked]]:
    """The same questions about renders of the scenes, and about their reconstructions."""
    rows: dict[str, list[Looked]] = {RENDERED: [], RECONSTRUCTED: []}
    for scene in scenes:
        clip = film([scene], models.device)[0]
        for source, shown in ((RENDERED, clip), (RECONSTRUCTED, reconstruct(models.tae, clip))):
            rows[source].append(look_for_face(models.identity, judge, shown, true_faces(scene)))
        work.advance()
    return rows


def true_faces(scene: Scene) -> list[Face | None]:
    """Where the face is in every frame of a scene's film; None where too little of it is in the picture."""
    size = {"height": SHAPE.height, "width": SHAPE.width}
    places = face_places(scene, num_frames=SHAPE.num_frames, fps=SHAPE.fps, **size).tolist()
    return [around_head(*place) if is_in_picture(place, **size) else None for place in places]


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
