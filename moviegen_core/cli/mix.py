"""``moviegen mix``: stems become a soundtrack, as a file or in a video."""

import argparse
import re
from pathlib import Path

from ..errors import SettingsError
from ..media.loudness import measure
from ..media.mux import CONTAINERS, add_sound
from ..media.picture_time import picture_time
from ..media.read_sound import open_sound
from ..media.resample import resampled
from ..media.sound import SAMPLE_RATE, count_samples
from ..media.write_sound import write_wav
from ..stages.mix import Mix, MixSettings, Stem, mix, write_stems
from .output import check_folder, tell
from .progress import Progress
from .sounding import output_file

WAV = ".wav"


def run(args: argparse.Namespace) -> int:
    """Do what the options ask for.

    Args:
        args: parsed options of ``mix``.

    Returns:
        The exit code.

    Raises:
        SettingsError: a video to write, but none whose pictures it takes.
    """
    out = output_file(args.output, (WAV, *CONTAINERS))
    if (out.suffix.lower() != WAV) != (args.video is not None):
        raise SettingsError(
            "a video comes out where one goes in: give --video IN with -o OUT.mp4, or neither"
        )
    folder = None if args.stems is None else check_folder(args.stems)
    stems = _stems(args)
    settings = MixSettings(
        num_channels=1 if args.mono else 2,
        fade_in_seconds=args.fade_in,
        fade_out_seconds=args.fade_out,
        loudness_lufs=args.loudness,
        ceiling_dbtp=args.ceiling,
    )
    with Progress(f"{out.name}, mixing", None):
        length = picture_time(args.video).num_samples() if args.video else _longest(stems)
        mixed = mix(stems, length, settings)
        _write(args, out, mixed)
        if folder is not None:
            folder.mkdir(exist_ok=True)
            write_stems(folder, mixed.stems)
        heard = measure(mixed.sound)
    sentence = f"{out}: {length / SAMPLE_RATE:.2f} s of {len(stems)} stems, {heard.integrated_lufs:.1f} LUFS,"
    facts = {"file": str(out), "samples": length, "lufs": heard.integrated_lufs, "dbtp": heard.true_peak_dbtp}
    tell(args, f"{sentence} true peak {heard.true_peak_dbtp:.1f} dBTP", facts)
    return 0


def _stems(args: argparse.Namespace) -> dict[str, Stem]:
    """Files by their names; two of one name are told apart by a number."""
    stems: dict[str, Stem] = {}
    for text, leads in [*((one, False) for one in args.files), *((one, True) for one in args.under)]:
        file, gain = _with_gain(text)
        name = unique = Path(file).stem
        while unique in stems:
            unique = f"{name}-{len(stems) + 1}"
        stems[unique] = Stem(sound=open_sound(file), gain_db=gain, leads=leads)
    return stems


def _with_gain(text: str) -> tuple[str, float]:
    """Read "FILE@-6": a file and decibels; a file that is really called so is taken as it is."""
    found = re.fullmatch(r"(.+)@([+-]?\d+(?:\.\d+)?)", text)
    if found is None or Path(text).exists():
        return text, 0.0
    return found[1], float(found[2])


def _longest(stems: dict[str, Stem]) -> int:
    return max(count_samples(resampled(stem.sound, SAMPLE_RATE)) for stem in stems.values())


def _write(args: argparse.Namespace, out: Path, mixed: Mix) -> None:
    if args.video is None:
        write_wav(out, mixed.sound)
    else:
        add_sound(args.video, mixed.sound, out)
