"""Guidance as small frozen values: which branches to run, and how to combine their velocities."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, slots=True)
class TextGuidance:
    """Classifier-free guidance: away from the empty prompt, toward the given one. The paper uses 7.5."""

    scale: float

    @property
    def is_off(self) -> bool:
        """At 1 the free branch cancels out and need not be run."""
        return self.scale == 1

    def combine(self, v_free: Tensor, v_text: Tensor) -> Tensor:
        """Velocity of the guided sample."""
        return v_free + self.scale * (v_text - v_free)


@dataclass(frozen=True, slots=True)
class EditGuidance:
    """Separate pulls toward the source video and toward the instruction.

    The paper's formula is not known; this is the two-scale form of InstructPix2Pix.
    """

    video: float
    text: float

    def combine(self, v_free: Tensor, v_video: Tensor, v_both: Tensor) -> Tensor:
        """Velocity of the guided edit."""
        return v_free + self.video * (v_video - v_free) + self.text * (v_both - v_video)


USUAL_PULLS = EditGuidance(video=1.5, text=4.0)
"""Our choice: the paper's are unknown."""
