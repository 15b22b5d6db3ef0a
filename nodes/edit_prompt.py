"""An instruction and what a clip shows become what it shall show: visible rules, nothing generated."""

import re

from comfy_api.latest import io, ui

from ..moviegen_core.errors import PromptError
from ..moviegen_core.stages.instruction import target_caption
from .host import report
from .keep import CATEGORY
from .prompt import CAMERAS

BY_HAND = "written by hand"
_FORM = re.compile(rf"^\s*FPS-\d+\.\s*(?:(?:{'|'.join(CAMERAS)})\.\s*)?", re.I)
"""What Movie Gen Prompt puts before an artist's words."""


class MovieGenEditPrompt(io.ComfyNode):
    """The caption of an edited clip."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenEditPrompt",
            display_name="Edit Prompt",
            category=CATEGORY,
            description="Turn an instruction and what a clip shows into what it shall show, for models that"
            " read captions and no instructions. Plain rules, in English; the node says which one it used.",
            inputs=[
                io.String.Input(
                    "instruction",
                    multiline=True,
                    dynamic_prompts=True,
                    default="make the ball blue",
                    tooltip="What to change: a colour, a thing, the background, the weather, the look.",
                ),
                io.String.Input(
                    "caption",
                    multiline=True,
                    dynamic_prompts=True,
                    default="a red ball bounces on the beach",
                    tooltip="What the clip shows now; may be empty. Rate and camera in front are left away.",
                ),
                io.String.Input(
                    "by_hand",
                    multiline=True,
                    dynamic_prompts=True,
                    default="",
                    tooltip="Where the rules are wrong: what the clip shall show, in your words; it is taken"
                    " instead.",
                ),
            ],
            outputs=[
                io.String.Output(display_name="target", tooltip="What the clip shall show; never empty."),
                io.String.Output(display_name="source", tooltip="What it shows, in plain words."),
                io.String.Output(display_name="rule", tooltip="Which way of asking was recognized."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, instruction: str, caption: str, by_hand: str) -> io.NodeOutput:
        """Follow the rules and show them."""
        target, source, rule = captions(instruction, caption, by_hand)
        words = f"{target}\n({rule})"
        report.say_on_node(cls.hidden, words)
        return io.NodeOutput(target, source, rule, ui=ui.PreviewText(words))


def captions(instruction: str, caption: str, by_hand: str = "") -> tuple[str, str, str]:
    """What a clip shall show, what it shows, and how the one was found from the other.

    Args:
        instruction: such as "make the ball blue"; not needed when the caption is written by hand.
        caption: of the clip as it is, also in the form of Movie Gen Prompt.
        by_hand: the wanted caption; empty to follow the rules.

    Returns:
        Target, source and the name of the rule.

    Raises:
        PromptError: the instruction asks for nothing.
    """
    source = plain(caption)
    if by_hand.strip():
        return plain(by_hand), source, BY_HAND
    try:
        found = target_caption(instruction, source)
    except PromptError as error:
        raise PromptError(f"{error}, or write by_hand what the clip shall show") from error
    return found.text, source, found.rule


def plain(caption: str) -> str:
    """A caption without rate and camera."""
    return _FORM.sub("", caption).strip()


NODES = (MovieGenEditPrompt,)
