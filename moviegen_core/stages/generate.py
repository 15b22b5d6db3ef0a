"""A sentence becomes a clip: encode the prompt, carry noise to a latent, decode it.

Clips beyond the length that the model learnt are made in windows, blended at every step of the solver.
"""

# Shape letters: B clip, C channel, T latent frame, H row, W column.

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import GeometryError, WeightsError
from ..flow.guidance import TextGuidance
from ..flow.schedule import linear_quadratic_times
from ..flow.solver import SOLVERS, OnStep, Velocity
from ..flow.windows import multi_diffusion, spread_windows
from ..geometry import ClipShape, check_size
from ..models.conditioning import Context
from ..models.prompt import format_prompt
from ..models.tae import TemporalAutoencoder
from ..models.text import ByteEncoder, check_prompt, tokenize
from ..models.video import VideoTransformer
from ..weights.cast import Cast
from .decode import WHOLE_PIXELS, decode_clip, decode_stream
from .settings import SamplingSettings

ROLES = ("tae", "text", "video")
"""Roles of the cast that generating needs."""
NULL_PROMPT = ""
"""No prompt, in guidance: no words, no rate, no camera. Training drops whole captions to the same."""
MAX_TOKENS = 4 * 73_728
"""Four times the paper's largest clip; our choice: a mistyped size is refused, not left to fill memory."""

AMPERE = 8
"""First CUDA generation that computes in bfloat16."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextToVideo:
    """The models that generate together."""

    tae: TemporalAutoencoder
    text: ByteEncoder
    video: VideoTransformer

    def __post_init__(self) -> None:
        features, read = (self.text.config.width,), self.video.config.context_widths
        given, taken = self.tae.config.latent_channels, self.video.config.latent_channels
        if (features, given) != (read, taken):
            raise WeightsError(
                f"these models do not belong together: text features {features} for a video model of {read},"
                f" {given} latent channels for {taken}; take all of one cast"
            )

    @property
    def device(self) -> torch.device:
        """Where the models are."""
        return next(self.video.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """What the transformer computes in."""
        return next(self.video.parameters()).dtype

    @property
    def span(self) -> int:
        """Latent frames that the transformer learnt to see at once; longer clips are made in windows."""
        return self.video.config.table_sizes[0] * self.video.config.patch[0]

    @property
    def multiple(self) -> int:
        """Both sides of a frame must be multiples of this: a latent cell times a patch."""
        return self.tae.grid.height * self.video.config.patch[1]


def load_text_to_video(
    cast: Cast, *, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
) -> TextToVideo:
    """Load the roles that generating needs; ``dtype`` is the transformer's, the TAE stays float32."""
    tae, text, video = (cast.load(role, device, dtype if role != "tae" else torch.float32) for role in ROLES)
    return TextToVideo(tae=tae, text=text, video=video)


def fast_dtype(device: torch.device | str) -> torch.dtype:
    """What a device computes the transformer in fastest: bfloat16 where hardware has it, else float32."""
    if torch.device(device).type == "cuda":
        return torch.bfloat16 if torch.cuda.get_device_capability(device)[0] >= AMPERE else torch.float32
    has = getattr(torch.cpu, "get_capabilities", dict)()
    return torch.bfloat16 if has.get("avx512_bf16") or has.get("amx_bf16") else torch.float32


def generate(
    models: TextToVideo,
    prompt: str,
    shape: ClipShape,
    settings: SamplingSettings,
    *,
    camera: str | None = None,
    on_step: OnStep | None = None,
) -> Tensor:
    """Make the clip that a prompt describes.

    Args:
        models: loaded, on one device.
        prompt: what the clip shows.
        shape: its size, length and rate.
        settings: steps, guidance, seed.
        camera: a camera label such as "zoom in".
        on_step: called with (steps done, estimate of the latent); raising in it stops the work.

    Returns:
        (3, T, H, W), pixels in -1..1.
    """
    return generate_batch(models, [prompt], shape, settings, camera=camera, on_step=on_step)[0]


@torch.no_grad()
def generate_batch(
    models: TextToVideo,
    prompts: Sequence[str],
    shape: ClipShape,
    settings: SamplingSettings,
    *,
    seeds: Sequence[int] | None = None,
    camera: str | None = None,
    on_step: OnStep | None = None,
) -> Tensor:
    """Make a clip for each prompt, all at once.

    Args:
        models: loaded, on one device.
        prompts: what each clip shows.
        shape: size, length and rate of all of them.
        settings: steps and guidance of all of them.
        seeds: one for each prompt; ``settings.seed`` for all when None.
        camera: a camera label for all of them.
        on_step: called with (steps done, estimate of the latent); raising in it stops the work.

    Returns:
        (B, 3, T, H, W), pixels in -1..1.
    """
    latent = generate_latents(models, prompts, shape, settings, seeds=seeds, camera=camera, on_step=on_step)
    return decode(models, latent, shape.num_frames)


@torch.no_grad()
def generate_latents(
    models: TextToVideo,
    prompts: Sequence[str],
    shape: ClipShape,
    settings: SamplingSettings,
    *,
    seeds: Sequence[int] | None = None,
    camera: str | None = None,
    on_step: OnStep | None = None,
) -> Tensor:
    """``generate_batch`` without its last step: latents, (B, 16, T, H / 8, W / 8), to be decoded."""
    check_shape(models, shape)
    texts = [full_prompt(models, prompt, shape, camera) for prompt in prompts]
    guidance = TextGuidance(settings.guidance)
    noise = draw_noise(models, shape, seeds or [settings.seed] * len(texts))
    context = encode_prompts(models, texts, guided=not guidance.is_off)
    return denoise(models, context, noise, settings, on_step)


