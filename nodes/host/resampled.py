"""A generator at low noise as upscaler: frames enlarged plainly, then drawn again a little by any model."""

# Shape letters: B clip, C channel, T frame, H row, W column, F latent frame.

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import comfy.model_management
import torch.nn.functional as F
from torch import Tensor

from ...moviegen_core.errors import GeometryError, SettingsError
from ...moviegen_core.stages.content import content_key
from ...moviegen_core.stages.upsample import FrameNoise
from ...moviegen_core.stages.upscale import Piece, Upscaler
from ..convert import pixels_from_image

PATCH = 2
"""Latent cells along each side of a token, of nearly all models."""
USUAL_TILE = 768
"""What memory is reckoned for where whole frames are sampled."""
TILE_SHARE = 6
"""A tile shares this part of its side with its neighbour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redrawing:
    """What frames are drawn again with."""

    guider: Any
    sampler: Any
    sigmas: Tensor
    vae: Any
    seed: int

    @property
    def cell_frames(self) -> int:
        """Frames of a latent frame."""
        return self.vae.temporal_compression_decode() or 1

    @property
    def cell_side(self) -> int:
        """Pixels along each side of a latent cell."""
        return self.vae.spacial_compression_encode()


def redrawing_upscaler(work: Redrawing, *, window: int, overlap: int, tile: int, content: str) -> Upscaler:
    """The contract's view of it.

    Args:
        work: model, words, noise levels.
        window: frames at once.
        overlap: of them shared by neighbours, over which one fades into the other.
        tile: pixels of each side at once, of the enlarged frame; 0 gives whole frames.
        content: a name for the model and what it was told.

    Returns:
        It, for any factor.

    Raises:
        SettingsError: windows would begin within a latent frame, where noise cannot agree.
    """
    hop, cell = window - overlap, work.cell_frames
    if hop % cell:
        raise SettingsError(
            f"windows of {window} frames that share {overlap} begin every {hop} frames, and a latent frame of"
            f" this VAE holds {cell}; make the difference a multiple of {cell}"
        )
    noise = FrameNoise(latent_channels(work), work.seed)
    return Upscaler(
        name="sampling",
        enlarge=lambda clip, piece: redrawn(work, noise, clip, piece),
        content=content,
        factor=1,
        wants_enlarged=True,
        window=window,
        overlap=overlap,
        tile=tile,
        tile_overlap=tile // TILE_SHARE,
        multiple=work.cell_side * PATCH,
        bytes_per_pixel=bytes_per_pixel(work, window, tile or USUAL_TILE),
        trial_frames=0,
    )


def bytes_per_pixel(work: Redrawing, window: int, side: int) -> float:
    """Memory of sampling or of decoding, as the host reckons them, per enlarged pixel of a piece."""
    cells = -(-window // work.cell_frames)
    shape = [1, work.vae.latent_channels, cells, side // work.cell_side, side // work.cell_side]
    decoding = work.vae.memory_used_decode(shape, work.vae.vae_dtype)
    return max(decoding, work.guider.model_patcher.memory_required(shape)) / (window * side**2)


def latent_channels(work: Redrawing) -> int:
    """Channels that model and VAE agree on.

    Args:
        work: both.

    Returns:
        How many.

    Raises:
        GeometryError: they belong to different families.
    """
    wanted = work.guider.model_patcher.get_model_object("latent_format").latent_channels
    given = work.vae.latent_channels
    if wanted != given:
        raise GeometryError(
            f"the model works on latents of {wanted} channels and this VAE makes {given}; connect the VAE of"
            " the model"
        )
    return wanted


def redrawn(work: Redrawing, noise: FrameNoise, clip: Tensor, piece: Piece) -> Tensor:
    """Encode frames, put noise on them, let the model take it away, decode.

    Args:
        work: model, words, noise levels.
        noise: of the whole clip.
        clip: (3, T, H, W) in -1..1.
        piece: where it lies.

    Returns:
        The same shape.
    """
    count = clip.shape[1]
    frames = F.pad(clip, (0, 0, 0, 0, 0, padded_frames(work.vae, count) - count), mode="replicate")
    images_THWC = ((frames + 1) / 2).clamp(0, 1).permute(1, 2, 3, 0)
    latent = work.vae.encode(images_THWC)
    sampled = work.guider.sample(
        placed_noise(noise, latent, piece, work),
        latent,
        work.sampler,
        work.sigmas,
        disable_pbar=True,
        seed=work.seed,
    )
    comfy.model_management.throw_exception_if_processing_interrupted()
    decoded = work.vae.decode(sampled.to(comfy.model_management.intermediate_device()))
    images = decoded.flatten(0, -4) if decoded.ndim > 4 else decoded
    return pixels_from_image(images[:count, ..., :3].float().cpu()).permute(3, 0, 1, 2)


def padded_frames(vae: Any, count: int) -> int:  # noqa: ANN401
    """The least number of frames that come back from the VAE as at least so many."""
    down, up = vae.downscale_ratio, vae.upscale_ratio
    if not (isinstance(down, tuple) and callable(down[0]) and isinstance(up, tuple)):
        return count
    most = count + 2 * (vae.temporal_compression_decode() or 1)
    return next((number for number in range(count, most) if up[0](down[0](number)) >= count), most)


def placed_noise(noise: FrameNoise, latent: Tensor, piece: Piece, work: Redrawing) -> Tensor:
    """Noise that belongs to places of the clip: what two windows or tiles both see, both see alike."""
    side = work.cell_side
    rows = slice(piece.top // side, piece.top // side + latent.shape[-2])
    columns = slice(piece.left // side, piece.left // side + latent.shape[-1])
    whole = (-(-piece.whole[0] // side), -(-piece.whole[1] // side))
    first = piece.frame // work.cell_frames
    if latent.ndim == 4:  # a batch of pictures
        return noise.cut(first, latent.shape[0], whole, rows, columns).transpose(0, 1)
    return noise.cut(first, latent.shape[2], whole, rows, columns)[None]


def wiring_key(hidden: Any, names: tuple[str, ...]) -> str | None:  # noqa: ANN401 - what the host tells a node
    """A name for everything that hangs on some inputs of a node: their nodes, values and wires.

    It is the same after a restart, as the models' own names are not.

    Args:
        hidden: has the prompt and the node's id.
        names: of the inputs.

    Returns:
        The name; None where the host tells nothing.
    """
    prompt, node_id = getattr(hidden, "dynprompt", None), getattr(hidden, "unique_id", None)
    if prompt is None or node_id is None:
        return None
    inputs, known = prompt.get_node(node_id)["inputs"], {}
    return content_key({name: _told(prompt, inputs.get(name), known) for name in names})


def _told(prompt: Any, value: object, known: dict[str, str]) -> object:  # noqa: ANN401
    """A value as it is; for a wire a name for the node it comes from and all before it."""
    if not (isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)):
        return value
    node_id, slot = value
    if node_id not in known:
        node = prompt.get_node(node_id)
        inputs: Mapping[str, object] = node["inputs"]
        told = {name: _told(prompt, one, known) for name, one in inputs.items()}
        known[node_id] = content_key({"class": node["class_type"], "inputs": told})
    return [known[node_id], slot]
