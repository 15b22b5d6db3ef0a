"""Every length of 1 to 200 frames at 11 rates: are there exactly round(N / F * 48000) samples after mp4?

python tests/bench/sound_lengths.py --rates 24000/1001 30
"""

import argparse
import tempfile
from fractions import Fraction
from pathlib import Path

import torch

from moviegen_core.media.mux import add_sound
from moviegen_core.media.read_sound import open_sound
from moviegen_core.media.sound import count_samples, silence
from moviegen_core.media.write import write_clip

RATES = ("8", "12", "15", "16", "24000/1001", "24", "25", "30000/1001", "30", "50", "60")
LONGEST = 200


def wrong_lengths(rate: Fraction, folder: Path, stride: int = 1) -> list[int]:
    """Frame counts whose mp4, decoded, has another number of samples."""
    wrong = []
    for num_frames in range(1, LONGEST + 1, stride):
        write_clip(folder / "in.mp4", torch.zeros(num_frames, 16, 16, 3, dtype=torch.uint8), rate)
        add_sound(folder / "in.mp4", silence(1), folder / "out.mp4")
        if count_samples(open_sound(folder / "out.mp4")) != round(num_frames / rate * 48000):
            wrong.append(num_frames)
    return wrong


def test_a_few_lengths_of_every_rate_are_exact() -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert not any(wrong_lengths(Fraction(rate), Path(folder), stride=67) for rate in RATES)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rates", nargs="+", default=RATES)
    for text in parser.parse_args().rates:
        with tempfile.TemporaryDirectory() as folder:
            wrong = wrong_lengths(Fraction(text), Path(folder))
        exact = f"{LONGEST - len(wrong)} of {LONGEST} lengths exact"
        print(f"{text} fps: {exact}{f', not {wrong}' if wrong else ''}")
