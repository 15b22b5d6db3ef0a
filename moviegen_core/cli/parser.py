"""Every option of every command, in one place and without heavy imports."""

import argparse
from typing import NoReturn

from ..errors import SettingsError
from ..stages.settings import SamplingSettings, SoundSettings
from ..theatre.sampling import SPLITS
from ..theatre.vocabulary import CAMERAS

DEFAULTS, SOUND = SamplingSettings(), SoundSettings()
SECONDS, FPS, SIZE, CAST = "2", "16", "192x112", "nano"
SERVER = "http://127.0.0.1:8188"
"""Where ComfyUI listens unless it is told otherwise."""


class _Parser(argparse.ArgumentParser):
    """Complains in one sentence, as everything else here does."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line.

        Args:
            message: what argparse found.

        Raises:
            SettingsError: always.
        """
        raise SettingsError(f"{message}; see {self.prog} --help")


def make_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = _Parser(prog="moviegen", description="A sentence becomes a clip, offline, on a laptop.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=_Parser)
    makers = (_add_generate, _add_sound, _add_extend, _add_mix, _add_reconstruct)
    for add in (*makers, _add_theatre, _add_train, _add_evaluate, _add_run):
        add(commands)
    return parser


def _command(commands: argparse._SubParsersAction, name: str, summary: str, example: str) -> _Parser:
    return commands.add_parser(name, help=summary, description=summary, epilog=f"example: {example}")


def _add_generate(commands: argparse._SubParsersAction) -> None:
    parser = _command(
        commands,
        "generate",
        "Make a clip from a sentence, or a folder of clips from a file of sentences.",
        'moviegen generate "a red ball bounces on the beach" -o clip.mp4',
    )
    parser.add_argument("prompt", nargs="?", metavar="PROMPT", help="what the clip shows")
    parser.add_argument("--prompts", metavar="FILE", help="instead of PROMPT: a text file, one prompt a line")
    parser.add_argument(
        "-o", "--output", required=True, help="OUT.mp4, or OUT.png for one frame; with --prompts a folder"
    )
    _add_shape(parser)
    parser.add_argument(
        "--steps", type=int, default=DEFAULTS.num_steps, help="solver steps (default %(default)s)"
    )
    parser.add_argument(
        "--guidance",
        type=float,
        default=DEFAULTS.guidance,
        help="pull of the prompt, 1 is none (default %(default)s)",
    )
    parser.add_argument(
        "--seed", type=int, default=DEFAULTS.seed, help="decides the noise (default %(default)s)"
    )
    parser.add_argument(
        "--silent", action="store_true", help="no sound (default: sound, where the cast can make it)"
    )
    parser.add_argument("--camera", choices=CAMERAS, metavar="LABEL", help=f"one of {', '.join(CAMERAS)}")
    _add_models(parser)
    _add_json(parser)


def _add_sound(commands: argparse._SubParsersAction) -> None:
    parser = _command(
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
    _add_models(parser)
    _add_json(parser)


def _add_extend(commands: argparse._SubParsersAction) -> None:
    parser = _command(
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
    _add_models(parser)
    _add_json(parser)


def _add_mix(commands: argparse._SubParsersAction) -> None:
    parser = _command(
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
    _add_json(parser)


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


def _add_reconstruct(commands: argparse._SubParsersAction) -> None:
    parser = _command(
        commands,
        "reconstruct",
        "Pass a video through the autoencoder and back, and measure what is lost (PSNR, SSIM).",
        "moviegen reconstruct holiday.mov -o through.mp4",
    )
    parser.add_argument("input", metavar="IN", help="any video or picture, of any size and length")
    parser.add_argument("-o", "--output", required=True, help="OUT.mp4")
    _add_models(parser)
    _add_json(parser)


def _add_theatre(commands: argparse._SubParsersAction) -> None:
    parser = _command(
        commands,
        "theatre",
        "Render clips of the small world that nano is trained on, with captions and scenes.",
        "moviegen theatre --seed 7 --count 12 -o clips",
    )
    parser.add_argument(
        "-o", "--output", required=True, metavar="DIR", help="folder for the clips and scenes.jsonl"
    )
    parser.add_argument("--seed", type=int, default=0, help="first scene's seed (default %(default)s)")
    parser.add_argument("--count", type=int, default=1, help="how many clips (default %(default)s)")
    parser.add_argument(
        "--split", choices=SPLITS, default=SPLITS[0], help="held-out scenes are never trained on"
    )
    _add_shape(parser)
    _add_json(parser)


def _add_train(commands: argparse._SubParsersAction) -> None:
    parser = _command(
        commands,
        "train",
        "Train a role of the cast by the recipe that made the shipped one.",
        "moviegen train tae --out runs/tae --minutes 120",
    )
    parser.add_argument(
        "role",
        metavar="tae|video|audio_codec|audio|judge|sound_judge",
        help="what to train; video and audio train their text encoders too, audio its frame encoder as well",
    )
    parser.add_argument(
        "--out", required=True, metavar="DIR", help="folder for checkpoints, loss curve and weights"
    )
    parser.add_argument(
        "--minutes", type=float, required=True, help="time budget; training stops and saves after it"
    )
    parser.add_argument(
        "--steps",
        type=int,
        help="length of the whole run, over which the learning rate falls (default: the recipe's)",
    )
    parser.add_argument(
        "--footage",
        metavar="FILE",
        help="for tae: real pictures and clips to learn from as well; collected into FILE if it is not there",
    )
    parser.add_argument(
        "--tae",
        metavar="FILE",
        help="for video: the autoencoder to learn on (default: the shipped one); for judge: one in between",
    )
    parser.add_argument(
        "--codec",
        metavar="FILE",
        help="for audio: the codec to learn on (default: the shipped one); for sound_judge: one in between",
    )
    parser.add_argument("--resume", action="store_true", help="go on where DIR's last checkpoint stands")
    parser.add_argument(
        "--start",
        metavar="CAST",
        help="begin from the weights of a cast, nano or a folder, instead of noise; --resume goes before it",
    )
    _add_device(parser)
    _add_json(parser)


def _add_evaluate(commands: argparse._SubParsersAction) -> None:
    parser = _command(
        commands,
        "evaluate",
        "Measure a cast on held-out scenes.",
        "moviegen evaluate tae video --report REPORT.md",
    )
    parser.add_argument(
        "roles", nargs="*", metavar="ROLE", help="roles to measure (default: all the cast has)"
    )
    parser.add_argument(
        "--report", metavar="FILE.md", help="write the report, its numbers and a contact sheet"
    )
    parser.add_argument(
        "--count", type=int, default=96, help="held-out prompts to generate (default %(default)s)"
    )
    parser.add_argument(
        "--footage", metavar="FILE", help="real clips that the autoencoder is measured on as well"
    )
    _add_models(parser)
    _add_json(parser)


def _add_run(commands: argparse._SubParsersAction) -> None:
    parser = _command(
        commands,
        "run",
        "Run a workflow on a ComfyUI server and fetch what it makes.",
        'moviegen run workflow.json --set "KSampler.seed=7" -o results',
    )
    parser.add_argument("workflow", metavar="WORKFLOW.json", help="as ComfyUI saves it, or exports it (API)")
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="NODE.INPUT=VALUE",
        help="change an input; NODE is a node's id, title or class. A picture, video or sound of this machine"
        " is sent along",
    )
    parser.add_argument("--server", default=SERVER, metavar="URL", help="its address (default %(default)s)")
    parser.add_argument(
        "-o", "--output", default=".", metavar="DIR", help="folder for the results (default: this one)"
    )
    parser.add_argument("--previews", action="store_true", help="fetch what preview nodes show as well")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace files of the same name instead of numbering the new"
    )
    _add_json(parser)


def _add_shape(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", default=SECONDS, help="length (default %(default)s)")
    parser.add_argument(
        "--fps", default=FPS, help="frames a second; 23.976 and 24000/1001 work (default %(default)s)"
    )
    parser.add_argument(
        "--size", default=SIZE, metavar="WxH", help="width x height in pixels (default %(default)s)"
    )


def _add_models(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cast", default=CAST, metavar="NAME|DIR", help="the models to use (default %(default)s)"
    )
    _add_device(parser)


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, ... (default %(default)s)")


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the result as one line of JSON")
