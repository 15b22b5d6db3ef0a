"""Measure a cast on what it never saw, and say plainly which bars it misses."""

import json
import os
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from PIL import Image

from ..errors import SettingsError
from ..media.target import checked_target, replacing
from ..models.identity import IdentityEncoder
from ..models.tae import TemporalAutoencoder
from ..models.upsampler import Upsampler
from ..stages.edit_model import load_edit
from ..stages.generate import fast_dtype, load_text_to_video
from ..stages.personalize import load_personalized
from ..stages.settings import SamplingSettings, SoundSettings, UpsampleSettings
from ..stages.sound import ROLES as SOUND_ROLES
from ..stages.sound import load_sound
from ..stages.upsample import neural_upscaler
from ..weights.cast import Cast
from .bars import (
    Bar,
    edit_bars,
    identity_bars,
    personalized_bars,
    sound_bars,
    tae_bars,
    upsampler_bars,
    video_bars,
)
from .face_judge import FACE_JUDGE, open_face_judge
from .judge import SHIPPED, open_judge
from .measure_edit import EditMeasures, edit_work, measure_edit
from .measure_identity import IdentityMeasures, identity_work, measure_identity
from .measure_long import LongMeasures, long_work, measure_long
from .measure_personalized import PersonalizedMeasures, measure_personalized, personalized_work
from .measure_sound import SoundMeasures, measure_sound, sound_work
from .measure_tae import TaeMeasures, measure_tae, tae_work
from .measure_upsampler import UpsamplerMeasures, measure_upsampler, upsampler_work
from .measure_video import VideoMeasures, measure_video, video_work
from .report_text import (
    FOOTAGE_VARIABLE,
    bar_lines,
    edit_lines,
    identity_lines,
    long_lines,
    personalized_lines,
    sound_lines,
    tae_lines,
    upsampler_lines,
    video_lines,
)
from .sheet import contact_sheet, edit_sheet, face_sheet, upscaled_sheet
from .sound_judge import SOUND_JUDGE, open_sound_judge
from .work import OnProgress, Work

EDIT_ROLES = ("tae", "edit", "edit_text")
FACE_ROLES = ("tae", "text", "personalized", "identity")
NEEDED = {"sound": SOUND_ROLES, "edit": EDIT_ROLES, "personalized": FACE_ROLES}
"""Measurement -> the roles without which it is left out."""
MEASURED_BY = {"tae": "tae", "text": "video", "video": "video", "edit": "edit", "edit_text": "edit"}
MEASURED_BY |= dict.fromkeys(SOUND_ROLES, "sound")
MEASURED_BY |= {one: one for one in ("personalized", "identity", "upsampler")}
"""Role -> the measurement that covers it."""


