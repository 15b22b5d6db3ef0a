"""A soundtrack of any length: look at a clip, make every stem a stretch at a time, keep what fits best."""

# Shape letters: B candidate, C channel, F audio latent frame, T frame, H row, W column, S audio sample.

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import islice, pairwise
from pathlib import Path

import torch
from torch import Tensor

from ..errors import PromptError
from ..media.motion_events import EventMeter, event_times
from ..media.pixels import from_bytes
from ..media.read import timed_frames
from ..media.sound import MONO, Sound
from ..models.audio_codec import AudioCodec
from ..models.prompt import MUSIC_ALONE, check_sound_prompt, format_sound_prompt, seen_sound_prompt
from ..models.text import check_prompt
from ..models.vision import fit_frames, frames_seen, frames_seen_at
from .settings import MAX_CANDIDATES, SoundSettings
from .sound import Score, SoundModels, compose, play, score_after
from .sync import ranked
from .units import Units, kept

STRETCH = 750
"""Latent frames, 30 seconds, made as one in blended windows; only one is in the making."""
CONTEXT = 50
"""Latent frames, 2 seconds, that a stretch hears of the one before: a quarter of a window, as trained."""
FRAMES_AT_ONCE = 32
EVEN_RATE = Fraction(100)
"""At which the events of a clip without a rate of its own are kept."""
EFFECTS, MUSIC = "effects", "music"
"""Names of the stems; the first holds ambience as well."""

OnProgress = Callable[[int, int], None]
"""Called with (solver steps done, solver steps in all); raising in it stops the work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What stays of a clip's pictures: a few numbers for each."""

    features_TC: Tensor
    """What the sound model sees of each picture."""
    events_L: Tensor
    """How much happens, ``event_rate`` values a second."""
    event_rate: Fraction
    fps: Fraction | None
    """None for pictures of uneven length."""
    starts: tuple[Fraction, ...] = ()
    """Seconds at which each picture appears, where ``fps`` is None."""

    def score(self, models: SoundModels, num_samples: int) -> Score:
        """What to play to these pictures; the last one stays when the sound goes on."""
        grid = models.codec.grid
        count = grid.latent_frames(num_samples)
        if self.fps is None:
            seen = frames_seen_at(self.starts, count, grid)
        else:
            seen = frames_seen(len(self.features_TC), self.fps, count, grid)
        return Score(num_frames=count, seen_FC=self.features_TC[seen])

    def tensors(self) -> dict[str, Tensor]:
        """Everything, as a file of tensors can hold it."""
        rates = [self.event_rate, self.fps or Fraction(0), *self.starts]
        exact = torch.tensor([[one.numerator, one.denominator] for one in rates])
        return {"features": self.features_TC, "events": self.events_L, "exact": exact}

    @classmethod
    def from_tensors(cls, parts: Mapping[str, Tensor]) -> "Seen":
        """The way back."""
        event_rate, fps, *starts = (Fraction(a, b) for a, b in parts["exact"].tolist())
        return cls(
            features_TC=parts["features"],
            events_L=parts["events"],
            event_rate=event_rate,
            fps=fps or None,
            starts=tuple(starts),
        )

    def event_times(self) -> list[float]:
        """Seconds at which something clearly happens."""
        return event_times(self.events_L, self.event_rate)


@torch.no_grad()
def see_clip(models: SoundModels, chunks: Iterable[Tensor], fps: Fraction) -> Seen:
    """Look at a clip that comes in pieces; nothing of it is kept but ``Seen``.

    Args:
        models: loaded, on one device.
        chunks: (3, T, H, W) each, pixels in -1..1; any size.
        fps: of the clip.

    Returns:
        What was seen.
    """
    features, meter = [], EventMeter()
    for chunk in chunks:
        small = fit_frames(chunk[None].to(models.device), models.vision.config.size)
        features.append(models.vision(small)[0].float())
        meter.see(small[0])
    return Seen(features_TC=torch.cat(features), events_L=meter.curve(fps), event_rate=fps, fps=fps)


