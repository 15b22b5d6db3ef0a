"""The edit transformer: a video transformer that also sees the source and is told what kind of edit it is.

The source's latent stands beside the noisy one on channels; a learned embedding of the task gives tokens
behind the text's and a vector added to the time's. All that is new starts at zero, and a task token that is
all zero is not looked at, so a fresh edit model equals the video model it was made of.

Source: Movie Gen, section 5. The list of tasks is ours.
"""

# Shape letters: B clip, K context token, C channel.

from dataclasses import asdict, dataclass, fields
from types import ModuleType

import torch
from torch import Tensor, nn

from ..errors import WeightsError
from ..layers.attention import Attend, attend
from ..layers.positions import Place
from .conditioning import Context
from .video import VIDEO_PRESETS, VideoTransformer, VideoTransformerConfig

TASKS = (
    *("generate", "recolour", "swap", "add", "remove", "background", "weather", "style"),
    *("clothing", "segment"),
)
"""In class order; append only. The first is no edit: text to video, with black in the place of the source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditTransformerConfig(VideoTransformerConfig):
    """Shape of an edit transformer."""

    extra_channels: int = 16
    num_tasks: int = len(TASKS)
    task_tokens: int = 4
    """Context tokens that tell the task (Movie Gen: 4)."""
    task_width: int = 64


ADDED = ("extra_patch.", "tasks.", "task_tokens.", "task_time.")
"""What an edit model has beside the video model's weights."""


def edit_config(video: VideoTransformerConfig) -> EditTransformerConfig:
    """The config of the edit model that a video model becomes."""
    return EditTransformerConfig(**(asdict(video) | {"extra_channels": video.latent_channels}))


EDIT_PRESETS = {name: edit_config(VIDEO_PRESETS[name]) for name in ("nano", "paper")}


class EditTransformer(VideoTransformer):
    """Velocity of a noisy latent clip beside its source, under an instruction and a task."""

    config: EditTransformerConfig

    def __init__(
        self,
        config: EditTransformerConfig,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        operations: ModuleType = nn,  # type: ignore[assignment]
        attention: Attend = attend,
    ) -> None:
        super().__init__(config, device=device, dtype=dtype, operations=operations, attention=attention)
        factory = {"device": device, "dtype": dtype}
        self.tasks = operations.Embedding(config.num_tasks, config.task_width, **factory)
        self.tasks.weight.is_table = True
        tokens = config.task_tokens * config.width
        self.task_tokens = operations.Linear(config.task_width, tokens, bias=False, **factory)
        self.task_time = operations.Linear(config.task_width, config.width, bias=False, **factory)
        self.task_tokens.weight.is_added = self.task_time.weight.is_added = True
        with torch.no_grad():
            self.task_tokens.weight.zero_()
            self.task_time.weight.zero_()

    def told(self, context: Context, task_B: Tensor) -> Context:
        """A context with the task's tokens behind; call it before ``computed_ahead``.

        Args:
            context: from ``context``.
            task_B: (B,) places in TASKS.

        Returns:
            The longer context.
        """
        tokens_BKC = self.task_tokens(self.tasks(task_B)).unflatten(-1, (self.config.task_tokens, -1))
        says_something = torch.ones_like(tokens_BKC[..., 0], dtype=torch.bool)
        if not self.training:
            says_something = (tokens_BKC != 0).any(dim=-1)
        return context.joined(tokens_BKC, says_something)

    def task_vector(self, task_B: Tensor) -> Tensor:
        """What a task adds to the time embedding, (B, width): ``task_BC`` of ``forward``."""
        return self.task_time(self.tasks(task_B))


class Sourceless:
    """The video model that an edit model holds: no source, no task.

    Where a ``VideoTransformer`` is called, this can be; it owns no weights.
    """

    def __init__(self, edit: EditTransformer) -> None:
        self.edit = edit
        self.config, self.blocks = edit.config, edit.blocks
        self.context = edit.context

    def __call__(
        self, x_BCTHW: Tensor, t_B: Tensor, context: Context, *, place: Place | None = None
    ) -> Tensor:
        """Velocity of a noisy latent clip under a context alone."""
        return self.edit(x_BCTHW, t_B, context, extra_BCTHW=torch.zeros_like(x_BCTHW), place=place)


def edit_from_video(video: VideoTransformer) -> EditTransformer:
    """Make a fresh edit model of a trained video model; both give the same until the new parts are trained.

    Args:
        video: a model without extra channels.

    Returns:
        The edit model, on the CPU in float32.

    Raises:
        WeightsError: the model has extra channels already.
    """
    if video.config.extra_channels:
        raise WeightsError(
            f"a video model of {video.config.extra_channels} extra channels is no text-to-video model;"
            " give the cast's video role"
        )
    model = EditTransformer(edit_config(video.config))
    state = {name: tensor.detach().float().cpu() for name, tensor in video.state_dict().items()}
    model.load_state_dict(model.state_dict() | state)
    return model


def video_config(edit: EditTransformerConfig) -> VideoTransformerConfig:
    """The config of the video model that an edit model holds."""
    own = {field.name for field in fields(VideoTransformerConfig)}
    kept = {name: value for name, value in asdict(edit).items() if name in own}
    return VideoTransformerConfig(**(kept | {"extra_channels": 0}))


def video_tensors(edit_tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights of the video model that an edit model holds: what it is without a source and a task."""
    return {name: tensor for name, tensor in edit_tensors.items() if not name.startswith(ADDED)}


def task_indices(tasks: list[str], device: torch.device | str = "cpu") -> Tensor:
    """Places of task names in TASKS, (B,) int64."""
    return torch.tensor([TASKS.index(task) for task in tasks], device=device)
