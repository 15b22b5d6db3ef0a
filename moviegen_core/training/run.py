"""``train``: build what a recipe names, run the loop, write the weights."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from ..errors import SettingsError
from ..media.pixels import from_bytes
from ..models.tae import TAE_PRESETS, TemporalAutoencoder
from ..weights.files import load_model, save_model
from .footage import Footage
from .latents import LatentStore
from .loop import LoopConfig, Objective, new_run, run_loop
from .pool import ClipPool
from .recipes import TAE_NANO, VIDEO_NANO
from .state import RunState
from .train_tae import TaeObjective, TaeRecipe, measure_latents
from .train_video import TextToVideoModel, VideoObjective, VideoRecipe

NANO_TAE = Path(__file__).parent.parent / "weights" / "nano" / "tae.safetensors"
OnStep = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One sitting of a run, which may take many."""

    steps: int | None = None
    """Length of the whole run, over which the learning rate falls; the recipe's when None."""
    minutes: float = math.inf
    """Wall-clock budget of this sitting."""
    resume: bool = False
    """Go on from the folder's checkpoint."""
    device: str = "cpu"
    on_step: OnStep | None = None
    """Called after every step with (steps done, losses); may raise to stop."""

    def fit(self, loop: LoopConfig) -> LoopConfig:
        """The recipe's schedule at this run's length; a short one warms up for at most a tenth of it."""
        if self.steps is None:
            return loop
        return replace(loop, num_steps=self.steps, warmup_steps=min(loop.warmup_steps, self.steps // 10))

    def run(self, state: RunState, objective: Objective, loop: LoopConfig, out: Path) -> None:
        """Train until the last step or the end of the sitting."""
        run_loop(state, objective, loop, out, minutes=self.minutes, resume=self.resume, on_step=self.on_step)


ONE_GO = Session()


def train_tae(
    out: Path, session: Session = ONE_GO, *, recipe: TaeRecipe = TAE_NANO, footage: Path | None = None
) -> Path:
    """Train a temporal autoencoder and write ``tae.safetensors`` from its averaged weights.

    A broken checkpoint is refused with a WeightsError, a broken footage file with a SettingsError.

    Args:
        out: folder for checkpoint, curve and weights; made when missing.
        session: how long this sitting lasts, and on what it goes on.
        recipe: what to train and how.
        footage: file of real pictures and clips; without one the theatre alone is learnt.

    Returns:
        The weights file.
    """
    recipe = replace(recipe, loop=session.fit(recipe.loop))
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    model = TemporalAutoencoder(TAE_PRESETS[recipe.preset]).to(session.device)
    state = new_run(model, recipe.loop)
    objective = TaeObjective(model, recipe, Footage.load(footage) if footage else None, session.device)
    session.run(state, objective, recipe.loop, out)
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
    session: Session = ONE_GO,
    *,
    recipe: VideoRecipe = VIDEO_NANO,
    tae: Path = NANO_TAE,
    latents: Path | None = None,
) -> Path:
    """Train text encoder and video transformer together and write ``text`` and ``video.safetensors``.

    A missing or broken autoencoder or checkpoint is refused with a WeightsError.

    Args:
        out: folder for checkpoint, curve and weights; made when missing.
        session: how long this sitting lasts, and on what it goes on.
        recipe: what to train and how.
        tae: weights file of the autoencoder whose latents are learnt; the shipped one by default.
        latents: folder of cached latents; ``latents`` in ``out`` when None.

    Returns:
        The video transformer's weights file.
    """
    recipe = replace(recipe, loop=session.fit(recipe.loop))
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    autoencoder = load_model(tae, "tae", device=session.device)
    store = LatentStore(latents or out / "latents", autoencoder, recipe.latents)  # type: ignore[arg-type]
    model = TextToVideoModel(recipe.preset).to(session.device)
    state = new_run(model, recipe.loop)
    objective = VideoObjective(model, recipe, store, session.device)
    session.run(state, objective, recipe.loop, out)
    return write_video(out, state, recipe)


def write_video(out: Path, state: RunState, recipe: VideoRecipe) -> Path:
    """Write the averaged text encoder and video transformer; the run itself stays as it is."""
    model = TextToVideoModel(recipe.preset)
    state.ema.copy_to(model)
    save_model(out / "text.safetensors", "text", model.text)
    save_model(out / "video.safetensors", "video", model.video)
    return out / "video.safetensors"


TRAINERS = {"tae": train_tae, "video": train_video}


def train(role: str, out: Path, session: Session = ONE_GO, **sources: Path) -> Path:
    """Train one role of the nano cast.

    Args:
        role: a key of TRAINERS.
        out: folder of the run.
        session: how long this sitting lasts, and on what it goes on.
        **sources: files the role learns from, as its trainer names them.

    Returns:
        The weights file.

    Raises:
        SettingsError: the role has no trainer.
    """
    if role not in TRAINERS:
        raise SettingsError(f"there is no recipe for {role!r}; train one of {', '.join(TRAINERS)}")
    return TRAINERS[role](out, session, **sources)  # type: ignore[operator]
