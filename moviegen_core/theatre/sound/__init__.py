"""The sound of the theatre: ``render_sound`` makes a scene's stems, ``mixed`` adds them up."""

from .stems import mixed, render_sound

__all__ = ["mixed", "render_sound"]