def see_video(
    models: SoundModels,
    path: Path,
    fps: Fraction | None,
    on_frame: Callable[[int], None] | None = None,
) -> Seen:
    """Look at a video file of any size, length and rate, a few frames in memory at a time.

    Args:
        models: loaded, on one device.
        path: a video.
        fps: its constant rate, or None when it varies (``picture_time``).
        on_frame: called with the number of frames seen so far; raising in it stops the work.

    Returns:
        What was seen. Where frames are lost, the others are seen at their own time.
    """
    starts: list[Fraction] = []
    seen = see_clip(models, _small_pieces(models, path, starts, on_frame), fps or EVEN_RATE)
    if fps is not None and starts[-1] * fps < len(starts) - Fraction(1, 2):
        return seen
    events_L = torch.zeros(round(starts[-1] * EVEN_RATE) + 1)
    for start, value in zip(starts, seen.events_L.tolist(), strict=True):
        events_L[round(start * EVEN_RATE)] = value
    return replace(seen, events_L=events_L, event_rate=EVEN_RATE, fps=None, starts=tuple(starts))


def _small_pieces(
    models: SoundModels, path: Path, starts: list[Fraction], on_frame: Callable[[int], None] | None
) -> Iterator[Tensor]:
    shown = timed_frames(path)
    while batch := list(islice(shown, FRAMES_AT_ONCE)):
        starts.extend(moment for moment, _ in batch)
        yield torch.cat([_small(frame, models.vision.config.size) for _, frame in batch], dim=1)
        if on_frame is not None:
            on_frame(len(starts))


def _small(frame_HWC: Tensor, side: int) -> Tensor:
    return fit_frames(from_bytes(frame_HWC).permute(2, 0, 1)[None, :, None], side)[0]


def stem_prompts(settings: SoundSettings, max_bytes: int, *, has_picture: bool) -> dict[str, str]:
    """The prompt of each stem that is wanted, in the trained form.

    Args:
        settings: an artist's words.
        max_bytes: what the text encoder reads.
        has_picture: whether effects may be left to the picture.

    Returns:
        Name of the stem to its prompt.

    Raises:
        PromptError: nothing says what is to be heard, it asks for voices, or is too long.
    """
    prompts = {}
    if settings.effects is not None:
        if not settings.effects.strip() and not has_picture:
            raise PromptError("nothing says what is to be heard; describe it, for example: rain and thunder")
        prompts[EFFECTS] = format_sound_prompt(settings.effects) or seen_sound_prompt()
    if settings.music is not None:
        if not settings.music.strip():
            raise PromptError(
                "nothing says which music is played; describe it, for example: calm piano music"
            )
        prompts[MUSIC] = format_sound_prompt(MUSIC_ALONE, settings.music)
    for text in filter(None, (settings.effects, settings.music)):
        check_sound_prompt(text)
    for prompt in prompts.values():
        check_prompt(prompt, max_bytes)
    return prompts


def soundtrack(
    models: SoundModels,
    settings: SoundSettings,
    num_samples: int,
    seen: Seen | None = None,
    *,
    units: Units | None = None,
    on_progress: OnProgress | None = None,
) -> dict[str, Sound]:
    """Make the stems of a soundtrack.

    Of every stretch of the effects as many candidates are made as asked for, and the one goes on whose sounds
    begin where things happen in the picture. Without a picture nothing can be measured, so one is made.

    Args:
        models: loaded, on one device.
        settings: what is to be heard; the prompts are checked here.
        num_samples: per channel, at 48 kHz.
        seen: of the clip; None without a picture.
        units: keeps every finished stretch, so that an interrupted job goes on; None keeps nothing.
        on_progress: see ``OnProgress``.

    Returns:
        Name of the stem to its sound, mono, exactly as long as asked; decoded anew whenever it is streamed.
    """
    prompts = stem_prompts(settings, models.text.config.max_bytes, has_picture=seen is not None)
    score = Score(num_frames=models.codec.grid.latent_frames(num_samples))
    score = score if seen is None else seen.score(models, num_samples)
    steps = Steps(len(prompts) * len(stretches(score.num_frames)) * settings.sampling.num_steps, on_progress)
    stems = {}
    for name, prompt in prompts.items():
        choose = partial(_best, models.codec, seen) if seen is not None and name == EFFECTS else None
        pieces = compose_stretches(models, prompt, score, settings, choose=choose, units=units, steps=steps)
        stems[name] = stem_sound(models.codec, torch.cat(list(pieces), dim=1), num_samples)
    return stems


