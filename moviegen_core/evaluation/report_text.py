"""The report's paragraphs and tables in Markdown."""

from collections.abc import Iterator, Mapping, Sequence

from ..theatre.edits import TASKS
from ..theatre.questions import FACE_QUESTIONS, QUESTIONS
from .agreement import Agreement
from .bars import Bar
from .measure_edit import EditMeasures
from .measure_identity import IdentityMeasures, Separation
from .measure_long import ASKED as LONG_ASKED
from .measure_long import LongMeasures
from .measure_personalized import FRAMES_ASKED, JUDGES, OURS, PersonalizedMeasures, summed
from .measure_sound import ASKED, SECONDS, SOUND_SOURCES, SoundMeasures
from .measure_tae import Quality, TaeMeasures
from .measure_upsampler import FACTOR, NUM_FRAMES, SMALL_SIZE, UpsamplerMeasures
from .measure_video import BATCH, GENERATED, GROUPS, SHAPE, SOURCES, VideoMeasures

FOOTAGE_VARIABLE = "MOVIEGEN_FOOTAGE"
"""Environment variable that names a footage file, for whoever gives none."""
ABOUT_THE_JUDGE = (
    "The judge is a small classifier trained on theatre renders, some of them passed through an autoencoder;"
    " it never saw a generated clip. Beside each number stands how often it is right itself: on renders of"
    " the same scenes, and on those renders passed through this cast's autoencoder. Intervals are 95%"
    " (Wilson). Colour is not asked of black-and-white clips."
)


def bar_lines(bars: Sequence[Bar], unmeasured: Sequence[str]) -> Iterator[str]:
    """The table of bars, then what is missed and what is not measured."""
    yield "## Bars"
    yield ""
    yield "| what | bar | measured | |"
    yield "|---|---|---|---|"
    yield from map(str, bars)
    yield ""
    missed = [bar.what for bar in bars if bar.is_met is False]
    unknown = [bar.what for bar in bars if bar.is_met is None]
    yield f"Missed: {'; '.join(missed) or 'none'}."
    if unknown or unmeasured:
        yield f"Not measured: {'; '.join([*unknown, *unmeasured])}."
    yield ""


def tae_lines(tae: TaeMeasures | None) -> Iterator[str]:
    """What was measured of the autoencoder."""
    if tae is None:
        return
    yield "## Temporal autoencoder"
    yield ""
    yield "| clips | count | PSNR | SSIM |"
    yield "|---|---|---|---|"
    yield from (_quality_line("theatre", row) for row in (tae.theatre, *tae.others))
    yield from (_quality_line("real", row) for row in tae.footage)
    yield ""
    if not tae.footage:
        yield f"Real footage: not measured; name a file of it in the environment variable {FOOTAGE_VARIABLE}."
    counts = tae.frame_counts
    drift = f"wrong for {list(counts.wrong)}" if counts.wrong else "all come back exact"
    yield (
        f"Frame counts 1..{counts.longest}: {drift}; lowest PSNR {counts.lowest_psnr:.2f} dB,"
        f" at {counts.lowest_at} frames. Latents: mean {tae.latent_mean:.3f}, deviation {tae.latent_std:.3f}."
    )
    yield ""


def _quality_line(kind: str, row: Quality) -> str:
    return f"| {kind}, {row.what} | {row.num_clips} | {row.psnr:.2f} dB | {row.ssim:.4f} |"


def video_lines(video: VideoMeasures | None) -> Iterator[str]:
    """What was measured of prompt -> clip, with the judge's own accuracy beside it."""
    if video is None:
        return
    yield "## Prompt -> clip"
    yield ""
    yield _how(video)
    yield ""
    yield ABOUT_THE_JUDGE
    yield ""
    for group in GROUPS:
        yield from _group_lines(video, group)


def _how(video: VideoMeasures) -> str:
    settings = video.settings
    shape = f"{SHAPE.num_frames} frames of {SHAPE.width}x{SHAPE.height} at {float(SHAPE.fps):g} fps"
    steps = f"{settings.num_steps} step{'s' * (settings.num_steps != 1)}"
    return (
        f"{video.num_clips} prompts of one actor; {shape}; {steps} ({settings.solver}, grid {settings.grid}),"
        f" guidance {settings.guidance:g}, seeds from {settings.seed} on;"
        f" {video.seconds_per_clip:.2f} seconds a clip, {BATCH} at once."
    )


