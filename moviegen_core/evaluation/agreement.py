"""How often something was right, and how sure a count of that size makes us."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

NORMAL_95 = 1.959964
"""Standard deviations that hold 95 of 100 normal draws."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Right answers among those asked for."""

    right: int
    asked: int

    @property
    def share(self) -> float:
        """Right answers per question asked; nan when none was asked."""
        return self.right / self.asked if self.asked else math.nan

    def interval(self) -> tuple[float, float]:
        """Where the true share lies with 95% confidence.

        Source: Wilson, Probable inference, the law of succession, and statistical inference (1927).
        """
        if not self.asked:
            return 0.0, 1.0
        n, square = self.asked, NORMAL_95**2
        middle = (self.right + square / 2) / (n + square)
        half = NORMAL_95 * math.sqrt(self.right * (n - self.right) / n + square / 4) / (n + square)
        return max(0.0, middle - half), min(1.0, middle + half)


def tally(verdicts: Iterable[Mapping[str, bool]], questions: Sequence[str]) -> dict[str, Agreement]:
    """Count right answers.

    Args:
        verdicts: for each clip, question to whether it was answered rightly; a missing one was not asked.
        questions: which to count.

    Returns:
        Question to count.
    """
    rows = list(verdicts)
    given = {question: [row[question] for row in rows if question in row] for question in questions}
    return {question: Agreement(sum(votes), len(votes)) for question, votes in given.items()}
