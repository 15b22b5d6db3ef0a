"""Sound for a clip or for words: see the frames, read the prompt, carry noise to a latent, decode it.

Long sound is made in windows that are blended at every step, or segment by segment, each of which hears the
end of the one before (Movie Gen, audio extension).
"""

# Shape letters: B candidate, C channel, F audio latent frame, T frame, H row, W column, S audio sample.

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import torch
from torch import Tensor

from ..errors import GeometryError, SettingsError, WeightsError
from ..flow.guidance import TextGuidance
from ..flow.schedule import linear_times
from ..flow.solver import SOLVERS, OnStep
from ..flow.windows import blend_windows, triangle_windows
from ..models.audio import AudioTransformer
from ..models.audio_codec import AudioCodec
from ..models.conditioning import Context
from ..models.text import ByteEncoder, tokenize
from ..models.vision import FrameEncoder, frames_seen
from ..weights.cast import Cast
from .settings import SamplingSettings, SoundSettings

ROLES = ("audio_codec", "audio_text", "vision", "audio")
"""Roles of the cast that sound needs."""
WINDOW = 200
"""Latent frames of a window: 8 seconds, the longest that nano learns from."""
DECODED_AT_ONCE = 250
"""Latent frames decoded together: 10 seconds, and memory stays the same for an hour."""
NULL_PROMPT = ""
"""No words, in guidance, where picture and known sound are left out as well: training drops all together."""

SAMPLING = SoundSettings().sampling


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundModels:
    """The models that make sound together."""

    codec: AudioCodec
    text: ByteEncoder
    vision: FrameEncoder
    audio: AudioTransformer

    def __post_init__(self) -> None:
        config = self.audio.config
        given = (self.text.config.width, self.vision.config.feature_width, self.codec.config.latent_channels)
        taken = (sum(config.context_widths), config.vision_width, config.latent_channels)
        if given != taken:
            raise WeightsError(
                f"these models do not belong together: text, frame and latent widths {given} for an audio"
                f" model of {taken}; take all of one cast"
            )

    @property
    def device(self) -> torch.device:
        """Where the models are."""
        return next(self.audio.parameters()).device


def load_sound(
    cast: Cast, *, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
) -> SoundModels:
    """Load the roles that sound needs; ``dtype`` is the transformer's and its reader's, not the codec's."""
    codec, text, vision, audio = (
        cast.load(role, device, dtype if role in ("audio", "audio_text") else torch.float32) for role in ROLES
    )
    return SoundModels(codec=codec, text=text, vision=vision, audio=audio)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What is given beside the words, for every latent frame of the sound to be made."""

    num_frames: int
    """Latent frames."""
    seen_FC: Tensor | None = None
    """Features of the picture on the screen; None without a picture."""
    known_CF: Tensor | None = None
    """Latent of the sound that is already there; what ``masked_F`` marks is not looked at."""
    masked_F: Tensor | None = None
    """True where sound is to be made; None when everywhere."""

    def __post_init__(self) -> None:
        lengths = {self.num_frames}
        lengths |= set() if self.seen_FC is None else {self.seen_FC.shape[0]}
        lengths |= {part.shape[-1] for part in (self.known_CF, self.masked_F) if part is not None}
        if len(lengths) > 1 or self.num_frames < 1 or (self.known_CF is None) != (self.masked_F is None):
            raise GeometryError(
                f"a sound of {self.num_frames} latent frames came with parts of {sorted(lengths)} frames;"
                " give one or more, parts as long, and known sound together with its mask"
            )


@torch.no_grad()
def watch(models: SoundModels, chunks: Iterable[Tensor]) -> Tensor:
    """Features of every frame of a clip that comes in pieces.

    Args:
        models: loaded, on one device.
        chunks: (3, T, H, W) each, pixels in -1..1; any size.

    Returns:
        (T in all, feature width): all that has to stay in memory.
    """
    return torch.cat([models.vision(chunk[None].to(models.device))[0] for chunk in chunks])


def score_for_clip(models: SoundModels, features_TC: Tensor, fps: Fraction, num_samples: int) -> Score:
    """What to play for a whole clip.

    Args:
        models: loaded.
        features_TC: from ``watch``.
        fps: of the clip.
        num_samples: of the sound.

    Returns:
        A score with what is seen and nothing known.
    """
    grid = models.codec.grid
    num_frames = grid.latent_frames(num_samples)
    seen = frames_seen(len(features_TC), fps, num_frames, grid)
    return Score(num_frames=num_frames, seen_FC=features_TC[seen])


@torch.no_grad()
def compose(
    models: SoundModels,
    prompt: str,
    score: Score,
    settings: SamplingSettings = SAMPLING,
    *,
    num_candidates: int = 1,
    window: int = WINDOW,
    on_step: OnStep | None = None,
) -> Tensor:
    """Make the latents of a sound, all candidates at once; long sound in blended windows.

    Args:
        models: loaded, on one device.
        prompt: in the trained form (``format_sound_prompt``), or empty for none.
        score: length, picture and known sound.
        settings: steps, guidance, seed.
        num_candidates: how many differ by their noise.
        window: latent frames that the transformer sees at once.
        on_step: called with (steps done, estimate of the latents); raising in it stops the work.

    Returns:
        (B, channels, F), normalized; known frames are exactly as given.

    Raises:
        SettingsError: no candidate, or a window of less than 2.
    """
    if num_candidates < 1 or window < 2:
        raise SettingsError(f"{num_candidates} candidates in windows of {window}: give at least 1 and 2")
    noise = draw_noise(models, score.num_frames, settings.seed, num_candidates)
    velocity = _velocity(models, prompt, score, settings.guidance, num_candidates)
    windows = triangle_windows(score.num_frames, window, window // 2)

    def blended(x_BCF: Tensor, t_B: Tensor) -> Tensor:
        return blend_windows(lambda place: velocity(x_BCF, t_B, place), windows, score.num_frames)

    latent = SOLVERS[settings.solver](blended, noise, linear_times(settings.num_steps), on_step)
    if score.known_CF is None or score.masked_F is None:
        return latent
    return torch.where(score.masked_F.to(latent.device), latent, score.known_CF.to(latent))


def draw_noise(models: SoundModels, num_frames: int, seed: int, num_candidates: int) -> Tensor:
    """(B, channels, F), each candidate's from a seed of its own; drawn on the CPU, alike on every device."""
    generators = [torch.Generator().manual_seed(seed + index) for index in range(num_candidates)]
    shape = (models.codec.config.latent_channels, num_frames)
    return torch.stack([torch.randn(shape, generator=one) for one in generators]).to(models.device)


