"""``train``: build what a recipe names, run the loop, write the weights."""

import copy
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import nn

from ..errors import SettingsError
from ..media.pixels import from_bytes
from ..models.edit import EditTransformer, edit_from_video
from ..models.identity import IDENTITY_PRESETS, IdentityEncoder
from ..models.tae import TemporalAutoencoder, inflate
from ..models.text import ByteEncoder
from ..theatre.questions import CAPTION_QUESTIONS
from ..theatre.sound.questions import SOUND_QUESTIONS
from ..weights.build import build
from ..weights.cast import Cast, open_cast
from ..weights.files import load_model, save_model
from .edit_pairs import PairStore
from .footage import Footage
from .latents import LatentStore
from .loop import CHECKPOINT, LoopConfig, Objective, new_run, run_loop
from .pairs import PairPool
from .pool import ClipPool
from .recipes import (
    AUDIO_NANO,
    CODEC_NANO,
    EDIT_NANO,
    PERSONALIZED_NANO,
    SHARED_NANO,
    TAE_NANO,
    UPSAMPLER_NANO,
    VIDEO_NANO,
)
from .sound_latents import SoundLatentStore
from .state import RunState
from .train_audio import AudioObjective, AudioRecipe, SoundModel, read_sound_captions
from .train_codec import CodecObjective, CodecRecipe, statistics_sounds
from .train_edit import EditModel, EditObjective, EditRecipe
from .train_identity import IdentityObjective, IdentityRecipe
from .train_personalized import FaceStore, PersonalizedModel, PersonalizedObjective, PersonalizedRecipe
from .train_shared import SharedModel, SharedObjective, SharedRecipe, Stores
from .train_tae import TaeObjective, TaeRecipe, measure_latents
from .train_text import Reader, ReadingObjective, read_captions
from .train_upsampler import FramesObjective, UpsamplerObjective, UpsamplerRecipe, measure_frames
from .train_video import TextToVideoModel, VideoObjective, VideoRecipe
from .watch import WatchingObjective

