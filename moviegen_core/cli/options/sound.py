"""Options of what makes and handles sound."""

import argparse

from ...stages.settings import SoundSettings
from .shared import add_json, add_models, command

SOUND = SoundSettings()


def add_sound(commands: argparse._SubParsersAction) -> None:
    """``moviegen sound``."""
    parser = command(
        commands,
        "sound",
        "Make sound for a video of any length and rate, or from words alone.",
        'moviegen sound clip.mp4 -o with-sound.mp4; moviegen sound --seconds 10 --prompt "rain" -o x.wav',
    )
    parser.add_argument("input", nargs="?", metavar="IN", help="any video; its pictures are copied untouched")
    parser.add_argument("--seconds", metavar="N", help="instead of IN: length of a sound from words alone")
    parser.add_argument(
        "-o", "--output", required=True, metavar="OUT", help="OUT.mp4, .mov, .mkv or .webm, or OUT.wav"
    )
    parser.add_argument(
        "--prompt", metavar="TEXT", help="effects and ambience (default: what the video shows)"
    )
    parser.add_argument("--no-effects", action="store_true", help="make no effects and no ambience")
    parser.add_argument("--music", metavar="TEXT", help="music to play (default: none)")
    parser.add_argument(
        "--candidates",
        type=int,
        default=SOUND.num_candidates,
        metavar="N",
        help="make N of every stretch, keep what fits the pictures best (default %(default)s; the paper: 8)",
    )
    parser.add_argument(
        "--original",
        choices=("mix", "drop"),
        default="mix",
        help="the video's own sound: heard on top of the new one, or left out (default %(default)s)",
    )
    parser.add_argument(
        "--picture", metavar="FILE.png", help="draw waveform and spectrogram, with marks where things happen"
    )
    _add_sound_settings(parser)
    _add_mixing(parser)
    add_models(parser)
    add_json(parser)


def add_extend(commands: argparse._SubParsersAction) -> None:
    """``moviegen extend``."""
    parser = command(
        commands,
        "extend",
        "Let a sound go on, or fill a gap in it; every other sample stays as it is.",
        "moviegen extend rain.wav --seconds 30 -o longer.wav",
    )
    parser.add_argument("input", metavar="IN", help="a sound, or a video with one; mono or stereo, any rate")
    parser.add_argument("-o", "--output", required=True, metavar="OUT.wav", help="the whole sound")
    parser.add_argument("--seconds", metavar="N", help="how much longer it becomes")
    parser.add_argument("--gap", metavar="START-STOP", help="instead: seconds to make anew, such as 2.5-4")
    parser.add_argument("--prompt", metavar="TEXT", help="effects and ambience (default: what is heard)")
    parser.add_argument("--music", metavar="TEXT", help="music (default: what is heard)")
    _add_sound_settings(parser)
    add_models(parser)
    add_json(parser)


def add_mix(commands: argparse._SubParsersAction) -> None:
    """``moviegen mix``."""
    parser = command(
        commands,
        "mix",
        "Mix sounds into a soundtrack: gain, fades, ducking under what is said, loudness, true peak.",
        "moviegen mix effects.wav music.wav@-6 --under voice.wav --loudness -16 -o mix.wav",
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE[@DB]", help="sounds, or videos with sound; @-6 makes one softer"
    )
    parser.add_argument(
        "--under",
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE[@DB]",
        help="sounds that lead, such as a dialogue: the others duck under them",
    )
    parser.add_argument("--video", metavar="IN", help="the video that gets the mix; its pictures are copied")
    parser.add_argument(
        "-o", "--output", required=True, metavar="OUT", help="OUT.wav, or with --video OUT.mp4, .mov, ..."
    )
    parser.add_argument(
        "--ceiling",
        type=float,
        default=-1.0,
        metavar="DBTP",
        help="highest true peak (default -1)",
    )
    _add_mixing(parser)
    add_json(parser)


def _add_sound_settings(parser: argparse.ArgumentParser) -> None:
    sampling = SOUND.sampling
    parser.add_argument(
        "--steps", type=int, default=sampling.num_steps, help="solver steps (default %(default)s)"
    )
    parser.add_argument(
        "--guidance",
        type=float,
        default=sampling.guidance,
        help="pull of words and picture, 1 is none (default %(default)s)",
    )
    parser.add_argument(
        "--seed", type=int, default=sampling.seed, help="decides the noise (default %(default)s)"
    )


def _add_mixing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stems", metavar="DIR", help="write every stem of the mix as a WAV file, too")
    parser.add_argument(
        "--loudness", type=float, metavar="LUFS", help="integrated loudness to reach, such as -16 (BS.1770)"
    )
    parser.add_argument("--mono", action="store_true", help="one channel instead of two")
    for name, way in (("in", "silence to full"), ("out", "full to silence")):
        parser.add_argument(
            f"--fade-{name}", type=float, default=0.0, metavar="SECONDS", help=f"from {way} (default 0)"
        )
