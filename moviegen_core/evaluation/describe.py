"""A caption of a clip, as far as the judge knows this world: where nobody says what a source shows."""

from fractions import Fraction

import torch
import torch.nn.functional as F
from torch import Tensor

from ..models.judge import Judge
from ..theatre.captions import canonical_caption
from ..theatre.questions import Answers
from ..theatre.scene import Actor, Person, Scene
from .judge import ask, open_judge
from .measure_video import SHAPE


def describe(clip: Tensor, fps: Fraction, judge: Judge | None = None) -> str:
    """Say in the theatre's words what a clip shows; of other footage that is a guess.

    Args:
        clip: (1, 3, T, H, W), pixels in -1..1.
        fps: its rate; about two seconds are looked at.
        judge: the shipped one when None.

    Returns:
        A caption with one actor and no camera.
    """
    return caption_of(ask(judge or open_judge(), _as_judged(clip, fps))[0])


def _as_judged(clip: Tensor, fps: Fraction) -> Tensor:
    """The first two seconds at the size, rate and length the judge learned on; short clips hold their end."""
    moments = [min(clip.shape[2] - 1, int(frame * fps / SHAPE.fps)) for frame in range(SHAPE.num_frames)]
    picked = clip[:, :, torch.tensor(moments)]
    size = (SHAPE.num_frames, SHAPE.height, SHAPE.width)
    return F.interpolate(picked, size, mode="trilinear", align_corners=False)


def caption_of(answers: Answers) -> str:
    """The canonical caption of a scene with these answers."""
    somebody = Person(
        skin="tan", hair_colour="brown", hair_style="short", eyes="brown", glasses=False, hat="none"
    )
    actor = Actor(
        kind=answers["actor"],
        colour=answers["colour"],
        size="medium",
        action=answers["action"],
        person=somebody if answers["actor"] == "person" else None,
    )
    scene = Scene(
        actors=(actor,),
        place=answers["place"],
        weather=answers["weather"],
        camera=answers["camera"],
        look=answers["look"],
        seed=0,
    )
    return canonical_caption(scene)
