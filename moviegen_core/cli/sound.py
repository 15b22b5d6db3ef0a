"""``moviegen sound``: sound for any video, or from words alone."""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

from ..errors import SettingsError
from ..geometry import sound_samples
from ..media.mux import CONTAINERS, add_sound
from ..media.picture_time import PictureTime, picture_time
from ..media.read_sound import has_sound, open_sound
from ..media.sound import SAMPLE_RATE
from ..media.write_sound import write_wav
from ..stages.content import file_key
from ..stages.mix import Mix, MixSettings, Stem, mix, write_stems
from ..stages.settings import SoundSettings
from ..stages.sound import SoundModels
from ..stages.soundtrack import EFFECTS, Seen, see_video, soundtrack, stem_prompts
from ..stages.sync import sync_score
from ..stages.units import Units
from .output import check_folder, tell
from .progress import Progress, clock
from .sounding import (
    checked_picture,
    draw,
    open_models,
    open_units,
    output_file,
    sound_settings,
    steps_of,
)
from .values import parse_seconds

WAV = ".wav"
ORIGINAL = "original"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What was asked for, checked."""

    video: Path | None
    out: Path
    time: PictureTime | None
    num_samples: int
    settings: SoundSettings
    mixing: MixSettings


def run(args: argparse.Namespace) -> int:
    """Do what the options ask for; returns the exit code."""
    started, order = time.monotonic(), _order(args)
    stems_folder = None if args.stems is None else check_folder(args.stems)
    picture = checked_picture(args.picture)
    cast, models = open_models(args)
    stem_prompts(order.settings, models.text.config.max_bytes, has_picture=order.video is not None)
    source = file_key(order.video) if order.video else order.num_samples
    units = open_units(order.out, cast, order.settings, {"source": source})
    with Progress(order.out.name, None) as progress:
        seen = _seen(models, order, units, progress)
        on_steps = steps_of(progress, order.out.name)
        made = soundtrack(models, order.settings, order.num_samples, seen, units=units, on_progress=on_steps)
        progress.turn_to(f"{order.out.name}, mixing", None)
        stems = {name: Stem(sound=sound) for name, sound in made.items()} | _original(args, order)
        mixed = mix(stems, order.num_samples, order.mixing)
        _write(order, mixed)
        if stems_folder is not None:
            stems_folder.mkdir(exist_ok=True)
            write_stems(stems_folder, mixed.stems)
        events = seen.event_times() if seen else []
        if picture is not None:
            draw(picture, mixed.sound, order.num_samples, events)
    units.clear()
    facts = {"stems": list(stems), "events": len(events)}
    if seen is not None and EFFECTS in made:
        facts["sync"] = round(sync_score(made[EFFECTS], seen.events_L, seen.event_rate), 3)
    _tell(args, order, facts, time.monotonic() - started)
    return 0


def _order(args: argparse.Namespace) -> _Order:
    """Everything that can be refused before a model is loaded."""
    has_video = args.input is not None
    if has_video == (args.seconds is not None):
        raise SettingsError("give either a video IN or --seconds N: a video's sound is as long as the video")
    out = output_file(args.output, (*CONTAINERS, WAV) if has_video else (WAV,))
    shown = picture_time(args.input) if has_video else None
    length = shown.num_samples() if shown else sound_samples(parse_seconds(args.seconds))
    return _Order(
        video=Path(args.input) if has_video else None,
        out=out,
        time=shown,
        num_samples=length,
        settings=sound_settings(args, args.candidates),
        mixing=MixSettings(
            loudness_lufs=args.loudness,
            num_channels=1 if args.mono else 2,
            fade_in_seconds=args.fade_in,
            fade_out_seconds=args.fade_out,
        ),
    )


def _seen(models: SoundModels, order: _Order, units: Units, progress: Progress) -> Seen | None:
    """Look at the video once; an interrupted job does not look again."""
    if order.video is None or order.time is None:
        return None
    video, fps = order.video, order.time.fps
    progress.turn_to(f"looking at {video.name}", order.time.num_frames)
    seen = units.tensors("seen", lambda: see_video(models, video, fps, progress.reach).tensors())
    return Seen.from_tensors(seen)


def _original(args: argparse.Namespace, order: _Order) -> dict[str, Stem]:
    """The video's own sound, under which the new one ducks, unless it is to be dropped."""
    if order.video is None or args.original == "drop" or not has_sound(order.video):
        return {}
    return {ORIGINAL: Stem(sound=open_sound(order.video), leads=True)}


def _write(order: _Order, mixed: Mix) -> None:
    if order.video is None or order.out.suffix.lower() == WAV:
        write_wav(order.out, mixed.sound)
    else:
        add_sound(order.video, mixed.sound, order.out)


def _tell(args: argparse.Namespace, order: _Order, facts: dict[str, object], seconds: float) -> None:
    length = f"{order.num_samples / SAMPLE_RATE:.2f} s of sound"
    sync = f", sync {facts['sync']:+.2f}" if "sync" in facts else ""
    names = " and ".join(facts["stems"])
    sentence = f"{order.out}: {length} ({names}){sync}, seed {order.settings.sampling.seed}"
    whole = {"file": str(order.out), "samples": order.num_samples, "sample_rate": SAMPLE_RATE} | facts
    tell(args, f"{sentence}, made in {clock(seconds)}", whole | {"seconds_taken": round(seconds, 3)})
