"""From a workflow as the page saves it to the prompt that a server runs, by the page's own rules."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import RemoteError, WorkflowError
from .definitions import FIELDS, Definition, Input
from .graph import BYPASSED, INPUTS, MUTED, OUTPUTS, Drawing, Graph, Node
from .prompt import Prompt
from .wildcards import choose

REROUTE, PRIMITIVE = "Reroute", "PrimitiveNode"
PAGE_ONLY = frozenset({REROUTE, PRIMITIVE, "Note", "MarkdownNote"})
"""Nodes that only the page knows; they never run."""
GROUP_NODES = ("workflow>", "workflow/")
DRAWN_BY_THE_PAGE = frozenset({"LOAD_3D", "LOAD_3D_ANIMATION", "WEBCAM", "AUDIO_RECORD"})
"""Kinds of input that hold what the page shows or records."""
CUSTOM_COMBO = "CustomCombo"
"""A list whose choices its user writes; only the page counts which one is chosen."""
ANY_TYPE = ("*", "")


@dataclass(frozen=True, slots=True)
class Wire:
    """An output of a node that runs."""

    node: str
    slot: int


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that the page keeps outside of the node that reads it."""

    value: object


Source = Wire | Constant | None
"""Where an input comes from; nowhere when what it was connected to does not run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One graph of the file, as it stands in the run: a subgraph has one for each of its boxes."""

    drawing: Drawing
    definitions: Mapping[str, Definition]
    wired_kinds: frozenset[str]
    """Types that some node of the server gives, which are no fields."""
    graph: Graph
    path: tuple[str, ...] = ()
    """The boxes on the way in."""
    outer: "Scope | None" = None
    box: Node | None = None
    """The node that this graph stands behind."""

    def name(self, node: Node) -> str:
        """A node's id in the prompt."""
        return ":".join((*self.path, node.id))

    def inside(self, box: Node) -> "Scope":
        """The graph behind one of its boxes."""
        return Scope(
            drawing=self.drawing,
            definitions=self.definitions,
            wired_kinds=self.wired_kinds,
            graph=self.drawing.subgraphs[box.kind],
            path=(*self.path, box.id),
            outer=self,
            box=box,
        )


def convert(drawing: Drawing, definitions: Mapping[str, Definition], dice: random.Random) -> Prompt:
    """Turn a workflow into a prompt.

    Args:
        drawing: the workflow.
        definitions: the nodes of the server that is to run it.
        dice: choose among ``{red|blue}`` in its texts.

    Returns:
        Its nodes by id, as ``/prompt`` takes them; a server that lacks some is refused.

    Raises:
        WorkflowError: it cannot be resolved.
    """
    try:
        found = list(_running(_whole(drawing, definitions)))
        _refuse_unknown(found)
        known = [(scope, node) for scope, node in found if node.kind in definitions]
        return {scope.name(node): _entry(scope, node, dice) for scope, node in known}
    except RecursionError as error:
        raise WorkflowError(
            "links of the workflow run in a circle; open it in ComfyUI and undo one"
        ) from error
    except (KeyError, IndexError) as error:
        raise WorkflowError(
            f"a link of the workflow leads nowhere ({error!r}); open it in ComfyUI and save it again"
        ) from error


def _whole(drawing: Drawing, definitions: Mapping[str, Definition]) -> Scope:
    kinds = frozenset(kind for one in definitions.values() for kind in one.outputs)
    return Scope(drawing=drawing, definitions=definitions, wired_kinds=kinds, graph=drawing.graph)


def _running(scope: Scope) -> Iterator[tuple[Scope, Node]]:
    """Every node that runs, in all graphs."""
    for node in scope.graph.nodes.values():
        if node.mode in (MUTED, BYPASSED) or node.kind in PAGE_ONLY:
            continue
        if node.kind in scope.drawing.subgraphs:
            yield from _running(scope.inside(node))
        else:
            yield scope, node


def _refuse_unknown(found: list[tuple[Scope, Node]]) -> None:
    """Name what the server lacks; labels and the like, connected to nothing, are not missed."""
    missing = {
        node.kind for scope, node in found if node.kind not in scope.definitions and _wired(scope, node)
    }
    grouped = sorted(kind for kind in missing if kind.startswith(GROUP_NODES))
    if grouped:
        raise WorkflowError(
            f"{grouped[0]!r} is a group node of an older ComfyUI; open the workflow there, convert it to"
            " nodes or to a subgraph and save it again"
        )
    refuse_missing(missing)


