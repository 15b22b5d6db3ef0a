"""The judge of sounds: a small classifier that says what is heard. Our choice; the paper asks people."""

# Shape letters: B clip, C channel, S audio sample, M mel band, T spectrum frame, Q question.

from dataclasses import dataclass
from itertools import pairwise
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import SettingsError
from ..layers.halving import Halving
from ..layers.mel import mel_filters, spectrum
from .judge import check_questions

FLOOR = 1e-4
"""Amplitude that counts as silence, -80 dB of full scale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundJudgeConfig:
    """What is asked, and how large the classifier is."""

    questions: tuple[str, ...]
    """Such as "ambience"."""
    num_answers: tuple[int, ...]
    """Classes of each question."""
    sample_rate: int = 48_000
    window: int = 2048
    """Samples of a spectrum; the hop is a quarter, two of which are averaged."""
    num_bands: int = 64
    """Mel bands, a multiple of 16."""
    widths: tuple[int, int, int, int] = (16, 32, 64, 96)
    """Channels after each halving of time and pitch."""
    num_hidden: int = 128

    def __post_init__(self) -> None:
        check_questions("sound judge", self.questions, self.num_answers)
        if self.num_bands % 2 ** len(self.widths):
            raise SettingsError(f"sound judge config: num_bands {self.num_bands} is not a multiple of 16")


SOUND_JUDGE_PRESETS = {
    "nano": SoundJudgeConfig(
        questions=("ambience", "music", "instrument", "impact", "footstep", "splash", "thunder", "engine"),
        num_answers=(8, 5, 4, 2, 2, 2, 2, 2),
    )
}


@torch.no_grad()
def prepare(waveform_BCS: Tensor, config: SoundJudgeConfig) -> Tensor:
    """What the judge hears: (B, M, T), logarithms of mel bands about -1..1, 47 frames a second.

    Args:
        waveform_BCS: (B, 1, S) at the judge's rate; any S.
        config: of the judge.

    Returns:
        One frame or more.
    """
    amplitudes_BHT = spectrum(waveform_BCS, config.window)
    filters = mel_filters(config.num_bands, amplitudes_BHT.shape[1], config.sample_rate)
    levels_BMT = torch.log10(filters.to(amplitudes_BHT.device) @ amplitudes_BHT + FLOOR)
    return F.avg_pool1d(levels_BMT, 2, 2, ceil_mode=True) / 2 + 1


class SoundJudge(nn.Module):
    """Scores of every possible answer to every question."""

    def __init__(
        self,
        config: SoundJudgeConfig,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        operations: ModuleType = nn,  # type: ignore[assignment]
    ) -> None:
        super().__init__()
        factory = {"device": device, "dtype": dtype}
        self.config, widths = config, (1, *config.widths)
        self.levels = nn.ModuleList(Halving(a, b, operations, **factory) for a, b in pairwise(widths))
        rows = config.num_bands // 2 ** len(config.widths)
        self.beat = operations.Conv1d(widths[-1] * rows, config.num_hidden, 9, padding=4, **factory)
        self.heads = nn.ModuleList(
            operations.Linear(2 * config.num_hidden, count, **factory) for count in config.num_answers
        )

    def forward(self, waveform_BCS: Tensor) -> dict[str, Tensor]:
        """(B, 1, S) in -1..1 -> question to scores (B, answers)."""
        return self.judged(prepare(waveform_BCS, self.config))

    def judged(self, heard_BMT: Tensor) -> dict[str, Tensor]:
        """The same of what ``prepare`` gives."""
        x_BCMT = heard_BMT[:, None].to(self.beat.weight.dtype)
        for level in self.levels:
            x_BCMT = F.silu(level(x_BCMT))
        x_BCT = F.silu(self.beat(x_BCMT.flatten(1, 2)))
        both_BC = torch.cat([x_BCT.mean(2), x_BCT.amax(2)], dim=1)
        return {
            name: head(both_BC).float() for name, head in zip(self.config.questions, self.heads, strict=True)
        }