SHOWN_EDITS, SHOWN_FACES, SHOWN_UPSCALED = 16, 16, 8
"""Samples of each sheet; of upscaled clips, of each kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was measured of a cast, under which circumstances."""

    cast: str
    facts: dict[str, str]
    """Date, versions, machine, weights: whatever a reader needs to repeat it."""
    tae: TaeMeasures | None
    video: VideoMeasures | None
    unmeasured: tuple[str, ...]
    """Roles asked for that nothing here measures."""
    sound: SoundMeasures | None = None
    """None where the cast has none."""
    edit: EditMeasures | None = None
    """None where the cast does not edit."""
    personalized: PersonalizedMeasures | None = None
    """None where the cast puts no face into a clip."""
    identity: IdentityMeasures | None = None
    """None where the cast has no identity encoder."""
    upsampler: UpsamplerMeasures | None = None
    """None where the cast has none."""
    long: LongMeasures | None = None
    """None where the cast makes no clips."""

    def bars(self) -> list[Bar]:
        """Every bar of the design that belongs to what was measured."""
        video = [*video_bars(self.video), *edit_bars(self.edit)]
        faces = [*personalized_bars(self.personalized), *identity_bars(self.identity)]
        upsampler = upsampler_bars(self.upsampler)
        return [*tae_bars(self.tae), *video, *faces, *upsampler, *sound_bars(self.sound)]

    def markdown(self) -> str:
        """The report as people read it."""
        return "\n".join(_lines(self)) + "\n"

    def to_json(self) -> str:
        """Everything but the pictures as one JSON object."""
        video = None if self.video is None else _video_dict(self.video)
        bars = [asdict(bar) | {"is_met": bar.is_met} for bar in self.bars()]
        tae = None if self.tae is None else asdict(self.tae)
        sound = {} if self.sound is None else {"sound": asdict(self.sound)}
        whole = {"cast": self.cast, "facts": self.facts, "bars": bars, "tae": tae, "video": video}
        edit = {} if self.edit is None else {"edit": _edit_dict(self.edit)}
        faces = {} if self.personalized is None else {"personalized": _face_dict(self.personalized)}
        faces |= {} if self.identity is None else {"identity": asdict(self.identity)}
        faces |= {} if self.long is None else {"long": _long_dict(self.long)}
        large = {} if self.upsampler is None else {"upsampler": _upsampler_dict(self.upsampler)}
        return json.dumps(whole | edit | faces | large | sound | {"unmeasured": self.unmeasured})

    def sheets(self) -> dict[str, Image.Image]:
        """Pictures of what was made, by what their file's name ends in."""
        found = {}
        if self.video and self.video.samples:
            found[""] = contact_sheet(self.video.samples)
        if self.edit:
            found["-edits"] = edit_sheet(self.edit.samples[:SHOWN_EDITS])
        if self.personalized:
            found["-faces"] = face_sheet(self.personalized.samples[:SHOWN_FACES])
        if self.upsampler:
            shown = [one for gain in self.upsampler.gains for one in gain.samples[:SHOWN_UPSCALED]]
            found["-upscaled"] = upscaled_sheet(shown)
        return found

    def write(self, path: Path | str) -> list[Path]:
        """Write the report; beside it the numbers as ``<name>.json`` and contact sheets as ``<name>*.jpg``.

        Args:
            path: ends in .md; its folder must exist.

        Returns:
            The files written.
        """
        path = checked_target(path, ".md")
        targets = [path, path.with_suffix(".json")]
        for target, text in zip(targets, (self.markdown(), self.to_json() + "\n"), strict=True):
            with replacing(target) as partial:
                partial.write_text(text, encoding="utf-8")
        for ending, sheet in self.sheets().items():
            targets.append(path.with_name(f"{path.stem}{ending}.jpg"))
            with replacing(targets[-1]) as partial:
                sheet.save(partial, "JPEG", quality=88)
        return targets


