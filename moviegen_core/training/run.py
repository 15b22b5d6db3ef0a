"""``train``: build what a recipe names, run the loop, write the weights."""

import math
from collections.abc import Callable
from pathlib import Path

import torch

from ..errors import SettingsError
from ..models.tae import TAE_PRESETS, TemporalAutoencoder
from ..weights.files import load_model, save_model
from .footage import Footage
from .latents import LatentStore
from .loop import new_run, run_loop
from .pool import ClipPool, from_bytes
from .recipes import TAE_NANO, VIDEO_NANO
from .state import RunState
from .train_tae import TaeObjective, TaeRecipe, measure_latents
from .train_video import TextToVideoModel, VideoObjective, VideoRecipe

NANO_TAE = Path(__file__).parent.parent / "weights" / "nano" / "tae.safetensors"
OnStep = Callable[[int, dict[str, float]], None]


def train_tae(
    out: Path,
    *,
    recipe: TaeRecipe = TAE_NANO,
    minutes: float = math.inf,
    resume: bool = False,
    device: str = "cpu",
    footage: Path | None = None,
    on_step: OnStep | None = None,
) -> Path:
    """Train a temporal autoencoder and write ``tae.safetensors`` from its averaged weights.

    A broken checkpoint is refused with a WeightsError, a broken footage file with a SettingsError.

    Args:
        out: folder for checkpoint, curve and weights; made when missing.
        recipe: what to train and how.
        minutes: wall-clock budget.
        resume: go on from the folder's checkpoint.
        device: where to train.
        footage: file of real pictures and clips; without one the theatre alone is learnt.
        on_step: called after every step with (steps done, losses).

    Returns:
        The weights file.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    model = TemporalAutoencoder(TAE_PRESETS[recipe.preset]).to(device)
    state = new_run(model, recipe.loop)
    objective = TaeObjective(model, recipe, Footage.load(footage) if footage else None, device)
    run_loop(state, objective, recipe.loop, out, minutes=minutes, resume=resume, on_step=on_step)
    return write_tae(out, state, recipe)


def write_tae(out: Path, state: RunState, recipe: TaeRecipe) -> Path:
    """Write the averaged autoencoder with its latent statistics; the run itself stays as it is."""
    model = TemporalAutoencoder(state.model.config).to(next(state.model.parameters()).device)
    state.ema.copy_to(model)
    pool = ClipPool(recipe.pool, str(next(model.parameters()).device))
    clips = (
        pool.render_group(-1 - index) for index in range(recipe.statistics_clips // recipe.pool.group_size)
    )
    measure_latents(model, [from_bytes(clip[None]) for group in clips for clip in group])
    path = out / "tae.safetensors"
    save_model(path, "tae", model)
    return path


def train_video(
    out: Path,
    *,
    recipe: VideoRecipe = VIDEO_NANO,
    minutes: float = math.inf,
    resume: bool = False,
    device: str = "cpu",
    tae: Path = NANO_TAE,
    latents: Path | None = None,
    on_step: OnStep | None = None,
) -> Path:
    """Train text encoder and video transformer together and write ``text`` and ``video.safetensors``.

    Args:
        out: folder for checkpoint, curve and weights; made when missing.
        recipe: what to train and how.
        minutes: wall-clock budget.
        resume: go on from the folder's checkpoint.
        device: where to train.
        tae: weights file of the autoencoder whose latents are learnt; the shipped one by default.
        latents: folder of cached latents; ``latents`` in ``out`` when None.
        on_step: called after every step with (steps done, losses).

    Returns:
        The video transformer's weights file.

    Raises:
        WeightsError: the autoencoder or the checkpoint is missing, broken or of another recipe.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    autoencoder = load_model(tae, "tae", device=device)
    store = LatentStore(latents or out / "latents", autoencoder, recipe.latents)  # type: ignore[arg-type]
    model = TextToVideoModel(recipe.preset).to(device)
    state = new_run(model, recipe.loop)
    objective = VideoObjective(model, recipe, store, device)
    run_loop(state, objective, recipe.loop, out, minutes=minutes, resume=resume, on_step=on_step)
    return write_video(out, state, recipe)


def write_video(out: Path, state: RunState, recipe: VideoRecipe) -> Path:
    """Write the averaged text encoder and video transformer; the run itself stays as it is."""
    model = TextToVideoModel(recipe.preset)
    state.ema.copy_to(model)
    save_model(out / "text.safetensors", "text", model.text)
    save_model(out / "video.safetensors", "video", model.video)
    return out / "video.safetensors"


TRAINERS = {"tae": train_tae, "video": train_video}


def train(role: str, out: Path, **options: object) -> Path:
    """Train one role of the nano cast; options are those of its trainer.

    Args:
        role: a key of TRAINERS.
        out: folder of the run.
        **options: passed on.

    Returns:
        The weights file.

    Raises:
        SettingsError: the role has no trainer.
    """
    if role not in TRAINERS:
        raise SettingsError(f"there is no recipe for {role!r}; train one of {', '.join(TRAINERS)}")
    return TRAINERS[role](out, **options)  # type: ignore[arg-type]
