"""Edit a clip with the edit model: source beside the noise, separate pulls to source and instruction."""

# Shape letters: B clip, C channel, T latent frame, H row, W column.

from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import SettingsError, WeightsError
from ..flow.guidance import EditGuidance
from ..flow.schedule import linear_quadratic_times
from ..flow.solver import SOLVERS, OnStep, Velocity
from ..flow.windows import crossfade_windows
from ..geometry import ClipShape
from ..models.conditioning import Context
from ..models.edit import EditTransformer, task_indices
from ..models.prompt import format_prompt
from ..models.tae import TemporalAutoencoder
from ..models.text import ByteEncoder, check_prompt, tokenize
from ..weights.cast import Cast
from .encode import encode_clip
from .flow_edit import OVERLAP_CELLS, WINDOW_CELLS
from .generate import TextToVideo, check_shape, decode, draw_noise
from .instruction import target_caption
from .settings import MAX_GUIDANCE, SamplingSettings

RULE_TASKS = {
    **{name: name for name in ("recolour", "swap", "add", "remove", "background", "weather", "style")},
    **{"clear": "weather", "plain look": "style", "as it is": "swap"},
}
"""Rule that reads an instruction: the task that it asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditModels(TextToVideo):
    """The models that edit together; ``video`` is the edit transformer, ``text`` reads instructions."""

    def __post_init__(self) -> None:
        if not isinstance(self.video, EditTransformer):
            raise WeightsError("these models do not edit; give the cast's edit role in the place of video")


def load_edit(
    cast: Cast, *, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
) -> EditModels:
    """Load what editing by instruction needs: ``tae``, ``edit`` and ``edit_text``."""
    tae, text, video = (
        cast.load("tae", device),
        cast.load("edit_text", device, dtype),
        cast.load("edit", device, dtype),
    )
    assert isinstance(tae, TemporalAutoencoder)
    assert isinstance(text, ByteEncoder)
    assert isinstance(video, EditTransformer)
    return EditModels(tae=tae, text=text, video=video)


def task_of(instruction: str) -> str:
    """The task that an instruction asks for, by the rules of ``target_caption``."""
    return RULE_TASKS[target_caption(instruction).rule]


def check_guidance(guidance: EditGuidance) -> None:
    """Refuse pulls out of range.

    Args:
        guidance: what was asked for.

    Raises:
        SettingsError: a pull is negative or far too strong.
    """
    for name, pull in (("source", guidance.video), ("text", guidance.text)):
        if not 0 <= pull <= MAX_GUIDANCE:
            raise SettingsError(f"{name} pull {pull} is out of range; give 0 to {MAX_GUIDANCE:g}, such as 2")


@torch.no_grad()
def edit_clip(
    models: EditModels,
    clip: Tensor,
    instruction: str,
    shape: ClipShape,
    settings: SamplingSettings,
    guidance: EditGuidance,
    *,
    on_step: OnStep | None = None,
) -> Tensor:
    """Change a clip as an instruction asks.

    Args:
        models: loaded, on one device.
        clip: (3, T, H, W), pixels in -1..1, sides multiples of what the models take.
        instruction: such as "make the ball blue".
        shape: the clip's.
        settings: steps, solver and seed; its guidance is not used.
        guidance: pulls to source and instruction.
        on_step: called with (steps done, estimate of the latent); raising in it stops the work.

    Returns:
        (3, T, H, W), pixels in -1..1.
    """
    check_shape(models, shape)
    check_guidance(guidance)
    check_prompt(instruction, models.text.config.max_bytes)
    source = encode_clip(models.tae, clip[None].to(models.device))
    nothing = black_latent(models.tae, shape, models.device)
    velocity = _guided(models, (nothing, source), instruction, shape, guidance)
    noise = draw_noise(models, shape, [settings.seed])
    times = linear_quadratic_times(settings.num_steps, grid=settings.grid)
    latent = SOLVERS[settings.solver](velocity, noise, times, on_step)
    return decode(models, latent, shape.num_frames)[0]


def black_latent(tae: TemporalAutoencoder, shape: ClipShape, device: torch.device | str) -> Tensor:
    """What stands for no source (Movie Gen: a black video), (1, 16, T, H, W)."""
    black = torch.full((1, 3, shape.num_frames, shape.height, shape.width), -1.0, device=device)
    return encode_clip(tae, black)


def _guided(
    models: EditModels,
    sources: tuple[Tensor, Tensor],
    instruction: str,
    shape: ClipShape,
    guidance: EditGuidance,
) -> Velocity:
    """Three branches in one call: nothing, the source alone, source and instruction."""
    edit = models.video
    assert isinstance(edit, EditTransformer)
    task_B = task_indices([task_of(instruction)] * 3, models.device)
    context = _context(models, ["", "", format_prompt(instruction, shape.fps)], task_B)
    vector_BC, extra = edit.task_vector(task_B), torch.cat([sources[0], sources[1], sources[1]])

    def whole(x_BCTHW: Tensor, t_B: Tensor, place: slice) -> Tensor:
        rows = x_BCTHW.expand(3, -1, -1, -1, -1), t_B.expand(3)
        branches = edit(*rows, context, extra_BCTHW=extra[:, :, place], task_BC=vector_BC)
        return guidance.combine(*branches.split(1))

    def windowed(x_BCTHW: Tensor, t_B: Tensor) -> Tensor:
        length = x_BCTHW.shape[2]
        if length <= WINDOW_CELLS:
            return whole(x_BCTHW, t_B, slice(None))
        blended = torch.zeros_like(x_BCTHW)
        for place, weight_T in crossfade_windows(length, WINDOW_CELLS, OVERLAP_CELLS):
            part = whole(x_BCTHW[:, :, place], t_B, place)
            blended[:, :, place] += part * weight_T.to(part).view(1, 1, -1, 1, 1)
        return blended

    return windowed


def _context(models: EditModels, texts: list[str], task_B: Tensor) -> Context:
    edit = models.video
    assert isinstance(edit, EditTransformer)
    ids_BL, mask_BL = (part.to(models.device) for part in tokenize(texts))
    context = edit.context([models.text(ids_BL, mask_BL)], [mask_BL])
    return edit.computed_ahead(edit.told(context, task_B))
