"""The form in which prompts are trained and asked: rate and camera first (Movie Gen, section 2)."""

from fractions import Fraction


def format_prompt(caption: str, fps: Fraction | float, camera: str | None = None) -> str:
    """``FPS-16. zoom in. a red ball ...``; the caption's own words stay as they are.

    An empty caption stays empty: it is the free branch of guidance, which training makes by dropping
    everything.
    """
    if not caption.strip():
        return ""
    label = "" if camera is None else f"{camera}. "
    return f"FPS-{round(fps)}. {label}{caption}"
