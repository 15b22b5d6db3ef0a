"""Sounds become a soundtrack, and a soundtrack part of a video."""

# Shape letters: C channel, S audio sample.

import math
from collections.abc import Mapping
from typing import Any

import torch
from comfy_api.latest import io, ui

from ..moviegen_core.errors import MediaError
from ..moviegen_core.geometry import samples_in
from ..moviegen_core.media.dynamics import Ducking
from ..moviegen_core.media.loudness import measure
from ..moviegen_core.media.sound import SAMPLE_RATE, Sound, count_samples, summed
from ..moviegen_core.stages.mix import Mix, MixSettings, Stem, mix
from .convert import audio_from, audio_of, sound_of
from .host import report
from .host import video as host_video
from .sound import CATEGORY, MAX_SECONDS

STEMS = ("effects", "ambience", "music", "dialogue")
CHANNELS = {"stereo": 2, "mono": 1}
KEEP_LEVEL = 0.0
"""Loudness that asks for none."""


def gain_field(stem: str, default: float = 0.0) -> Any:  # noqa: ANN401
    """Louder or softer, in decibels."""
    return io.Float.Input(
        f"{stem}_db",
        default=default,
        min=-60.0,
        max=30.0,
        step=0.5,
        tooltip=f"How much louder the {stem} becomes, in decibels; below 0 softer.",
    )


def loudness_field(default: float = -16.0) -> Any:  # noqa: ANN401
    """The loudness to reach."""
    return io.Float.Input(
        "loudness",
        default=default,
        min=-70.0,
        max=KEEP_LEVEL,
        step=0.5,
        tooltip="Integrated loudness to reach, in LUFS by BS.1770: -14 to -16 for streaming, -23 for"
        " broadcast; 0 keeps the level.",
    )


def mix_sockets() -> list[Any]:
    """Where sounds go in."""
    tips = {
        "effects": "What actors and things do.",
        "ambience": "What the place sounds like.",
        "music": "What nobody in the picture plays.",
        "dialogue": "What is said: everything else steps back under it.",
    }
    sounds = [io.Audio.Input(stem, optional=True, tooltip=tips[stem]) for stem in STEMS]
    tip = "The mix becomes exactly as long as its pictures."
    return [*sounds, io.Video.Input("video", optional=True, tooltip=tip)]


def mix_fields() -> list[Any]:
    """What one fills in."""
    return [
        *(gain_field(stem, -6.0 if stem == "music" else 0.0) for stem in STEMS),
        io.Boolean.Input(
            "keep_sound",
            default=True,
            tooltip="Whether the sound that the video has already is in the mix, as dialogue.",
        ),
        io.Float.Input(
            "duck_db",
            default=12.0,
            min=0.0,
            max=60.0,
            step=0.5,
            tooltip="By how many decibels all else steps back under dialogue; 0 leaves it where it is.",
        ),
        io.Float.Input(
            "fade_in", default=0.0, min=0.0, max=60.0, step=0.1, tooltip="Seconds until all is there."
        ),
        io.Float.Input(
            "fade_out", default=0.0, min=0.0, max=60.0, step=0.1, tooltip="Seconds until all is gone."
        ),
        loudness_field(),
        io.Float.Input(
            "ceiling",
            default=-1.0,
            min=-60.0,
            max=0.0,
            step=0.1,
            tooltip="True peak that nothing passes, in dBTP.",
        ),
        io.Combo.Input("channels", options=list(CHANNELS), default="stereo", tooltip="Of the soundtrack."),
        io.Float.Input(
            "seconds",
            default=0.0,
            min=0.0,
            max=MAX_SECONDS,
            step=0.01,
            tooltip="Length where no video is connected; 0 is as long as the longest sound.",
        ),
    ]


