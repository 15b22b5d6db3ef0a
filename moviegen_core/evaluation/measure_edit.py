"""Whether an edit shows what was asked, and leaves alone what was not, on held-out edits of the theatre."""

# Shape letters: C channel, T frame, H row, W column.

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count as count_up
from itertools import islice

import torch.nn.functional as F
from torch import Tensor

from ..flow.guidance import USUAL_PULLS, EditGuidance
from ..models.judge import Judge
from ..stages.edit_model import EditModels, edit_clip
from ..stages.reconstruct import reconstruct
from ..stages.settings import SamplingSettings
from ..theatre.edits import Edit, sample_edit
from ..theatre.questions import right_answers
from .agreement import Agreement, tally
from .judge import ask
from .measure_video import SHAPE, film, stills
from .work import Work

ASKED_BY_TASK = {
    "recolour": "colour",
    "swap": "actor",
    "background": "place",
    "weather": "weather",
    "style": "look",
}
"""Task of the theatre: the question whose answer it changes. The judge knows nothing of a second actor."""
CHANGED = 0.04
"""Difference of a channel, of a range of 2, from which on a pixel counts as changed by the theatre."""
MARGIN = 4
"""Pixels around what changes that count with it: an autoencoder spreads edges."""
LEAST_OUTSIDE = 0.1
"""Share of pixels that must stay for a clip to say anything about staying."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditSample:
    """One edit, and how it went."""

    edit: Edit
    before: Tensor
    """(STILLS, 3, H, W) of the source."""
    after: Tensor
    right: dict[str, bool]
    """"judge" where it can tell, and "nearer": whether what had to change is nearer the target now."""
    kept: float | None
    """PSNR in dB outside what had to change, against the source's reconstruction; None if all had to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditMeasures:
    """Everything measured of editing by instruction."""

    guidance: EditGuidance
    settings: SamplingSettings
    samples: tuple[EditSample, ...]
    judge_itself: Agreement
    """On the true targets, passed through the autoencoder."""

    @property
    def present(self) -> Agreement:
        """How often the change is there: as the judge sees it, or, where it cannot tell, as pixels do."""
        found = [sample.right.get("judge", sample.right["nearer"]) for sample in self.samples]
        return Agreement(right=sum(found), asked=len(found))

    def agreement(self, task: str | None = None) -> dict[str, Agreement]:
        """By either way of telling, of one task or of all."""
        rows = (sample.right for sample in self.samples if task in (None, sample.edit.task))
        return tally(rows, ("judge", "nearer"))

    def kept(self, task: str | None = None) -> float | None:
        """Median PSNR outside what had to change; None when nothing had to stay."""
        found = [sample.kept for sample in self.samples if task in (None, sample.edit.task)]
        known = sorted(value for value in found if value is not None)
        return known[len(known) // 2] if known else None


def held_out_edits(count: int) -> list[Edit]:
    """The first held-out edits that change a scene's first actor, or no actor, or one that comes or goes."""
    edits = (sample_edit(seed, "held-out") for seed in count_up())
    return list(islice((edit for edit in edits if _is_of_the_first(edit)), count))


def _is_of_the_first(edit: Edit) -> bool:
    return edit.task not in ("recolour", "swap") or edit.source.actors[0] != edit.target.actors[0]


def edit_work(count: int) -> int:
    """Units of work that ``measure_edit`` will report."""
    return count


def measure_edit(
    models: EditModels,
    judge: Judge,
    count: int,
    settings: SamplingSettings,
    work: Work,
    guidance: EditGuidance = USUAL_PULLS,
) -> EditMeasures:
    """Edit filmed scenes by the theatre's own instructions.

    Args:
        models: loaded.
        judge: on any device.
        count: how many edits.
        settings: steps; the seeds are 0, 1, 2, ... from its own on.
        work: told about every clip.
        guidance: pulls to source and instruction.

    Returns:
        The measures.
    """
    made = list(_measured(models, judge, count, settings, guidance, work))
    samples, known = zip(*made, strict=True)
    told = [one for one in known if one is not None]
    return EditMeasures(
        guidance=guidance,
        settings=settings,
        samples=samples,
        judge_itself=Agreement(right=sum(told), asked=len(told)),
    )


def _measured(
    models: EditModels,
    judge: Judge,
    count: int,
    settings: SamplingSettings,
    guidance: EditGuidance,
    work: Work,
) -> Iterator[tuple[EditSample, bool | None]]:
    """Each sample, and whether the judge is right about the true target."""
    for number, edit in enumerate(held_out_edits(count)):
        source, target = (film([scene], models.device)[0] for scene in (edit.source, edit.target))
        seeded = replace(settings, seed=settings.seed + number)
        made = edit_clip(models, source, edit.instruction, SHAPE, seeded, guidance)
        both = {"source": source, "target": target}
        soft = {name: reconstruct(models.tae, clip) for name, clip in both.items()}
        inside_THW = changed_region(source, target)
        right = judged(judge, edit, made) | {"nearer": is_nearer(made, soft, inside_THW)}
        yield (
            EditSample(
                edit=edit,
                before=stills(source),
                after=stills(made),
                right=right,
                kept=psnr_where(made, soft["source"], ~inside_THW),
            ),
            judged(judge, edit, soft["target"]).get("judge"),
        )
        work.advance()


def changed_region(source_CTHW: Tensor, target_CTHW: Tensor) -> Tensor:
    """Where two renders differ, with a margin, (T, H, W) bool."""
    differs_THW = (source_CTHW - target_CTHW).abs().amax(dim=0) > CHANGED
    grown = F.max_pool2d(differs_THW.float()[:, None], 2 * MARGIN + 1, stride=1, padding=MARGIN)
    return grown[:, 0] > 0


def psnr_where(a_CTHW: Tensor, b_CTHW: Tensor, where_THW: Tensor) -> float | None:
    """PSNR in dB over chosen pixels of a clip in -1..1; None when fewer than LEAST_OUTSIDE are chosen."""
    if where_THW.float().mean() < LEAST_OUTSIDE:
        return None
    error = ((a_CTHW - b_CTHW).square().mean(dim=0)[where_THW]).double().mean().item() / 4
    return -10 * math.log10(max(error, 1e-10))


def is_nearer(made_CTHW: Tensor, soft: dict[str, Tensor], inside_THW: Tensor) -> bool:
    """Whether inside the region a clip is nearer to "target" than to "source"."""
    away = {
        name: (made_CTHW - clip_CTHW).square().mean(dim=0)[inside_THW].sum().item()
        for name, clip_CTHW in soft.items()
    }
    return away["target"] < away["source"]


def judged(judge: Judge, edit: Edit, clip_CTHW: Tensor) -> dict[str, bool]:
    """Under "judge", whether it sees what the edit asked for; empty when it cannot tell."""
    question, wanted = ASKED_BY_TASK.get(edit.task), right_answers(edit.target)
    if question not in wanted:
        return {}
    return {"judge": ask(judge, clip_CTHW[None])[0][question] == wanted[question]}
