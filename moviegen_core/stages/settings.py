"""How a clip is sampled: what command line, nodes and content keys agree on. Imports no torch."""

from dataclasses import dataclass

from ..errors import SettingsError

SOLVERS = ("euler", "midpoint")
MAX_GUIDANCE = 30.0
SEED_RANGE = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingSettings:
    """Everything but prompt, size and weights that decides what comes out."""

    num_steps: int = 50
    """Solver steps, 1 to ``grid``."""
    guidance: float = 5.0
    """How hard the prompt pulls; 1 is the plain model in half the time. The paper's 30B uses 7.5."""
    seed: int = 0
    """Decides the noise."""
    grid: int = 250
    """Linear steps that the schedule imitates (Movie Gen: 250)."""
    solver: str = "euler"

    def __post_init__(self) -> None:
        if self.grid < 1:
            raise SettingsError(f"grid {self.grid} is out of range; give 1 or more, such as 250")
        if not 1 <= self.num_steps <= self.grid:
            raise SettingsError(f"{self.num_steps} steps are out of range; give 1 to {self.grid}, such as 50")
        if not 0 <= self.guidance <= MAX_GUIDANCE:
            raise SettingsError(
                f"guidance {self.guidance} is out of range; give 0 to {MAX_GUIDANCE:g}, such as 5"
            )
        if not 0 <= self.seed < SEED_RANGE:
            raise SettingsError(f"seed {self.seed} is out of range; give 0 to {SEED_RANGE - 1}")
        if self.solver not in SOLVERS:
            raise SettingsError(f"solver {self.solver!r} is unknown; use one of {', '.join(SOLVERS)}")


MAX_CANDIDATES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundSettings:
    """What is to be heard, and how hard to try."""

    effects: str | None = ""
    """What actors and place sound like; empty: what the picture shows; None: neither."""
    music: str | None = None
    """What is played; None: nothing."""
    num_candidates: int = 1
    """Made of every stretch; the one that fits the picture best is kept. The paper makes 8."""
    sampling: SamplingSettings = SamplingSettings(num_steps=64, guidance=3.0, solver="midpoint")
    """The paper's: 64 midpoint steps, guidance 3."""

    def __post_init__(self) -> None:
        if not 1 <= self.num_candidates <= MAX_CANDIDATES:
            raise SettingsError(
                f"{self.num_candidates} candidates are out of range; give 1 to {MAX_CANDIDATES}, such as 8"
            )
        if self.effects is None and self.music is None:
            raise SettingsError("effects and music are both switched off; leave one of them on")


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsampleSettings:
    """Everything but weights that decides which detail is added."""

    num_steps: int = 1
    """Of the solver: 1 gives the mean of all that could be there, nearest to the truth and steadiest; more
    draw detail that could be there. The paper takes about 20."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.num_steps < 1:
            raise SettingsError(f"{self.num_steps} steps are out of range; give 1 or more, such as 4")
