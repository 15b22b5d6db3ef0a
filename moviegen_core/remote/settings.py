"""Values from outside for the inputs of a workflow: ``node.input=value``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import WorkflowError
from .definitions import COMBO, DYNAMIC, FIELDS, Definition, Input
from .prompt import Prompt, title_of

YES, NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
MANY = 12
"""Choices that an error lists; more are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What one ``--set`` asks for."""

    address: str
    """Node and input, joined by a dot."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A value and the input it goes to."""

    node: str
    input: str
    value: object
    file: Path | None
    """A file of this machine that the server has to be given first; its name there is then the value."""

    def with_value(self, value: object) -> "Assignment":
        """The same for another value."""
        return replace(self, value=value, file=None)


def parse_setting(text: str) -> Setting:
    """Split ``node.input=value``.

    Args:
        text: as typed.

    Returns:
        Its parts; the value may hold further equals signs.

    Raises:
        WorkflowError: there is no dot before the equals sign, or none at all.
    """
    address, equals, value = text.partition("=")
    node, _, name = address.strip().rpartition(".")
    if not (equals and node and name):
        raise WorkflowError(
            f"{text!r} sets nothing; write it like 'KSampler.seed=7', node, dot, input, value"
        )
    return Setting(address=address.strip(), text=value)


def resolve(setting: Setting, prompt: Prompt, definitions: Mapping[str, Definition]) -> Assignment:
    """Find the input that is meant, and read the value as that input's type.

    Args:
        setting: what is asked for.
        prompt: the workflow.
        definitions: the nodes of the server.

    Returns:
        What to set; no node, input or value of that name, or several nodes of it, is refused.
    """
    node, name = _find_node(setting.address, prompt, definitions)
    one = _find_input(node, name, prompt, definitions)
    local = Path(setting.text).expanduser()
    if one.takes_files and setting.text and local.is_file():
        return Assignment(node=node, input=name, value=setting.text, file=local)
    value = _value(one, setting.text, f"{title_of(prompt, node)}.{name}")
    return Assignment(node=node, input=name, value=value, file=None)


def _find_node(address: str, prompt: Prompt, definitions: Mapping[str, Definition]) -> tuple[str, str]:
    """Node and input of an address; titles and inputs may hold dots themselves, so every dot is tried."""
    dots = [index for index, letter in enumerate(address) if letter == "."]
    splits = [(address[:dot], address[dot + 1 :]) for dot in dots]
    matches = [(nodes, name) for called, name in splits if (nodes := _nodes_called(called, prompt))]
    known = [(nodes, name) for nodes, name in matches if _has_input(nodes[0], name, prompt, definitions)]
    for nodes, name in known or matches:
        if len(nodes) == 1:
            return nodes[0], name
        raise WorkflowError(
            f"{address!r} can be any of {len(nodes)} nodes; use the id: {_list(nodes, prompt)}"
        )
    raise WorkflowError(f"no node is called {splits[-1][0]!r}; there are {_list(list(prompt), prompt)}")


def _nodes_called(called: str, prompt: Prompt) -> list[str]:
    """The node of that id, or else those of that title, or else those of that class."""
    if called in prompt:
        return [called]
    wanted = called.casefold()
    titled = [node for node in prompt if title_of(prompt, node).casefold() == wanted]
    return titled or [node for node, entry in prompt.items() if entry["class_type"].casefold() == wanted]


def _has_input(node: str, name: str, prompt: Prompt, definitions: Mapping[str, Definition]) -> bool:
    return any(one.name == name for one in _inputs(node, prompt, definitions))


def _inputs(node: str, prompt: Prompt, definitions: Mapping[str, Definition]) -> list[Input]:
    entry = prompt[node]
    return definitions[entry["class_type"]].inputs_at(entry["inputs"])


def _list(nodes: Sequence[str], prompt: Prompt) -> str:
    return ", ".join(f"{node} ({title_of(prompt, node)})" for node in nodes)


def _find_input(node: str, name: str, prompt: Prompt, definitions: Mapping[str, Definition]) -> Input:
    """The input of that name, if it is one that takes a value."""
    inputs = _inputs(node, prompt, definitions)
    fields = ", ".join(one.name for one in inputs if _takes_value(one)) or "none"
    for one in inputs:
        if one.name == name and _takes_value(one):
            return one
        if one.name == name:
            raise WorkflowError(
                f"input {name!r} of {title_of(prompt, node)} takes a {one.kind} from another node, not a"
                f" value; fields of it are {fields}"
            )
    raise WorkflowError(f"{title_of(prompt, node)} has no input {name!r}; fields of it are {fields}")


def _takes_value(one: Input) -> bool:
    return one.kind in FIELDS or one.is_field


def _value(one: Input, text: str, where: str) -> object:
    """A text as the type of an input.

    Args:
        one: the input.
        text: as typed.
        where: what to call it in an error.

    Returns:
        The value.

    Raises:
        WorkflowError: it does not read as one.
    """
    if one.kind in (COMBO, DYNAMIC):
        return _choice(one, text, where)
    if one.kind == "BOOLEAN":
        return _truth(text, where)
    try:
        return {"INT": int, "FLOAT": float}.get(one.kind, str)(text)
    except ValueError as error:
        wanted = "a whole number" if one.kind == "INT" else "a number"
        raise WorkflowError(f"{where} is {wanted}, not {text!r}; write it like {one.initial}") from error


def _truth(text: str, where: str) -> bool:
    word = text.strip().lower()
    if word not in YES + NO:
        raise WorkflowError(f"{where} is yes or no, not {text!r}; write true or false")
    return word in YES


def _choice(one: Input, text: str, where: str) -> object:
    """The choice that reads like a text; a list that the server does not tell takes anything."""
    if not one.choices and not one.takes_files:
        return text
    for choice in one.choices:
        if str(choice) == text:
            return choice
    file = ", and there is no such file here to send" if one.takes_files else ""
    raise WorkflowError(f"{where} has no choice {text!r}{file}; it has {_some(one.choices)}")


def _some(choices: Sequence[object]) -> str:
    shown = ", ".join(str(choice) for choice in choices[:MANY])
    return f"{shown} and {len(choices) - MANY} more" if len(choices) > MANY else shown or "none"


def assign(prompt: Prompt, one: Assignment) -> Prompt:
    """A copy of a prompt with a value put in; a wire that led to its input is gone."""
    entry = prompt[one.node]
    return prompt | {one.node: entry | {"inputs": entry["inputs"] | {one.input: one.value}}}
