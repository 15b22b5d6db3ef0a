"""What an artist sees while a clip is made: the whole clip, moving, in the sampler node's own preview slot.

The host sends one still picture per step. Between steps this sends the frames of the latest estimate one
after the other, so that every frontend, which shows the newest picture it got, plays the clip.
"""

# Shape letters: B clip, C channel, T latent frame, H row, W column.

import threading
import time
from collections.abc import Callable
from typing import Any

import comfy_execution.progress
import comfy_execution.utils
from comfy.cli_args import LatentPreviewMethod, args
from PIL import Image
from torch import Tensor

from ...moviegen_core.errors import GeometryError
from ..convert import check_frames

PICTURES_PER_SECOND = 8
PICTURE_SIDE = 256
"""At most; half of the host's own is a quarter of the work, and there is no more to see."""
FRAMES_PER_PICTURE = 2
"""Every second frame is shown: a clip of 16 frames a second plays at its own speed."""

Show = Callable[[Tensor, int, int], None]
"""(frame (H, W, 3) uint8, steps done, all steps) -> the preview slot."""
OnStep = Callable[[int, Tensor, Tensor, int], None]
"""The host's: (steps done before, estimate, state, all steps)."""


class ClipPlayer:
    """Plays the latest estimate in a thread of its own, between entering and leaving."""

    def __init__(self, latent_format: Any, show: Show) -> None:  # noqa: ANN401 - MovieGenLatent
        self.latent_format, self.show = latent_format, show
        self.latent: Tensor | None = None
        self.progress, self.start = (0, 0), time.monotonic()
        self.is_over, self.wake = False, threading.Event()
        self.thread = threading.Thread(target=self._play, name="moviegen-preview", daemon=True)

    def __enter__(self) -> "ClipPlayer":
        self.thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.is_over = True
        self.wake.set()
        self.thread.join()
        self.latent_format.shown_cell = 0

    def update(self, estimate_BCTHW: Tensor, steps: int, all_steps: int) -> None:
        """Play this estimate from now on, from where the last one was."""
        self.latent, self.progress = estimate_BCTHW[0].clone(), (steps, all_steps)

    def cover(self) -> None:
        """Show a picture at once, over the coarser still that the host has just sent."""
        self.wake.set()

    def _play(self) -> None:
        while not self.is_over:
            self.wake.wait(1 / PICTURES_PER_SECOND)
            self.wake.clear()
            if self.latent is not None and not self.is_over:
                self._show_now(self.latent)

    def _show_now(self, latent_CTHW: Tensor) -> None:
        cell_frames = self.latent_format.temporal_downscale_ratio
        played = int((time.monotonic() - self.start) * PICTURES_PER_SECOND) * FRAMES_PER_PICTURE
        cell, frame = divmod(played % (latent_CTHW.shape[1] * cell_frames), cell_frames)
        self.latent_format.shown_cell = cell
        self.show(self.latent_format.preview.frames(latent_CTHW[:, cell : cell + 1])[frame], *self.progress)


def watch_sampling(
    executor: Any,  # noqa: ANN401 - the host's chain of wrappers
    noise: Tensor,
    latent_image: Tensor,
    sampler: Any,  # noqa: ANN401
    sigmas: Tensor,
    denoise_mask: Tensor | None = None,
    callback: OnStep | None = None,
    *rest: Any,  # noqa: ANN401
    **options: Any,  # noqa: ANN401
) -> Tensor:
    """The host's sampling of one of our models, whichever node asked: checked, and shown while it runs."""
    model = executor.class_obj.model_patcher.model
    check_latent(latent_image, model.latent_format.latent_channels, model.diffusion_model.config.patch)
    start = (noise, latent_image, sampler, sigmas, denoise_mask)
    show = preview_slot() if latent_image.shape[2] > 1 else None
    if show is None:
        return executor(*start, callback, *rest, **options)
    with ClipPlayer(model.latent_format, show) as player:
        return executor(*start, _both(player, callback), *rest, **options)


def _both(player: ClipPlayer, callback: OnStep | None) -> OnStep:
    def on_step(step: int, estimate: Tensor, state: Tensor, all_steps: int) -> None:
        player.update(estimate, step + 1, all_steps)
        if callback is not None:
            callback(step, estimate, state, all_steps)
            player.cover()

    return on_step


def check_latent(latent: Tensor, channels: int, patch: tuple[int, int, int]) -> None:
    """Refuse a latent that our models cannot read.

    Args:
        latent: (B, C, T, H, W) that the sampler starts from.
        channels: what the model reads.
        patch: latent cells per token.

    Raises:
        GeometryError: another family's latent, none at all, or a size that is not whole tokens.
    """
    check_frames(latent)
    if latent.ndim != 5 or latent.shape[1] != channels:
        raise GeometryError(
            f"the latent has {latent.shape[1]} channels and this model works on {channels}; it was made for"
            " another family of models: start from Empty Movie Latent, or encode with the VAE of Load Movie"
            " Gen"
        )
    height, width = (side * 8 for side in latent.shape[3:])
    if any(size % side for size, side in zip(latent.shape[2:], patch, strict=True)):
        good = [
            max(1, round(side / 8 / cells)) * cells * 8
            for side, cells in ((width, patch[2]), (height, patch[1]))
        ]
        raise GeometryError(
            f"a latent of {width}x{height} pixels does not fit this model, whose sides are multiples of"
            f" {8 * patch[1]}; make it {good[0]}x{good[1]}"
        )


def previews_on() -> bool:
    """Whether the user wants previews."""
    return args.preview_method != LatentPreviewMethod.NoPreviews


def preview_slot() -> Show | None:
    """The preview slot of the node that is running; None where no node runs or previews are off."""
    context = comfy_execution.utils.get_executing_context()
    if context is None or not previews_on():
        return None
    registry, node = comfy_execution.progress.get_progress_state(), context.node_id

    def show(frame: Tensor, steps: int, all_steps: int) -> None:
        picture = ("JPEG", Image.fromarray(frame.numpy()), min(PICTURE_SIDE, args.preview_size))
        registry.update_progress(node, steps, all_steps, picture)

    return show
