"""Progress of a measurement, in units of work."""

from collections.abc import Callable

OnProgress = Callable[[int, int], None]
"""Called with (units done, units in all); raising in it stops the work."""


class Work:
    """Counts units of work for whoever watches."""

    def __init__(self, total: int, on_progress: OnProgress | None = None) -> None:
        self.total, self.done, self._watch = total, 0, on_progress

    def advance(self, units: int = 1) -> None:
        """Count finished units."""
        self.done += units
        if self._watch is not None:
            self._watch(self.done, self.total)