class Steps:
    """Counts solver steps over all stretches for whoever watches."""

    def __init__(self, total: int, on_progress: OnProgress | None = None) -> None:
        self.total, self.done, self._watch = total, 0, on_progress

    def reach(self, done: int) -> None:
        """Count up to a number of steps."""
        self.done = done
        if self._watch is not None:
            self._watch(done, self.total)


def stretches(num_frames: int) -> list[slice]:
    """Cut a sound into stretches of about one length, each short enough to be heard with its context."""
    count = -(-num_frames // (STRETCH - CONTEXT))
    edges = [num_frames * number // count for number in range(count + 1)]
    return [slice(a, b) for a, b in pairwise(edges)]


Choose = Callable[[Tensor, slice], int]
"""(candidates (B, C, F), the stretch that they fill) -> the number of the best."""


def compose_stretches(
    models: SoundModels,
    prompt: str,
    score: Score,
    settings: SoundSettings,
    *,
    choose: Choose | None = None,
    units: Units | None = None,
    steps: Steps | None = None,
) -> Iterator[Tensor]:
    """Make a latent a stretch at a time: each hears the end of the one before, and is blended of windows.

    Args:
        models: loaded, on one device.
        prompt: in the trained form, or empty for none.
        score: length, picture and known sound.
        settings: sampling, and how many candidates of each stretch.
        choose: which of them goes on; without it one is made.
        units: keeps finished stretches.
        steps: counts.

    Yields:
        (C, F) pieces on the models' device, which together are the whole.
    """
    steps = steps or Steps(0)
    end_CF = torch.zeros(models.codec.config.latent_channels, 0, device=models.device)
    for number, place in enumerate(stretches(score.num_frames)):
        after = steps.done + settings.sampling.num_steps
        job = partial(_stretch, models, prompt, score_after(end_CF, score, place), settings)
        make = partial(job, number, place, choose, steps)
        name = f"{prompt} {number}"
        piece_CF = kept(units, name, make)["latent"].to(models.device)
        steps.reach(after)
        yield piece_CF
        end_CF = torch.cat([end_CF, piece_CF], dim=1)[:, -CONTEXT:]


def _stretch(
    models: SoundModels,
    prompt: str,
    piece: Score,
    settings: SoundSettings,
    number: int,
    place: slice,
    choose: Choose | None,
    steps: Steps,
) -> dict[str, Tensor]:
    """The best candidate of one stretch, (C, F), without what was heard before it."""
    start, sampling = steps.done, settings.sampling
    latent_BCF = compose(
        models,
        prompt,
        piece,
        replace(sampling, seed=sampling.seed + number * MAX_CANDIDATES),
        num_candidates=settings.num_candidates if choose else 1,
        on_step=lambda step, _: steps.reach(start + step),
    )
    made_BCF = latent_BCF[..., piece.num_frames - (place.stop - place.start) :]
    return {"latent": made_BCF[choose(made_BCF, place) if choose and len(made_BCF) > 1 else 0]}


def _best(codec: AudioCodec, seen: Seen, candidates_BCF: Tensor, place: slice) -> int:
    """The candidate whose sounds begin where things happen."""
    grid = codec.grid
    num_samples = candidates_BCF.shape[-1] * grid.hop
    waves_BCS = torch.cat([piece.float().cpu() for piece in play(codec, candidates_BCF, num_samples)], dim=-1)
    first, last = (round(frame / grid.rate * seen.event_rate) for frame in (place.start, place.stop))
    return ranked(waves_BCS, grid.sample_rate, seen.events_L[first:last], seen.event_rate)[0]


def stem_sound(codec: AudioCodec, latent_CF: Tensor, num_samples: int) -> Sound:
    """A latent as a sound that is decoded piece by piece whenever it is streamed."""

    def chunks() -> Iterator[Tensor]:
        for piece in play(codec, latent_CF[None], num_samples):
            yield piece[0].float().cpu()

    return Sound(sample_rate=codec.config.sample_rate, speakers=MONO, chunks=chunks)
