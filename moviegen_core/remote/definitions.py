"""What the nodes of a server take, in the server's own words (its ``/object_info``)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import RemoteError

COMBO, DYNAMIC = "COMBO", "COMFY_DYNAMICCOMBO_V3"
EMPTY = {"INT": 0, "FLOAT": 0.0, "STRING": "", "BOOLEAN": False}
"""What a field without a default starts at."""
FIELDS = frozenset(EMPTY) | {
    *(COMBO, DYNAMIC, "TEXTAREA", "MARKDOWN", "COLOR", "COLORS", "CURVE", "RANGE", "BOUNDING_BOX"),
    *("BOUNDING_BOXES", "CHART", "GALLERIA", "PAINTER", "COMPOSITOR", "VIDEO_EDIT", "IMAGECOMPARE"),
}
"""Kinds of input that ComfyUI's own page fills in on the node."""
SEEDS = ("seed", "noise_seed")
"""Integers of these names get a control beside them even where the node does not ask for one."""
UPLOADS = ("image_upload", "video_upload", "audio_upload", "file_upload", "animated_image_upload")
"""Options of a list of files that can be added to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One input of a node."""

    name: str
    kind: str
    """Type of the value, such as INT, COMBO or MODEL."""
    options: Mapping[str, Any]
    choices: tuple[Any, ...]
    """What a COMBO offers; none where the page asks for them later."""
    required: bool

    @property
    def is_field(self) -> bool:
        """Whether the page fills it in on the node itself, unless something is connected."""
        kind = self.options.get("widgetType") or self.kind
        return kind in FIELDS and not self.must_be_wired

    @property
    def must_be_wired(self) -> bool:
        """Whether its pack wants a connection where others have a field."""
        return bool(self.options.get("forceInput"))

    @property
    def takes_files(self) -> bool:
        """Whether its choices are files that a user may add to."""
        return any(self.options.get(name) for name in UPLOADS)

    @property
    def initial(self) -> object:
        """The value of a field that nobody touched."""
        first = self.choices[0] if self.choices else None
        return self.options.get("default", EMPTY.get(self.kind, first))

    @property
    def control_rows(self) -> int:
        """How many rows below it the page keeps for itself: what to do with the value after a run."""
        asked = self.options.get("control_after_generate", self.kind == "INT" and self.name in SEEDS)
        return (1 + (self.kind == COMBO)) if asked else 0

    def opened_by(self, choice: object) -> tuple["Input", ...]:
        """The inputs that a choice of a dynamic list brings along."""
        if self.kind != DYNAMIC:
            return ()
        found = [one["inputs"] for one in self.options.get("options", ()) if one["key"] == choice]
        return tuple(_inputs(found[0], f"{self.name}.")) if found else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A kind of node."""

    kind: str
    """Its class, which never changes."""
    title: str
    """What its header says as long as nobody renames it."""
    inputs: tuple[Input, ...]
    outputs: tuple[str, ...]
    """Types of what it gives."""

    def inputs_at(self, values: Mapping[str, object]) -> list[Input]:
        """All inputs, with those that the chosen values of dynamic lists bring along."""
        return list(_expanded(self.inputs, values))


def read_definitions(info: object) -> dict[str, Definition]:
    """Read ``/object_info``.

    Args:
        info: its JSON.

    Returns:
        Definitions by class.

    Raises:
        RemoteError: it is something else.
    """
    if not isinstance(info, dict):
        raise RemoteError("the server describes no nodes; give the address of a ComfyUI")
    try:
        return {kind: _definition(kind, facts) for kind, facts in info.items()}
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise RemoteError(
            f"the server describes its nodes in an unknown form ({error!r}); give the address of a ComfyUI"
        ) from error


def _definition(kind: str, facts: Mapping[str, Any]) -> Definition:
    inputs = tuple(_inputs(facts["input"], "", facts.get("input_order") or {}))
    outputs = tuple(one for one in facts.get("output") or () if isinstance(one, str))
    return Definition(kind=kind, title=facts.get("display_name") or kind, inputs=inputs, outputs=outputs)


def _inputs(
    groups: Mapping[str, Any], prefix: str, order: Mapping[str, Any] | None = None
) -> Iterator[Input]:
    """Required inputs, then optional ones, in the order that the server gives."""
    for group in ("required", "optional"):
        found = groups.get(group) or {}
        names = (order or {}).get(group) or list(found)
        for name in names:
            yield _input(prefix + name, found[name], required=group == "required")


def _input(name: str, spec: Any, *, required: bool) -> Input:  # noqa: ANN401 - the server's JSON
    head, options = spec[0], (spec[1] if len(spec) > 1 and spec[1] else {})
    kind = COMBO if isinstance(head, list) else str(head)
    offered = head if isinstance(head, list) else options.get("options") or ()
    choices = tuple(one["key"] if kind == DYNAMIC else one for one in offered)
    return Input(name=name, kind=kind, options=options, choices=choices, required=required)


def _expanded(inputs: tuple[Input, ...], values: Mapping[str, object]) -> Iterator[Input]:
    for one in inputs:
        yield one
        yield from _expanded(one.opened_by(values.get(one.name)), values)