PieceVelocity = Callable[[Tensor, Tensor, slice], Tensor]
"""(the whole x, t_B, the window) -> the velocity in that window."""


def _velocity(
    models: SoundModels, prompt: str, score: Score, guidance: float, num_candidates: int
) -> PieceVelocity:
    """The guided velocity in a window; the free branch, which comes first, is told nothing at all."""
    pull = TextGuidance(guidance)
    is_told = [False] * num_candidates * (not pull.is_off) + [True] * num_candidates
    context = _read(models, [prompt if told else NULL_PROMPT for told in is_told])
    told_B11 = torch.tensor(is_told, device=models.device)[:, None, None]

    def velocity(x_BCF: Tensor, t_B: Tensor, place: slice) -> Tensor:
        repeats = len(is_told) // num_candidates
        v_BCF = models.audio(
            x_BCF[..., place].repeat(repeats, 1, 1),
            t_B.repeat(repeats),
            context,
            known_BCF=_told(_known(score, place), told_B11, x_BCF),
            video_BFC=_told(None if score.seen_FC is None else score.seen_FC[place], told_B11, x_BCF),
        )
        return v_BCF if pull.is_off else pull.combine(*v_BCF.chunk(2))

    return velocity


def _read(models: SoundModels, prompts: list[str]) -> Context:
    ids_BL, mask_BL = (part.to(models.device) for part in tokenize(prompts))
    return models.audio.computed_ahead(models.audio.context([models.text(ids_BL, mask_BL)], [mask_BL]))


def _known(score: Score, place: slice) -> Tensor | None:
    if score.known_CF is None or score.masked_F is None:
        return None
    return score.known_CF[:, place].masked_fill(score.masked_F[place].to(score.known_CF.device), 0)


def _told(part: Tensor | None, told_B11: Tensor, like: Tensor) -> Tensor | None:
    return None if part is None else part.to(like) * told_B11


