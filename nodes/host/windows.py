"""Clips longer than a model learnt to see: windows in time, by the host's own handling of windows.

The host cuts the latent and all conditioning that belongs to its frames, asks the model window by window at
every step, and adds up. Ours are only the places of the windows and their weights, which are the core's.
"""

from typing import Any

import comfy.context_windows
import comfy.model_patcher

from ...moviegen_core.errors import GeometryError
from ...moviegen_core.flow.windows import spread_windows, trapezoid
from ...moviegen_core.models.video import VideoTransformerConfig

TIME = 2
"""The axis of a clip's latent, (B, C, T, H, W), that is cut."""
VIDEO_AXES = 3
"""Of a latent cell: time, height, width."""


class SpreadWindows(comfy.context_windows.IndexListContextHandler):
    """Windows of one length, evenly spread, that fade into each other over all that they share."""

    def __init__(self, window: int, overlap: int, is_causal: bool) -> None:
        windows = comfy.context_windows
        super().__init__(
            context_schedule=windows.ContextSchedule("moviegen", places),
            fuse_method=windows.ContextFuseMethod("moviegen", weights),
            context_length=window,
            context_overlap=overlap,
            dim=TIME,
        )
        self.causal_window_fix = is_causal  # newer hosts show a window the latent frame before it

    def set_step(self, *_given: Any) -> None:  # noqa: ANN401 - the host's
        """Windows do not move from step to step; older hosts stop here when a sampler asks between steps."""


def places(length: int, handler: SpreadWindows, _options: dict[str, Any]) -> list[list[int]]:
    """Latent frames of each window, as the host lists them."""
    spread = spread_windows(length, handler.context_length, handler.context_overlap)
    return [list(range(place.start, place.stop)) for place, _ in spread]


def weights(_length: int, *, full_length: int, idxs: list[int], **given: Any) -> list[float]:  # noqa: ANN401
    """How much each latent frame of a window counts; the host divides by the sum over windows."""
    overlap = given.get("context_overlap", given["handler"].context_overlap)
    return trapezoid(slice(idxs[0], idxs[-1] + 1), full_length, overlap).tolist()


def learnt_window(model: comfy.model_patcher.ModelPatcher) -> int | None:
    """Latent frames that one of our models learnt to see at once; None of other models."""
    config = getattr(model.get_model_object("diffusion_model"), "config", None)
    is_ours = isinstance(config, VideoTransformerConfig)
    return config.table_sizes[0] * config.patch[0] if is_ours else None


def check_clips(model: comfy.model_patcher.ModelPatcher) -> None:
    """Refuse a model of pictures or sound.

    Args:
        model: the host's.

    Raises:
        GeometryError: its latents have no frames.
    """
    if getattr(model.get_model_object("latent_format"), "latent_dimensions", 2) != VIDEO_AXES:
        raise GeometryError(
            "this model does not make clips, its latents have no frames to cut into windows; connect a video"
            " model"
        )


def in_windows(
    model: comfy.model_patcher.ModelPatcher, window: int, overlap: int
) -> comfy.model_patcher.ModelPatcher:
    """A copy of a MODEL that samples longer clips in windows, with the memory of one.

    Args:
        model: makes clips.
        window: latent frames at once.
        overlap: of them shared with the next window.

    Returns:
        The copy.
    """
    patched = model.clone()
    patched.model_options["context_handler"] = SpreadWindows(
        window, overlap, is_causal=learnt_window(model) is None
    )
    comfy.context_windows.create_prepare_sampling_wrapper(patched)
    return patched
