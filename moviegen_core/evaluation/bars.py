"""The numbers that the design asks of the nano cast, beside what was measured."""

from collections.abc import Iterator
from dataclasses import dataclass

from .agreement import Agreement
from .measure_edit import EditMeasures
from .measure_identity import ON_STAGE, IdentityMeasures
from .measure_personalized import PersonalizedMeasures
from .measure_sound import MADE, OWN, SoundMeasures
from .measure_tae import TaeMeasures
from .measure_upsampler import UpsamplerMeasures
from .measure_video import ALL, GENERATED, PLAIN, RENDERED, VideoMeasures

PROMPT_BARS = {"actor": 0.85, "colour": 0.85, "place": 0.85, "action": 0.75, "camera": 0.75}
JUDGE_BAR = 0.97
"""Of the judge's own answers about renders of one actor in the plain look."""
SOUND_BARS = {"ambience": 0.8, "music": 0.8}
ONSET_BAR = 40.0
"""Milliseconds."""
CAUGHT_BAR = 0.5
"""The same the other way round, the median impact to its onset: else silence but for one hit would pass."""
EDIT_BAR, KEPT_BAR = 0.8, 28.0
"""Share of edits that show what was asked; PSNR in dB where nothing was to change."""
FACE_BAR, IDENTITY_BAR = 0.8, 0.95
"""Share of a face's attributes that are right; area under the curve of same against different people."""
THEATRE_BAR, FOOTAGE_BAR = 31.0, 25.0
"""PSNR in dB."""
THEATRE_GAIN_BAR, FOOTAGE_GAIN_BAR = 1.5, 0.5
"""PSNR in dB over bicubic."""
FLICKER_BAR = 1.1
"""Of an upscaled clip over that of the same clip filmed large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One number that the design asks for, and what was measured."""

    what: str
    wanted: float
    measured: float | None
    """None when it could not be measured."""
    unit: str
    at_most: bool = False
    """Whether less is better."""

    @property
    def is_met(self) -> bool | None:
        """None when it was not measured."""
        if self.measured is None:
            return None
        return self.measured <= self.wanted if self.at_most else self.measured >= self.wanted

    def __str__(self) -> str:
        state = {True: "met", False: "MISSED", None: "not measured"}[self.is_met]
        measured = "-" if self.measured is None else _number(self.measured, self.unit)
        side = "<=" if self.at_most else ">="
        return f"| {self.what} | {side} {_number(self.wanted, self.unit)} | {measured} | {state} |"


def tae_bars(tae: TaeMeasures | None) -> Iterator[Bar]:
    """Bars of the autoencoder; none when it was not measured."""
    if tae is None:
        return
    yield Bar(what="TAE, theatre 192x112", wanted=THEATRE_BAR, measured=tae.theatre.psnr, unit="dB")
    yield Bar(what="TAE, real footage 192x112", wanted=FOOTAGE_BAR, measured=tae.footage_psnr, unit="dB")
    exact = tae.frame_counts.longest - len(tae.frame_counts.wrong)
    yield Bar(what="TAE, exact frame counts", wanted=tae.frame_counts.longest, measured=exact, unit="")


def video_bars(video: VideoMeasures | None) -> Iterator[Bar]:
    """Bars of prompt -> clip, and of the judge that measured it."""
    if video is None:
        return
    for question, wanted in PROMPT_BARS.items():
        seen = video.agreement[GENERATED][ALL][question]
        yield _share_bar(f"prompt -> clip, {question}", wanted, seen)
    for question in PROMPT_BARS:
        own = video.agreement[RENDERED][PLAIN][question]
        yield _share_bar(f"judge itself, {question}", JUDGE_BAR, own)


def edit_bars(edit: EditMeasures | None) -> Iterator[Bar]:
    """Bars of editing by instruction; none when it was not measured."""
    if edit is None:
        return
    yield _share_bar("edit, asked change present", EDIT_BAR, edit.present)
    what = "edit, rest of the picture against the source's reconstruction"
    yield Bar(what=what, wanted=KEPT_BAR, measured=edit.kept(), unit="dB")


def personalized_bars(personalized: PersonalizedMeasures | None) -> Iterator[Bar]:
    """Bars of putting a face into a clip, and of the judge of faces; none when it was not measured."""
    if personalized is None:
        return
    yield _share_bar("personalization, face attributes", FACE_BAR, personalized.overall(GENERATED))
    yield _share_bar("face judge itself, face attributes", JUDGE_BAR, personalized.overall(RENDERED))


def identity_bars(identity: IdentityMeasures | None) -> Iterator[Bar]:
    """The bar of the measure of likeness; none when it was not measured."""
    if identity is None:
        return
    area = identity.separation[ON_STAGE].area
    what = "identity, same from different people (area under the curve)"
    measured = None if area is None else round(area, 4)
    yield Bar(what=what, wanted=IDENTITY_BAR, measured=measured, unit="")


def upsampler_bars(upsampler: UpsamplerMeasures | None) -> Iterator[Bar]:
    """Bars of upscaling; none when it was not measured, footage not measured where there was none."""
    if upsampler is None:
        return
    real = None if upsampler.footage is None else upsampler.footage.decibels
    for what, wanted, measured in (
        ("theatre", THEATRE_GAIN_BAR, upsampler.theatre.decibels),
        ("real footage", FOOTAGE_GAIN_BAR, real),
    ):
        yield Bar(what=f"upsampler x2 over bicubic, {what}", wanted=wanted, measured=measured, unit="dB")
    flicker = round(max(gain.flicker for gain in upsampler.gains), 3)
    what = "upsampler, flicker over the clip's own"
    yield Bar(what=what, wanted=FLICKER_BAR, measured=flicker, unit="", at_most=True)


def sound_bars(sound: SoundMeasures | None) -> Iterator[Bar]:
    """Bars of sound, and of the judge that heard it."""
    if sound is None:
        return
    made = sound.timing[MADE]
    away = made.to_impact
    yield Bar(
        what="sound, median distance of onsets to impacts",
        wanted=ONSET_BAR,
        measured=None if away is None else 1000 * away,
        unit="ms",
        at_most=True,
    )
    yield _share_bar("sound, impacts with an onset within 40 ms", CAUGHT_BAR, made.caught)
    for question, wanted in SOUND_BARS.items():
        yield _share_bar(f"sound, {question}", wanted, sound.agreement[MADE][question])
    for question in SOUND_BARS:
        yield _share_bar(f"sound judge itself, {question}", JUDGE_BAR, sound.agreement[OWN][question])


def _share_bar(what: str, wanted: float, agreement: Agreement) -> Bar:
    measured = agreement.share if agreement.asked else None
    return Bar(what=what, wanted=wanted, measured=measured, unit="%")


def _number(value: float, unit: str) -> str:
    if unit == "%":
        return f"{value:.0%}" if abs(100 * value - round(100 * value)) < 1e-9 else f"{value:.1%}"
    return f"{value:.2f} {unit}" if unit else f"{value:g}"
