"""FlowEdit as the host's GUIDER and SAMPLER: any rectified flow edits by words, without inversion."""

from typing import Any

from comfy_api.latest import io

from ..moviegen_core.stages.flow_edit import FlowEditSettings
from ..moviegen_core.stages.settings import MAX_GUIDANCE
from .host import flow_edit
from .keep import CATEGORY

DEFAULTS = FlowEditSettings()


class MovieGenFlowEditGuider(io.ComfyNode):
    """Two prompts for one clip: what it shows and what it shall show."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenFlowEditGuider",
            display_name="FlowEdit Guider",
            category=CATEGORY,
            description="Tell a model what a clip shows and what it shall show. With the FlowEdit Sampler in"
            " SamplerCustomAdvanced, any rectified flow (Wan, LTX, Hunyuan Video, Flux, nano) edits it.",
            inputs=[
                io.Model.Input("model", tooltip="Any rectified flow model, as its own loader gives it."),
                io.Conditioning.Input("source", tooltip="What the clip shows now."),
                io.Conditioning.Input("target", tooltip="What it shall show: the same words, one changed."),
                io.Conditioning.Input("negative", tooltip="What guidance pulls away from; mostly no words."),
                io.Float.Input(
                    "source_guidance",
                    default=DEFAULTS.source_guidance,
                    min=0.0,
                    max=MAX_GUIDANCE,
                    step=0.1,
                    tooltip="How hard the source's words pull; more erases more of what they name.",
                ),
                io.Float.Input(
                    "target_guidance",
                    default=DEFAULTS.target_guidance,
                    min=0.0,
                    max=MAX_GUIDANCE,
                    step=0.1,
                    tooltip="How hard the wanted words pull; both at 1 take half the time.",
                ),
            ],
            outputs=[io.Guider.Output(display_name="guider", tooltip="For SamplerCustomAdvanced.")],
        )

    @classmethod
    def execute(
        cls,
        model: Any,  # noqa: ANN401
        source: Any,  # noqa: ANN401
        target: Any,  # noqa: ANN401
        negative: Any,  # noqa: ANN401
        source_guidance: float,
        target_guidance: float,
    ) -> io.NodeOutput:
        """Put them together."""
        guider = flow_edit.FlowEditGuider(model)
        guider.set_conds(source, target, negative)
        guider.set_cfg(source_guidance, target_guidance)
        return io.NodeOutput(guider)


class MovieGenFlowEditSampler(io.ComfyNode):
    """The solver that follows the difference of two flows."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenFlowEditSampler",
            display_name="FlowEdit Sampler",
            category=CATEGORY,
            description="Carry a clip from what its words say to what others say: no inversion, and with"
            " equal words it stays as it is. The first of the noise levels says how far it may change.",
            inputs=[
                io.Int.Input(
                    "averages",
                    default=DEFAULTS.num_averages,
                    min=1,
                    max=64,
                    tooltip="Noises that each step is averaged over: more are steadier and as much slower.",
                ),
            ],
            outputs=[
                io.Sampler.Output(
                    display_name="sampler", tooltip="For SamplerCustomAdvanced, with the FlowEdit Guider."
                )
            ],
        )

    @classmethod
    def execute(cls, averages: int) -> io.NodeOutput:
        """Make it."""
        return io.NodeOutput(flow_edit.FlowEditSampler(averages))


NODES = (MovieGenFlowEditGuider, MovieGenFlowEditSampler)