def refuse_missing(kinds: set[str]) -> None:
    """Refuse to run what the server does not have.

    Args:
        kinds: classes of nodes.

    Raises:
        RemoteError: there are some.
    """
    if kinds:
        names = ", ".join(sorted(kinds))
        raise RemoteError(f"the server lacks {names}; install the packs these nodes come from and restart it")


def _wired(scope: Scope, node: Node) -> bool:
    leaves = any(link.origin == node.id for link in scope.graph.links.values())
    return leaves or any(slot.link is not None for slot in node.inputs)


def _entry(scope: Scope, node: Node, dice: random.Random) -> dict[str, Any]:
    """A node as the server takes it: its fields, then what is connected."""
    inputs = _read_fields(scope, node, dice)
    for index, slot in enumerate(node.inputs):
        source = _into(scope, node, index)
        if isinstance(source, Wire):
            inputs[slot.name] = [source.node, source.slot]
        elif isinstance(source, Constant):
            inputs[slot.name] = _boxed(source.value)
    title = node.title or scope.definitions[node.kind].title
    return {"class_type": node.kind, "inputs": inputs, "_meta": {"title": title}}


def _read_fields(scope: Scope, node: Node, dice: random.Random) -> dict[str, object]:
    """The fields as the page hands them over."""
    values = _fields(scope, node)
    for one in scope.definitions[node.kind].inputs_at(values):
        if one.kind in DRAWN_BY_THE_PAGE:
            raise WorkflowError(
                f"{one.name!r} of {node.kind} is made by ComfyUI's page; run this workflow there"
            )
        text = values.get(one.name)
        if one.options.get("dynamicPrompts") and isinstance(text, str):
            values[one.name] = choose(text, dice)
    if node.kind == CUSTOM_COMBO and values.get("choice") in node.values[1:]:
        written = [value for value in node.values[1:] if isinstance(value, str)]
        values["index"] = written.index(values["choice"])
    return {name: _boxed(value) for name, value in values.items()}


def _boxed(value: object) -> object:
    """A list is a wire to the server, unless it is wrapped."""
    return {"__value__": value} if isinstance(value, list) else value


def _fields(scope: Scope, node: Node) -> dict[str, object]:
    """What is filled in on a node, or on the box around it in its stead."""
    definition = scope.definitions[node.kind]
    values = dict(_saved(scope, node, definition.inputs, iter(_rows(node, definition))))
    given = {field: value for (owner, field), value in _given(scope).items() if owner == node.id}
    return values | given


def _rows(node: Node, definition: Definition) -> list[object]:
    """A node's values; files of older pages have one for inputs as well that must be connected."""
    inputs = [one for one in definition.inputs if one.is_field or one.must_be_wired]
    dummies = [flag for one in inputs for flag in (one.must_be_wired, *(False,) * one.control_rows)]
    if len(dummies) != len(node.values):
        return list(node.values)
    return [value for value, dummy in zip(node.values, dummies, strict=True) if not dummy]


def _saved(
    scope: Scope, node: Node, inputs: tuple[Input, ...], rows: Iterator[Any]
) -> Iterator[tuple[str, object]]:
    """Fields and values as the file holds them; a field newer than the file has its first value."""
    for one in inputs:
        if not _is_field(scope, node, one):
            continue
        value = next(rows, one.initial)
        for _ in range(one.control_rows):
            next(rows, None)
        if node.named_values is not None:
            value = node.named_values.get(one.name, one.initial)
        yield one.name, value
        yield from _saved(scope, node, one.opened_by(value), rows)


def _is_field(scope: Scope, node: Node, one: Input) -> bool:
    """Whether a node has a row for an input; of a kind that a pack invented, the file itself tells."""
    if one.is_field or one.kind in FIELDS:
        return one.is_field
    slot = node.input(one.name)
    if slot is not None:
        return slot.is_field
    return one.required and not one.kind.startswith("COMFY_") and one.kind not in scope.wired_kinds


def _given(scope: Scope) -> dict[tuple[str, str], object]:
    """Values that a box sets, by node and field inside; its own sockets belong to ``INPUTS``."""
    if scope.box is None or scope.outer is None:
        return {}
    pairs = dict(zip(_promoted(scope), scope.box.values, strict=False))
    pairs |= {(INPUTS, name): value for name, value in (scope.box.named_values or {}).items()}
    above = {(INPUTS, field): v for (owner, field), v in _given(scope.outer).items() if owner == scope.box.id}
    return {key: value for key, value in (pairs | above).items() if value is not None}


