"""Editing by instruction with a model that was taught it: what it is told, and how hard each part pulls."""

# Shape letters: T frame, H row, W column.

from typing import Any

import torch
from comfy_api.latest import io, ui
from torch import Tensor

from ..moviegen_core.errors import GeometryError
from ..moviegen_core.flow.guidance import USUAL_PULLS, EditGuidance
from ..moviegen_core.geometry import check_size, parse_fps
from ..moviegen_core.models.edit import TASKS
from ..moviegen_core.models.prompt import format_prompt
from ..moviegen_core.models.text import check_prompt
from ..moviegen_core.stages.edit_model import task_of
from ..moviegen_core.stages.settings import MAX_GUIDANCE
from .convert import TASK, told
from .host import clip as host_clip
from .host import edit as host_edit
from .host import report
from .keep import CATEGORY
from .latent import GRID, MULTIPLE

BY_RULE = "by the instruction"
MODEL_TIP = "From Load Movie Gen, role edit."


class MovieGenEditConditioning(io.ComfyNode):
    """What an edit model is told: source, instruction and task."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenEditConditioning",
            display_name="Edit Conditioning",
            category=CATEGORY,
            description="Tell an edit model which clip to change and how. Three conditionings, for Edit"
            " Guider or ComfyUI's own DualCFGGuider: source and instruction, the source alone, nothing.",
            inputs=[
                io.Clip.Input("clip", tooltip=MODEL_TIP),
                io.Vae.Input("vae", tooltip=MODEL_TIP),
                io.Image.Input("images", tooltip="The frames of the clip; sides are multiples of 16."),
                io.String.Input(
                    "instruction",
                    multiline=True,
                    dynamic_prompts=True,
                    default="make the ball blue",
                    tooltip="What to change, in a sentence.",
                ),
                io.Float.Input(
                    "fps",
                    default=16.0,
                    min=1.0,
                    max=240.0,
                    step=0.001,
                    tooltip="Frames per second of the clip; the prompt says it.",
                ),
                io.Combo.Input(
                    "task",
                    options=[BY_RULE, *TASKS[1:]],
                    default=BY_RULE,
                    tooltip="What kind of edit it is; the rules of Edit Prompt find it in the instruction.",
                ),
            ],
            outputs=[
                io.Conditioning.Output(display_name="positive", tooltip="Source and instruction."),
                io.Conditioning.Output(display_name="source", tooltip="The source alone."),
                io.Conditioning.Output(display_name="negative", tooltip="Nothing: a black clip, no words."),
                io.Latent.Output(display_name="latent", tooltip="Where sampling starts, its frames counted."),
                io.String.Output(display_name="task", tooltip="The kind of edit that is asked for."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        clip: Any,  # noqa: ANN401
        vae: Any,  # noqa: ANN401
        images: Tensor,
        instruction: str,
        fps: float,
        task: str,
    ) -> io.NodeOutput:
        """Encode all of it."""
        kind = task_of(instruction) if task == BY_RULE else task
        latents = [vae.encode(one) for one in (checked(images), torch.zeros_like(images[..., :3]))]
        conditionings = edit_conditionings(clip, instruction, fps, kind, latents[0], latents[1])
        report.say_on_node(cls.hidden, kind)
        start = {"samples": torch.zeros_like(latents[0]), "frames": len(images)}
        start |= {"downscale_ratio_spacial": GRID.height, "downscale_ratio_temporal": GRID.frames}
        return io.NodeOutput(*conditionings, start, kind, ui=ui.PreviewText(kind))


def checked(images_THWC: Tensor) -> Tensor:
    """Frames that an edit model can read.

    Args:
        images_THWC: the host's IMAGE.

    Returns:
        Its three colours.

    Raises:
        GeometryError: none at all, or sides that are not whole patches.
    """
    if not len(images_THWC):
        raise GeometryError("there are no frames to edit; give a clip of at least one")
    check_size(*images_THWC.shape[1:3], MULTIPLE)
    return images_THWC[..., :3]


def edit_conditionings(
    clip: Any,  # noqa: ANN401
    instruction: str,
    fps: float,
    task: str,
    source: Tensor,
    black: Tensor,
) -> tuple[Any, Any, Any]:
    """What an edit model is told, branch by branch.

    Args:
        clip: the host's, of the role edit.
        instruction: what to change.
        fps: of the clip.
        task: one of ``TASKS``.
        source: latent of the clip.
        black: latent of a black one.

    Returns:
        Source and instruction, the source alone, nothing.
    """
    room = host_clip.max_bytes(clip)
    if room is not None:
        check_prompt(instruction, room)
    words, nothing = (
        clip.encode_from_tokens_scheduled(clip.tokenize(text))
        for text in (format_prompt(instruction, parse_fps(fps)), "")
    )
    rows = ((words, source), (nothing, source), (nothing, black))
    first, second, third = (
        told(text, **{"concat_latent_image": latent, TASK: task}) for text, latent in rows
    )
    return first, second, third


class MovieGenEditGuider(io.ComfyNode):
    """Separate pulls to source and instruction."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenEditGuider",
            display_name="Edit Guider",
            category=CATEGORY,
            description="Guide an edit model with two pulls: how close to the source, how hard the"
            " instruction. The three conditionings come from Edit Conditioning.",
            inputs=[
                io.Model.Input("model", tooltip=MODEL_TIP),
                io.Conditioning.Input("positive", tooltip="Source and instruction."),
                io.Conditioning.Input("source", tooltip="The source alone."),
                io.Conditioning.Input("negative", tooltip="Nothing."),
                io.Float.Input(
                    "source_pull",
                    default=USUAL_PULLS.video,
                    min=0.0,
                    max=MAX_GUIDANCE,
                    step=0.1,
                    tooltip="How hard the source pulls; more keeps more of it.",
                ),
                io.Float.Input(
                    "text_pull",
                    default=USUAL_PULLS.text,
                    min=0.0,
                    max=MAX_GUIDANCE,
                    step=0.1,
                    tooltip="How hard the instruction pulls; more changes more.",
                ),
            ],
            outputs=[io.Guider.Output(display_name="guider", tooltip="For SamplerCustomAdvanced.")],
        )

    @classmethod
    def execute(
        cls,
        model: Any,  # noqa: ANN401
        positive: Any,  # noqa: ANN401
        source: Any,  # noqa: ANN401
        negative: Any,  # noqa: ANN401
        source_pull: float,
        text_pull: float,
    ) -> io.NodeOutput:
        """Put them together."""
        guider = host_edit.EditGuider(model)
        guider.set_conds(positive, source, negative)
        guider.set_cfg(EditGuidance(source_pull, text_pull))
        return io.NodeOutput(guider)


NODES = (MovieGenEditConditioning, MovieGenEditGuider)