class MovieGenMixSound(io.ComfyNode):
    """Stems, gains, fades, ducking, loudness."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenMixSound",
            display_name="Mix Sound",
            category=CATEGORY,
            description="Mix sounds of any rate and channels into one soundtrack at 48 kHz. Everything steps"
            " back under dialogue, loudness and true peak are measured by BS.1770.",
            inputs=[*mix_sockets(), *mix_fields()],
            outputs=[
                io.Audio.Output(display_name="audio", tooltip="The soundtrack."),
                *(
                    io.Audio.Output(
                        display_name=stem,
                        tooltip=f"The {stem} as it stands in the mix, silence where there is none; to save"
                        " as a stem.",
                    )
                    for stem in STEMS
                ),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(  # noqa: PLR0913 - the fields of the form
        cls,
        keep_sound: bool,
        duck_db: float,
        fade_in: float,
        fade_out: float,
        loudness: float,
        ceiling: float,
        channels: str,
        seconds: float,
        effects_db: float,
        ambience_db: float,
        music_db: float,
        dialogue_db: float,
        effects: dict[str, Any] | None = None,
        ambience: dict[str, Any] | None = None,
        music: dict[str, Any] | None = None,
        dialogue: dict[str, Any] | None = None,
        video: Any = None,  # noqa: ANN401
    ) -> io.NodeOutput:
        """Gather, mix, measure."""
        given = {"effects": effects, "ambience": ambience, "music": music, "dialogue": dialogue}
        gains = dict(zip(STEMS, (effects_db, ambience_db, music_db, dialogue_db), strict=True))
        clip = None if video is None else host_video.clip_of(video)
        sounds = gathered(given, clip if keep_sound else None)
        settings = MixSettings(
            num_channels=CHANNELS[channels],
            fade_in_seconds=fade_in,
            fade_out_seconds=fade_out,
            ducking=ducking(duck_db),
            loudness_lufs=None if loudness == KEEP_LEVEL else loudness,
            ceiling_dbtp=ceiling,
        )
        length = mix_length(sounds, None if clip is None else clip.num_samples(), seconds)
        mixed = mix({name: stem_of(name, sound, gains) for name, sound in sounds.items()}, length, settings)
        words = level(mixed)
        report.say_on_node(cls.hidden, words)
        stems = [stem_audio(mixed, stem, length, settings.num_channels) for stem in STEMS]
        return io.NodeOutput(audio_of(mixed.sound), *stems, ui=ui.PreviewText(words))


def gathered(given: Mapping[str, dict[str, Any] | None], clip: host_video.Clip | None) -> dict[str, Sound]:
    """Sounds that are connected, and the one that a clip has already, if it shall be heard."""
    sounds = {stem: sound_of(audio, stem) for stem, audio in given.items() if audio is not None}
    original = None if clip is None else clip.sound()
    return sounds if original is None else sounds | {"original": original}


def ducking(depth_db: float) -> Ducking | None:
    """How far all else steps back under dialogue; None for not at all."""
    return Ducking(depth_db=depth_db) if depth_db else None


def stem_of(name: str, sound: Sound, gains: Mapping[str, float]) -> Stem:
    """A part of the mix; dialogue leads, whether connected or from the video."""
    leads = name in ("dialogue", "original")
    return Stem(sound=sound, gain_db=gains["dialogue" if leads else name], leads=leads)


def mix_length(sounds: Mapping[str, Sound], of_video: int | None, seconds: float) -> int:
    """Samples of a mix at 48 kHz.

    Args:
        sounds: its parts.
        of_video: samples that last as long as the pictures; None without a video.
        seconds: asked for; 0 is as long as the longest.

    Returns:
        The video's length, else what was asked for, else the longest part's.

    Raises:
        MediaError: there is nothing to mix.
    """
    if not sounds:
        raise MediaError(
            "there is nothing to mix; connect effects, ambience, music or dialogue, or a video with sound"
        )
    if of_video is not None:
        return of_video
    if seconds:
        return samples_in(seconds)
    return max(math.ceil(count_samples(one) * SAMPLE_RATE / one.sample_rate) for one in sounds.values())


def level(mixed: Mix) -> str:
    """What the node tells."""
    heard = measure(mixed.sound)
    if math.isinf(heard.integrated_lufs):
        return "the mix is silent"
    return (
        f"{heard.integrated_lufs:.1f} LUFS, true peak {heard.true_peak_dbtp:.1f} dBTP,"
        f" raised by {mixed.gain_db:.1f} dB"
    )


def stem_audio(mixed: Mix, stem: str, num_samples: int, num_channels: int) -> dict[str, Any]:
    """A stem as it stands in the mix; silence, which takes no memory, where there is none."""
    names = ("dialogue", "original") if stem == "dialogue" else (stem,)
    parts = [mixed.stems[name] for name in names if name in mixed.stems]
    if parts:
        return audio_of(summed(parts))
    return audio_from(torch.zeros(1, 1, 1).expand(1, num_channels, num_samples), SAMPLE_RATE)


class MovieGenAddSound(io.ComfyNode):
    """A video and a sound become a video with sound."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenAddSound",
            display_name="Add Sound to Video",
            category=CATEGORY,
            description="Give a video this sound, exactly as long as its pictures. Pictures of a file are"
            " copied as they are, never encoded again where the container can hold them.",
            inputs=[
                io.Video.Input("video", tooltip="Any clip: from Load Video or Create Video."),
                io.Audio.Input("audio", tooltip="Any sound; it is cut, or followed by silence."),
                io.Boolean.Input(
                    "keep_sound",
                    default=False,
                    tooltip="Whether sound tracks that a loaded file has stay, behind the new one.",
                ),
            ],
            outputs=[io.Video.Output(display_name="video", tooltip="For Save Video.")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, video: Any, audio: dict[str, Any], keep_sound: bool) -> io.NodeOutput:  # noqa: ANN401
        """Put it in and say how."""
        made, words = host_video.with_sound(video, sound_of(audio), keep_sound)
        report.say_on_node(cls.hidden, words)
        return io.NodeOutput(made, ui=ui.PreviewText(words))


NODES = (MovieGenMixSound, MovieGenAddSound)
