"""The whole of editing in one node: read the instruction, change the clip, keep what was not asked."""

# Shape letters: C channel, T frame, H row, W column.

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import torch
from comfy_api.latest import io
from torch import Tensor

from ..moviegen_core.flow.guidance import USUAL_PULLS, EditGuidance
from ..moviegen_core.geometry import ClipShape
from ..moviegen_core.stages.edit import AUTO, EVERYTHING, Locality, edit_file, made_as
from ..moviegen_core.stages.edit_model import task_of
from ..moviegen_core.stages.flow_edit import FlowEditSettings
from ..moviegen_core.stages.generate import check_shape, full_prompt
from ..moviegen_core.stages.instruction import check_instruction
from ..moviegen_core.stages.locality.files import clip_shape
from ..moviegen_core.stages.locality.matte import MatteSettings
from ..moviegen_core.stages.settings import MAX_GUIDANCE, SEED_RANGE, SamplingSettings
from .edit import edit_conditionings
from .edit_prompt import captions
from .host import exact, movie_edit, sampling
from .host import video as host_video
from .keep import CATEGORY, composited_output, keep_outputs, mask_field, mask_file, matte_fields

DEFAULTS = FlowEditSettings()
KEEP, SHOW_ALL = "what did not change", "nothing"
USUAL = 0.0
"""Stands for the pull that suits the model."""
STEP_WEIGHT = 10
"""A step on the bar, in frames written."""
Change = Callable[[Tensor, ClipShape], Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked for."""

    instruction: str
    caption: str
    by_hand: str
    strength: float
    num_steps: int
    source_pull: float
    text_pull: float
    num_averages: int
    seed: int

    def pulls(self, *usual: float) -> list[float]:
        """Of source and text; those that are not given as suits the model."""
        return [one or other for one, other in zip((self.source_pull, self.text_pull), usual, strict=True)]


class MovieGenEdit(io.ComfyNode):
    """A clip becomes a clip with one thing changed."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenEdit",
            display_name="Movie Gen Edit",
            category=CATEGORY,
            description="Change a clip by an instruction and keep everything that was not asked for, bit for"
            " bit: size, rate, length and sound stay. With the models of role edit by instruction, with"
            " those of role video by FlowEdit.",
            inputs=edit_fields(),
            outputs=[
                *keep_outputs(),
                io.String.Output(
                    display_name="caption", tooltip="What the clip shows now, for the next edit."
                ),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(  # noqa: PLR0913 - the fields of the form
        cls,
        model: Any,  # noqa: ANN401
        clip: Any,  # noqa: ANN401
        vae: Any,  # noqa: ANN401
        video: Any,  # noqa: ANN401
        instruction: str,
        caption: str,
        by_hand: str,
        strength: float,
        steps: int,
        source_pull: float,
        text_pull: float,
        averages: int,
        keep: str,
        grow: float,
        feather: float,
        sensitivity: float,
        seed: int,
        mask: Tensor | None = None,
    ) -> io.NodeOutput:
        """Read, change, composite, report."""
        editors = movie_edit.Editors(model=model, clip=clip, vae=vae)
        source = exact.exact_file_of(video)
        wish = Wish(
            instruction=instruction,
            caption=caption.strip() or made_as(source),
            by_hand=by_hand,
            strength=strength,
            num_steps=steps,
            source_pull=source_pull,
            text_pull=text_pull,
            num_averages=averages,
            seed=seed,
        )
        settings = MatteSettings(grow=grow, feather=feather, sensitivity=sensitivity)
        shown = str(mask_file(mask)) if mask is not None else AUTO if keep == KEEP else EVERYTHING
        return edited_output(cls, editors, wish, source, Locality(keep=shown, settings=settings))


def edit_fields() -> list[Any]:
    """The inputs of the one node."""
    return [
        io.Model.Input("model", tooltip="From Load Movie Gen, role video or edit."),
        io.Clip.Input("clip", tooltip="From the same."),
        io.Vae.Input("vae", tooltip="From the same."),
        io.Video.Input("video", tooltip="A clip of at most 64 seconds, of any size and rate."),
        *_words(),
        *_numbers(),
        io.Combo.Input(
            "keep",
            options=[KEEP, SHOW_ALL],
            default=KEEP,
            tooltip="What stays the source's own; with nothing the edit shows everywhere.",
        ),
        *matte_fields(),
        io.Int.Input(
            "seed",
            default=0,
            min=0,
            max=SEED_RANGE - 1,
            control_after_generate=True,
            tooltip="Decides the noise: another number, another edit.",
        ),
        mask_field(),
    ]


def _words() -> list[Any]:
    return [
        io.String.Input(
            "instruction",
            multiline=True,
            dynamic_prompts=True,
            default="make the ball blue",
            tooltip="What to change, in a sentence: a colour, a thing, the place, the weather, the look.",
        ),
        io.String.Input(
            "caption",
            multiline=True,
            dynamic_prompts=True,
            default="",
            tooltip="What the clip shows now; empty takes the prompt that our own files remember, or none. An"
            " edit model does not need it.",
        ),
        io.String.Input(
            "by_hand",
            multiline=True,
            dynamic_prompts=True,
            default="",
            tooltip="What it shall show, where the rules of Edit Prompt get it wrong. An edit model does not"
            " need it.",
        ),
    ]


def _numbers() -> list[Any]:
    return [
        io.Float.Input(
            "strength",
            default=DEFAULTS.strength,
            min=0.01,
            max=1.0,
            step=0.01,
            tooltip="Of FlowEdit: how much noise the edit starts from; near 1 the layout changes as well.",
        ),
        io.Int.Input("steps", default=DEFAULTS.num_steps, min=1, max=250, tooltip="Sampling steps."),
        io.Float.Input(
            "source_pull",
            default=USUAL,
            min=0.0,
            max=MAX_GUIDANCE,
            step=0.1,
            tooltip="How hard the source pulls, or its caption; 0 takes what suits the model: 2 for FlowEdit,"
            " 1.5 for an edit model.",
        ),
        io.Float.Input(
            "text_pull",
            default=USUAL,
            min=0.0,
            max=MAX_GUIDANCE,
            step=0.1,
            tooltip="How hard the wish pulls; 0 takes what suits the model: 5 for FlowEdit, 4 for an edit"
            " model.",
        ),
        io.Int.Input(
            "averages",
            default=DEFAULTS.num_averages,
            min=1,
            max=64,
            tooltip="Of FlowEdit: noises that each step is averaged over; more are steadier and as much"
            " slower.",
        ),
    ]


def edited_output(
    node: type[io.ComfyNode], editors: movie_edit.Editors, wish: Wish, source: Path, locality: Locality
) -> io.NodeOutput:
    """Change a file and say what became of it.

    Args:
        node: that is running.
        editors: the models.
        wish: what is asked for.
        source: the clip's file.
        locality: where the edit shows.

    Returns:
        VIDEO, matte, picture, report and caption.
    """
    frames = clip_shape(source).num_frames
    done = sampling.progress(STEP_WEIGHT * wish.num_steps + 2 * frames)
    written = count(STEP_WEIGHT * wish.num_steps + 1)

    def on_step(step: int) -> None:
        done(STEP_WEIGHT * step)

    change, caption, told = (instructed if editors.is_taught else captioned)(editors, wish, on_step)
    made = edit_file(
        editors.models(),
        source,
        host_video.new_file(".mkv"),
        change,
        locality=locality,
        on_frame=lambda: done(next(written)),
    )
    output = composited_output(node, made, told)
    return io.NodeOutput(*output.args, caption, ui=output.ui)


def captioned(
    editors: movie_edit.Editors, wish: Wish, on_step: sampling.OnStep
) -> tuple[Change, str, tuple[str, ...]]:
    """An edit by two captions.

    Args:
        editors: the models.
        wish: what is asked for.
        on_step: told how many steps are done.

    Returns:
        What changes a clip, its new caption, and what to tell.
    """
    target, caption, rule = captions(wish.instruction, wish.caption, wish.by_hand)
    pulls = wish.pulls(DEFAULTS.source_guidance, DEFAULTS.target_guidance)
    settings = FlowEditSettings(
        strength=wish.strength,
        num_steps=wish.num_steps,
        source_guidance=pulls[0],
        target_guidance=pulls[1],
        num_averages=wish.num_averages,
        seed=wish.seed,
    )

    def change(clip_CTHW: Tensor, shape: ClipShape) -> Tensor:
        models = editors.models()
        check_shape(models, shape)
        texts = [full_prompt(models, text, shape, None) if text.strip() else "" for text in (caption, target)]
        told = [
            editors.clip.encode_from_tokens_scheduled(editors.clip.tokenize(text)) for text in (*texts, "")
        ]
        return editors.flow_edited(clip_CTHW, shape, (told[0], told[1], told[2]), settings, on_step)

    unknown = () if caption else ("nobody said what the clip shows; with a caption the edit aims better",)
    return change, target, (f"{target} ({rule})", *unknown)


def instructed(
    editors: movie_edit.Editors, wish: Wish, on_step: sampling.OnStep
) -> tuple[Change, str, tuple[str, ...]]:
    """An edit by a model that was taught it.

    Args:
        editors: the models.
        wish: what is asked for.
        on_step: told how many steps are done.

    Returns:
        What changes a clip, its new caption as the rules see it, and what to tell.
    """
    check_instruction(wish.instruction)
    settings = SamplingSettings(num_steps=wish.num_steps, seed=wish.seed)
    guidance, task = EditGuidance(*wish.pulls(USUAL_PULLS.video, USUAL_PULLS.text)), task_of(wish.instruction)

    def change(clip_CTHW: Tensor, shape: ClipShape) -> Tensor:
        check_shape(editors.models(), shape)
        latents = [editors.encoded(one) for one in (clip_CTHW, torch.full_like(clip_CTHW, -1.0))]
        told = edit_conditionings(
            editors.clip, wish.instruction, float(shape.fps), task, latents[0], latents[1]
        )
        return editors.instructed(latents[0], shape, told, settings, guidance, on_step)

    return change, captions(wish.instruction, wish.caption)[0], (f"task: {task}",)


NODES = (MovieGenEdit,)