def long_lines(long: LongMeasures | None) -> Iterator[str]:
    """How far long clips wander from their beginning."""
    if long is None:
        return
    yield "## Long clips"
    yield ""
    made, seconds = long.samples[GENERATED], float(long.shape.num_frames / long.shape.fps)
    yield (
        f"{len(made)} prompts, {seconds:g} seconds each, made in windows that overlap by half and agree at"
        f" every step; looked at in {len(made[0].seen)} parts. Colour is the largest distance in Lab of a"
        " part's mean from the first part's (2 is just seen), contrast the largest factor; then how often the"
        " judge sees in a later part what it saw in the first, and how often the first and the last part show"
        " what was asked for."
    )
    yield ""
    names = "".join(f" {name} kept | {name} right, first and last |" for name in LONG_ASKED)
    yield f"| clips | colour | contrast |{names}"
    yield f"|---|---|---|{'---|---|' * len(LONG_ASKED)}"
    for source in long.samples:
        kept, first, last = long.kept(source), long.right(source, 0), long.right(source, -1)
        cells = "".join(
            f" {_share(kept[name])} | {first[name].right} and {last[name].right} of {last[name].asked} |"
            for name in LONG_ASKED
        )
        colour, contrast = (long.drift(source, what) for what in ("colour", "contrast"))
        yield f"| {source} | {colour:.2f} | x{contrast:.2f} |{cells}"
    yield ""


def edit_lines(edit: EditMeasures | None) -> Iterator[str]:
    """What was measured of editing by instruction, task by task."""
    if edit is None:
        return
    yield "## Edit by instruction"
    yield ""
    yield _how_edited(edit)
    yield ""
    yield "| task | judge sees it | nearer the target than the source | rest of the picture (median) |"
    yield "|---|---|---|---|"
    for task in (None, *TASKS):
        told = edit.agreement(task)
        kept = "-" if edit.kept(task) is None else f"{edit.kept(task):.2f} dB"
        yield f"| {task or 'all'} | {_share(told['judge'])} | {_share(told['nearer'])} | {kept} |"
    yield ""


def _how_edited(edit: EditMeasures) -> str:
    settings, pulls = edit.settings, edit.guidance
    return (
        f"{len(edit.samples)} held-out edits of clips, {settings.num_steps} steps ({settings.solver}),"
        f" pulls {pulls.video:g} to the source and {pulls.text:g} to the instruction, seeds from"
        f" {settings.seed} on. The judge is asked where it can tell; on the true targets, passed through the"
        f" autoencoder, it is right {_share(edit.judge_itself)}. Of an actor that comes or goes it cannot"
        " tell: there a change counts as present when the pixels that had to change are nearer the target's"
        " reconstruction than the source's. The rest of the picture is what the theatre leaves alone, where"
        " that is at least a tenth of it; no composite is applied."
    )


def personalized_lines(personalized: PersonalizedMeasures | None) -> Iterator[str]:
    """What was measured of putting a face into a clip, with the judge's own accuracy beside it."""
    if personalized is None:
        return
    yield "## A face in a clip"
    yield ""
    yield _how_personalized(personalized)
    yield ""
    sources = tuple(personalized.agreement)
    yield f"| attribute | {' | '.join(sources)} | generated, of somebody else |"
    yield f"|---{'|---' * len(sources)}|---|"
    rows = [_share(personalized.overall(source)) for source in sources]
    yield f"| all | {' | '.join(rows)} | {_chance(summed(personalized.chance.values()))} |"
    for question in FACE_QUESTIONS:
        rows = [_share(personalized.agreement[source][question]) for source in sources]
        yield f"| {question} | {' | '.join(rows)} | {_chance(personalized.chance[question])} |"
    yield f"| a face is there | {' | '.join(map(_share, personalized.found.values()))} | |"
    for who in (OURS, JUDGES):
        rows = [_share(one) if one.asked else "nobody knows" for one in personalized.placed[who].values()]
        yield f"| {who} finds it where it is, frames | {' | '.join(rows)} | |"
    rows = map(_share, personalized.shared.values())
    yield f"| {OURS} takes {JUDGES}'s square, frames | {' | '.join(rows)} | |"
    yield ""
    yield from _separation_lines("face against references", personalized.separation)


def _how_personalized(personalized: PersonalizedMeasures) -> str:
    settings, count = personalized.settings, len(personalized.samples)
    ours, judges = (personalized.references(who).right for who in (OURS, JUDGES))
    return (
        f"{count} held-out scenes of one person in the plain look, the camera still; one portrait is the"
        f" reference ({OURS} takes the face in {ours} of {count}, {JUDGES} would in {judges}), the prompt"
        f" says nothing of the face; {settings.num_steps} steps ({settings.solver}), guidance"
        f" {settings.guidance:g}, seeds from {settings.seed} on; {personalized.seconds_per_clip:.1f} seconds"
        f" a clip; likeness as `moviegen personalize` says it: {personalized.likeness:.2f} in the mean. The"
        f" judge of faces looks for the surest face in {FRAMES_ASKED} frames, the majority counts; where it"
        " sees no face every answer is wrong. It is a small classifier trained on theatre faces, some from"
        " frames that passed through an autoencoder; it never saw a generated clip and shares nothing with"
        " the identity encoder, with which our finder finds faces for everything else. The theatre knows"
        " where the faces of portraits and renders are, and how often either finds them there is told below;"
        " where the face of a generated clip is nobody knows, only how often the two agree on it, which they"
        " may do about a wrong place. The last column is chance: how often the same clips show what any of"
        " the others looks like. Hair colour is not asked of who is bald."
    )