def compose_segments(
    models: SoundModels,
    prompt: str,
    score: Score,
    settings: SamplingSettings = SAMPLING,
    *,
    window: int = WINDOW,
    context: int = WINDOW // 4,
) -> Iterator[Tensor]:
    """Make one sound segment by segment: memory stays the same however long it is.

    Args:
        models: loaded, on one device.
        prompt: in the trained form, or empty for none.
        score: length, picture and known sound.
        settings: steps, guidance, seed; each segment has noise of its own.
        window: latent frames of a segment with what it hears of the one before.
        context: latent frames that it hears.

    Yields:
        (channels, F) pieces which together are the whole, in order.

    Raises:
        SettingsError: the context does not fit in the window.
    """
    if not 0 < context < window:
        raise SettingsError(
            f"a context of {context} does not fit a window of {window}; use 1 to {window - 1}"
        )
    end_CF = torch.zeros(models.codec.config.latent_channels, 0, device=models.device)
    for number, start in enumerate(range(0, score.num_frames, window - context)):
        place = slice(start, min(start + window - context, score.num_frames))
        piece = score_after(end_CF, score, place)
        varied = replace(settings, seed=settings.seed + number)
        whole_CF = compose(models, prompt, piece, varied, window=window)[0]
        yield whole_CF[:, end_CF.shape[-1] :]
        end_CF = whole_CF[:, -context:]


def score_after(end_CF: Tensor, score: Score, place: slice) -> Score:
    """The part of a score at ``place``, behind sound that was just made; its picture is not shown again."""
    heard, length = end_CF.shape[-1], place.stop - place.start
    masked_F = torch.ones(length, dtype=torch.bool) if score.masked_F is None else score.masked_F[place].cpu()
    known_CF = torch.zeros(end_CF.shape[0], length) if score.known_CF is None else score.known_CF[:, place]
    seen_FC = score.seen_FC
    if seen_FC is not None:
        seen_FC = seen_FC[max(0, place.start - heard) : place.stop]
    return Score(
        num_frames=heard + length,
        seen_FC=seen_FC,
        known_CF=torch.cat([end_CF, known_CF.to(end_CF)], dim=1),
        masked_F=torch.cat([torch.zeros(heard, dtype=torch.bool), masked_F]),
    )


@torch.no_grad()
def play(
    codec: AudioCodec, latent_BCF: Tensor, num_samples: int, at_once: int = DECODED_AT_ONCE
) -> Iterator[Tensor]:
    """Decode latents of any length piece by piece: the pieces joined are the whole's waveform.

    Args:
        codec: made the latents.
        latent_BCF: normalized.
        num_samples: of the sound; the surplus behind it is dropped.
        at_once: latent frames decoded together.

    Yields:
        (B, 1, S) pieces in order, about -1..1.
    """
    codec.check_samples(latent_BCF, num_samples)
    for start in range(0, latent_BCF.shape[-1], at_once):
        stop = min(start + at_once, latent_BCF.shape[-1])
        piece = codec.decode_span(latent_BCF, start, stop)
        yield piece[..., : num_samples - start * codec.grid.hop]


@torch.no_grad()
def known_latent(codec: AudioCodec, waveform_CS: Tensor) -> Tensor:
    """The latent of sound that is already there, (channels, F), of one channel (1, S)."""
    return codec.encode(waveform_CS[None])[0]


def mask_of(start: int, stop: int, num_frames: int, codec: AudioCodec) -> Tensor:
    """Latent frames that sound in any of the samples ``start`` to ``stop``: (F,), True where to be made."""
    masked_F = torch.zeros(num_frames, dtype=torch.bool)
    masked_F[start // codec.grid.hop : codec.grid.latent_frames(stop)] = True
    return masked_F


def fill(original_CS: Tensor, made_CS: Tensor, start: int, stop: int, fade: int = 960) -> Tensor:
    """Put new sound into a gap, or behind an end; every sample outside the gap stays bit for bit.

    What was in the gap is not heard. So that nothing clicks, the difference between old and new just outside
    is mirrored into the gap and fades away there.

    Args:
        original_CS: what is there; it may end anywhere from ``start`` on.
        made_CS: new sound of the whole length, which goes on from the old as the codec heard it.
        start: first sample that may change.
        stop: one past the last.
        fade: samples over which the mirrored difference fades.

    Returns:
        As long as ``made_CS``.
    """
    end = min(original_CS.shape[-1], made_CS.shape[-1])
    error_CS = original_CS[..., :end] - made_CS[..., :end]
    result = made_CS.clone()
    before, after = min(fade, start, stop - start), min(fade, max(0, end - stop), stop - start)
    result[..., start : start + before] += error_CS[..., start - before : start].flip(-1) * _falling(before)
    result[..., stop - after : stop] += error_CS[..., stop : stop + after].flip(-1) * _falling(after).flip(0)
    result[..., :start], result[..., stop:end] = original_CS[..., :start], original_CS[..., stop:end]
    return result


def _falling(count: int) -> Tensor:
    return 1 - torch.arange(1, count + 1) / (count + 1)
