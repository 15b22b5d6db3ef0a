"""The ``moviegen`` command. A sub-command's module is imported only when it runs: help answers at once."""

import sys
from collections.abc import Sequence
from importlib import import_module

from ..errors import Interrupted, MovieGenError, SettingsError
from .memory import keep_freed_memory
from .parser import make_parser

FAILED, REFUSED, STOPPED = 1, 2, 130
"""Exit codes: some of the work failed; the command could not be done; the user stopped it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the words after ``moviegen``; those of the process when None.

    Returns:
        The exit code: 0 when all was done, else FAILED, REFUSED or STOPPED.
    """
    try:
        args = make_parser().parse_args(argv)
        keep_freed_memory()
        return import_module(f".{args.command}", __package__).run(args)
    except (KeyboardInterrupt, Interrupted):
        return _complain("stopped; what was finished is kept", STOPPED)
    except MovieGenError as error:
        return _complain(str(error), REFUSED)
    except (MemoryError, RuntimeError) as error:
        return _complain(str(_memory_error(error)), REFUSED)


def _memory_error(error: Exception) -> SettingsError:
    """Out of memory in the words of this command; any other error goes on its way."""
    text = str(error).lower()
    if isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text:
        return SettingsError("the memory does not suffice; choose a smaller --size or fewer --seconds")
    raise error


def _complain(sentence: str, code: int) -> int:
    sys.stderr.write(f"moviegen: {' '.join(sentence.split())}\n")
    return code
