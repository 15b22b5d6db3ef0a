"""How noise is taken away: the paper's schedule for any sampler that takes SIGMAS."""

from typing import Any

from comfy_api.latest import io

from ..moviegen_core.flow.schedule import linear_quadratic_times
from .convert import sigmas_from_times


class MovieGenSchedule(io.ComfyNode):
    """The linear-quadratic schedule, for any step count and N."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenSchedule",
            display_name="Movie Gen Schedule",
            category="Movie Gen/sampling",
            description="The paper's linear-quadratic schedule: the first half of the steps are as fine as"
            " those of a much longer linear schedule, the others grow. Works with any flow model.",
            inputs=[
                io.Model.Input("model", tooltip="Whose range of noise levels to cover; any model."),
                io.Int.Input(
                    "steps",
                    default=50,
                    min=1,
                    max=1000,
                    tooltip="Sampling steps, at most as many as imitated.",
                ),
                io.Int.Input(
                    "imitated_steps",
                    default=250,
                    min=1,
                    max=1000,
                    tooltip="N: the linear schedule whose first steps are copied. The paper uses 250 and"
                    " shows 1000; the same number as steps makes a plain linear schedule.",
                ),
                io.Float.Input(
                    "denoise",
                    default=1.0,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip="Noise level to start from: 1 makes a clip from nothing, 0.5 keeps half of the"
                    " one you give.",
                ),
            ],
            outputs=[
                io.Sigmas.Output(display_name="sigmas", tooltip="For SamplerCustom or SamplerCustomAdvanced.")
            ],
        )

    @classmethod
    def execute(cls, model: Any, steps: int, imitated_steps: int, denoise: float) -> io.NodeOutput:  # noqa: ANN401
        """One line of the core, in the host's terms."""
        most = float(model.get_model_object("model_sampling").sigma_max) * denoise
        sigmas = sigmas_from_times(linear_quadratic_times(steps, grid=imitated_steps))
        return io.NodeOutput(sigmas * most if denoise else sigmas[:0])


NODES = (MovieGenSchedule,)
