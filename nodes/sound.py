"""Sound from a clip or from words, step by step: what is seen, what is said, an empty latent, a waveform."""

# Shape letters: B sound, C channel, F audio latent frame, S audio sample.

from typing import Any

import torch
from comfy_api.latest import io, ui

from ..moviegen_core.errors import PromptError
from ..moviegen_core.geometry import SoundGrid, samples_in
from ..moviegen_core.models.prompt import check_sound_prompt, format_sound_prompt, seen_sound_prompt
from ..moviegen_core.models.vision import fit_frames
from ..moviegen_core.stages.watch import shown_frames, watch_shown
from .convert import SEEN, audio_from, told
from .host import clip as host_clip
from .host import codec as host_codec
from .host import frame_encoder, report, sampling
from .host import sound as host_sound
from .host import video as host_video
from .restore import KEPT, restored

CATEGORY = "Movie Gen/Sound"
MODEL_TIP = "From Load Movie Gen, role sound."
NO_WORDS = "nothing is told: the model makes what it likes"
MAX_SECONDS = 3600.0


class MovieGenVideoFeatures(io.ComfyNode):
    """What a sound model sees of a clip."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenVideoFeatures",
            display_name="Video Features",
            category=CATEGORY,
            description="Watch a clip for the sound model: one vector for each of the 25 moments of a second"
            " at which sound is made. Any size, rate and length; the clip is streamed.",
            inputs=[
                io.Model.Input("model", tooltip=MODEL_TIP),
                io.Video.Input("video", tooltip="Any clip: from Load Video or Create Video."),
            ],
            outputs=[
                io.ClipVisionOutput.Output(display_name="features", tooltip="For Sound Conditioning."),
            ],
        )

    @classmethod
    def execute(cls, model: Any, video: Any) -> io.NodeOutput:  # noqa: ANN401
        """Stream, look, keep what is seen."""
        return io.NodeOutput(frame_encoder.vision_output(features_of(model, host_video.clip_of(video))))


def features_of(model: Any, clip: Any, on_seen: Any = None) -> torch.Tensor:  # noqa: ANN401
    """What a model sees of a clip at every latent frame of its sound.

    Args:
        model: the host's, of the role sound.
        clip: from ``host.video.clip_of``.
        on_seen: told how many latent frames are done; the node's own bar when None.

    Returns:
        (F, C) on the CPU.
    """
    watcher, grid = host_sound.watcher_of(model), SoundGrid()
    num_frames, side = grid.latent_frames(clip.num_samples(grid.sample_rate)), watcher.encoder.config.size
    small = ((at, fit_frames(frame[None, :, None], side)[0, :, 0]) for at, frame in clip.pixels())
    shown = shown_frames(small, num_frames, grid)
    return watch_shown(shown, lambda chunk: watcher.watch([chunk]), on_seen or sampling.progress(num_frames))


class MovieGenSoundConditioning(io.ComfyNode):
    """Words and picture become what a sound model is told."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenSoundConditioning",
            display_name="Sound Conditioning",
            category=CATEGORY,
            description="Tell the sound model what shall be heard, in the form it was trained on: effects"
            " and ambience, music, and the picture. Each of them can be left out. The node shows the prompt.",
            inputs=[
                io.Clip.Input("clip", tooltip=MODEL_TIP),
                io.String.Input(
                    "sounds",
                    multiline=True,
                    dynamic_prompts=True,
                    default="",
                    tooltip="Effects and ambience, such as: rain on a window, distant thunder. Empty follows"
                    " the picture alone. (word:1.3) says a word louder. Speech and singing are not made.",
                ),
                io.String.Input(
                    "music",
                    multiline=True,
                    dynamic_prompts=True,
                    default="",
                    tooltip="Music, such as: calm piano music. Empty asks for none.",
                ),
                io.ClipVisionOutput.Input(
                    "features",
                    optional=True,
                    tooltip="From Video Features; without it sound is made from words alone.",
                ),
            ],
            outputs=[
                io.Conditioning.Output(display_name="positive", tooltip="What the sound shall be."),
                io.Conditioning.Output(
                    display_name="negative",
                    tooltip="Told nothing at all: what guidance pulls away from, as the model was trained.",
                ),
                io.String.Output(display_name="prompt", tooltip="The prompt as it was encoded."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, clip: Any, sounds: str, music: str, features: Any = None) -> io.NodeOutput:  # noqa: ANN401
        """Encode both and show the words."""
        seen = None if features is None else features["image_embeds"]
        prompt = sound_prompt(sounds, music, host_clip.max_bytes(clip), is_seen=seen is not None)
        words = prompt or NO_WORDS
        report.say_on_node(cls.hidden, words)
        return io.NodeOutput(*conditioned(clip, prompt, seen), prompt, ui=ui.PreviewText(words))


def conditioned(clip: Any, prompt: str, seen: torch.Tensor | None) -> tuple[Any, Any]:  # noqa: ANN401
    """A conditioning that is told a prompt and what is seen, and one that is told nothing.

    Args:
        clip: the host's, of the role sound.
        prompt: in the trained form; (word:1.3) is a weight in the artist's words, and the form has none.
        seen: (F, C) from ``features_of``; None without a picture.

    Returns:
        Positive and negative.
    """
    plain = prompt.replace("(if applicable)", "\\(if applicable\\)")
    positive, negative = (clip.encode_from_tokens_scheduled(clip.tokenize(text)) for text in (plain, ""))
    return positive if seen is None else told(positive, **{SEEN: seen}), negative


def sound_prompt(sounds: str, music: str, max_bytes: int | None, *, is_seen: bool) -> str:
    """The prompt in the training form.

    Args:
        sounds: effects and ambience, in the artist's words.
        music: what is played; empty for none.
        max_bytes: what the encoder reads; None when it is not known.
        is_seen: whether there is a picture that says what is heard.

    Returns:
        The form; empty when there is nothing at all to go by.

    Raises:
        PromptError: more words than the encoder reads, or they ask for a voice.
    """
    check_sound_prompt(f"{sounds}. {music}")
    form = format_sound_prompt(sounds.strip(), music.strip())
    if is_seen and not sounds.strip():
        form = seen_sound_prompt(music.strip())
    size = len(form.encode("utf-8", errors="replace")) + 1
    if max_bytes is not None and size > max_bytes:
        words = len(f"{sounds.strip()}{music.strip()}".encode())
        raise PromptError(
            f"the words are {words} bytes long and this cast reads {words - size + max_bytes}; shorten them"
        )
    return form


class MovieGenEmptySoundLatent(io.ComfyNode):
    """An empty sound by seconds or as long as a clip."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenEmptySoundLatent",
            display_name="Empty Sound Latent",
            category=CATEGORY,
            description="The empty sound that sampling fills, as long as a clip, to the sample, or so many"
            " seconds.",
            inputs=[
                io.Vae.Input("vae", tooltip="From Load Movie Gen, role sound: its latents are filled."),
                io.Float.Input(
                    "seconds",
                    default=8.0,
                    min=0.01,
                    max=MAX_SECONDS,
                    step=0.01,
                    tooltip="Length; a connected video has its own. Above 8 seconds the model works in"
                    " windows that are blended.",
                ),
                io.Int.Input(
                    "batch_size",
                    default=1,
                    min=1,
                    max=64,
                    tooltip="Sounds made at once, each from its own noise; Pick Best Sound chooses.",
                ),
                io.Video.Input("video", optional=True, tooltip="The sound becomes exactly as long."),
            ],
            outputs=[
                io.Latent.Output(
                    display_name="latent", tooltip="For a sampler; it knows how many samples it stands for."
                ),
                io.Float.Output(display_name="seconds", tooltip="Its length."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, vae: Any, seconds: float, batch_size: int, video: Any = None) -> io.NodeOutput:  # noqa: ANN401
        """Reckon, tell, and make zeros."""
        codec = host_codec.codec_of(vae)
        num_samples = samples_in(seconds) if video is None else host_video.clip_of(video).num_samples()
        num_frames = codec.grid.latent_frames(num_samples)
        words = f"{num_samples} samples at 48 kHz = {num_samples / 48000:.4g} s, {num_frames} latent frames"
        report.say_on_node(cls.hidden, words)
        latent = torch.zeros(batch_size, codec.config.latent_channels, num_frames)
        return io.NodeOutput(
            sound_latent(latent, num_samples, codec.grid), num_samples / 48000, ui=ui.PreviewText(words)
        )


def sound_latent(samples_BCF: torch.Tensor, num_samples: int, grid: SoundGrid) -> dict[str, Any]:
    """The host's LATENT of a sound that knows its exact length."""
    return {
        "samples": samples_BCF,
        "type": "audio",
        "sample_rate": grid.sample_rate,
        "num_samples": num_samples,
        "downscale_ratio_temporal": grid.hop,
    }


class MovieGenMidpointSampler(io.ComfyNode):
    """The paper's solver."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenMidpointSampler",
            display_name="Midpoint Sampler",
            category=CATEGORY,
            description="The solver that the paper makes sound with: slopes are taken half-way, so that"
            " every step asks the model twice. For any flow model; give it Movie Gen Schedule with as many"
            " imitated steps as steps.",
            inputs=[],
            outputs=[
                io.Sampler.Output(
                    display_name="sampler", tooltip="For SamplerCustom or SamplerCustomAdvanced."
                )
            ],
        )

    @classmethod
    def execute(cls) -> io.NodeOutput:
        """The solver."""
        return io.NodeOutput(sampling.midpoint_sampler())


class MovieGenDecodeSound(io.ComfyNode):
    """A latent becomes a waveform of exactly its length."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenDecodeSound",
            display_name="Decode Sound",
            category=CATEGORY,
            description="Decode a sound, to the sample as long as its latent says, at its own level. Behind"
            " Extend Sound what was there before comes back bit for bit.",
            inputs=[
                io.Latent.Input("samples", tooltip="The sampled latent."),
                io.Vae.Input("vae", tooltip="From Load Movie Gen, role sound."),
            ],
            outputs=[
                io.Audio.Output(
                    display_name="audio",
                    tooltip="All sounds of the batch, at 48 kHz, or at the"
                    " rate of the sound that was extended.",
                )
            ],
        )

    @classmethod
    def execute(cls, samples: dict[str, Any], vae: Any) -> io.NodeOutput:  # noqa: ANN401
        """Check, decode, drop, put back what was there."""
        return io.NodeOutput(decoded(samples, vae))