def _chance(agreement: Agreement) -> str:
    return f"{agreement.share:.1%}" if agreement.asked else "-"


def identity_lines(identity: IdentityMeasures | None) -> Iterator[str]:
    """What was measured of the identity encoder."""
    if identity is None:
        return
    yield "## Identity"
    yield ""
    yield (
        f"{identity.num_people} people of whom no two look the same, in fresh scenes, poses and light. The"
        " measure is our small encoder, trained on drawn people; it is no face recognizer."
    )
    yield ""
    yield from _separation_lines("pairs", identity.separation)


def _separation_lines(what: str, rows: Mapping[str, Separation]) -> Iterator[str]:
    yield f"| {what} | likeness, same person | likeness, different people | area under the curve |"
    yield "|---|---|---|---|"
    for name, row in rows.items():
        apart = "- | -" if row.area is None else f"{row.different:.2f} | {row.area:.4f}"
        yield f"| {name} | {row.same:.2f} | {apart} |"
    yield ""


def upsampler_lines(upsampler: UpsamplerMeasures | None) -> Iterator[str]:
    """What was measured of upscaling."""
    if upsampler is None:
        return
    height, width = SMALL_SIZE
    yield "## Upsampler"
    yield ""
    yield (
        f"{upsampler.upscaler}. Held-out scenes rendered at {width}x{height} and at {FACTOR} times that, and"
        f" held-out real shots shrunk by {FACTOR} (bicubic, antialiased); {NUM_FRAMES} frames of each,"
        " through the same tiles, windows and colours as `moviegen upscale` takes. Flicker is over"
        " the true large clip's."
    )
    yield ""
    yield "| clips | count | PSNR | bicubic | gain | flicker |"
    yield "|---|---|---|---|---|---|"
    for gain in upsampler.gains:
        yield (
            f"| {gain.what} | {gain.num_clips} | {gain.psnr:.2f} dB | {gain.bicubic_psnr:.2f} dB |"
            f" {gain.decibels:+.2f} dB | {gain.flicker:.3f} |"
        )
    yield ""


def sound_lines(sound: SoundMeasures | None) -> Iterator[str]:
    """What was measured of sound, with the judge's own accuracy beside it."""
    if sound is None:
        return
    yield "## Sound"
    yield ""
    yield _how_sound(sound)
    yield ""
    yield "| onsets of effects | onset to nearest impact | impact to nearest onset | impacts within 40 ms |"
    yield "|---|---|---|---|"
    for source, one in sound.timing.items():
        yield f"| {source} | {_away(one.to_impact)} | {_away(one.to_onset)} | {_share(one.caught)} |"
    yield ""
    yield f"| question | {' | '.join(SOUND_SOURCES)} |"
    yield "|---|---|---|---|"
    for question in ASKED:
        row = (sound.agreement[source][question] for source in SOUND_SOURCES)
        yield f"| {question} | {' | '.join(map(_share, row))} |"
    yield ""
    yield "| codec, theatre's own sounds | count | SI-SDR (median) | mel distance |"
    yield "|---|---|---|---|"
    for row in sound.codec:
        yield f"| {row.what} | {row.num_sounds} | {row.si_sdr:.2f} dB | {row.mel:.2f} dB |"
    yield ""


def _how_sound(sound: SoundMeasures) -> str:
    settings = sound.settings
    return (
        f"{sound.num_scenes} filmed scenes of one actor; {SECONDS} seconds, {settings.num_steps} steps"
        f" ({settings.solver}), guidance {settings.guidance:g}, seeds from {settings.seed} on; made from the"
        f" picture and the scene's caption, {sound.seconds_per_sound:.1f} seconds a stem. Onsets are those of"
        " the effects alone; the judge hears effects with ambience, and music alone. It is a small classifier"
        " trained on theatre sounds, some of them passed through a codec; it never heard a generated one."
    )


def _away(seconds: float | None) -> str:
    return "-" if seconds is None else f"{1000 * seconds:.0f} ms"


def _group_lines(video: VideoMeasures, group: str) -> Iterator[str]:
    yield f"### Scenes: {group}"
    yield ""
    yield f"| question | {' | '.join(SOURCES)} |"
    yield "|---|---|---|---|"
    for question in QUESTIONS:
        row = (video.agreement[source][group][question] for source in SOURCES)
        yield f"| {question} | {' | '.join(map(_share, row))} |"
    yield ""


def _share(agreement: Agreement) -> str:
    if not agreement.asked:
        return "not asked"
    low, high = agreement.interval()
    return f"{agreement.share:.1%} ({low:.0%}-{high:.0%}, {agreement.right}/{agreement.asked})"
