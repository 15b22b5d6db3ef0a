"""``moviegen extend``: a sound goes on, or a gap in it is filled; the rest stays bit for bit."""

import argparse
import time
from pathlib import Path

from ..errors import SettingsError
from ..media.read_sound import open_sound, probe_sound
from ..media.write_sound import layout_of, write_wav
from ..stages.content import file_key
from ..stages.extend import extended, infilled
from .output import tell
from .progress import Progress, clock
from .sounding import open_models, open_units, output_file, parse_gap, sound_settings, steps_of
from .values import parse_seconds

KINDS = {
    "pcm_u8": "16",
    "pcm_s16le": "16",
    "pcm_s16be": "16",
    "pcm_s24le": "24",
    "pcm_s24be": "24",
    "flac": "24",
}
"""Codec of what comes in to the WAV that holds its samples exactly; float for any other."""


def run(args: argparse.Namespace) -> int:
    """Do what the options ask for.

    Args:
        args: parsed options of ``extend``.

    Returns:
        The exit code.

    Raises:
        SettingsError: neither or both of a length and a gap.
    """
    if (args.seconds is None) == (args.gap is None):
        raise SettingsError("give either --seconds N, to go on, or --gap START-STOP, to fill")
    started, out, settings = time.monotonic(), output_file(args.output, (".wav",)), sound_settings(args)
    gap = None if args.gap is None else parse_gap(args.gap)
    seconds = None if args.seconds is None else parse_seconds(args.seconds)
    info, sound = probe_sound(args.input), open_sound(args.input)
    layout_of(sound)
    cast, models = open_models(args)
    facts = {"source": file_key(Path(args.input)), "gap": gap, "seconds": seconds}
    units = open_units(out, cast, settings, facts)
    with Progress(out.name, None) as progress:
        on_steps = steps_of(progress, out.name)
        if gap is None:
            made = extended(models, sound, seconds, settings, units=units, on_progress=on_steps)
        else:
            made = infilled(models, sound, gap, settings, units=units, on_progress=on_steps)
        count = write_wav(out, made, KINDS.get(info.codec, "float"))
    units.clear()
    what = f"{seconds:g} s more" if gap is None else f"{gap[0]:g} to {gap[1]:g} s made anew"
    sentence = (
        f"{out}: {count / sound.sample_rate:.2f} s, {what}, made in {clock(time.monotonic() - started)}"
    )
    tell(args, sentence, {"file": str(out), "samples": count, "sample_rate": sound.sample_rate})
    return 0