def decoded(samples: dict[str, Any], vae: Any) -> dict[str, Any]:  # noqa: ANN401
    """The host's AUDIO of a LATENT; what is no sound, or of another codec, is refused with a GeometryError.

    Args:
        samples: "num_samples" in it is the true length where a node of ours made it.
        vae: a sound codec of ours.

    Returns:
        Every sound of the batch.
    """
    codec, latent, kept = host_codec.codec_of(vae), samples["samples"], samples.get(KEPT)
    host_codec.check_codec_latent(latent, codec.config.latent_channels)
    count = num_samples_of(samples, codec.grid)
    latent = latent if kept is None else kept.with_known(latent)
    waveform_BCS = vae.decode(latent).movedim(-1, 1)[..., :count]
    rate = codec.config.sample_rate
    return audio_from(waveform_BCS, rate) if kept is None else restored(waveform_BCS, rate, kept)


def num_samples_of(samples: dict[str, Any], grid: SoundGrid) -> int:
    """How long the sound of a latent is: as it says, or whole where others cut or joined it since."""
    num_frames, known = samples["samples"].shape[-1], samples.get("num_samples")
    fits = isinstance(known, int) and grid.latent_frames(known) == num_frames
    return known if fits else num_frames * grid.hop


NODES = (
    MovieGenVideoFeatures,
    MovieGenSoundConditioning,
    MovieGenEmptySoundLatent,
    MovieGenMidpointSampler,
    MovieGenDecodeSound,
)
