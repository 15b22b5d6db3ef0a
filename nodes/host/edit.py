"""Our edit transformer as the host's MODEL: source beside the noise, task tokens, guidance of two pulls."""

# Shape letters: B clip, C channel, T latent frame, H row, W column.

from fractions import Fraction
from pathlib import Path
from typing import Any

import comfy.conds
import comfy.model_base
import comfy.model_patcher
import comfy.patcher_extension
import comfy.samplers
import comfy.utils
import torch
from torch import Tensor

from ...moviegen_core.errors import GeometryError
from ...moviegen_core.flow.guidance import EditGuidance
from ...moviegen_core.flow.windows import blend_windows, crossfade_windows
from ...moviegen_core.geometry import ClipShape
from ...moviegen_core.models.edit import TASKS, EditTransformer
from ...moviegen_core.stages.edit_model import RULE_TASKS, black_latent
from ...moviegen_core.stages.flow_edit import OVERLAP_CELLS, WINDOW_CELLS
from ...moviegen_core.weights.cast import open_cast
from ...moviegen_core.weights.files import load_model as load_core_model
from ..convert import TASK, prediction_from_velocity, times_from_timesteps
from .files import read_model_file
from .live import watch_sampling
from .model import MovieGenConfig, MovieGenModel, check_one_reader, patched, unmarked
from .operations import HostBuilt

ANY_TASK = RULE_TASKS["as it is"]
"""Where nobody told the task, as in a conditioning of the host's own nodes."""


class HostEditTransformer(HostBuilt, EditTransformer):
    """The core's edit transformer behind the host's calling convention; parameter names are the core's."""

    def forward(
        self,
        x: Tensor,
        timesteps: Tensor,
        context: Tensor,
        *,
        task: Tensor,
        **_options: Any,  # noqa: ANN401 - the host's
    ) -> Tensor:
        """Noise minus data; ``x`` has the source behind the noisy latent. Long clips go in windows."""
        tokens, mask = unmarked(context, self.config.context_widths[0])
        seen = self.context([tokens], None if mask is None else [mask])
        seen, vector_BC = self.computed_ahead(self.told(seen, task)), self.task_vector(task)
        noisy, source = x.split([self.config.latent_channels, self.config.extra_channels], dim=1)
        time_B, whole = times_from_timesteps(timesteps), super().forward

        def velocity(place: slice) -> Tensor:
            parts = {"extra_BCTHW": source[:, :, place], "task_BC": vector_BC}
            return whole(noisy[:, :, place], time_B, seen, **parts)

        length = x.shape[2]
        if length <= WINDOW_CELLS:
            return prediction_from_velocity(velocity(slice(None)))
        windows = crossfade_windows(length, WINDOW_CELLS, OVERLAP_CELLS)
        return prediction_from_velocity(blend_windows(velocity, windows, length, dim=-3))


