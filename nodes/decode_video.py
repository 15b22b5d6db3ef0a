"""From latents straight to a video file: frames are never all in memory."""

from typing import Any

from comfy_api.latest import io, ui

from ..moviegen_core.geometry import parse_fps
from ..moviegen_core.media.write import CRF
from .convert import check_frames, sound_of
from .decode import FRAMES_TIP, check_latent, frame_count
from .host import decode as host_decode
from .host import report, sampling
from .host import video as host_video

CRF_TIP = "Quality of the file: 0 loses nothing, 14 looks the same, 23 is small; 51 is the worst."


class MovieGenDecodeVideo(io.ComfyNode):
    """A latent becomes a video, a chunk of frames at a time."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenDecodeVideo",
            display_name="Decode to Video",
            category="Movie Gen/decode",
            description="Decode a clip of any length straight into a video file: chunks that join exactly,"
            " written as they come. Frames are never all in memory.",
            inputs=[
                io.Latent.Input("samples", tooltip="The sampled latent; clips of a batch follow each other."),
                io.Vae.Input(
                    "vae",
                    tooltip="From Load Movie Gen. Others work too, but decode as ComfyUI does, all frames in"
                    " memory.",
                ),
                io.Float.Input(
                    "fps",
                    default=16.0,
                    min=1.0,
                    max=240.0,
                    step=0.001,
                    tooltip="Frames per second, from Empty Movie Latent.",
                ),
                io.Int.Input("frames", default=0, min=0, max=100_000, tooltip=FRAMES_TIP),
                io.Int.Input("crf", default=CRF, min=0, max=51, tooltip=CRF_TIP),
                io.Audio.Input(
                    "audio", optional=True, tooltip="Sound for the clip, cut or filled to its exact length."
                ),
            ],
            outputs=[
                io.Video.Output(display_name="video", tooltip="For Save Video or Upscale Video."),
                io.Int.Output(display_name="frames", tooltip="Frames of each clip."),
                io.String.Output(display_name="report", tooltip="How it was decoded."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        samples: dict[str, Any],
        vae: Any,  # noqa: ANN401 - the host's
        fps: float,
        frames: int,
        crf: int,
        audio: dict[str, Any] | None = None,
    ) -> io.NodeOutput:
        """Check, decode into the file, add the sound."""
        check_frames(samples["samples"])
        ours = host_decode.is_ours(vae)
        if ours:
            check_latent(samples["samples"], vae)
        count = frame_count(samples, frames) if ours else frames
        decoded = host_decode.decoded(vae, samples["samples"], count)
        done = sampling.progress(decoded.num_frames)
        video = host_video.write_video(_counted(decoded.frames, done), parse_fps(fps), crf)
        if audio is not None:
            video = host_video.with_sound(video, sound_of(audio))[0]
        words = f"{decoded.num_frames} frames\n{decoded.how}"
        report.say_on_node(cls.hidden, words)
        return io.NodeOutput(video, count or decoded.num_frames, words, ui=ui.PreviewText(words))


def _counted(frames: Any, done: sampling.OnStep) -> Any:  # noqa: ANN401 - iterators of frames
    for number, frame_HWC in enumerate(frames, start=1):
        done(number)
        yield frame_HWC


NODES = (MovieGenDecodeVideo,)
