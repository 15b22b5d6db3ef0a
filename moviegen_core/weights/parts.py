"""Files that play other roles than their own: an edit model holds a video model, and a reader reads anything.

So one file of a cast can be its ``video``, ``personalized`` and ``edit``. Our choice.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from ..models.edit import video_config, video_tensors
from .build import build

State = dict[str, Tensor]


def _same(config: Any) -> Any:  # noqa: ANN401 - a role's config
    return config


def _all_tensors(state: State) -> State:
    return state


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """How a role is taken out of a file of another."""

    config: Callable[[Any], Any] = _same
    """The file's config to the role's."""
    tensors: Callable[[State], State] = _all_tensors
    """The file's tensors to the role's."""

    def model(self, role: str, whole: nn.Module) -> nn.Module:
        """The model that plays the role, with the weights of the file's."""
        if self == WHOLE:
            return whole
        model = build(role, self.config(whole.config), dtype=next(whole.parameters()).dtype)
        marks = dict(model.named_parameters())
        model.load_state_dict(self.tensors(whole.state_dict()), assign=True)
        for name, parameter in model.named_parameters():
            parameter.__dict__.update(marks[name].__dict__)
        return model


WHOLE = Part()
PARTS: Mapping[tuple[str, str], Part] = {
    ("edit", "video"): (_video := Part(config=video_config, tensors=video_tensors)),
    ("edit", "personalized"): _video,
    ("video", "personalized"): WHOLE,
    ("text", "edit_text"): WHOLE,
}
"""Role of a file, role that it can play as well."""


def find_part(has: str, wanted: str) -> Part | None:
    """How a file of one role plays another; None when it cannot."""
    return WHOLE if has == wanted else PARTS.get((has, wanted))
