"""One set of weights for three roles: text to video, editing by instruction and putting a face into a clip.

The paper fine-tunes a model for each. A cast that is shipped has room for one, so all three are learnt side
by side, a lesson a step; what editing adds stands beside the video model it is built on, which a file of the
edit role can be cut down to. Our choice.
"""

import random
from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor, nn

from ..models.edit import EditTransformer, Sourceless
from ..models.identity import IdentityEncoder
from ..models.text import ByteEncoder
from .edit_pairs import PairStore
from .latents import LatentStore
from .loop import LoopConfig
from .train_edit import EditModel, EditObjective, EditRecipe
from .train_personalized import FaceStore, PersonalizedModel, PersonalizedObjective, PersonalizedRecipe
from .train_video import TextToVideoModel, VideoObjective, VideoRecipe

Subject = Literal["video", "edit", "face"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedRecipe:
    """A whole training of a model that does all three; the loop is its own, the parts' are not used."""

    loop: LoopConfig
    video: VideoRecipe
    edit: EditRecipe
    personalized: PersonalizedRecipe
    subjects: tuple[tuple[Subject, float], ...]
    """How often each is taught."""

    def fit(self, loop: LoopConfig) -> "SharedRecipe":
        """The same with another loop, which the stages of all parts follow."""
        parts = {name: replace(getattr(self, name), loop=loop) for name in ("video", "edit", "personalized")}
        return replace(self, loop=loop, **parts)


class SharedModel(nn.Module):
    """The models that train as one, and each subject's view of them."""

    def __init__(self, text: ByteEncoder, edit: EditTransformer, identity: IdentityEncoder) -> None:
        super().__init__()
        self.text = text
        self.edit = edit
        self.identity = identity
        video = Sourceless(edit)
        told = TextToVideoModel(text, video)  # type: ignore[arg-type]
        self.recall = told.recall
        faces = PersonalizedModel(text, video, identity)  # type: ignore[arg-type]
        self._views = told, EditModel(text, edit), faces  # a tuple: they hold no parts but those above

    @property
    def video_view(self) -> TextToVideoModel:
        """Prompts to clips."""
        return self._views[0]

    @property
    def edit_view(self) -> EditModel:
        """Sources and instructions to clips."""
        return self._views[1]

    @property
    def face_view(self) -> PersonalizedModel:
        """Prompts and faces to clips."""
        return self._views[2]


@dataclass(frozen=True, slots=True)
class Stores:
    """Latents of the three subjects."""

    video: LatentStore
    edit: PairStore
    face: FaceStore


class SharedObjective:
    """The loss of one step's subject, which is drawn from the step's number alone."""

    def __init__(self, model: SharedModel, recipe: SharedRecipe, stores: Stores, device: str = "cpu") -> None:
        self.subjects = recipe.subjects
        self.objectives = {
            "video": VideoObjective(model.video_view, recipe.video, stores.video, device),
            "edit": EditObjective(model.edit_view, recipe.edit, stores.edit, device),
            "face": PersonalizedObjective(model.face_view, recipe.personalized, stores.face, device),
        }

    def __call__(self, step: int) -> dict[str, Tensor]:
        """Losses of step ``step``."""
        names, weights = zip(*self.subjects, strict=True)
        subject = random.Random(f"subject {step}").choices(names, weights)[0]
        losses = self.objectives[subject](step)
        return {subject: losses["total"].detach()} | losses
