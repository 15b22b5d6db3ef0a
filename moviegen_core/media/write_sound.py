"""Sound out: WAV with 16 or 24 bits or float, streamed, whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch
from av.audio.stream import AudioStream
from torch import Tensor

from ..errors import MediaError
from .sound import Sound
from .target import checked_target, replacing

SAMPLES = {
    "16": ("pcm_s16le", "s16", 2**15, 1),
    "24": ("pcm_s24le", "s32", 2**23, 2**8),
    "float": ("pcm_f32le", "flt", None, 1),
}
"""Kind -> FFmpeg's codec and sample format, steps to full scale, and what a step is in that format."""
LAYOUTS = {"FC": "mono", "FL FR": "stereo"}


def write_wav(path: str | Path, sound: Sound, kind: str = "24") -> int:
    """Write a sound as WAV, under a temporary name until the file is whole; above 4 GB as RF64.

    Whole numbers are rounded to the nearest, without dither, so that what was read from a file of that kind
    is written back bit by bit; what passes full scale is clipped there. Float is written as it is.

    Args:
        path: ends in .wav; its folder must exist.
        sound: mono or stereo.
        kind: "16", "24" or "float".

    Returns:
        Samples per channel written.

    Raises:
        MediaError: another kind, more than two channels, nothing to write, no numbers, or no place.
    """
    path = checked_target(path, ".wav")
    if kind not in SAMPLES:
        raise MediaError(f"WAV of kind {kind!r} is unknown; use one of {', '.join(SAMPLES)}")
    try:
        with replacing(path) as partial, _wav(partial, sound, kind) as (container, stream):
            count = 0
            for block in sound.blocks():
                frame = audio_frame(quantized(checked_samples(block), kind), stream, count)
                container.mux(stream.encode(frame))
                count += block.shape[1]
            container.mux(stream.encode(None))
            if not count:
                raise MediaError(f"there is no sound to write to {path}; give at least one sample")
    except (av.FFmpegError, OSError) as error:
        raise MediaError(f"{path} cannot be written ({error}); choose another folder") from error
    return count


def layout_of(sound: Sound) -> str:
    """FFmpeg's name of a mono or stereo sound's layout."""
    layout = LAYOUTS.get(" ".join(sound.speakers))
    if layout is None:
        raise MediaError(
            f"a sound of {len(sound.speakers)} channels cannot be written; remix it to 1 or 2 first"
        )
    return layout


def checked_samples(block: Tensor) -> Tensor:
    """Refuse samples that are not numbers."""
    if not block.isfinite().all():
        raise MediaError("the sound holds samples that are not numbers; make it again without them")
    return block


def quantized(block: Tensor, kind: str) -> Tensor:
    """Float (C, S) to what FFmpeg stores of that kind, interleaved (1, S C)."""
    _, _, steps, unit = SAMPLES[kind]
    flat = block.T.reshape(1, -1)
    if steps is None:
        return flat.float()
    values = (flat.double() * steps).round_().clamp_(-steps, steps - 1) * unit
    return values.to(torch.int16 if kind == "16" else torch.int32)


def audio_frame(values: Tensor, stream: AudioStream, start: int) -> av.AudioFrame:
    """Wrap samples as the encoder of a stream takes them, beginning with sample number ``start``."""
    context = stream.codec_context
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(values.numpy()), format=context.format.name, layout=context.layout.name
    )
    frame.sample_rate, frame.pts, frame.time_base = (
        context.sample_rate,
        start,
        Fraction(1, context.sample_rate),
    )
    return frame


@contextmanager
def _wav(path: Path, sound: Sound, kind: str) -> Iterator[tuple[av.container.OutputContainer, AudioStream]]:
    codec, sample_format, _, _ = SAMPLES[kind]
    options = {"rf64": "auto", "fflags": "+bitexact"}
    with av.open(f"file:{path}", "w", format="wav", options=options) as container:
        stream = container.add_stream(codec, rate=sound.sample_rate, layout=layout_of(sound))
        stream.codec_context.format = sample_format
        yield container, stream