def evaluate(
    cast: Cast,
    roles: Sequence[str] | None = None,
    *,
    device: torch.device | str = "cpu",
    on_progress: OnProgress | None = None,
    count: int = 96,
    settings: SamplingSettings | None = None,
    footage: Path | str | None = None,
    judge: Path | str = SHIPPED,
) -> Report:
    """Measure a cast on held-out scenes.

    Args:
        cast: the models.
        roles: which to measure; all the cast has when None.
        device: where to compute.
        on_progress: called with (units done, units in all) after every clip; raising in it stops the work.
        count: held-out prompts to generate; a quarter as many theatre clips pass the autoencoder, get sound,
            show a given face and are upscaled; half as many are edited; as many people are told apart; a
            twelfth as many long clips are made.
        settings: of the sampling; the defaults when None.
        footage: file of real pictures and clips; the file that MOVIEGEN_FOOTAGE names when None.
        judge: weights file of the judge; those of the judges of sounds and of faces lie beside it.

    Returns:
        The report.

    Raises:
        SettingsError: count is below 1.
    """
    if count < 1:
        raise SettingsError(f"count {count} measures nothing; give 1 or more, such as 96")
    settings, roles = settings or SamplingSettings(), list(roles or cast.roles)
    wanted = _wanted(cast, roles)
    clips, edits, people, long = (max(1, count // 4), max(1, count // 2), max(2, count), max(1, count // 12))
    real, asked = _footage_file(footage), Path(judge)
    todo: dict[str, tuple[int, Callable[[Work], object]]] = {
        "tae": (tae_work(clips), lambda work: _tae(cast, device, clips, real, work)),
        "video": (video_work(count), lambda work: _video(cast, device, count, settings, asked, work)),
        "long": (long_work(long), lambda work: _long(cast, device, long, settings, asked, work)),
        "edit": (edit_work(edits), lambda work: _edit(cast, device, edits, settings, asked, work)),
        "personalized": (
            personalized_work(clips),
            lambda work: _personalized(cast, device, clips, settings, asked, work),
        ),
        "identity": (identity_work(people), lambda work: _identity(cast, device, people, work)),
        "upsampler": (upsampler_work(clips, real), lambda work: _upsampler(cast, device, clips, real, work)),
        "sound": (sound_work(clips), lambda work: _sound(cast, device, clips, asked, work)),
    }
    work = Work(sum(units for name, (units, _) in todo.items() if name in wanted), on_progress)
    measured = {name: measure(work) if name in wanted else None for name, (_, measure) in todo.items()}
    return Report(
        cast=cast.name,
        facts=_facts(cast, device, asked),
        unmeasured=tuple(role for role in roles if MEASURED_BY.get(role) not in wanted),
        **measured,  # type: ignore[arg-type]
    )


def _wanted(cast: Cast, roles: Sequence[str]) -> set[str]:
    """Measurements that cover these roles and find all they need in the cast."""
    wanted = {MEASURED_BY[role] for role in roles if role in MEASURED_BY}
    wanted |= {"long"} if "video" in wanted else set()
    return wanted - {one for one, needed in NEEDED.items() if not set(needed) <= set(cast.roles)}


def _footage_file(given: Path | str | None) -> Path | None:
    path = given or os.environ.get(FOOTAGE_VARIABLE)
    return Path(path) if path else None


def _tae(cast: Cast, device: torch.device | str, count: int, footage: Path | None, work: Work) -> TaeMeasures:
    tae = cast.load("tae", device)
    assert isinstance(tae, TemporalAutoencoder)
    return measure_tae(tae, count, footage, work)


def _video(
    cast: Cast, device: torch.device | str, count: int, settings: SamplingSettings, judge: Path, work: Work
) -> VideoMeasures:
    asked = open_judge(judge, device)
    models = load_text_to_video(cast, device=device, dtype=fast_dtype(device))  # as the command line does
    return measure_video(models, asked, count, settings, work)


def _long(
    cast: Cast, device: torch.device | str, count: int, settings: SamplingSettings, judge: Path, work: Work
) -> LongMeasures:
    asked = open_judge(judge, device)
    models = load_text_to_video(cast, device=device, dtype=fast_dtype(device))
    return measure_long(models, asked, count, settings, work)


def _edit(
    cast: Cast, device: torch.device | str, count: int, settings: SamplingSettings, judge: Path, work: Work
) -> EditMeasures:
    asked = open_judge(judge, device)
    models = load_edit(cast, device=device, dtype=fast_dtype(device))
    return measure_edit(models, asked, count, settings, work)


def _personalized(
    cast: Cast, device: torch.device | str, count: int, settings: SamplingSettings, judge: Path, work: Work
) -> PersonalizedMeasures:
    asked = open_face_judge(judge.with_name(FACE_JUDGE.name), device)
    models = load_personalized(cast, device=device, dtype=fast_dtype(device))
    return measure_personalized(models, asked, count, settings, work)


def _identity(cast: Cast, device: torch.device | str, count: int, work: Work) -> IdentityMeasures:
    encoder = cast.load("identity", device)
    assert isinstance(encoder, IdentityEncoder)
    return measure_identity(encoder, count, work)


def _upsampler(
    cast: Cast, device: torch.device | str, count: int, footage: Path | None, work: Work
) -> UpsamplerMeasures:
    model, settings = cast.load("upsampler", device), UpsampleSettings()
    assert isinstance(model, Upsampler)
    upscaler = neural_upscaler(model, name=cast.name, content="", settings=settings)
    steps = f"{settings.num_steps} step{'s' * (settings.num_steps != 1)}"
    return measure_upsampler(upscaler, count, footage, work, f"{steps}, seed {settings.seed}")


def _sound(cast: Cast, device: torch.device | str, count: int, judge: Path, work: Work) -> SoundMeasures:
    asked = open_sound_judge(judge.with_name(SOUND_JUDGE.name), device)
    models = load_sound(cast, device=device, dtype=fast_dtype(device))
    return measure_sound(models, asked, count, SoundSettings().sampling, work)


def _facts(cast: Cast, device: torch.device | str, judge: Path) -> dict[str, str]:
    roles = tuple(cast.roles)
    judged = Cast(name="judge", folder=judge.parent, roles={"judge": judge.name})
    return {
        "date": date.today().isoformat(),
        "cast": cast.name,
        "weights (SHA-256 of the cast's files)": cast.fingerprint(roles)[:16],
        "judge (SHA-256)": judged.fingerprint(("judge",))[:16] if judge.is_file() else "none",
        **_judge_fact("judge of sounds", "sound_judge", judge.with_name(SOUND_JUDGE.name)),
        **_judge_fact("judge of faces", "face_judge", judge.with_name(FACE_JUDGE.name)),
        "moviegen": _own_version(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "device": f"{device}, {torch.get_num_threads()} threads",
    }


def _judge_fact(what: str, role: str, path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    judge = Cast(name="judge", folder=path.parent, roles={role: path.name})
    return {f"{what} (SHA-256)": judge.fingerprint((role,))[:16]}


def _own_version() -> str:
    try:
        return version("moviegen")
    except PackageNotFoundError:
        return "not installed"


def _lines(report: Report) -> Iterator[str]:
    yield f"# What the {report.cast} cast can do"
    yield ""
    yield "Measured by `moviegen evaluate` on held-out scenes: combinations that no model was trained on."
    yield ""
    yield from (f"- {name}: {value}" for name, value in report.facts.items())
    yield ""
    yield from bar_lines(report.bars(), report.unmeasured)
    yield from tae_lines(report.tae)
    yield from video_lines(report.video)
    yield from long_lines(report.long)
    yield from edit_lines(report.edit)
    yield from personalized_lines(report.personalized)
    yield from identity_lines(report.identity)
    yield from upsampler_lines(report.upsampler)
    yield from sound_lines(report.sound)


def _video_dict(video: VideoMeasures) -> dict[str, object]:
    plain = {field.name: getattr(video, field.name) for field in fields(video) if field.name != "samples"}
    return plain | {
        "settings": asdict(video.settings),
        "agreement": _plainly(video.agreement),
    }


def _long_dict(long: LongMeasures) -> dict[str, object]:
    """One row for each clip."""
    rows = {source: [asdict(one) for one in samples] for source, samples in long.samples.items()}
    return {"settings": asdict(long.settings)} | rows


def _edit_dict(edit: EditMeasures) -> dict[str, object]:
    """One row for each edit."""
    rows = [
        asdict(one.edit)
        | {"source": one.edit.source.to_json(), "target": one.edit.target.to_json()}
        | {"right": one.right, "kept": one.kept}
        for one in edit.samples
    ]
    told = {"guidance": asdict(edit.guidance), "settings": asdict(edit.settings)}
    return told | {"judge_itself": asdict(edit.judge_itself), "edits": rows}


def _upsampler_dict(upsampler: UpsamplerMeasures) -> dict[str, object]:
    """The means of each kind of clip, and one row for each clip."""
    gains = {
        gain.what: {"psnr": gain.psnr, "bicubic_psnr": gain.bicubic_psnr, "flicker": gain.flicker}
        | {"clips": [{"what": s.what, "psnr": s.psnr, "bicubic_psnr": s.bicubic_psnr} for s in gain.samples]}
        for gain in upsampler.gains
    }
    return {"settings": upsampler.upscaler} | gains


def _face_dict(personalized: PersonalizedMeasures) -> dict[str, object]:
    """Counts, and one row for each clip."""
    rows = [
        asdict(one.person)
        | {"prompt": one.prompt, "seen": one.looked.seen, "right": one.right, "likeness": one.likeness}
        | {"reference_right": one.reference_right}
        for one in personalized.samples
    ]
    counted = ("agreement", "found", "shared", "placed", "separation", "chance")
    told = {"settings": asdict(personalized.settings), "clips": rows}
    return told | {name: _plainly(getattr(personalized, name)) for name in counted}


def _plainly(value: object) -> object:
    """Values of ours as dictionaries, however deep they lie."""
    if isinstance(value, dict):
        return {name: _plainly(inner) for name, inner in value.items()}
    return asdict(value)  # type: ignore[call-overload]