class MovieGenEditModel(MovieGenModel):
    """The host's view of the edit transformer."""

    network = HostEditTransformer
    black: tuple[torch.Size, Tensor] | None = None
    """The latent of a black clip that was last needed, and its shape."""

    def concat_cond(self, **kwargs: Any) -> Tensor:  # noqa: ANN401 - the host's conditioning
        """The source, as the host's own InstructPixToPixConditioning gives it; black where there is none."""
        noise, source = kwargs["noise"], kwargs.get("concat_latent_image")
        latent = self.black_like(noise) if source is None else self.process_latent_in(source)
        check_source(latent, noise)
        return comfy.utils.resize_to_batch_size(latent.to(kwargs["device"]), noise.shape[0])

    def extra_conds(self, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401
        """What reaches ``forward``: text, source and task."""
        task = torch.tensor([TASKS.index(kwargs.get(TASK) or ANY_TASK)], device=kwargs["device"])
        return super().extra_conds(**kwargs) | {"task": comfy.conds.CONDRegular(task)}

    def black_like(self, noise: Tensor) -> Tensor:
        """What stands for no source."""
        if self.black is None or self.black[0] != noise.shape[2:]:
            tae = load_core_model(self.latent_format.tae_file, "tae")
            frames, height, width = noise.shape[2] * tae.grid.frames, *noise.shape[3:]
            sides = {"height": height * tae.grid.height, "width": width * tae.grid.width}
            shape = ClipShape(num_frames=frames, fps=Fraction(16), **sides)
            self.black = noise.shape[2:], black_latent(tae, shape, "cpu")
        return self.black[1]


def check_source(source: Tensor, noise: Tensor) -> None:
    """Refuse a source that does not lie under the latent.

    Args:
        source: (B, C, T, H, W).
        noise: what is sampled.

    Raises:
        GeometryError: sizes differ.
    """
    if source.shape[1:] != noise.shape[1:]:
        sizes = ["x".join(map(str, one.shape[1:])) for one in (source, noise)]
        raise GeometryError(
            f"the source is a latent of {sizes[0]} and the one to be sampled is {sizes[1]}; connect the"
            " latent of the same Edit Conditioning"
        )


class MovieGenEditConfig(MovieGenConfig):
    """What the host asks about an edit transformer before it builds it."""

    def get_model(
        self,
        state_dict: dict[str, Tensor],  # noqa: ARG002 - the host's signature
        prefix: str = "",  # noqa: ARG002
        device: torch.device | str | None = None,
    ) -> MovieGenEditModel:
        """The model, its weights not yet read."""
        return MovieGenEditModel(self, comfy.model_base.ModelType.FLOW, device=device)


def load_edit_model(
    path: Path, tae_file: Path | None = None, dtype: torch.dtype | None = None, disable_dynamic: bool = False
) -> comfy.model_patcher.ModelPatcher:
    """Load an edit transformer as MODEL; a file that is refused raises a WeightsError.

    Args:
        path: its weights file.
        tae_file: the autoencoder of its latents; the shipped one when None.
        dtype: what it is kept and computed in; the host's and the device's choice when None.
        disable_dynamic: the host asks for its classic memory handling.

    Returns:
        The host's patcher around the model.
    """
    file = read_model_file(path, "edit")
    check_one_reader(path, file.config.context_widths)
    patcher = patched(MovieGenEditConfig({"config": file.config}), file.state, dtype, disable_dynamic)
    patcher.model.latent_format.tae_file = tae_file or open_cast("nano").path("tae")
    patcher.cached_patcher_init = (load_edit_model, (path, tae_file, dtype))
    patcher.add_wrapper_with_key(comfy.patcher_extension.WrappersMP.OUTER_SAMPLE, "moviegen", watch_sampling)
    return patcher


class EditGuider(comfy.samplers.CFGGuider):
    """Nothing, the source alone, source and instruction: two pulls between the three."""

    guidance: EditGuidance

    def set_conds(self, instructed: Any, seen: Any, nothing: Any) -> None:  # noqa: ANN401 - CONDITIONING
        """All three; the middle one counts as a negative, as in the host's own dual guidance."""
        seen = [[tokens, options | {"prompt_type": "negative"}] for tokens, options in seen]
        self.inner_set_conds({"positive": instructed, "middle": seen, "negative": nothing})

    def set_cfg(self, guidance: EditGuidance) -> None:
        """How hard source and instruction pull."""
        self.guidance = guidance

    def predict_noise(
        self,
        x: Tensor,
        timestep: Tensor,
        model_options: dict[str, Any] | None = None,
        seed: int | None = None,  # noqa: ARG002 - the host's signature
    ) -> Tensor:
        """The three estimates combined: linear in them, as velocities are."""
        options = model_options or {}
        free, video, both = (self.conds[name] for name in ("negative", "middle", "positive"))
        found = comfy.samplers.calc_cond_batch(self.inner_model, [free, video, both], x, timestep, options)
        made = self.guidance.combine(*found)
        given = {"cond": both, "uncond": free, "cond_denoised": found[2], "uncond_denoised": found[0]}
        given |= {"cond_scale": self.guidance.text, "model": self.inner_model, "input": x, "sigma": timestep}
        for hook in options.get("sampler_post_cfg_function", []):
            made = hook(given | {"denoised": made, "model_options": options})
        return made
