"""Sound that goes on, or a gap that closes: a sampler hears what is there and makes the rest."""

# Shape letters: C channel, F audio latent frame, S audio sample.

from typing import Any

import torch
import torch.nn.functional as F
from comfy_api.latest import io, ui
from torch import Tensor

from ..moviegen_core.errors import GeometryError
from ..moviegen_core.geometry import rescaled_samples, samples_in
from ..moviegen_core.media.channels import remixed
from ..moviegen_core.media.resample import resampled
from ..moviegen_core.media.sound import Sound, sound_from, waveform_of
from ..moviegen_core.stages.sound import mask_of
from .convert import KNOWN, SEEN, sound_of, told
from .host import codec as host_codec
from .host import report
from .restore import KEPT, Kept, Stretch, stretch_around
from .sound import CATEGORY, MAX_SECONDS, sound_latent

AT_THE_END = -1.0


class MovieGenExtendSound(io.ComfyNode):
    """Where new sound begins, and what is heard around it."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenExtendSound",
            display_name="Extend Sound",
            category=CATEGORY,
            description="Let a sound go on, or make a part of it anew. The sampler hears what is around the"
            " new part; Decode Sound puts it back and leaves every other sample bit for bit as it was.",
            inputs=[
                io.Audio.Input("audio", tooltip="The sound that is there; any rate, mono or stereo."),
                io.Vae.Input("vae", tooltip="From Load Movie Gen, role sound."),
                io.Conditioning.Input(
                    "positive",
                    tooltip="From Sound Conditioning: what the new part shall be. With a picture: of the"
                    " whole sound.",
                ),
                io.Float.Input(
                    "seconds",
                    default=8.0,
                    min=0.02,
                    max=MAX_SECONDS,
                    step=0.01,
                    tooltip="Length of the new part.",
                ),
                io.Float.Input(
                    "start",
                    default=AT_THE_END,
                    min=AT_THE_END,
                    max=MAX_SECONDS,
                    step=0.01,
                    tooltip="Second at which the new part begins: -1 goes on at the end, 0 and more makes"
                    " that part of the sound anew.",
                ),
                io.Float.Input(
                    "hears",
                    default=2.0,
                    min=0.1,
                    max=60.0,
                    step=0.1,
                    tooltip="Seconds of the old sound, on either side, that the model hears.",
                ),
                io.Int.Input(
                    "batch_size", default=1, min=1, max=64, tooltip="Versions of the new part at once."
                ),
            ],
            outputs=[
                io.Conditioning.Output(
                    display_name="positive", tooltip="The same, and what is heard around the new part."
                ),
                io.Latent.Output(
                    display_name="latent", tooltip="For a sampler, then for Decode Sound, which needs it."
                ),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        audio: dict[str, Any],
        vae: Any,  # noqa: ANN401
        positive: list[list[Any]],
        seconds: float,
        start: float,
        hears: float,
        batch_size: int,
    ) -> io.NodeOutput:
        """Cut out, encode, mask."""
        kept = kept_of(sound_of(audio), vae, seconds, start, hears)
        grid, words = host_codec.codec_of(vae).grid, sentence(kept)
        report.say_on_node(cls.hidden, words)
        empty = torch.zeros(batch_size, *kept.known_CF.shape)
        latent = sound_latent(empty, empty.shape[-1] * grid.hop, grid) | {KEPT: kept}
        return io.NodeOutput(heard(positive, kept, grid.hop), latent, ui=ui.PreviewText(words))


def kept_of(sound: Sound, vae: Any, seconds: float, start: float, hears: float) -> Kept:  # noqa: ANN401
    """Everything about a sound with a new part that sampler and decoder need.

    Args:
        sound: as it is.
        vae: the codec that encodes what is heard.
        seconds: of the new part.
        start: second at which it begins; below 0 at the end.
        hears: seconds around it that are encoded.

    Returns:
        The sound with its latent and mask.

    Raises:
        GeometryError: the new part would begin behind the end.
    """
    codec, waveform_CS = host_codec.codec_of(vae), waveform_of(sound)
    rate, length = sound.sample_rate, waveform_CS.shape[-1]
    begin = length if start < 0 else samples_in(start, rate)
    if begin > length:
        raise GeometryError(
            f"the new part begins at {start:g} s and the sound ends at {length / rate:.4g} s; give at most"
            " that, or -1 to go on at the end"
        )
    end = begin + max(1, samples_in(seconds, rate))
    places = [rescaled_samples(one, rate, codec.config.sample_rate) for one in (begin, end, max(length, end))]
    part = stretch_around(*places, samples_in(hears), codec.grid)
    known_CF = latent_of(waveform_CS, rate, vae, part)
    return Kept(
        waveform_CS=waveform_CS,
        sample_rate=rate,
        start=begin,
        stop=end,
        first=part.first,
        known_CF=known_CF,
        masked_F=mask_of(part.start, part.end, known_CF.shape[-1], codec),
    )


def latent_of(waveform_CS: Tensor, sample_rate: int, vae: Any, part: Stretch) -> Tensor:  # noqa: ANN401
    """Latent of a stretch, mono at the codec's rate, with silence for its new part; 0 behind the sound."""
    codec = host_codec.codec_of(vae)
    rate, first = codec.config.sample_rate, max(0, part.first)
    rest_CS = waveform_CS[:, rescaled_samples(first, rate, sample_rate) :]
    mono = waveform_of(resampled(remixed(sound_from(rest_CS, sample_rate), 1), rate))
    around = F.pad(mono[:, : part.stop - first], (first - part.first, 0))
    around[:, part.start : part.end] = 0
    known_CF = vae.encode_exactly(around)
    num_frames = codec.grid.latent_frames(part.stop - part.first)
    return F.pad(known_CF, (0, num_frames - known_CF.shape[-1]))


def heard(positive: list[list[Any]], kept: Kept, hop: int) -> list[list[Any]]:
    """A conditioning with what is heard around the new part; its picture begins where the stretch does."""
    known_CF = kept.known_CF.masked_fill(kept.masked_F, 0)
    moments = torch.arange(known_CF.shape[-1]) + round(kept.first / hop)
    rows = []
    for row in told(positive, **{KNOWN: known_CF}):
        seen_FC = row[1].get(SEEN)
        shown = {} if seen_FC is None else {SEEN: seen_FC[moments.clamp(0, len(seen_FC) - 1)]}
        rows += told([row], **shown)
    return rows


def sentence(kept: Kept) -> str:
    """What the node tells."""
    rate, length = kept.sample_rate, kept.waveform_CS.shape[-1]
    what = "goes on" if kept.start == length else "is made anew"
    total = max(length, kept.stop) / rate
    return f"{what} from {kept.start / rate:.4g} to {kept.stop / rate:.4g} s; {total:.4g} s in all"


NODES = (MovieGenExtendSound,)