def _promoted(scope: Scope) -> list[tuple[str, str]]:
    """Which node and field each of a box's rows stands for."""
    if scope.box.promoted is not None:
        return [(INPUTS if owner == "-1" else owner, field) for owner, field in scope.box.promoted]
    return [(INPUTS, name) for index, name in enumerate(scope.graph.inputs) if any(_ends(scope, index))]


def _into(scope: Scope, node: Node, index: int) -> Source:
    """Where an input comes from."""
    slot = node.inputs[index]
    if slot.link is None:
        return None
    link = scope.graph.links[slot.link]
    if link.origin == INPUTS and scope.outer is not None:
        return _into_box(scope, link.origin_slot)
    return _out_of(scope, scope.graph.nodes[link.origin], link.origin_slot, slot.kind)


def _into_box(scope: Scope, index: int) -> Source:
    """Where an input of a subgraph comes from: a wire to its box, or a row on it."""
    name = scope.graph.inputs[index]
    outside = next((i for i, slot in enumerate(scope.box.inputs) if slot.name == name), None)
    if outside is not None and scope.box.inputs[outside].link is not None:
        return _into(scope.outer, scope.box, outside)
    return _row(scope, index)


def _row(scope: Scope, index: int) -> Constant | None:
    """The value of an unconnected input of a subgraph: its box's, or else the first field's inside."""
    given, ends = _given(scope), list(_ends(scope, index))
    for key in [(INPUTS, scope.graph.inputs[index]), *((node.id, field) for node, field in ends)]:
        if key in given:
            return Constant(given[key])
    inside = (_own_row(scope, node, field) for node, field in ends)
    return next((found for found in inside if found is not None), None)


def _ends(scope: Scope, index: int) -> Iterator[tuple[Node, str]]:
    """Nodes and fields that a subgraph's input leads to."""
    for link in scope.graph.out_of(INPUTS, index):
        node = scope.graph.nodes.get(link.target)
        if node is not None:
            yield from ((node, slot.name) for slot in node.inputs if slot.link == link.id and slot.is_field)


def _own_row(scope: Scope, node: Node, field: str) -> Constant | None:
    """The value that a node holds in a field."""
    if node.kind in scope.drawing.subgraphs:
        inner = scope.inside(node)
        return _row(inner, inner.graph.inputs.index(field)) if field in inner.graph.inputs else None
    if node.kind not in scope.definitions:
        return None
    values = _fields(scope, node)
    return Constant(values[field]) if field in values else None


def _out_of(scope: Scope, node: Node, slot: int, wanted: str) -> Source:
    """What comes out of an output socket in the end."""
    if node.mode == MUTED:
        return None
    if node.mode == BYPASSED:
        index = _passage(node, slot, wanted)
        return None if index is None else _into(scope, node, index)
    if node.kind in scope.drawing.subgraphs:
        return _out_of_box(scope.inside(node), slot, wanted)
    if node.kind == REROUTE:
        return _into(scope, node, 0)
    if node.kind == PRIMITIVE:
        return Constant(_given(scope).get((node.id, "value"), node.values[0])) if node.values else None
    return Wire(scope.name(node), slot) if node.kind in scope.definitions else None


def _out_of_box(scope: Scope, slot: int, wanted: str) -> Source:
    """What a subgraph gives at one of its outputs."""
    link = scope.graph.into(OUTPUTS, slot)
    if link is None:
        return None
    if link.origin == INPUTS:
        return _into_box(scope, link.origin_slot)
    return _out_of(scope, scope.graph.nodes[link.origin], link.origin_slot, wanted)


def _passage(node: Node, slot: int, wanted: str) -> int | None:
    """The input that a bypassed node lets through to an output: its neighbour, or the first that fits."""
    kinds = [one.kind for one in node.inputs]
    if wanted in ANY_TYPE:
        return (slot if slot < len(kinds) else 0) if kinds else None
    fits = [_connects(kind, node.outputs[slot]) and _connects(kind, wanted) for kind in kinds]
    if slot < len(kinds) and fits[slot]:
        return slot
    if wanted in kinds:
        return kinds.index(wanted)
    return fits.index(True) if True in fits else None


def _connects(one: str, other: str) -> bool:
    """Whether sockets of two types may be wired; a type can be a list of types, or any."""
    if one in ANY_TYPE or other in ANY_TYPE:
        return True
    return not set(one.lower().split(",")).isdisjoint(other.lower().split(","))
