"""A progress bar on stderr: one line rewritten on a terminal, a few lines in a log."""

import sys
import time
from types import TracebackType
from typing import TextIO

BAR_WIDTH = 24
LOG_SECONDS = 10.0
"""Between lines where no terminal shows a bar."""
REDRAW_SECONDS = 0.1


class Progress:
    """Counts steps of known or unknown total; use it in a ``with`` block."""

    def __init__(self, label: str, total: int | None, stream: TextIO | None = None) -> None:
        self.label, self.total, self.done = label, total, 0
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._started = self._shown = time.monotonic()
        self._width = 0

    def __enter__(self) -> "Progress":
        self._show()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._show(last=kind is None)
        if self._live:
            self._stream.write("\n")
            self._stream.flush()

    def advance(self, steps: int = 1) -> None:
        """Count finished steps and show them when it is time to."""
        self.done += steps
        waited = time.monotonic() - self._shown
        if waited >= (REDRAW_SECONDS if self._live else LOG_SECONDS):
            self._show()

    def reach(self, done: int) -> None:
        """Count up to a number of steps, however many were really done."""
        self.advance(done - self.done)

    def turn_to(self, label: str, total: int | None) -> None:
        """Count something else from nothing; what is counted already goes on."""
        if (label, total) != (self.label, self.total):
            self.label, self.total, self.done, self._started = label, total, 0, time.monotonic()

    def say(self, sentence: str) -> None:
        """Put a line above the bar."""
        self._stream.write(f"{self._wipe()}{sentence}\n")
        self._show()

    def _show(self, *, last: bool = False) -> None:
        if not self._live and not last and self.done == 0:
            return
        self._shown = time.monotonic()
        text = self.text(self._shown - self._started)
        self._stream.write(self._wipe() + text + ("" if self._live else "\n"))
        self._width = len(text)
        self._stream.flush()

    def _wipe(self) -> str:
        return f"\r{' ' * self._width}\r" if self._live else ""

    def text(self, seconds: float) -> str:
        """The bar after so many seconds, without its line end."""
        if self.total is None:
            return f"{self.label}{f' {self.done}' * bool(self.done)}, {clock(seconds)}"
        filled = min(BAR_WIDTH * self.done // max(self.total, 1), BAR_WIDTH)
        left = seconds / self.done * max(self.total - self.done, 0) if self.done else None
        when = f"{clock(left)} left" if left else clock(seconds)
        return f"{self.label} [{'#' * filled:.<{BAR_WIDTH}}] {self.done}/{self.total}, {when}"


def clock(seconds: float) -> str:
    """Seconds as people read them: 8.3 s, 2:05, 1:00:00."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
