"""Edit a clip with any text-to-video flow: no inversion, no training, two captions (FlowEdit's idea)."""

# Shape letters: B clip, C channel, T latent frame, H row, W column.

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import SettingsError
from ..flow.difference import integrate_difference, times_from
from ..flow.guidance import TextGuidance
from ..flow.schedule import linear_times
from ..flow.solver import OnStep, Velocity
from ..flow.windows import crossfade_windows
from ..geometry import ClipShape
from ..models.conditioning import Context
from .encode import encode_clip
from .generate import TextToVideo, check_shape, decode, encode_prompts, full_prompt
from .settings import MAX_GUIDANCE, SEED_RANGE

WINDOW_CELLS, OVERLAP_CELLS = 8, 2
"""Latent frames that the model sees at once, and how many neighbouring windows share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowEditSettings:
    """How far and how an edit goes."""

    strength: float = 0.85
    """Share of the way from noise to data on which the edit happens: near 1 layout changes as well."""
    num_steps: int = 24
    """Solver steps on that share."""
    source_guidance: float = 2.0
    """How hard the source's caption pulls; stronger erases more of what it names."""
    target_guidance: float = 5.0
    """How hard the wanted caption pulls."""
    num_averages: int = 1
    """Noises that each step is averaged over; more are steadier and as much slower."""
    seed: int = 0
    """Decides the noises."""

    def __post_init__(self) -> None:
        if not 0 < self.strength <= 1:
            raise SettingsError(f"strength {self.strength} is out of range; give more than 0 and at most 1")
        if not 1 <= self.num_steps <= 1000:
            raise SettingsError(f"{self.num_steps} steps are out of range; give 1 to 1000, such as 24")
        for guidance in (self.source_guidance, self.target_guidance):
            if not 0 <= guidance <= MAX_GUIDANCE:
                raise SettingsError(
                    f"guidance {guidance} is out of range; give 0 to {MAX_GUIDANCE:g}, such as 5"
                )
        if not 1 <= self.num_averages <= 64:
            raise SettingsError(f"{self.num_averages} averages are out of range; give 1 to 64")
        if not 0 <= self.seed < SEED_RANGE:
            raise SettingsError(f"seed {self.seed} is out of range; give 0 to {SEED_RANGE - 1}")


@torch.no_grad()
def flow_edit(
    models: TextToVideo,
    clip: Tensor,
    captions: tuple[str, str],
    shape: ClipShape,
    settings: FlowEditSettings,
    *,
    on_step: OnStep | None = None,
) -> Tensor:
    """Change a clip from what one caption says to what another says.

    Args:
        models: loaded; any text-to-video flow.
        clip: (3, T, H, W), pixels in -1..1, sides multiples of what the models take.
        captions: of the source, which may be empty, and of the wanted clip.
        shape: the clip's.
        settings: strength, steps, pulls, seed.
        on_step: called with (steps done, the latent so far); raising in it stops the work.

    Returns:
        (3, T, H, W), pixels in -1..1.
    """
    check_shape(models, shape)
    latent = encode_clip(models.tae, clip[None].to(models.device))
    contexts = [_context(models, caption, shape) for caption in captions]
    latent = edit_latent(models.video, latent, contexts[0], contexts[1], settings, on_step)
    return decode(models, latent, shape.num_frames)[0]


def _context(models: TextToVideo, caption: str, shape: ClipShape) -> Context:
    """Null prompt and caption; an empty caption is the null prompt twice."""
    text = full_prompt(models, caption, shape, None) if caption.strip() else ""
    return encode_prompts(models, [text], guided=True)


Model = Callable[[Tensor, Tensor, Context], Tensor]
"""(x, t_B, context of as many rows) -> velocity."""


def edit_latent(
    model: Model,
    latent: Tensor,
    source: Context,
    target: Context,
    settings: FlowEditSettings,
    on_step: OnStep | None = None,
) -> Tensor:
    """Carry a latent from what one context says to what another says.

    Args:
        model: velocity of noisy latents under a context.
        latent: (B, C, T, H, W).
        source: of the latent as it is; as many null rows first.
        target: of the latent as it shall be; as many null rows first.
        settings: strength, steps, pulls, seed.
        on_step: called with (steps done, the latent so far).

    Returns:
        The edited latent.
    """
    generator = torch.Generator().manual_seed(settings.seed)
    return integrate_difference(
        _velocity(model, source, settings.source_guidance),
        _velocity(model, target, settings.target_guidance),
        latent,
        times_from(1 - settings.strength, linear_times(settings.num_steps)),
        lambda: torch.randn(latent.shape, generator=generator),
        num_averages=settings.num_averages,
        on_step=on_step,
    )


def _velocity(model: Model, context: Context, scale: float) -> Velocity:
    """Guided, a window at a time where the clip is long."""
    guidance = TextGuidance(scale)

    def whole(x_BCTHW: Tensor, t_B: Tensor) -> Tensor:
        both = model(x_BCTHW.repeat(2, 1, 1, 1, 1), t_B.repeat(2), context)
        return guidance.combine(*both.chunk(2))

    def windowed(x_BCTHW: Tensor, t_B: Tensor) -> Tensor:
        length = x_BCTHW.shape[2]
        if length <= WINDOW_CELLS:
            return whole(x_BCTHW, t_B)
        blended = torch.zeros_like(x_BCTHW)
        for place, weight_T in crossfade_windows(length, WINDOW_CELLS, OVERLAP_CELLS):
            part = whole(x_BCTHW[:, :, place], t_B)
            blended[:, :, place] += part * weight_T.to(part).view(1, 1, -1, 1, 1)
        return blended

    return windowed
