"""Tiny videos, made with PyAV alone: not with our own writer."""

from fractions import Fraction

import av
import numpy as np
import pytest


@pytest.fixture
def video():
    """Make a video file."""
    return write_video


def write_video(
    path, *, num_frames=12, rate=Fraction(24), codec="libx264", times=None, start=Fraction(0), tags=None
):
    """A video of noise; times in seconds make its rate vary."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        stream.codec_context.time_base = 1 / rate if times is None else Fraction(1, 1000)
        stream.metadata["language"] = "fre"
        container.metadata.update(tags or {})
        random = np.random.default_rng(0)
        for k in range(num_frames if times is None else len(times)):
            frame = av.VideoFrame.from_ndarray(random.integers(0, 255, (48, 48), np.uint8), format="yuv420p")
            moment = start + (k / rate if times is None else Fraction(round(times[k] * 1000), 1000))
            frame.time_base = stream.codec_context.time_base
            frame.pts = round(moment / frame.time_base)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
