"""The prompt in the form the models were trained on."""

from typing import Any

from comfy_api.latest import io, ui

from ..moviegen_core.errors import PromptError
from ..moviegen_core.geometry import parse_fps
from ..moviegen_core.models.prompt import format_prompt
from ..moviegen_core.models.text import check_prompt
from .host import clip as host_clip
from .host import report

NO_CAMERA = "not said"
CAMERAS = (
    *("static shot", "zoom in", "zoom out", "push in", "pull out", "pan left", "pan right"),
    *("truck left", "truck right", "tilt up", "tilt down", "pedestal up", "pedestal down"),
    *("arc shot", "tracking shot", "handheld shot"),
)
"""The sixteen camera motions that the paper's classifier tells apart; nano never saw an arc shot."""


class MovieGenPrompt(io.ComfyNode):
    """Words, camera and rate become the prompt."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenPrompt",
            display_name="Movie Gen Prompt",
            category="Movie Gen/prompt",
            description="Write a prompt as the models were trained to read it: rate and camera first, then"
            " your words, unchanged. The node shows the result.",
            inputs=[
                io.Clip.Input("clip", tooltip="From Load Movie Gen."),
                io.String.Input(
                    "text",
                    multiline=True,
                    dynamic_prompts=True,
                    default="a red ball bounces on the beach",
                    tooltip="What the clip shows. (word:1.3) says a word louder, (word:0.5) softer. Empty is"
                    " what guidance pulls away from: the negative prompt.",
                ),
                io.Combo.Input(
                    "camera",
                    options=[NO_CAMERA, *CAMERAS],
                    default=NO_CAMERA,
                    tooltip="How the camera moves, in the words of the training captions. nano was taught"
                    " all but arc shot.",
                ),
                io.Float.Input(
                    "fps",
                    default=16.0,
                    min=1.0,
                    max=240.0,
                    step=0.001,
                    tooltip="Frames per second; the prompt says it, and it goes on to Empty Movie Latent and"
                    " Create Video.",
                ),
                io.Float.Input(
                    "seconds",
                    default=2.0,
                    min=0.0,
                    max=64.0,
                    step=0.1,
                    tooltip="Length of the clip, passed on to Empty Movie Latent; 0 is a single picture.",
                ),
            ],
            outputs=[
                io.Conditioning.Output(
                    display_name="conditioning", tooltip="For a sampler's positive or negative."
                ),
                io.String.Output(display_name="prompt", tooltip="The prompt as it was encoded."),
                io.Float.Output(display_name="fps", tooltip="The rate you set."),
                io.Float.Output(display_name="seconds", tooltip="The length you set."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, clip: Any, text: str, camera: str, fps: float, seconds: float) -> io.NodeOutput:  # noqa: ANN401
        """Encode it and show it."""
        prompt = full_prompt(text, camera, fps, host_clip.max_bytes(clip))
        conditioning = clip.encode_from_tokens_scheduled(clip.tokenize(prompt))
        report.say_on_node(cls.hidden, prompt or "no prompt: what the model makes without words")
        return io.NodeOutput(conditioning, prompt, fps, seconds, ui=ui.PreviewText(prompt))


def full_prompt(text: str, camera: str, fps: float, max_bytes: int | None) -> str:
    """The prompt in the training form.

    Args:
        text: the artist's words; nothing at all makes the empty prompt.
        camera: one of ``CAMERAS``, or ``NO_CAMERA``.
        fps: frames per second.
        max_bytes: what the encoder reads; None when it is not known.

    Returns:
        Rate, camera and words.

    Raises:
        PromptError: a camera without words, or more words than the encoder reads.
    """
    label = None if camera == NO_CAMERA else camera
    if not text.strip() and label is not None:
        raise PromptError(
            f"the camera is {camera!r} and the text is empty; describe the clip, or set camera to"
            f" {NO_CAMERA!r}"
        )
    if text.strip() and max_bytes is not None:
        check_prompt(text, max_bytes)
    return format_prompt(text, parse_fps(fps), label)


NODES = (MovieGenPrompt,)
