"""A workflow file as ComfyUI's page saves it: nodes, links, and subgraphs within."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import WorkflowError

INPUTS, OUTPUTS = "-10", "-20"
"""The two nodes at the edges of a subgraph."""
MUTED, BYPASSED = 2, 4
"""Modes of a node that does not run; a bypassed one lets its input through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A socket of a node, or the socket that stands for one of its fields."""

    name: str
    kind: str
    link: str | None
    """The link that ends here."""
    is_field: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One box of a workflow."""

    id: str
    kind: str
    """Its class, or the id of the subgraph that it stands for."""
    title: str | None
    """What its user called it."""
    mode: int
    inputs: tuple[Slot, ...]
    outputs: tuple[str, ...]
    """Types of its output sockets."""
    values: tuple[Any, ...]
    """Its fields, in the order of the page."""
    named_values: Mapping[str, Any] | None
    """Its fields by name, where the file says them."""
    promoted: tuple[tuple[str, str], ...] | None
    """Of a subgraph's box: which node and field inside each value belongs to, where the file says it."""

    def input(self, name: str) -> Slot | None:
        """The input of a name."""
        return next((slot for slot in self.inputs if slot.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A wire."""

    id: str
    origin: str
    origin_slot: int
    target: str
    target_slot: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Nodes and wires of a workflow or of one subgraph."""

    nodes: Mapping[str, Node]
    links: Mapping[str, Link]
    inputs: tuple[str, ...]
    """Names of a subgraph's own inputs."""

    def into(self, node: str, slot: int) -> Link | None:
        """The wire that ends at a socket."""
        ends = (one for one in self.links.values() if (one.target, one.target_slot) == (node, slot))
        return next(ends, None)

    def out_of(self, node: str, slot: int) -> list[Link]:
        """The wires that begin at a socket."""
        return [one for one in self.links.values() if (one.origin, one.origin_slot) == (node, slot)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """The whole file."""

    graph: Graph
    subgraphs: Mapping[str, Graph]
    """By id, which is the kind of the boxes that stand for them."""


def read_drawing(data: Mapping[str, Any]) -> Drawing:
    """Read a workflow as the page saves it.

    Args:
        data: its JSON.

    Returns:
        Its graph and its subgraphs.

    Raises:
        WorkflowError: it is damaged.
    """
    try:
        inner = (data.get("definitions") or {}).get("subgraphs") or ()
        return Drawing(graph=_graph(data), subgraphs={str(one["id"]): _graph(one) for one in inner})
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise WorkflowError(
            f"the workflow is damaged ({error!r}); open it in ComfyUI and save it again"
        ) from error


def _graph(data: Mapping[str, Any]) -> Graph:
    nodes = [_node(one) for one in data["nodes"]]
    links = [_link(one) for one in data.get("links") or () if one]
    return Graph(
        nodes={node.id: node for node in nodes},
        links={link.id: link for link in links},
        inputs=tuple(one["name"] for one in data.get("inputs") or ()),
    )


def _node(data: Mapping[str, Any]) -> Node:
    values, named = data.get("widgets_values") or (), data.get("widgets_values_named")
    if isinstance(values, dict):
        values, named = (), named or values
    return Node(
        id=str(data["id"]),
        kind=str(data["type"]),
        title=data.get("title"),
        mode=data.get("mode", 0),
        inputs=tuple(_slot(one) for one in data.get("inputs") or ()),
        outputs=tuple(str(one["type"]) for one in data.get("outputs") or ()),
        values=tuple(values),
        named_values=named,
        promoted=_promoted((data.get("properties") or {}).get("proxyWidgets")),
    )


def _promoted(pairs: Sequence[Sequence[Any]] | None) -> tuple[tuple[str, str], ...] | None:
    return None if pairs is None else tuple((str(pair[0]), str(pair[1])) for pair in pairs)


def _slot(data: Mapping[str, Any]) -> Slot:
    link = data.get("link")
    return Slot(
        name=data["name"],
        kind=str(data["type"]),
        link=None if link is None else str(link),
        is_field=bool(data.get("widget")),
    )


def _link(data: Any) -> Link:  # noqa: ANN401 - a list or an object, by the file's age
    keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot")
    values = [data[key] for key in keys] if isinstance(data, dict) else data[:5]
    name, origin, origin_slot, target, target_slot = values
    return Link(
        id=str(name),
        origin=str(origin),
        origin_slot=int(origin_slot),
        target=str(target),
        target_slot=int(target_slot),
    )
