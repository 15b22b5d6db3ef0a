"""Sound as a stream: read from the start as often as needed, a piece in memory at a time.

Whatever changes a sound takes it and returns a new one. All of them cut the stream into the same blocks
before they reckon, so that the pieces in which it arrives make no difference to what comes out.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import repeat

import torch
from torch import Tensor

from ..errors import MediaError

# Shape letters: C channel, S sample.

SAMPLE_RATE = 48000
BLOCK = 16384
"""Samples per channel that are worked on at once."""
MONO, STEREO = ("FC",), ("FL", "FR")
SPEAKERS = {
    1: MONO,
    2: STEREO,
    3: ("FL", "FR", "LFE"),
    4: ("FL", "FR", "BL", "BR"),
    5: ("FL", "FR", "FC", "BL", "BR"),
    6: ("FL", "FR", "FC", "LFE", "BL", "BR"),
    7: ("FL", "FR", "FC", "LFE", "BC", "SL", "SR"),
    8: ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"),
}
"""Where channels are heard when nobody says it: the order of WAV files, up to 7.1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """Waveforms that can be streamed from the start any number of times; nothing is read before that."""

    sample_rate: int
    speakers: tuple[str, ...]
    """Where each channel is heard, in FFmpeg's names, such as ("FL", "FR")."""
    chunks: Callable[[], Iterator[Tensor]]
    """Starts the stream: (C, S) float32 pieces of any length, full scale is 1."""

    def blocks(self, size: int = BLOCK) -> Iterator[Tensor]:
        """Stream in pieces of ``size`` samples; only the last may be shorter."""
        return cut(self.chunks(), repeat(size))

    def through(self, change: Callable[[Iterator[Tensor]], Iterator[Tensor]]) -> "Sound":
        """The sound whose blocks went through a function of streams that keeps rate and channels."""
        return replace(self, chunks=lambda: change(self.blocks()))


def sound_from(waveform: Tensor, sample_rate: int = SAMPLE_RATE) -> Sound:
    """Make a sound of a waveform in memory.

    Args:
        waveform: (C, S) floating point, 1 to 8 channels in the order of WAV files.
        sample_rate: samples per second.

    Returns:
        The sound; it shares the waveform's memory.

    Raises:
        MediaError: no samples, no channel or more than eight, or a sample that is not a number.
    """
    if waveform.ndim != 2 or waveform.shape[0] not in SPEAKERS or not waveform.shape[1]:
        raise MediaError(
            f"a waveform of {tuple(waveform.shape)} is no sound; give (channels, samples), 1 to 8 channels"
        )
    if not waveform.isfinite().all():
        raise MediaError("the waveform holds values that are not numbers; make the sound again without them")
    wave = waveform.detach().cpu().float()
    return Sound(
        sample_rate=sample_rate, speakers=SPEAKERS[len(wave)], chunks=lambda: iter(wave.split(BLOCK, 1))
    )


def silence(num_samples: int, sample_rate: int = SAMPLE_RATE, speakers: tuple[str, ...] = STEREO) -> Sound:
    """Nothing to hear, for as long as asked."""
    return Sound(
        sample_rate=sample_rate, speakers=speakers, chunks=lambda: _zeros(num_samples, len(speakers))
    )


def waveform_of(sound: Sound) -> Tensor:
    """Bring a whole sound into memory, (C, S) float32."""
    return torch.cat([torch.zeros(len(sound.speakers), 0), *sound.chunks()], dim=1)


def count_samples(sound: Sound) -> int:
    """Samples per channel, by streaming it all."""
    return sum(chunk.shape[1] for chunk in sound.chunks())


def cut(chunks: Iterable[Tensor], sizes: Iterable[int]) -> Iterator[Tensor]:
    """Cut a stream anew.

    Args:
        chunks: (C, S) pieces of any length.
        sizes: the lengths wanted; the stream ends with them.

    Yields:
        Tensor: (C, size), contiguous, sharing no memory with the chunks; the last holds what is left.
    """
    wanted = iter(sizes)
    size, held, count = next(wanted, None), [], 0
    for chunk in chunks:
        while size is not None and count + chunk.shape[1] >= size:
            yield torch.cat([*held, chunk[:, : size - count]], dim=1)
            chunk, held, count = chunk[:, size - count :], [], 0
            size = next(wanted, None)
        if size is None:
            return
        held, count = [*held, chunk], count + chunk.shape[1]
    if count:
        yield torch.cat(held, dim=1)


def with_context(blocks: Iterable[Tensor], before: int, after: int) -> Iterator[Tensor]:
    """Give every block what is heard around it; outside of the sound lies silence.

    Args:
        blocks: (C, S) pieces.
        before: samples of the past to put in front, at least 1.
        after: samples of the future to put behind.

    Yields:
        Tensor: (C, before + n + after), where the n in the middle go through the sound once and in order.
    """
    held = None
    for block in blocks:
        held = block.new_zeros(len(block), before) if held is None else held
        held = torch.cat([held, block], dim=1)
        if held.shape[1] > before + after:
            yield held
            held = held[:, -(before + after) :]
    if held is not None:
        yield torch.cat([held, held.new_zeros(len(held), after)], dim=1)


def exactly(sound: Sound, num_samples: int) -> Sound:
    """Cut a sound, or let silence follow it, so that it has this many samples per channel."""

    def change(blocks: Iterator[Tensor]) -> Iterator[Tensor]:
        missing = num_samples
        for block in blocks:
            yield block[:, :missing]
            missing -= min(missing, block.shape[1])
            if not missing:
                return
        yield from _zeros(missing, len(sound.speakers))

    return sound.through(change)


def delayed(sound: Sound, num_samples: int) -> Sound:
    """Let silence go before a sound, or drop its beginning when the number is below 0."""

    def change(blocks: Iterator[Tensor]) -> Iterator[Tensor]:
        yield from _zeros(max(num_samples, 0), len(sound.speakers))
        surplus = max(-num_samples, 0)
        for block in blocks:
            yield block[:, surplus:]
            surplus -= min(surplus, block.shape[1])

    return sound.through(change)


def amplified(sound: Sound, decibels: float) -> Sound:
    """Make a sound louder, or softer when the number is below 0."""
    factor = 10 ** (decibels / 20)
    return sound.through(lambda blocks: (block * factor for block in blocks)) if decibels else sound


def summed(sounds: list[Sound]) -> Sound:
    """Hear sounds of one rate and the same speakers together, as long as the longest.

    Args:
        sounds: at least one.

    Returns:
        Their sum, in float, so that nothing clips here.

    Raises:
        MediaError: they differ in rate or speakers.
    """
    first = sounds[0]
    if any((sound.sample_rate, sound.speakers) != (first.sample_rate, first.speakers) for sound in sounds):
        raise MediaError(
            "sounds of different rates or channels cannot be summed; resample and remix them first"
        )

    def chunks() -> Iterator[Tensor]:
        streams = [sound.blocks() for sound in sounds]
        while blocks := [block for block in (next(stream, None) for stream in streams) if block is not None]:
            total = torch.zeros_like(max(blocks, key=lambda block: block.shape[1]))
            for block in blocks:
                total[:, : block.shape[1]] += block
            yield total

    return replace(first, chunks=chunks)


def _zeros(num_samples: int, num_channels: int) -> Iterator[Tensor]:
    for start in range(0, num_samples, BLOCK):
        yield torch.zeros(num_channels, min(BLOCK, num_samples - start))
