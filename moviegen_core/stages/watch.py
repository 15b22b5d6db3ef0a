"""Which pictures of a clip are seen while its sound goes on, in one pass over the clip."""

# Shape letters: C channel, T frame, F audio latent frame, H row, W column.

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import islice
from math import ceil

import torch
from torch import Tensor

from ..geometry import SoundGrid

AT_ONCE = 16
"""Pictures that a frame encoder looks at together."""


def shown_frames(
    timed: Iterable[tuple[Fraction, Tensor]], num_latent_frames: int, grid: SoundGrid
) -> Iterator[tuple[Tensor, int]]:
    """Drop the pictures of a stream that stand on the screen in the middle of no latent frame.

    What is left, each as often as it is told, are the pictures of ``models.vision.frames_seen_at``.

    Args:
        timed: each picture with the second at which it appears, rising; at least one.
        num_latent_frames: of the sound.
        grid: how long a latent frame is.

    Yields:
        A picture, and for how many latent frames in a row it is seen.
    """
    held, done = None, 0
    for start, picture in timed:
        stop = min(num_latent_frames, max(0, ceil(start * grid.rate - Fraction(1, 2))))
        if held is not None and stop > done:
            yield held, stop - done
            done = stop
        held = picture
        if done == num_latent_frames:
            return
    if held is not None and done < num_latent_frames:
        yield held, num_latent_frames - done


def watch_shown(
    shown: Iterable[tuple[Tensor, int]], watch: Callable[[Tensor], Tensor], on_seen: Callable[[int], None]
) -> Tensor:
    """Features of what is seen at every latent frame, each picture looked at once.

    Args:
        shown: from ``shown_frames``, pictures (3, H, W) of one size.
        watch: (3, T, H, W) -> (T, C).
        on_seen: called with the latent frames that are done; raising in it stops the work.

    Returns:
        (F, C).
    """
    stream, features, done = iter(shown), [], 0
    while some := list(islice(stream, AT_ONCE)):
        counts = torch.tensor([count for _, count in some])
        seen_TC = watch(torch.stack([picture for picture, _ in some], dim=1))
        features.append(seen_TC.repeat_interleave(counts.to(seen_TC.device), dim=0))
        done += int(counts.sum())
        on_seen(done)
    return torch.cat(features)
