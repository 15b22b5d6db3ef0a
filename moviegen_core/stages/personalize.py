"""Put a face into a new clip: its tokens stand beside the prompt's (Movie Gen, section 4)."""

# Shape letters: B clip, C channel, T latent frame, H row, W column.

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..errors import SettingsError, WeightsError
from ..flow.solver import OnStep
from ..geometry import ClipShape
from ..models.conditioning import Context
from ..models.identity import IdentityEncoder
from ..models.text import tokenize
from ..weights.cast import Cast
from .generate import NULL_PROMPT, TextToVideo, check_shape, decode, denoise, draw_noise, full_prompt
from .likeness import Likeness, likeness
from .settings import SamplingSettings

MAX_REFERENCES = 5
MAX_BEST_OF = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceToVideo(TextToVideo):
    """The models that generate with a face; ``video`` is the personalized one."""

    identity: IdentityEncoder

    def __post_init__(self) -> None:
        given, taken = self.identity.config.token_width, self.video.config.width
        if given != taken:
            raise WeightsError(
                f"these models do not belong together: identity tokens of {given} for a video model of"
                f" {taken}; take all of one cast"
            )


def load_personalized(
    cast: Cast, *, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
) -> FaceToVideo:
    """Load what personalization needs; ``dtype`` is the transformer's and the reader's."""
    text, video = cast.load("text", device, dtype), cast.load("personalized", device, dtype)
    tae, identity = cast.load("tae", device), cast.load("identity", device)
    return FaceToVideo(tae=tae, text=text, video=video, identity=identity)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class Personalized:
    """A clip with a face, and how like it stays."""

    clip: Tensor
    """(3, T, H, W), pixels in -1..1."""
    likeness: Likeness
    seed: int


@torch.no_grad()
def personalize(
    models: FaceToVideo,
    faces: Sequence[Tensor],
    prompt: str,
    shape: ClipShape,
    settings: SamplingSettings,
    *,
    camera: str | None = None,
    on_step: OnStep | None = None,
) -> Personalized:
    """Make the clip that a prompt describes, with the person of the faces in it.

    Args:
        models: loaded, on one device.
        faces: (3, S, S) each in -1..1, one person's, as ``reference_face`` cuts them out; 1 to 5.
        prompt: what the clip shows; it should speak of a person.
        shape: its size, length and rate.
        settings: steps, guidance, seed.
        camera: a camera label such as "zoom in".
        on_step: called with (steps done, estimate of the latent); raising in it stops the work.

    Returns:
        The clip and its likeness curve.

    Raises:
        SettingsError: no face, or too many.
    """
    if not 1 <= len(faces) <= MAX_REFERENCES:
        raise SettingsError(f"{len(faces)} reference pictures are given; give 1 to {MAX_REFERENCES}")
    check_shape(models, shape)
    references = torch.stack(list(faces)).to(models.device)
    context = face_context(models, full_prompt(models, prompt, shape, camera), references, settings)
    latent = denoise(models, context, draw_noise(models, shape, [settings.seed]), settings, on_step)
    clip = decode(models, latent, shape.num_frames)[0]
    return Personalized(clip=clip, likeness=likeness(models.identity, clip, references), seed=settings.seed)


def face_context(
    models: FaceToVideo, text: str, references_NCHW: Tensor, settings: SamplingSettings
) -> Context:
    """Prompt and face; with guidance, a row without either comes first: both pull together."""
    guided = settings.guidance != 1
    ids_BL, mask_BL = (part.to(models.device) for part in tokenize([NULL_PROMPT] * guided + [text]))
    context = models.video.context([models.text(ids_BL, mask_BL)], [mask_BL])
    tokens_1KC = models.identity.tokens(references_NCHW).flatten(0, 1)[None].to(models.dtype)
    counts = torch.ones(len(ids_BL), tokens_1KC.shape[1], dtype=torch.bool, device=models.device)
    if guided:
        counts[0] = False
    return models.video.computed_ahead(context.joined(tokens_1KC.expand(len(ids_BL), -1, -1), counts))


def best_of(
    make: Callable[[SamplingSettings], Personalized], settings: SamplingSettings, count: int
) -> Personalized:
    """Make a clip with each of some seeds in a row and keep the one that is most like its face.

    Args:
        make: makes a clip of settings, as ``personalize`` does.
        settings: their seed is the first.
        count: how many seeds.

    Returns:
        The clip whose mean likeness is highest, the earliest of equals.

    Raises:
        SettingsError: the count is out of range.
    """
    if not 1 <= count <= MAX_BEST_OF:
        raise SettingsError(f"the best of {count} is out of range; give 1 to {MAX_BEST_OF}")
    tries = (make(replace(settings, seed=settings.seed + number)) for number in range(count))
    return max(tries, key=lambda one: one.likeness.mean)
