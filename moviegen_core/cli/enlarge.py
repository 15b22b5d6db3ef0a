"""The last step of ``moviegen generate --upscale``: a finished clip becomes a larger file."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..geometry import FITS, ClipShape, FrameFit, fit_frame, parse_size
from ..media.source import open_source
from ..stages.upscale import Upscaler, UpscaleSettings
from ..stages.upscale_video import OnFrames, prepare, upscale_video
from .upscale import find_upscaler


@dataclass(frozen=True, slots=True, kw_only=True)
class Enlarger:
    """Makes every clip of one call larger, in the same way."""

    upscaler: Upscaler
    fit: FrameFit

    def enlarge(
        self,
        small: Path,
        path: Path,
        key: str,
        metadata: Mapping[str, str],
        on_frames: OnFrames,
    ) -> None:
        """Write the large file; parts of it that an earlier call with the same key finished are used.

        Args:
            small: the finished clip or picture.
            path: what to write.
            key: names what the clip shows, as its file's bytes may differ from run to run.
            metadata: what the file says beside how it was enlarged.
            on_frames: called with the number of frames just finished.
        """
        job = prepare(open_source(small), path, self.upscaler, UpscaleSettings(fit=self.fit))
        job = replace(
            job, source_key=key, source_name="", metadata=metadata, way_on="give the same command again"
        )
        upscale_video(job, resume=True, on_frames=on_frames)

    @property
    def size(self) -> str:
        """Of the result, as --upscale says it."""
        height, width = self.fit.target
        return f"{width}x{height}"


def requested_enlarger(args: argparse.Namespace, shape: ClipShape) -> Enlarger | None:
    """Read --upscale and --upscaler; None where nothing is to become larger."""
    if args.upscale is None:
        return None
    height, width = (int(args.upscale), None) if args.upscale.isdecimal() else parse_size(args.upscale)
    fit = fit_frame((shape.height, shape.width), height, width, FITS[0])
    return Enlarger(upscaler=find_upscaler(args.upscaler, args.device, seed=args.seed), fit=fit)
