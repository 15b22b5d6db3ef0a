"""The whole of sound in one node: watch a clip, make sounds for it, keep the best, mix it, put it in."""

# Shape letters: B candidate, C channel, F audio latent frame, S audio sample.

from dataclasses import dataclass
from typing import Any

import torch
from comfy_api.latest import io, ui
from torch import Tensor

from ..moviegen_core.geometry import SoundGrid
from ..moviegen_core.media.sound import sound_from
from ..moviegen_core.models.prompt import MUSIC_ALONE
from ..moviegen_core.stages.mix import Mix, MixSettings, Stem, mix
from ..moviegen_core.stages.settings import MAX_CANDIDATES, MAX_GUIDANCE, SEED_RANGE
from .convert import audio_of
from .host import clip as host_clip
from .host import codec as host_codec
from .host import report, sampling
from .host import video as host_video
from .judge_sound import Happenings, best, happenings, pictures, ranking, scores
from .mix_sound import KEEP_LEVEL, level, loudness_field, stem_audio
from .sound import CATEGORY, conditioned, decoded, features_of, sound_latent, sound_prompt

REPLACE, DUCK = "replace it", "keep it, the new steps back"
MUSIC_DB = -6.0
"""Music beside effects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Studio:
    """What sounds are made with."""

    model: Any
    clip: Any
    vae: Any
    num_steps: int
    guidance: float

    def candidates(
        self,
        prompt: str,
        seen_FC: Tensor | None,
        seeds: list[int],
        num_samples: int,
        on_step: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        """The host's LATENT of sounds that differ by their noise."""
        positive, negative = conditioned(self.clip, prompt, seen_FC)
        codec = host_codec.codec_of(self.vae)
        shape = codec.config.latent_channels, codec.grid.latent_frames(num_samples)
        noise = [torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
        latent = sampling.sample_sound(
            self.model,
            positive,
            negative,
            torch.stack(noise),
            num_steps=self.num_steps,
            guidance=self.guidance,
            seed=seeds[0],
            on_step=on_step,
        )
        return sound_latent(latent, num_samples, codec.grid)

    def heard(self, latents: dict[str, Any], place: int) -> Tensor:
        """One of them as a waveform (1, S)."""
        alone = latents | {"samples": latents["samples"][place : place + 1]}
        return decoded(alone, self.vae)["waveform"][0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What shall be heard."""

    sounds: str
    music: str
    num_candidates: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What was made for a clip."""

    effects_CS: Tensor
    music_CS: Tensor | None
    scores: list[float]
    """Of every candidate; none when there was one."""
    chosen: int


class MovieGenSound(io.ComfyNode):
    """A clip becomes a clip with sound."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenSound",
            display_name="Movie Gen Sound",
            category=CATEGORY,
            description="Make sound for a clip of any size, rate and length: what is seen is heard. Of"
            " several candidates the one that is best in step is kept; music is a part of its own.",
            inputs=sound_fields(),
            outputs=[
                io.Video.Output(display_name="video", tooltip="The clip with its sound, for Save Video."),
                io.Audio.Output(display_name="audio", tooltip="The sound as mixed."),
                io.Audio.Output(display_name="effects", tooltip="Effects and ambience as they stand in it."),
                io.Audio.Output(display_name="music", tooltip="Music as it stands in it, or silence."),
                io.Image.Output(
                    display_name="picture",
                    tooltip="Waveform and spectrogram of the mix, events of the picture marked.",
                ),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(  # noqa: PLR0913 - the fields of the form
        cls,
        model: Any,  # noqa: ANN401
        clip: Any,  # noqa: ANN401
        vae: Any,  # noqa: ANN401
        video: Any,  # noqa: ANN401
        sounds: str,
        music: str,
        candidates: int,
        steps: int,
        guidance: float,
        original: str,
        loudness: float,
        seed: int,
    ) -> io.NodeOutput:
        """Make, mix, put in, draw."""
        studio = Studio(model=model, clip=clip, vae=vae, num_steps=steps, guidance=guidance)
        wish = Wish(sounds=sounds, music=music, num_candidates=candidates, seed=seed)
        source = host_video.clip_of(video)
        events = happenings(source)
        made = make(studio, wish, source, events)
        mixed = mixed_with(made, source, original, loudness)
        words = sentence(made, mixed)
        report.say_on_node(cls.hidden, words)
        stems = [stem_audio(mixed, stem, source.num_samples(), 2) for stem in ("effects", "music")]
        audio = audio_of(mixed.sound)
        with_it = host_video.with_sound(video, mixed.sound)[0]
        drawn = pictures(audio, events.seconds)
        return io.NodeOutput(with_it, audio, *stems, drawn, ui=ui.PreviewText(words))


def sound_fields() -> list[Any]:
    """The inputs of the one node."""
    return [
        io.Model.Input("model", tooltip="From Load Movie Gen, role sound."),
        io.Clip.Input("clip", tooltip="From Load Movie Gen, role sound."),
        io.Vae.Input("vae", tooltip="From Load Movie Gen, role sound."),
        io.Video.Input("video", tooltip="Any clip: from Load Video or Create Video."),
        *_words(),
        *_numbers(),
        io.Combo.Input(
            "original",
            options=[REPLACE, DUCK],
            default=REPLACE,
            tooltip="What becomes of the sound that the video has: it is replaced, or stays, as dialogue,"
            " and the new sound steps back under it.",
        ),
        loudness_field(),
        io.Int.Input(
            "seed",
            default=0,
            min=0,
            max=SEED_RANGE - MAX_CANDIDATES - 1,
            control_after_generate=True,
            tooltip="Decides the noise: another number, another sound.",
        ),
    ]


def _words() -> list[Any]:
    return [
        io.String.Input(
            "sounds",
            multiline=True,
            dynamic_prompts=True,
            default="",
            tooltip="Effects and ambience in words; empty follows the picture alone. Speech and singing are"
            " not made.",
        ),
        io.String.Input(
            "music",
            multiline=True,
            dynamic_prompts=True,
            default="",
            tooltip="Music in words, such as: calm piano music. Empty makes none.",
        ),
    ]


def _numbers() -> list[Any]:
    return [
        io.Int.Input(
            "candidates",
            default=4,
            min=1,
            max=MAX_CANDIDATES,
            tooltip="Versions that are made; the one best in step with the picture is kept. The paper: 8.",
        ),
        io.Int.Input(
            "steps",
            default=32,
            min=1,
            max=1000,
            tooltip="Midpoint steps, each of which asks the model twice; the paper takes 64.",
        ),
        io.Float.Input(
            "guidance",
            default=3.0,
            min=0.0,
            max=MAX_GUIDANCE,
            step=0.1,
            tooltip="How hard words and picture pull; the paper's is 3, and 1 takes half the time.",
        ),
    ]


def make(studio: Studio, wish: Wish, source: host_video.Clip, events: Happenings) -> Made:
    """Watch a clip, make candidates of its effects, keep the best, and make its music."""
    grid, num_samples = SoundGrid(), source.num_samples()
    num_frames, has_music = grid.latent_frames(num_samples), bool(wish.music.strip())
    done = sampling.progress(num_frames * (1 + studio.num_steps * (1 + has_music)))
    seen_FC = features_of(studio.model, source, done)
    seeds = [wish.seed + number for number in range(wish.num_candidates)]
    room = host_clip.max_bytes(studio.clip)

    def step_of(run: int) -> Any:  # noqa: ANN401 - what the sampler calls
        return lambda step: done(num_frames * (1 + run * studio.num_steps + step))

    prompt = sound_prompt(wish.sounds, "", room, is_seen=True)
    latents = studio.candidates(prompt, seen_FC, seeds, num_samples, step_of(0))
    effects_CS, found, place = chosen(studio, latents, events)
    music_CS = None
    if has_music:
        prompt = sound_prompt(MUSIC_ALONE, wish.music, room, is_seen=True)
        latents = studio.candidates(prompt, seen_FC, [wish.seed], num_samples, step_of(1))
        music_CS = studio.heard(latents, 0)
    return Made(effects_CS=effects_CS, music_CS=music_CS, scores=found, chosen=place)


def chosen(studio: Studio, latents: dict[str, Any], events: Happenings) -> tuple[Tensor, list[float], int]:
    """The candidate that is best in step, every score, and its place; they are heard one at a time."""
    count = len(latents["samples"])
    rate = latents["sample_rate"]
    found = (
        [scores(studio.heard(latents, place)[None], rate, events)[0] for place in range(count)]
        if count > 1
        else []
    )
    place = best(found) if found else 0
    return studio.heard(latents, place), found, place


def mixed_with(made: Made, source: host_video.Clip, original: str, loudness: float) -> Mix:
    """The soundtrack: effects, music, and the clip's own sound where it stays."""
    stems = {"effects": Stem(sound=sound_from(made.effects_CS))}
    if made.music_CS is not None:
        stems["music"] = Stem(sound=sound_from(made.music_CS), gain_db=MUSIC_DB)
    own = source.sound() if original == DUCK else None
    if own is not None:
        stems["original"] = Stem(sound=own, leads=True)
    target = None if loudness == KEEP_LEVEL else loudness
    return mix(stems, source.num_samples(), MixSettings(loudness_lufs=target))


def sentence(made: Made, mixed: Mix) -> str:
    """What the node says."""
    in_step = f"\nin step, by candidate:\n{ranking(made.scores, made.chosen)}" if made.scores else ""
    return level(mixed) + in_step


NODES = (MovieGenSound,)