NANO = Path(__file__).parent.parent / "weights" / "nano"
NANO_TAE = NANO / "tae.safetensors"
NANO_CODEC = NANO / "audio_codec.safetensors"
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
    start: Cast | None = None
    """Begin from this cast's weights instead of noise; earlier stages of the recipe are then left out."""
    device: str = "cpu"
    on_step: OnStep | None = None
    """Called after every step with (steps done, losses); may raise to stop."""

    def fit(self, loop: LoopConfig) -> LoopConfig:
        """The recipe's schedule at this run's length; a short one warms up for at most a tenth of it."""
        if self.steps is None:
            return loop
        return replace(loop, num_steps=self.steps, warmup_steps=min(loop.warmup_steps, self.steps // 10))

    def first_model(self, role: str, preset: str) -> nn.Module:
        """A copy of the start cast's model, or a fresh one of the preset."""
        trained = self.start.load(role) if self.start else None
        model = build(role, trained.config if trained else preset, device="cpu")
        if trained:
            model.load_state_dict(trained.state_dict())
        return model.to(self.device)

    def is_past_first_stage(self, out: Path) -> bool:
        """Whether this sitting begins with the last stage of its recipe."""
        return self.start is not None or (self.resume and (out / CHECKPOINT).exists())

    def share(self, loop: LoopConfig, whole: LoopConfig) -> LoopConfig:
        """The schedule of an earlier stage, as much longer or shorter as this run makes the ``whole`` one."""
        if self.steps is None:
            return loop
        steps = max(1, round(loop.num_steps * self.steps / whole.num_steps))
        return replace(self, steps=steps).fit(loop)

    def run(self, state: RunState, objective: Objective, loop: LoopConfig, out: Path) -> bool:
        """Train until the last step or the end of the sitting; returns whether the last step was reached."""
        out.mkdir(parents=True, exist_ok=True)
        return run_loop(
            state, objective, loop, out, minutes=self.minutes, resume=self.resume, on_step=self.on_step
        )


ONE_GO = Session()


def train_tae(
    out: Path, session: Session = ONE_GO, *, recipe: TaeRecipe = TAE_NANO, footage: Path | None = None
) -> Path:
    """Train a temporal autoencoder and write ``tae.safetensors`` from its averaged weights.

    A recipe with a first stage trains an image autoencoder in the subfolder ``images`` and inflates it;
    should the sitting end before that is done, the weights written are the inflated ones so far.

    A broken checkpoint is refused with a WeightsError, a broken footage file with a SettingsError.

    Args:
        out: folder for checkpoint, curve and weights; made when missing.
        session: how long this sitting lasts, and on what it goes on.
        recipe: what to train and how.
        footage: file of real pictures and clips; without one the theatre alone is learnt.

    Returns:
        The weights file.
    """
    end = time.monotonic() + session.minutes * 60
    real = Footage.load(footage) if footage else None
    torch.manual_seed(0)
    model = session.first_model("tae", recipe.preset)
    if recipe.first and not session.is_past_first_stage(out):
        first = replace(recipe.first, loop=session.share(recipe.first.loop, recipe.loop))
        images = TemporalAutoencoder(model.config.flattened).to(session.device)
        images, is_done = _run_tae(images, out / "images", session, first, real)
        model = inflate(images, model.config)
        if not is_done:
            return write_tae(out, model, recipe)
    rest = replace(session, minutes=(end - time.monotonic()) / 60)
    model, _ = _run_tae(model, out, rest, replace(recipe, loop=session.fit(recipe.loop)), real)
    return write_tae(out, model, recipe)


def _run_tae(
    model: TemporalAutoencoder, out: Path, session: Session, recipe: TaeRecipe, footage: Footage | None
) -> tuple[TemporalAutoencoder, bool]:
    """The averaged model after this sitting, and whether its last step was reached."""
    state = new_run(model, recipe.loop)
    objective = TaeObjective(model, recipe, footage, session.device)
    is_done = session.run(state, objective, recipe.loop, out)
    averaged = copy.deepcopy(model)
    state.ema.copy_to(averaged)
    return averaged, is_done


def write_tae(out: Path, model: TemporalAutoencoder, recipe: TaeRecipe) -> Path:
    """Write an autoencoder with the statistics of its latents, which are measured first."""
    out.mkdir(parents=True, exist_ok=True)
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

    A recipe with reading lessons gives those to the text encoder first, in the subfolder ``text``.

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
    end = time.monotonic() + session.minutes * 60
    torch.manual_seed(0)
    autoencoder = load_model(tae, "tae", device=session.device)
    store = LatentStore(latents or out / "latents", autoencoder, recipe.latents)  # type: ignore[arg-type]
    model = TextToVideoModel(*(session.first_model(role, recipe.preset) for role in ("text", "video")))
    if recipe.text and not session.is_past_first_stage(out):
        reader = Reader(model.text, CAPTION_QUESTIONS)
        lessons = ReadingObjective(reader, partial(read_captions, recipe.text))
        if not _learn_to_read(lessons, out / "text", session, session.share(recipe.text.loop, recipe.loop)):
            return write_video(out, model)
    rest = replace(session, minutes=(end - time.monotonic()) / 60)
    recipe = replace(recipe, loop=session.fit(recipe.loop))
    state = new_run(model, recipe.loop)
    rest.run(state, VideoObjective(model, recipe, store, session.device), recipe.loop, out)
    state.ema.copy_to(model)
    return write_video(out, model)


def _learn_to_read(lessons: ReadingObjective, out: Path, session: Session, loop: LoopConfig) -> bool:
    """Train an encoder in place, as far as this sitting goes; returns whether the lessons are over."""
    reader = lessons.reader.to(session.device)
    state = new_run(reader, loop)
    is_done = session.run(state, lessons, loop, out)
    state.ema.copy_to(reader)
    return is_done


def write_video(out: Path, model: TextToVideoModel) -> Path:
    """Write text encoder and video transformer."""
    out.mkdir(parents=True, exist_ok=True)
    save_model(out / "text.safetensors", "text", model.text)
    save_model(out / "video.safetensors", "video", model.video)
    return out / "video.safetensors"


def train_edit(
    out: Path,
    session: Session = ONE_GO,
    *,
    recipe: EditRecipe = EDIT_NANO,
    tae: Path = NANO_TAE,
    latents: Path | None = None,
) -> Path:
    """Make a cast's text-to-video model an edit model, train it, and write ``edit`` and ``edit_text``.

    A start cast that has an edit role goes on from there; any other lends its video and text.

    Args:
        out: folder for checkpoint, curve and weights; made when missing.
        session: how long this sitting lasts, and on what it goes on; the shipped cast is the start when None.
        recipe: what to train and how.
        tae: weights file of the autoencoder whose latents are learnt; the shipped one by default.
        latents: folder of cached latents; ``latents`` in ``out`` when None.

    Returns:
        The edit transformer's weights file.
    """
    torch.manual_seed(0)
    text, edit = _editor(session.start or open_cast("nano"))
    model = EditModel(text, edit).to(session.device).train()
    autoencoder = load_model(tae, "tae", device=session.device)
    store = PairStore(latents or out / "latents", autoencoder, recipe.pairs)  # type: ignore[arg-type]
    recipe = replace(recipe, loop=session.fit(recipe.loop))
    state = new_run(model, recipe.loop)
    session.run(state, EditObjective(model, recipe, store, session.device), recipe.loop, out)
    state.ema.copy_to(model)
    save_model(out / "edit_text.safetensors", "edit_text", model.text)
    save_model(out / "edit.safetensors", "edit", model.edit)
    return out / "edit.safetensors"


def _editor(start: Cast) -> tuple[ByteEncoder, EditTransformer]:
    """A cast's edit model and its reader, or what its text-to-video model becomes."""
    if "edit" in start.roles:
        return start.load("edit_text"), start.load("edit")  # type: ignore[return-value]
    return start.load("text"), edit_from_video(start.load("video"))  # type: ignore[arg-type, return-value]


def train_personalized(
    out: Path,
    session: Session = ONE_GO,
    *,
    recipe: PersonalizedRecipe = PERSONALIZED_NANO,
    tae: Path = NANO_TAE,
    latents: Path | None = None,
) -> Path:
    """Make a cast's text-to-video model know faces, and write ``personalized`` and ``identity``.

    The identity encoder has lessons of its own first, in the subfolder ``identity``, unless the start cast
    has one; should the sitting end before those are over, the encoder so far is all that is written.

    Args:
        out: folder for checkpoint, curve and weights; made when missing.
        session: how long this sitting lasts, and on what it goes on; the shipped cast is the start when None.
        recipe: what to train and how.
        tae: weights file of the autoencoder whose latents are learnt; the shipped one by default.
        latents: folder of cached latents; ``latents`` in ``out`` when None.

    Returns:
        The personalized transformer's weights file, or the identity encoder's where that is all.
    """
    end = time.monotonic() + session.minutes * 60
    torch.manual_seed(0)
    start = session.start or open_cast("nano")
    text = start.load("text", session.device)
    video = start.load("personalized" if "personalized" in start.roles else "video", session.device)
    lessons = replace(recipe.identity, loop=session.share(recipe.identity.loop, recipe.loop))
    identity = _identity(out, start, video.config.width, session, lessons)
    if identity is None:
        return out / "identity.safetensors"
    model = PersonalizedModel(text, video, identity).train()  # type: ignore[arg-type]
    autoencoder = load_model(tae, "tae", device=session.device)
    folder, size = latents or out / "latents", identity.config.size
    store = FaceStore(folder, autoencoder, recipe.latents, size)  # type: ignore[arg-type]
    rest = replace(session, minutes=(end - time.monotonic()) / 60)
    recipe = replace(recipe, loop=session.fit(recipe.loop))
    state = new_run(model, recipe.loop)
    rest.run(state, PersonalizedObjective(model, recipe, store, session.device), recipe.loop, out)
    state.ema.copy_to(model)
    save_model(out / "identity.safetensors", "identity", model.identity)
    save_model(out / "personalized.safetensors", "personalized", model.video)
    return out / "personalized.safetensors"


def train_shared(
    out: Path,
    session: Session = ONE_GO,
    *,
    recipe: SharedRecipe = SHARED_NANO,
    tae: Path = NANO_TAE,
    latents: Path | None = None,
) -> Path:
    """Go on with a cast's text-to-video model, and teach it to edit and to know faces as well.

    Writes ``text``, ``video``, which plays three roles, and ``identity``, whose encoder has lessons of its
    own first, unless the start cast has one.

    Args:
        out: folder for checkpoint, curve and weights; made when missing.
        session: how long this sitting lasts, and on what it goes on; the shipped cast is the start when None.
        recipe: what to train and how.
        tae: weights file of the autoencoder whose latents are learnt; the shipped one by default.
        latents: folder of cached latents; ``latents`` in ``out`` when None.

    Returns:
        The transformer's weights file, or the identity encoder's where that is all.
    """
    end = time.monotonic() + session.minutes * 60
    torch.manual_seed(0)
    start = session.start or open_cast("nano")
    text, edit = _editor(start)
    lessons = replace(
        recipe.personalized.identity, loop=session.share(recipe.personalized.identity.loop, recipe.loop)
    )
    identity = _identity(out, start, edit.config.width, session, lessons)
    if identity is None:
        return out / "identity.safetensors"
    model = SharedModel(text, edit, identity).to(session.device).train()
    recipe = recipe.fit(session.fit(recipe.loop))
    autoencoder = load_model(tae, "tae", device=session.device)
    stores = _stores(latents or out / "latents", autoencoder, recipe, identity.config.size)  # type: ignore[arg-type]
    rest = replace(session, minutes=(end - time.monotonic()) / 60)
    state = new_run(model, recipe.loop)
    rest.run(state, SharedObjective(model, recipe, stores, session.device), recipe.loop, out)
    state.ema.copy_to(model)
    return write_shared(out, model)


def _stores(folder: Path, tae: TemporalAutoencoder, recipe: SharedRecipe, face_size: int) -> Stores:
    return Stores(
        video=LatentStore(folder, tae, recipe.video.latents),
        edit=PairStore(folder, tae, recipe.edit.pairs),
        face=FaceStore(folder, tae, recipe.personalized.latents, face_size),
    )


def write_shared(out: Path, model: SharedModel) -> Path:
    """Write reader, transformer and identity encoder."""
    out.mkdir(parents=True, exist_ok=True)
    save_model(out / "text.safetensors", "text", model.text)
    save_model(out / "identity.safetensors", "identity", model.identity)
    save_model(out / "video.safetensors", "edit", model.edit)
    return out / "video.safetensors"


def _identity(
    out: Path, start: Cast, token_width: int, session: Session, recipe: IdentityRecipe
) -> IdentityEncoder | None:
    """The start cast's encoder, or one that has just had its lessons; None when those are not over."""
    if "identity" in start.roles:
        return start.load("identity", session.device)  # type: ignore[return-value]
    config = replace(IDENTITY_PRESETS[recipe.preset], token_width=token_width)
    encoder = IdentityEncoder(config).to(session.device)
    state = new_run(encoder, recipe.loop)
    lessons = replace(session, resume=session.resume or (out / "identity" / CHECKPOINT).exists())
    is_done = lessons.run(
        state, IdentityObjective(encoder, recipe, session.device), recipe.loop, out / "identity"
    )
    state.ema.copy_to(encoder)
    save_model(out / "identity.safetensors", "identity", encoder)
    return encoder if is_done else None


def train_codec(out: Path, session: Session = ONE_GO, *, recipe: CodecRecipe = CODEC_NANO) -> Path:
    """Train an audio codec and write ``audio_codec.safetensors`` from its averaged weights.

    A broken checkpoint is refused with a WeightsError.

    Args:
        out: folder for checkpoint, curve and weights; made when missing.
        session: how long this sitting lasts, and on what it goes on.
        recipe: what to train and how.

    Returns:
        The weights file.
    """
    torch.manual_seed(0)
    model = session.first_model("audio_codec", recipe.preset)
    recipe = replace(recipe, loop=session.fit(recipe.loop))
    state = new_run(model, recipe.loop)
    session.run(state, CodecObjective(model, recipe, session.device), recipe.loop, out)
    state.ema.copy_to(model)
    measure_latents(model, [sound.to(session.device) for sound in statistics_sounds(recipe)])
    save_model(out / "audio_codec.safetensors", "audio_codec", model)
    return out / "audio_codec.safetensors"


SOUND_ROLES = {"text": "audio_text", "vision": "vision", "audio": "audio"}
"""Part of a ``SoundModel``: the role it plays in the cast."""


def train_audio(
    out: Path,
    session: Session = ONE_GO,
    *,
    recipe: AudioRecipe = AUDIO_NANO,
    codec: Path = NANO_CODEC,
    latents: Path | None = None,
) -> Path:
    """Train audio transformer, text reader and frame encoder together and write a weights file for each.

    A recipe with reading and watching lessons gives those to the text reader and the frame encoder first, in
    the subfolders ``text`` and ``vision``.

    A missing or broken codec or checkpoint is refused with a WeightsError.

    Args:
        out: folder for checkpoint, curve and weights; made when missing.
        session: how long this sitting lasts, and on what it goes on.
        recipe: what to train and how.
        codec: weights file of the codec whose latents are learnt; the shipped one by default.
        latents: folder of cached latents; ``latents`` in ``out`` when None.

    Returns:
        The audio transformer's weights file.
    """
    end = time.monotonic() + session.minutes * 60
    torch.manual_seed(0)
    trained = load_model(codec, "audio_codec", device=session.device)
    model = SoundModel(
        **{part: session.first_model(role, recipe.preset) for part, role in SOUND_ROLES.items()}
    )
    if recipe.text and not session.is_past_first_stage(out):
        reader = Reader(model.text, SOUND_QUESTIONS)
        lessons = ReadingObjective(reader, partial(read_sound_captions, recipe))
        if not _learn_to_read(lessons, out / "text", session, session.share(recipe.text.loop, recipe.loop)):
            return write_audio(out, model)
    store = SoundLatentStore(latents or out / "latents", trained, model.vision.config.size, recipe.latents)  # type: ignore[arg-type]
    if recipe.watching and not session.is_past_first_stage(out):
        rest = replace(session, minutes=(end - time.monotonic()) / 60)
        watching = AudioObjective(model.to(session.device), recipe, store, session.device)
        if not _learn_to_watch(watching, out / "vision", rest, session.share(recipe.watching, recipe.loop)):
            return write_audio(out, model)
    rest = replace(session, minutes=(end - time.monotonic()) / 60)
    recipe = replace(recipe, loop=session.fit(recipe.loop))
    state = new_run(model, recipe.loop)
    rest.run(state, AudioObjective(model, recipe, store, session.device), recipe.loop, out)
    state.ema.copy_to(model)
    return write_audio(out, model)


def _learn_to_watch(sounds: AudioObjective, out: Path, session: Session, loop: LoopConfig) -> bool:
    """Train a frame encoder in place, as far as this sitting goes; returns whether the lessons are over."""
    parts = nn.ModuleList([sounds.model.vision, sounds.model.watcher])
    state = new_run(parts, loop)
    is_done = session.run(state, WatchingObjective(sounds), loop, out)
    state.ema.copy_to(parts)
    return is_done


def write_audio(out: Path, model: SoundModel) -> Path:
    """Write audio transformer, text reader and frame encoder."""
    out.mkdir(parents=True, exist_ok=True)
    for part, role in SOUND_ROLES.items():
        save_model(out / f"{role}.safetensors", role, getattr(model, part))
    return out / "audio.safetensors"


def train_upsampler(
    out: Path,
    session: Session = ONE_GO,
    *,
    recipe: UpsamplerRecipe = UPSAMPLER_NANO,
    footage: Path | None = None,
    tae: Path | None = NANO_TAE,
) -> Path:
    """Train an upsampler and write ``upsampler.safetensors`` from its averaged weights.

    Its autoencoder of single frames comes first, in the subfolder ``frames``; should the sitting end before
    that is done, the weights written enlarge frames plainly.

    A broken checkpoint or autoencoder is refused with a WeightsError, a broken footage file with a
    SettingsError.

    Args:
        out: folder for checkpoint, curve and weights; made when missing.
        session: how long this sitting lasts, and on what it goes on.
        recipe: what to train and how.
        footage: file of real pictures and clips; without one the theatre alone is learnt.
        tae: temporal autoencoder whose faults are learnt to be mended; the shipped one by default.

    Returns:
        The weights file.
    """
    end = time.monotonic() + session.minutes * 60
    torch.manual_seed(0)
    real = Footage.load(footage) if footage else None
    spoiler = load_model(tae, "tae", device=session.device) if tae else None
    pool = PairPool(recipe.pairs, real, spoiler, session.device)  # type: ignore[arg-type]
    model = session.first_model("upsampler", recipe.preset)
    if not session.is_past_first_stage(out):
        loop = session.share(recipe.frames_loop, recipe.loop)
        first = new_run(model.frames, loop)
        is_done = session.run(first, FramesObjective(model, recipe, pool), loop, out / "frames")
        first.ema.copy_to(model.frames)
        measure_frames(model, recipe, pool)
        if not is_done:
            return _write_upsampler(out, model)
    model.frames.requires_grad_(requires_grad=False)
    rest = replace(session, minutes=(end - time.monotonic()) / 60)
    loop = session.fit(recipe.loop)
    state = new_run(model, loop)
    rest.run(state, UpsamplerObjective(model, recipe, pool), loop, out)
    state.ema.copy_to(model)
    return _write_upsampler(out, model)


def _write_upsampler(out: Path, model: nn.Module) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    save_model(out / "upsampler.safetensors", "upsampler", model)
    return out / "upsampler.safetensors"


Trainers = Mapping[str, Callable[..., Path]]
"""Role to what is called with folder, session and sources, and returns the weights file."""
TRAINERS: Trainers = {
    "tae": train_tae,
    "video": train_video,
    "upsampler": train_upsampler,
    "edit": train_edit,
    "personalized": train_personalized,
    "shared": train_shared,
    "audio_codec": train_codec,
    "audio": train_audio,
}


def train(
    role: str, out: Path, session: Session = ONE_GO, *, trainers: Trainers = TRAINERS, **sources: Path
) -> Path:
    """Train one role of the nano cast.

    Args:
        role: a key of ``trainers``.
        out: folder of the run.
        session: how long this sitting lasts, and on what it goes on.
        trainers: who can train what.
        **sources: files the role learns from, as its trainer names them.

    Returns:
        The weights file.

    Raises:
        SettingsError: the role has no trainer.
    """
    if role not in trainers:
        raise SettingsError(f"there is no recipe for {role!r}; train one of {', '.join(trainers)}")
    return trainers[role](out, session, **sources)