def check_shape(models: TextToVideo, shape: ClipShape) -> None:
    """Refuse a clip that these models cannot make.

    Args:
        models: decide which sizes are legal.
        shape: what was asked for.

    Raises:
        GeometryError: a side does not fit, or the clip is larger than anything the paper's model could hold.
    """
    check_size(shape.height, shape.width, models.multiple)
    cells = models.tae.grid.latent_frames(shape.num_frames)
    tokens = cells * (shape.height // models.multiple) * (shape.width // models.multiple)
    if tokens > MAX_TOKENS:
        raise GeometryError(
            f"{shape.num_frames} frames of {shape.width}x{shape.height} are {tokens} tokens,"
            f" more than {MAX_TOKENS}; make the clip shorter or smaller"
        )


def full_prompt(models: TextToVideo, prompt: str, shape: ClipShape, camera: str | None) -> str:
    """The prompt as the models were trained to read it, rate and camera in front; checked."""
    check_prompt(prompt, models.text.config.max_bytes)
    return format_prompt(prompt, shape.fps, camera)


def draw_noise(models: TextToVideo, shape: ClipShape, seeds: Sequence[int]) -> Tensor:
    """Each seed's own noise, (B, 16, T, H, W); drawn on the CPU, so that every device starts alike."""
    cells = models.tae.grid.latent_shape(shape.num_frames, shape.height, shape.width)
    sizes = (models.tae.config.latent_channels, *cells)
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    return torch.stack([torch.randn(sizes, generator=one) for one in generators]).to(models.device)


def encode_prompts(models: TextToVideo, texts: Sequence[str], *, guided: bool) -> Context:
    """What the transformer reads beside the clip; with guidance, as many null prompts come first."""
    rows = [NULL_PROMPT] * len(texts) * guided + list(texts)
    tokens_BL, mask_BL = (part.to(models.device) for part in tokenize(rows))
    context = models.video.context([models.text(tokens_BL, mask_BL)], [mask_BL])
    return models.video.computed_ahead(context)


def denoise(
    models: TextToVideo,
    context: Context,
    noise: Tensor,
    settings: SamplingSettings,
    on_step: OnStep | None = None,
) -> Tensor:
    """Carry noise to a latent of the same shape, in windows where that is longer than the model's span.

    Windows overlap by half and are blended at every step: neighbours agree on what both see, and through
    them the ends hear of each other. Source: Movie Gen blends so in its upsampler and its audio extension;
    for the generator, which it does not run beyond its length, it is our choice.

    Args:
        models: loaded, on one device.
        context: from ``encode_prompts``.
        noise: (B, 16, T, H, W).
        settings: steps and guidance.
        on_step: called with (steps done, estimate of the latent); raising in it stops the work.

    Returns:
        The latent.
    """

    def velocity(x_BCTHW: Tensor, t_B: Tensor) -> Tensor:
        return models.video(x_BCTHW, t_B, context)

    guidance = TextGuidance(settings.guidance)
    pull = velocity if guidance.is_off else _guided(velocity, guidance)
    length, span = noise.shape[2], models.span
    if length > span:
        windows = spread_windows(length, span, span // 2)
        pull = multi_diffusion(_anywhere(pull), windows, length, dim=-3)
    times = linear_quadratic_times(settings.num_steps, grid=settings.grid)
    return SOLVERS[settings.solver](pull, noise, times, on_step)


def _anywhere(velocity: Velocity) -> Callable[[Tensor, Tensor, slice], Tensor]:
    """A velocity that does not care which window it is in."""
    return lambda x_BCTHW, t_B, _place: velocity(x_BCTHW, t_B)


def _guided(velocity: Velocity, guidance: TextGuidance) -> Velocity:
    """Both branches in one call: the null prompts' rows come first, as in ``encode_prompts``."""

    def combined(x_BCTHW: Tensor, t_B: Tensor) -> Tensor:
        return guidance.combine(*velocity(x_BCTHW.repeat(2, 1, 1, 1, 1), t_B.repeat(2)).chunk(2))

    return combined


def decode(models: TextToVideo, latent: Tensor, num_frames: int) -> Tensor:
    """Latents to clips in -1..1; the TAE computes in the transformer's type where that is safe (autocast)."""
    with _precision(models):
        return decode_clip(models.tae, latent, num_frames)


def decode_parts(models: TextToVideo, latent: Tensor, num_frames: int) -> Iterator[Tensor]:
    """As ``decode``, a chunk of frames at a time: a long clip is never whole in memory."""
    if latent[:, 0, 0].numel() * models.tae.grid.height * models.tae.grid.width * num_frames <= WHOLE_PIXELS:
        yield decode(models, latent, num_frames)
    else:
        yield from decode_stream(models.tae, [latent], num_frames, around=lambda: _precision(models))


def _precision(models: TextToVideo) -> AbstractContextManager[object]:
    shorter = models.dtype != torch.float32
    return torch.autocast(models.device.type, models.dtype) if shorter else nullcontext()
