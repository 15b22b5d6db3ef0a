"""The temporal autoencoder as a stream: chunks along time in, chunks out, together what the whole would give.

Each convolution along time keeps the few frames that it still needs, its halo, from chunk to chunk, so that
nothing is computed twice and nothing is blended. Only the middle block's attention along time has to wait for
the whole clip; what it waits for is small, as it has the size of the latent, and lies in a ``Spool``.

Every step is a lazy ``map`` or a class with a method for one: a generator in between would keep the chunk
that it handed out last alive, and there are dozens of steps.
"""

# Shape letters: B clip, C channel, T frame, H row, W column.

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..layers.factorized_conv import FactorizedConv
from .spool import Spool
from .tae import (
    Middle,
    Readout,
    ResBlock,
    TemporalAutoencoder,
    TimeAttention,
    Upsample,
    channels_last,
    fold_patches,
    repeat,
    unfold_patches,
)

Chunks = Iterator[Tensor]
"""(B, C, T, H, W) each, consecutive along T."""
TAPS = 3
"""Of a convolution along time."""
STRIP_VALUES = 2**22
"""What attention along time works on at once, in rows of the whole clip."""
PIECE_VALUES = 2**22
"""What the layers behind an upsampling work on at once, and at least a frame."""


class Regroup:
    """Consecutive chunks of any lengths, cut into chunks of one length; the last may be shorter."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.waiting: Tensor | None = None

    def cut(self, chunks: Iterable[Tensor]) -> Chunks:
        """The same frames in other chunks."""
        for chunk in chunks:
            self.waiting = chunk if self.waiting is None else torch.cat([self.waiting, chunk], dim=2)
            del chunk
            while self.waiting.shape[2] > self.size:
                yield self._front()
        if self.waiting is not None:
            yield self._front()

    def _front(self) -> Tensor:
        assert self.waiting is not None
        front, self.waiting = self.waiting[:, :, : self.size], self.waiting[:, :, self.size :]
        return front


class Halo:
    """Which frames a convolution along time has got and still needs; both ends of the clip are repeated."""

    def __init__(self, stride: int) -> None:
        self.stride = stride
        self.held: Tensor | None = None

    def push(self, x_BCTHW: Tensor) -> Tensor | None:
        """What can be convolved now that these frames are there; None while it is too little."""
        before = x_BCTHW[:, :, :1] if self.held is None else self.held
        return self._ready(torch.cat([before, x_BCTHW], dim=2))

    def rest(self) -> Chunks:
        """What remains once the clip has ended: nothing or one chunk."""
        if self.held is not None:
            ready = self._ready(torch.cat([self.held, self.held[:, :, -1:]], dim=2))
            if ready is not None:
                yield ready

    def _ready(self, frames: Tensor) -> Tensor | None:
        count = max(0, (frames.shape[2] - TAPS) // self.stride + 1)
        self.held = frames[:, :, count * self.stride :].clone()
        return frames[:, :, : (count - 1) * self.stride + TAPS] if count else None


class Skip:
    """The way around a branch that answers some frames late."""

    def __init__(self, through: Callable[[Tensor], Tensor] = nn.Identity()) -> None:  # noqa: B008 - has no state
        self.through = through
        self.held: Tensor | None = None

    def keep(self, x_BCTHW: Tensor) -> Tensor:
        """Remember a chunk on its way into the branch."""
        kept = self.through(x_BCTHW)
        self.held = kept if self.held is None else torch.cat([self.held, kept], dim=2)
        return x_BCTHW

    def add(self, h_BCTHW: Tensor) -> Tensor:
        """Join what comes out of the branch with what went around it."""
        assert self.held is not None
        count = h_BCTHW.shape[2]
        around, self.held = self.held[:, :, :count], self.held[:, :, count:].clone()
        return around + h_BCTHW


def encode_chunks(tae: TemporalAutoencoder, clips: Iterable[Tensor], num_frames: int) -> Chunks:
    """Compress a clip that comes in chunks; ``tae.encode`` of the whole gives the same.

    Nothing comes before the last chunk is read, because the latent depends on the whole clip.

    Args:
        tae: the autoencoder.
        clips: (B, 3, T, H, W) each, pixels in -1..1, cut anywhere; H and W multiples of 8.
        num_frames: frames worked on at once; a multiple of 8 is best.

    Returns:
        Normalized latents, (B, 16, T, H / 8, W / 8), with ceil(T / 8) frames in all.
    """
    encoder = tae.encoder
    folded = map(partial(fold_patches, patch=encoder.patch), Regroup(num_frames).cut(clips))
    x = map(channels_last, folded)
    x = _convolved(encoder.stem, x)
    for level, down in zip(encoder.levels, encoder.downs, strict=False):
        x = _convolved(down, _blocks(level, x))
    x = _through_middle(encoder.middle, _blocks(encoder.levels[-1], x), max(1, num_frames // tae.grid.frames))
    return map(tae.normalize, map(_mean, _read_out(encoder.head, x)))


def decode_chunks(tae: TemporalAutoencoder, latents: Iterable[Tensor], num_cells: int) -> Chunks:
    """Decode a latent that comes in chunks; ``tae.decode`` of the whole gives the same.

    Nothing comes before the last chunk is read, because every frame depends on the whole latent.

    Args:
        tae: the autoencoder.
        latents: (B, 16, T, H, W) each, normalized, cut anywhere.
        num_cells: latent frames worked on at once.

    Returns:
        (B, 3, T, 8 H, 8 W) in about -1..1, with 8 T frames in all, surplus frames included.
    """
    decoder = tae.decoder
    x = map(channels_last, map(tae.denormalize, Regroup(num_cells).cut(latents)))
    x = _through_middle(decoder.middle, _convolved(decoder.stem, x), num_cells)
    for level, up in zip(decoder.levels, decoder.ups, strict=False):
        x = _in_pieces(_upsampled(up, _blocks(level, x)))
    x = _read_out(decoder.head, _blocks(decoder.levels[-1], x))
    return map(partial(unfold_patches, patch=decoder.patch), x)


def _mean(moments: Tensor) -> Tensor:
    return moments.chunk(2, dim=1)[0]


def _convolved(conv: FactorizedConv, chunks: Chunks) -> Chunks:
    return _along_time(conv, map(conv.space, chunks))


def _along_time(conv: FactorizedConv, chunks: Chunks) -> Chunks:
    if conv.flat:
        return chunks
    halo = Halo(conv.time.stride[0])
    ready = filter(lambda frames: frames is not None, map(halo.push, chunks))
    return map(conv.time, chain(ready, halo.rest()))


def _blocks(level: nn.Sequential, chunks: Chunks) -> Chunks:
    for block in level:
        chunks = _res_block(block, chunks)
    return chunks


def _res_block(block: ResBlock, chunks: Chunks) -> Chunks:
    skip = Skip()
    entered = map(F.silu, map(block.norm1, map(skip.keep, chunks)))
    inner = map(F.silu, map(block.norm2, _convolved(block.conv1, entered)))
    return map(skip.add, _convolved(block.conv2, inner))


def _read_out(head: Readout, chunks: Chunks) -> Chunks:
    skip = Skip(head.linear)
    entered = map(F.silu, map(head.norm, map(skip.keep, chunks)))
    return map(skip.add, _convolved(head.conv, entered))


def _upsampled(up: Upsample, chunks: Chunks) -> Chunks:
    frames = map(up.conv.space, map(partial(repeat, time=1, space=up.space), chunks))
    return _along_time(up.conv, map(partial(repeat, time=up.time, space=1), frames))


def _in_pieces(chunks: Chunks) -> Chunks:
    """Chunks cut smaller where they are large."""
    return chain.from_iterable(map(_pieces, chunks))


def _pieces(x_BCTHW: Tensor) -> Sequence[Tensor]:
    frame_values = x_BCTHW[:, :, :1].numel()
    return x_BCTHW.split(max(1, PIECE_VALUES // frame_values), dim=2)


def _through_middle(middle: Middle, chunks: Chunks, num_cells: int) -> Chunks:
    first, over_space, over_time, last = middle
    seen = map(over_space, _res_block(first, chunks))
    if isinstance(over_time, TimeAttention):
        seen = map(channels_last, Regroup(num_cells).cut(_attended(over_time, seen)))
    return _res_block(last, seen)


def _attended(attention: TimeAttention, chunks: Chunks) -> Chunks:
    """Attention along time over the whole clip, some rows of it after the other."""
    with Spool() as spool:
        for chunk in chunks:
            spool.append(chunk)
            del chunk
        step = max(1, STRIP_VALUES // max(1, spool.row_values))
        for start in range(0, spool.num_rows, step):
            stop = min(start + step, spool.num_rows)
            spool.put_rows(start, stop, attention(spool.rows(start, stop)))
        yield from spool.chunks()
