"""Errors a caller may want to catch; each message is one sentence: what is wrong, and the way out."""


class MovieGenError(Exception):
    """Anything this package refuses; the command line and the nodes print it without a traceback."""


class GeometryError(MovieGenError, ValueError):
    """A size, rate, length or frame count that the model cannot take."""


class PromptError(MovieGenError, ValueError):
    """A prompt that is empty or longer than the text encoder reads."""


class SettingsError(MovieGenError, ValueError):
    """A sampling, training or command setting out of its range."""


class WeightsError(MovieGenError):
    """A weights file or cast folder that is missing, broken, or of another role."""


class MediaError(MovieGenError):
    """A video, picture or folder that cannot be read or written."""


class SceneError(MovieGenError, ValueError):
    """A theatre scene that names something the theatre does not have."""


class WorkflowError(MovieGenError, ValueError):
    """A workflow that cannot be read or turned into a run, or a value for an input that it lacks."""


class RemoteError(MovieGenError):
    """A ComfyUI server that does not answer, or does not do what it was asked."""


class Interrupted(MovieGenError):  # noqa: N818 - nothing went wrong
    """The user asked to stop; finished work stays, unfinished work leaves nothing behind."""
