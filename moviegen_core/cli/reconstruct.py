"""``moviegen reconstruct``: what is left of real footage after the autoencoder."""

import argparse
from collections.abc import Iterator
from itertools import islice
from math import isnan, nan
from pathlib import Path

import torch
from torch import Tensor

from ..evaluation.metrics import WINDOW, psnr, ssim
from ..media.read import frames, probe
from ..media.target import checked_target
from ..media.write import clip_from_frames, frames_from_clip, write_clip
from ..models.tae import TemporalAutoencoder
from ..stages.reconstruct import reconstruct_stream
from ..weights.cast import open_cast
from .output import tell
from .progress import Progress
from .values import parse_device

PIECE_FRAMES = 8


class Fidelity:
    """Running averages over frames of how close the copy is to its source."""

    def __init__(self) -> None:
        self.num_frames = 0
        self._psnr = self._ssim = 0.0

    def add(self, source: Tensor, copy: Tensor) -> None:
        """Count frames of (T, H, W, 3) uint8 each."""
        pair = clip_from_frames(source), clip_from_frames(copy)
        self.num_frames += len(source)
        self._psnr += psnr(*pair) * len(source)
        large = min(source.shape[1:3]) >= WINDOW
        self._ssim += ssim(*pair) * len(source) if large else nan

    def facts(self) -> dict[str, float | int | None]:
        """The averages; SSIM is None where frames are smaller than its window."""
        similarity = self._ssim / self.num_frames
        return {
            "frames": self.num_frames,
            "psnr": round(self._psnr / self.num_frames, 3),
            "ssim": None if isnan(similarity) else round(similarity, 4),
        }


def run(args: argparse.Namespace) -> int:
    """Do what the options ask for; returns the exit code."""
    path, info = checked_target(Path(args.output), ".mp4"), probe(args.input)
    device, cast = parse_device(args.device), open_cast(args.cast)
    tae, fidelity = cast.load("tae", device), Fidelity()
    with Progress(path.name, info.num_frames and 2 * info.num_frames) as progress:
        copies = _copies(tae, Path(args.input), device, fidelity, progress)
        write_clip(path, copies, info.fps, metadata={"source": Path(args.input).name, "cast": cast.name})
    facts = fidelity.facts()
    similarity = "" if facts["ssim"] is None else f", SSIM {facts['ssim']:.3f}"
    count = f"{facts['frames']} frame{'s' * (facts['frames'] != 1)}"
    sentence = f"{path}: {info.width}x{info.height}, {count}, PSNR {facts['psnr']:.2f} dB{similarity}"
    tell(args, sentence, {"file": str(path), "width": info.width, "height": info.height} | facts)
    return 0


def _copies(
    tae: TemporalAutoencoder,
    source: Path,
    device: torch.device,
    fidelity: Fidelity,
    progress: Progress,
) -> Iterator[Tensor]:
    """Every frame of the source after the round trip, measured against the source, which is read again."""
    sent, kept = _pieces(frames(source), device, progress), frames(source)
    for piece in reconstruct_stream(tae, sent):
        copy = frames_from_clip(piece.cpu())
        fidelity.add(torch.stack(list(islice(kept, len(copy)))), copy)
        progress.advance(len(copy))
        yield from copy


def _pieces(source: Iterator[Tensor], device: torch.device, progress: Progress) -> Iterator[Tensor]:
    while piece := list(islice(source, PIECE_FRAMES)):
        yield clip_from_frames(torch.stack(piece))[0].to(device)
        progress.advance(len(piece))
