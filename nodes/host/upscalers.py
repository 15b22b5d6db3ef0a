"""What makes frames larger, brought from the host into the core's contract, in the host's memory handling."""

# Shape letters: C channel, T frame, H row, W column.

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import comfy.model_management
import torch
from torch import Tensor, nn

from ...moviegen_core.errors import MovieGenError
from ...moviegen_core.stages.content import file_key
from ...moviegen_core.stages.settings import UpsampleSettings
from ...moviegen_core.stages.upsample import neural_upscaler
from ...moviegen_core.stages.upscale import RESAMPLERS, Piece, Upscaler, resampler
from ...moviegen_core.weights.files import load_model
from ..convert import pixels_from_image
from .files import cast_names, find_cast, roles_of
from .keeping import patcher_class

ROLE = "upsampler"
TILE_OVERLAP = 32
"""Source pixels that two tiles of a network share: what the host's own node takes."""
FIRST_TILE, SMALLEST_TILE = 512, 64
"""Of source pixels, where whole frames do not fit, and where we give up."""
LIVE_BYTES = 384.0
"""Memory of a network per byte of what it makes: the host's own guess."""
COLOURS = 3


def upscaler_names() -> list[str]:
    """Upscalers that need nothing else: plain filters, and casts that have an upsampler."""
    filters = sorted(RESAMPLERS, reverse=True)  # lanczos first
    return [*filters, *(name for name in cast_names() if ROLE in roles_of(name))]


def named_upscaler(name: str, num_steps: int, seed: int) -> Upscaler:
    """An upscaler by the name the user chose.

    Args:
        name: one of ``upscaler_names``.
        num_steps: of a cast's upsampler.
        seed: of a cast's upsampler.

    Returns:
        It, its weights where the host wants them.
    """
    if name in RESAMPLERS:
        return ready(resampler(name), comfy.model_management.throw_exception_if_processing_interrupted)
    path = find_cast(name).path(ROLE)
    model = load_model(path, ROLE)
    patcher = patcher_class()(model, **_devices())
    loaded(patcher, 0.0)
    settings = UpsampleSettings(num_steps=num_steps, seed=seed)
    upscaler = neural_upscaler(model, name=name, content=file_key(path), settings=settings)  # type: ignore[arg-type]
    return ready(upscaler, lambda: loaded(patcher, 0.0))


def network_upscaler(descriptor: Any, tile: int) -> Upscaler:  # noqa: ANN401 - the host's UPSCALE_MODEL
    """A network of pictures, such as ESRGAN, as upscaler.

    Args:
        descriptor: as the host's loader gives it.
        tile: source pixels of each side that it is given at once; 0 gives whole frames.

    Returns:
        It; where the host computes in half precision and the network can, it does.

    Raises:
        MovieGenError: the network does not make colour pictures of colour pictures.
    """
    if (descriptor.input_channels, descriptor.output_channels) != (COLOURS, COLOURS):
        raise MovieGenError(
            f"this upscale model turns {descriptor.input_channels} channels into"
            f" {descriptor.output_channels}, frames have {COLOURS}; choose a model for colour pictures"
        )
    content, kind = state_key(descriptor.model), descriptor.architecture.name
    network, dtype = _fast(descriptor)
    device, scale = comfy.model_management.get_torch_device(), descriptor.scale
    made_bytes = LIVE_BYTES * COLOURS * dtype.itemsize * scale

    def enlarge(clip: Tensor, _piece: Piece) -> Tensor:
        frames = (one[None] for one in clip.transpose(0, 1))
        with _visiting(network, device, clip[0, 0].numel() * made_bytes):
            return torch.cat([_made(network, one.to(device, dtype)) for one in frames]).transpose(0, 1)

    return Upscaler(
        name=f"{kind} {scale}x",
        enlarge=enlarge,
        content=f"{kind} {content} {dtype}",
        factor=scale,
        window=1,  # it sees one frame at a time, and a few of 4x the size would fill a GPU
        tile=tile,
        tile_overlap=min(TILE_OVERLAP, tile // 4),
        bytes_per_pixel=made_bytes / scale**2,
        device=device,
    )


@contextmanager
def _visiting(network: Any, device: torch.device, memory: float) -> Iterator[None]:  # noqa: ANN401
    """The network on its device; newer hosts keep it there themselves, for older ones it goes back."""
    if hasattr(network, "patcher"):
        loaded(network.patcher, memory)
        yield
        return
    manager = comfy.model_management
    manager.free_memory(memory + manager.module_size(network.model), device)
    network.to(device)
    try:
        yield
    finally:
        network.to("cpu")


def _made(network: Any, frame_1CHW: Tensor) -> Tensor:  # noqa: ANN401
    comfy.model_management.throw_exception_if_processing_interrupted()
    image = network((frame_1CHW + 1) / 2)
    return pixels_from_image(image.float().clamp(0, 1))


def _fast(descriptor: Any) -> tuple[Any, torch.dtype]:  # noqa: ANN401
    """The network in half precision where host and network can; a copy, as others use the original."""
    device = comfy.model_management.get_torch_device()
    if not (descriptor.supports_half and comfy.model_management.should_use_fp16(device)):
        return descriptor, torch.float32
    state = {name: one.detach().cpu() for name, one in descriptor.model.state_dict().items()}
    return descriptor.architecture.load(state).eval().half(), torch.float16


def state_key(model: nn.Module) -> str:
    """A name for weights, wherever they lie."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().float().contiguous().numpy().tobytes())
    return digest.hexdigest()[:32]


def loaded(patcher: Any, memory: float) -> None:  # noqa: ANN401
    """Bring a model to its device whole: these are small, and no layer of theirs can wait elsewhere."""
    comfy.model_management.throw_exception_if_processing_interrupted()
    comfy.model_management.load_models_gpu([patcher], memory_required=memory, force_full_load=True)


def _devices() -> dict[str, torch.device]:
    manager = comfy.model_management
    return {"load_device": manager.get_torch_device(), "offload_device": manager.unet_offload_device()}


def ready(upscaler: Upscaler, prepare: Callable[[], None]) -> Upscaler:
    """The same, which prepares, or stops where the user did, before each piece."""

    def enlarge(clip: Tensor, piece: Piece) -> Tensor:
        prepare()
        return upscaler.enlarge(clip, piece)

    return replace(upscaler, enlarge=enlarge)


def smaller_when_full(
    upscaler_at: Callable[[int], Upscaler],
    tile: int,
    use: Callable[[Upscaler], Any],
) -> Any:  # noqa: ANN401 - whatever it gives
    """Use an upscaler, with ever smaller tiles where the memory does not hold them.

    Args:
        upscaler_at: makes it for tiles of a size.
        tile: the largest size.
        use: what to do with it.

    Returns:
        What ``use`` gives; with the smallest tiles it may still run out of memory.
    """
    while tile == 0 or tile // 2 >= SMALLEST_TILE:
        try:
            return use(upscaler_at(tile))
        except comfy.model_management.OOM_EXCEPTION:
            tile = tile // 2 or FIRST_TILE
        comfy.model_management.soft_empty_cache()
    return use(upscaler_at(tile))
