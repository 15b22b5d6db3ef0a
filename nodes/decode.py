"""From latents to frames, exactly as many as were asked for."""

from typing import Any

from comfy_api.latest import io
from torch import Tensor

from ..moviegen_core.errors import GeometryError
from ..moviegen_core.geometry import TaeGrid
from .convert import check_frames

GRID = TaeGrid()
FRAMES_TIP = (
    "How many frames the clip has; 0 takes the count that the latent carries, or all when it carries none."
)


class MovieGenDecode(io.ComfyNode):
    """A latent becomes the frames of its clip and not one more."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenDecode",
            display_name="Movie Gen Decode",
            category="Movie Gen/decode",
            description="Decode a clip and drop the surplus frames of its last latent frame. Long clips are"
            " decoded in chunks that join exactly, so that memory grows far slower than their length.",
            inputs=[
                io.Latent.Input("samples", tooltip="The sampled latent."),
                io.Vae.Input("vae", tooltip="From Load Movie Gen."),
                io.Int.Input("frames", default=0, min=0, max=100_000, tooltip=FRAMES_TIP),
            ],
            outputs=[
                io.Image.Output(
                    display_name="images", tooltip="The frames, for Create Video; clips of a batch in turn."
                ),
                io.Int.Output(display_name="frames", tooltip="Frames of each clip."),
            ],
        )

    @classmethod
    def execute(cls, samples: dict[str, Any], vae: Any, frames: int) -> io.NodeOutput:  # noqa: ANN401
        """Check, decode, drop."""
        latent = samples["samples"]
        check_frames(latent)
        check_latent(latent, vae)
        count = frame_count(samples, frames)
        clips = vae.decode(latent)
        return io.NodeOutput(trimmed(clips, count), count)


class MovieGenTrimFrames(io.ComfyNode):
    """Drop the surplus frames a temporal autoencoder decodes past the clip's end."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenTrimFrames",
            display_name="Trim to Frame Count",
            category="Movie Gen/decode",
            description="Cut frames to the exact count of their clip, for decoders that give whole groups of"
            " 8.",
            inputs=[
                io.Image.Input("images", tooltip="Decoded frames of one clip."),
                io.Int.Input("frames", default=0, min=0, max=100_000, tooltip=FRAMES_TIP),
                io.Latent.Input(
                    "samples",
                    optional=True,
                    tooltip="The latent they came from; it knows the true frame count.",
                ),
            ],
            outputs=[io.Image.Output(display_name="images", tooltip="As many frames as the clip has.")],
        )

    @classmethod
    def execute(cls, images: Tensor, frames: int, samples: dict[str, Any] | None = None) -> io.NodeOutput:
        """Drop."""
        count = frames or (samples or {}).get("frames") or len(images)
        if not 0 < count <= len(images):
            raise GeometryError(
                f"{len(images)} frames came and {count} are wanted; give 1 to {len(images)}, or 0 for the"
                " latent's own count"
            )
        return io.NodeOutput(images[:count])


def check_latent(latent: Tensor, vae: Any) -> None:  # noqa: ANN401
    """Refuse a latent that is no clip, or another model's.

    Args:
        latent: to be decoded.
        vae: the host's.

    Raises:
        GeometryError: other axes or channels than the VAE decodes.
    """
    channels = getattr(vae, "latent_channels", latent.shape[1])
    if latent.ndim != 5 or latent.shape[1] != channels:
        raise GeometryError(
            f"the latent has {latent.shape[1]} channels and this VAE decodes {channels}; connect the VAE"
            " of the model that made it"
        )


def frame_count(samples: dict[str, Any], wanted: int) -> int:
    """How many frames a latent's clip has.

    Args:
        samples: the host's latent; "frames" in it is the true count where a node of ours made it.
        wanted: 0 takes that count, or all frames when there is none or the latent was cut or joined since.

    Returns:
        A count that the latent can be decoded to.

    Raises:
        GeometryError: it holds fewer frames.
    """
    cells = samples["samples"].shape[2]
    most, known = cells * GRID.frames, samples.get("frames")
    fits = isinstance(known, int) and GRID.latent_frames(known) == cells  # others may have cut or joined it
    count = wanted or (known if fits else most)
    if not 0 < count <= most:
        raise GeometryError(
            f"the latent decodes to {most} frames, not {count}; give 1 to {most}, or 0 for its own count"
        )
    return count


def trimmed(clips: Tensor, count: int) -> Tensor:
    """(B, T, H, W, 3) -> (B * count, H, W, 3); what the host already put in a row is one clip."""
    clips = clips[None] if clips.ndim == 4 else clips
    return clips[:, :count].flatten(0, 1)


NODES = (MovieGenDecode, MovieGenTrimFrames)
